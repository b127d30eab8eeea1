"""Which lines of the logs a report shows: what was said around each action that did not go well, and last."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from skytui.pair.logline import LogLine
from skytui.pair.order import Result
from skytui.runbook.report.model import ActionReport, Excerpt

LINES = 20
"""How many lines an excerpt has at most."""
BEFORE, AFTER = timedelta(seconds=30), timedelta(seconds=5)
"""How much of the time around the end of an action is shown."""


def excerpts_of(lines: Sequence[LogLine], actions: Iterable[ActionReport]) -> tuple[Excerpt, ...]:
    """The excerpts of what was logged during a run."""
    found: list[Excerpt] = []
    for action in actions:
        if action.ended is None or action.result == Result.DONE:
            continue
        begin, end = action.ended - BEFORE, action.ended + AFTER
        near = [line for line in lines if line.server == action.server and begin <= line.wall <= end]
        if near:
            title = f"{action.server}, around {action.step} ({action.result})"
            found.append(Excerpt(title, _texts(near, with_log=True)))
    sources = dict.fromkeys((line.server, line.log) for line in lines)
    for server, log in sources:
        last = [line for line in lines if (line.server, line.log) == (server, log)]
        found.append(Excerpt(f"{server}, {log}: the last lines", _texts(last)))
    return tuple(found)


def _texts(lines: Sequence[LogLine], *, with_log: bool = False) -> tuple[str, ...]:
    return tuple(
        f"{line.wall:%H:%M:%S} {f'{line.log}  ' if with_log else ''}{line.text}" for line in lines[-LINES:]
    )
