"""What a role swap consists of, in the order and the words of the operator's article."""

from collections.abc import Collection

from skytui.runbook.steps.activate import ACTIVATE
from skytui.runbook.steps.convert import CONVERT
from skytui.runbook.steps.optional import OPTIONAL
from skytui.runbook.steps.prepare import PREPARE
from skytui.runbook.steps.shut_down import SHUT_DOWN
from skytui.runbook.steps.step import Kind, Phase, Side, Step
from skytui.runbook.steps.undo import UNDO
from skytui.runbook.steps.unplanned import ASSESS, FENCE

PLANNED: tuple[Step, ...] = (*PREPARE, *SHUT_DOWN, *ACTIVATE, *CONVERT)
"""The planned swap."""

UNPLANNED: tuple[Step, ...] = (ASSESS, FENCE, *ACTIVATE, *CONVERT)
"""The unplanned swap: the master is lost. Its conversion may be left for a run of its own."""

CONVERSION: tuple[Step, ...] = (FENCE, *CONVERT)
"""That run. The original master may have come back by itself: it is made sure of once more."""

BY_CHOICE: tuple[Step, ...] = tuple(step for steps in OPTIONAL.values() for step in steps)
"""The steps a pair's configuration may add."""

STEPS: dict[str, Step] = {step.id: step for step in (*PLANNED, ASSESS, FENCE, *BY_CHOICE, *UNDO)}
"""Every step there is, by its id."""


def plan_of(kind: Kind, optional: Collection[str] = ()) -> tuple[Step, ...]:
    """The steps of a run of this kind, in order, with those that a pair's configuration adds."""
    steps = {Kind.PLANNED: PLANNED, Kind.UNPLANNED: UNPLANNED, Kind.CONVERT: CONVERSION}[kind]
    wanted = set(optional)
    if "silence-monitoring" in wanted and kind is Kind.PLANNED:
        wanted.add("unsilence")
    return tuple(
        each
        for step in steps
        for each in (step, *(extra for extra in OPTIONAL.get(step.id, ()) if extra.id in wanted))
    )


__all__ = [
    "BY_CHOICE",
    "CONVERSION",
    "OPTIONAL",
    "PLANNED",
    "STEPS",
    "UNDO",
    "UNPLANNED",
    "Kind",
    "Phase",
    "Side",
    "Step",
    "plan_of",
]
