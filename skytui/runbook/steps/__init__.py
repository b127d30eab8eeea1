"""What a role swap consists of, in the order and the words of the operator's article."""

from skytui.runbook.steps.activate import ACTIVATE
from skytui.runbook.steps.convert import CONVERT
from skytui.runbook.steps.prepare import PREPARE
from skytui.runbook.steps.shut_down import SHUT_DOWN
from skytui.runbook.steps.step import Kind, Phase, Side, Step
from skytui.runbook.steps.undo import UNDO

PLANNED: tuple[Step, ...] = (*PREPARE, *SHUT_DOWN, *ACTIVATE, *CONVERT)
"""The planned swap."""

STEPS: dict[str, Step] = {step.id: step for step in (*PLANNED, *UNDO)}
"""Every step there is, by its id."""


def plan_of(kind: Kind) -> tuple[Step, ...]:
    """The steps of a run of this kind, in order."""
    return {Kind.PLANNED: PLANNED}[kind]


__all__ = ["PLANNED", "STEPS", "UNDO", "Kind", "Phase", "Side", "Step", "plan_of"]
