"""The larger measures of a run: for how long what was missing. A fold over the events of its journal."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from skytui.runbook.events import Intended, Opened, Passed, Recorded, Turned
from skytui.runbook.model import Run
from skytui.runbook.spent import seconds_between
from skytui.runbook.steps import Kind


class Measure(msgspec.Struct, frozen=True):
    """What is measured: from the first intent of one of `begins` until one of the steps `ends` has passed.

    In runs of the kinds `lost` it was missing before: there it is counted from when such a run was opened, or
    made of another one.
    """

    id: str
    title: str
    begins: tuple[str, ...]
    ends: tuple[str, ...]
    lost: tuple[Kind, ...] = ()


_UNPLANNED = (Kind.UNPLANNED,)

MEASURES = (
    Measure(
        "scheduler-dark",
        "Scheduler dark",
        ("stop-scheduler",),
        ("start-scheduler", "restart-scheduler"),
        _UNPLANNED,
    ),
    Measure("queues-dark", "Queues locked", ("lock-queues",), ("unlock-queues", "unlock-again")),
    Measure("no-master", "No master", ("shut-down",), ("promote", "start-again"), _UNPLANNED),
    Measure("agents-back", "Until all agents were back", ("promote",), ("agents-back",)),
    Measure(
        "service-restored",
        "Until the first job had run",
        ("stop-scheduler", "promote"),
        ("first-job",),
        _UNPLANNED,
    ),
    Measure(
        "redundancy-restored",
        "Without a standby",
        ("shut-down", "promote"),
        ("standby-active", "restored"),
        (Kind.UNPLANNED, Kind.CONVERT),
    ),
)
"""In the order in which they are shown."""


class Span(msgspec.Struct, frozen=True):
    """One measure of a run, in seconds. Without `since` it never began; without `until` it goes on, or ended
    in another way than it is measured by, and `seconds` count up to the last event.
    """

    id: str
    title: str
    seconds: float | None = None
    since: datetime | None = None
    until: datetime | None = None


def spans_of(run: Run, events: Sequence[Recorded]) -> tuple[Span, ...]:
    """All measures of a run whose journal holds these events."""
    return tuple(_span(measure, events) for measure in MEASURES if _can_end(measure, run))


def _can_end(measure: Measure, run: Run) -> bool:
    """Whether it is of any meaning in this run: one without such a step never stops what it measures."""
    return any(step in run.plan for step in measure.ends)


def _span(measure: Measure, events: Sequence[Recorded]) -> Span:
    first = next((event for event in events if _begins(measure, event)), None)
    if first is None:
        return Span(measure.id, measure.title)
    last = next((event for event in events if _ends(measure, event)), None)
    if last is None:
        return Span(measure.id, measure.title, seconds_between(first, events[-1]), first.wall)
    return Span(measure.id, measure.title, seconds_between(first, last), first.wall, last.wall)


def _begins(measure: Measure, event: Recorded) -> bool:
    match event:
        case Intended(step=step):
            return step in measure.begins
        case Opened(kind=kind):
            return kind in measure.lost
        case Turned():
            return Kind.UNPLANNED in measure.lost
        case _:
            return False


def _ends(measure: Measure, event: Recorded) -> bool:
    return isinstance(event, Passed) and event.step in measure.ends
