"""How the value of each reading is written."""

from textual.content import Content

from skytui.pair.vocabulary import Agent, Control, Job, Link, Port, Process, Queue, User
from skytui.tui.glyphs import Glyphs
from skytui.tui.view.figures import Pace, plural, short_time, size, sparkline

SPARKS = 12
"""The longest sparkline, in readings."""


def marked(glyphs: Glyphs, good: bool, text: str) -> Content:
    """A text with a sign for whether it is in order."""
    sign, style = (glyphs.master, "$sky") if good else (glyphs.down, "$attention")
    return Content.assemble((f"{sign} ", style), text)


def queues(found: list[Queue], before: int) -> Content:
    """How many queues are locked, how many of them were before the run, and the backlog."""
    locked = sum(queue.locked for queue in found)
    waiting = sum(queue.waiting for queue in found)
    note = f" ({before} before)" if before else ""
    backlog = f", {plural(waiting, 'job')} waiting" if waiting else ""
    return Content(f"{locked}/{len(found)} locked{note}{backlog}")


def agents(found: list[Agent]) -> Content:
    """How many agents are connected, and the names of those that are not."""
    missing = [agent.name for agent in found if agent.state != "active" or agent.connected is False]
    text = f"{len(found) - len(missing)}/{len(found)} connected"
    if missing:
        return Content.assemble((text, "bold $attention"), f", not {', '.join(missing)}")
    return Content(text)


def jobs(found: list[Job]) -> Content:
    """How many jobs run, and which."""
    return Content(f"{len(found)}  {', '.join(job.job or job.id for job in found)}".rstrip())


def users(found: list[User]) -> Content:
    """Who is logged in beside this console."""
    others = [user.user for user in found if not user.own]
    if others:
        return Content.assemble((f"{len(others)}", "bold $attention"), f"  {', '.join(others)}")
    return Content("only this console" if found else "0")


def link(glyphs: Glyphs, found: Link) -> Content:
    """Whether data flows, and with whom."""
    peer = f", {found.peer}" if found.peer else ""
    return marked(glyphs, found.alive, f"{found.state or 'not connected'}{peer}")


def pending(count: int, pace: Pace | None, glyphs: Glyphs, room: int, *, own: bool) -> Content:
    """How many files wait, how that went lately, and when it will be 0.

    The sparkline gets what is left of `room` cells. `own`: counted on the standby itself.
    """
    text = Content.styled(plural(count, "file"), "bold" if count else "bold $sky")
    if pace is not None and any(pace.values):
        if pace.rate > 0.05 and count:
            text += f" {pace.rate:.0f}/s" if pace.rate >= 1 else f" {pace.rate:.1f}/s"
        if pace.eta is not None:
            text += Content.styled(f" ~{short_time(pace.eta)}", "$quiet")
        sparks = sparkline(pace.values, glyphs.spark, min(SPARKS, room - text.cell_length - 1))
        text += Content.styled(f" {sparks}", "$sky")
    return text + Content.styled(", own count", "$quiet") if own else text


def disk(free: int, database: int | None) -> Content:
    """Free disk against the size of the database that a conversion copies."""
    beside = f" (data {size(database)})" if database is not None else ""
    if database is not None and free < database:
        return Content.assemble((size(free), "bold $attention"), beside)
    return Content(size(free) + beside)


def guard(found: bool) -> Content:
    """Whether the server is kept from starting by itself."""
    return Content("set: no start at boot" if found else "not set")


def processes(found: list[Process]) -> Content:
    """Which processes run; all of them are named, also those that are gone."""
    alive = [process for process in found if process.running]
    if alive:
        names = ", ".join(
            process.name if process.pid is None else f"{process.name} {process.pid}" for process in alive
        )
        return Content.assemble(("running: ", "bold"), names)
    return Content(f"gone: {', '.join(process.name for process in found)}" if found else "none looked for")


def ports(found: list[Port]) -> Content:
    """What each port answered. No answer is not a refusal."""
    other = [port for port in found if port.state != "refused"]
    if not found:
        return Content("none tried")
    if not other:
        return Content(f"refused: {', '.join(str(port.port) for port in found)}")
    return Content.styled(", ".join(f"{port.port} {port.state}" for port in found), "bold $attention")


def control(found: Control) -> Content:
    """What the database's own control data says."""
    return Content(f"{found.state}, at {found.checkpoint}")
