"""Where the time of a run went: a person's, or the machine's; step by step.

A fold over the events of a journal. A person's time is while a card waits for its confirmation, whatever kept
it waiting; the machine's is from there until the gate has passed. Durations go by the monotonic clock; where
another process wrote the later event, by the wall clock, which may have been set meanwhile.
"""

from collections.abc import Iterable, Sequence

import msgspec

from skytui.runbook.events import Opened, Recorded
from skytui.runbook.fold import apply
from skytui.runbook.model import Failed, Run, Waiting


class Spent(msgspec.Struct, frozen=True):
    """Seconds: while a person was waited for, and while the machine acted or a gate was waited for."""

    person: float = 0.0
    machine: float = 0.0

    @property
    def total(self) -> float:
        """Both together."""
        return self.person + self.machine

    def plus(self, seconds: float, *, by_person: bool) -> "Spent":
        """With some more of one of them."""
        return (
            Spent(self.person + seconds, self.machine)
            if by_person
            else Spent(self.person, self.machine + seconds)
        )


def seconds_between(earlier: Recorded, later: Recorded) -> float:
    """How long it was from one event to another, never less than 0."""
    passed = later.at.since(earlier.at)
    if earlier.at.boot != later.at.boot:
        passed = (later.wall - earlier.wall).total_seconds()
    return max(0.0, passed)


def spent_by_step(events: Sequence[Recorded]) -> dict[str, Spent]:
    """The time each step took, in the order in which they came up."""
    spent: dict[str, Spent] = {}
    for run, before, after in _moments(events):
        if run.step is not None:
            waits = isinstance(run.stage, Waiting | Failed)
            so_far = spent.get(run.step.id, Spent())
            spent[run.step.id] = so_far.plus(seconds_between(before, after), by_person=waits)
    return spent


def spent_in_all(by_step: Iterable[Spent]) -> Spent:
    """The time of all steps together."""
    person = machine = 0.0
    for spent in by_step:
        person, machine = person + spent.person, machine + spent.machine
    return Spent(person, machine)


def _moments(events: Sequence[Recorded]) -> Iterable[tuple[Run, Recorded, Recorded]]:
    """The run as it was between each two events."""
    run: Run | None = None
    before: Recorded | None = None
    for event in events:
        if run is not None and before is not None:
            yield run, before, event
        elif not isinstance(event, Opened):
            raise ValueError("a journal starts with the run being opened")
        run, before = apply(run, event), event
