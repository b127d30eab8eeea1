"""What the pair is doing: scheduler, agents, queues, users, jobs."""

from collections.abc import Iterable

from skytui.pair.vocabulary import ACTIVE
from skytui.runbook.checks.check import Check, Group, NotApplicable, Said, Verdict, View


def scheduler(view: View) -> Said:
    """The Job Scheduler runs."""
    found = view.take("the Job Scheduler's state", view.server(view.master).scheduler)
    if found.state != "running":
        return Verdict.WARN, f"the Job Scheduler on {view.master} reads {found.state or 'nothing'}"
    return Verdict.OK, f"the Job Scheduler on {view.master} runs, {found.ticks} ticks since its start"


def agents(view: View) -> Said:
    """Every agent is active and connected."""
    found = view.take("the list of agents", view.server(view.master).agents)
    if not found:
        raise NotApplicable(f"{view.master} lists no agent")
    missing = [
        f"{agent.name} ({agent.state if agent.connected is not False else 'not connected'})"
        for agent in found
        if agent.state != ACTIVE or agent.connected is False
    ]
    if len(missing) == len(found):
        return Verdict.BLOCK, f"none of {len(found)} agents is active: {_some(missing)}"
    if missing:
        return Verdict.WARN, f"{len(missing)} of {len(found)} agents not active: {_some(missing)}"
    return Verdict.OK, f"{len(found)} of {len(found)} agents active"


def queues(view: View) -> Said:
    """Not all queues are locked, and nothing waits in one that is."""
    found = view.take("the list of queues", view.server(view.master).queues)
    if not found:
        return Verdict.BLOCK, f"{view.master} lists no queue: nothing could show that jobs are held back"
    locked = [queue for queue in found if queue.locked]
    if len(locked) == len(found):
        return Verdict.WARN, f"all {len(found)} queues are locked already; a swap leaves them locked"
    waiting = [f"{queue.name} ({queue.waiting} waiting)" for queue in locked if queue.waiting]
    if waiting:
        return Verdict.WARN, f"locked before, and jobs wait: {_some(waiting)}; a swap leaves them locked"
    names = f" ({_some(queue.name for queue in locked)})" if locked else ""
    return Verdict.OK, f"{len(found)} queues, {len(locked)} locked before{names}"


def users(view: View) -> Said:
    """Nobody is logged in but this console."""
    found = view.take("the list of users", view.server(view.master).users)
    others = [f"{user.user} from {user.address or 'unknown'}" for user in found if not user.own]
    if others:
        return Verdict.WARN, f"{len(others)} logged in on {view.master}: {_some(others)}"
    return Verdict.OK, f"nobody is logged in on {view.master} but this console"


def running(view: View) -> Said:
    """No job runs."""
    found = view.take("the list of running jobs", view.server(view.master).running_jobs)
    if found:
        names = _some(f"{job.job or job.id} on {job.agent or 'an agent'}" for job in found)
        return Verdict.WARN, f"{len(found)} running: {names}"
    return Verdict.OK, "no job is running"


def due(view: View) -> Said:
    """No job is due while there is no scheduler."""
    found = view.take("the list of due jobs", view.server(view.master).due_jobs)
    if found:
        first: dict[str, str] = {}
        for job in found:
            first.setdefault(job.job, job.due)
        names = _some((f"{job} at {at}" for job, at in first.items()), most=3)
        return Verdict.WARN, f"{len(found)} runs due soon, late or missed by a swap now: {names}"
    return Verdict.OK, "no job is due within the time a swap takes"


def history(view: View) -> Said:
    """Nothing is left in Server History from before."""
    found = view.take("Server History", view.server(view.master).server_history)
    if found:
        return Verdict.WARN, f"{len(found)} completions not recognised: {_some(run.id for run in found)}"
    return Verdict.OK, f"no completion that {view.master} did not recognise"


def _some(names: Iterable[str], most: int = 5) -> str:
    """The first few names, and how many more there are."""
    every = list(names)
    rest = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + rest


CHECKS: tuple[Check, ...] = (
    Check(
        id="scheduler",
        group=Group.WORK,
        title="The Job Scheduler runs",
        proves="The schedule goes on, so that what stops it later is this swap.",
        hint="Start it, or know why it is stopped: a swap starts it on the new master.",
        look=scheduler,
        blocks=False,
    ),
    Check(
        id="agents",
        group=Group.WORK,
        title="Agents are active",
        proves="Every agent the master lists is active; after the swap they are wanted back by name.",
        hint="Start the agents that are missing. Those that are not active now are not waited for later.",
        look=agents,
    ),
    Check(
        id="queues",
        group=Group.WORK,
        title="Queues locked before",
        proves="Agent job queues are open, and no job waits in one that was locked before.",
        hint="Unlock what should be open. A swap leaves queues that were locked before as they are.",
        look=queues,
    ),
    Check(
        id="users",
        group=Group.WORK,
        title="Users are logged out",
        proves="Nobody is logged in on the master but this console.",
        hint="Ask them to log out: whoever is logged in loses their work.",
        look=users,
        blocks=False,
    ),
    Check(
        id="running-jobs",
        group=Group.WORK,
        title="No job is running",
        proves="A swap now would not have to wait for a job.",
        hint="Wait for their end; the step *Let running jobs end* does.",
        look=running,
        blocks=False,
    ),
    Check(
        id="due-jobs",
        group=Group.WORK,
        title="No job is due",
        proves="No job comes due within the time the scheduler is dark.",
        hint="Choose another time, or accept that these run late.",
        look=due,
        blocks=False,
    ),
    Check(
        id="server-history",
        group=Group.WORK,
        title="Server History is clear",
        proves="Completions that turn up after this swap are of this swap.",
        hint="Go through Server History before the swap.",
        look=history,
        blocks=False,
    ),
)
