"""The first line: whose pair this is, where the run stands, who is here, how long it took and was dark."""

from textual.content import Content

from skytui.runbook.model import Run
from skytui.tui.glyphs import Look
from skytui.tui.scene import Scene
from skytui.tui.standing import Standing
from skytui.tui.view.face import two_masters
from skytui.tui.view.figures import short_time
from skytui.tui.view.people import top_words
from skytui.tui.view.watching import watch_alarm
from skytui.tui.view.wrap import cut


def topline_view(scene: Scene, look: Look, width: int) -> Content:
    """The line, cut to `width`: what is least needed goes first."""
    right = _times(scene, look)
    left = Content("")
    people, whats = top_words(scene), _whats(scene, look)
    for who in people:
        # Names give way to a number before the place in the run goes; that goes before the number does.
        names_others = who is people[0] and bool(who[1])
        for what in whats[:-1] if names_others else whats:
            for brand in ("skytui ", ""):
                left = _left(scene, brand, what, who)
                gap = width - left.cell_length - right.cell_length
                if gap >= 1:
                    return left + " " * gap + right
    return cut(left + " " + right, width, look.glyphs)


def _left(scene: Scene, brand: str, what: str, people: tuple[str, str]) -> Content:
    parts = [Content.assemble((brand, "bold"), _mark(scene))]
    if scene.standing is Standing.WATCHER:
        parts.append(Content.styled(" WATCHING ", "bold $ink on $attention"))
    parts.append(Content(what))
    operates, others = people
    if operates:
        parts.append(Content.styled(f" {operates}", "" if scene.operates else "bold $attention"))
    if others:
        parts.append(Content.styled(f" {others}", "$quiet"))
    return Content(" ").join(part for part in parts if part)


def banner_view(scene: Scene, look: Look) -> Content:
    """What overrides everything else: two masters, or a lost conductor. Empty when all is well."""
    masters = two_masters(scene)
    bang = look.glyphs.bang
    if masters:
        return Content(
            f" {bang} TWO MASTERS: {' and '.join(masters)} both read master. "
            "Nothing is started, unlocked or promoted. Shut one of them down."
        )
    if says := watch_alarm(scene):
        return Content(f" {bang} {says}")
    if scene.shown.lost:
        return Content(f" {bang} NOT CONNECTED: {scene.shown.lost} Nothing below is current; trying again.")
    return Content("")


def _mark(scene: Scene) -> Content:
    if scene.shown.practice:
        return Content.styled(" PRACTICE ", "$ink on $sky")
    return Content.styled(" PROD ", "bold $foreground on $alarm-ground")


def _whats(scene: Scene, look: Look) -> list[str]:
    """What goes on, from the longest wording to the shortest."""
    run, dot = scene.run, look.glyphs.dot
    pair = scene.shown.pair
    if run is None:
        return [f"{pair} {dot} no run is open", "no run", ""]
    step = run.step
    if step is None:
        return [f"{pair} {dot} {run.kind} swap {dot} {_ending(run)}", _ending(run), ""]
    place = f"step {run.number(step.id)} of {len(run.plan)}"
    held = f" {dot} HELD" if run.hold else ""
    return [
        f"{pair} {dot} {run.kind} swap {dot} {step.phase} {dot} {place}{held}",
        f"{run.kind} swap {dot} {step.phase} {dot} {place}{held}",
        f"{step.phase} {dot} {place}{held}",
        f"{run.kind} swap {dot} {place}{held}",
        f"{place}{held}",
        "HELD" if run.hold else "",
    ]


def _ending(run: Run) -> str:
    return str(getattr(run.stage, "ending", "ended"))


def _times(scene: Scene, look: Look) -> Content:
    run = scene.run
    if run is None:
        return Content.styled(look.clock(scene.wall), "$quiet")
    until = run.stage_wall if run.over else scene.wall
    text = Content.styled(f"run {short_time((until - run.began).total_seconds())}", "$quiet")
    if run.dark_since:
        dark_until = run.dark_until or scene.wall
        style = "$quiet" if run.dark_until else "bold $attention"
        dark = short_time((dark_until - run.dark_since).total_seconds())
        text += "  " + Content.styled(f"scheduler dark {dark}", style)
    return text
