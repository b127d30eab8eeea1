"""The order that carries out the action of a step."""

from skytui.pair.order import Expectation, Order
from skytui.pair.pair import PairReading
from skytui.pair.reading import Known
from skytui.pair.vocabulary import Action
from skytui.runbook import rows
from skytui.runbook.model import Run
from skytui.runbook.steps import Step


def order_for(run: Run, step: Step, token: str, expects: Expectation) -> Order:
    """The order that carries out the action of `step`.

    Raises ValueError for a step without an action.
    """
    if step.action is None:
        raise ValueError(f"{step.id} has no action")
    server = run.name_of(step.side)
    touches_queues = step.action in (Action.LOCK_QUEUES, Action.UNLOCK_QUEUES)
    return Order(
        token=token,
        action=step.action,
        server=server,
        expects=expects,
        peer=run.new if server == run.old else run.old,
        queues=run.baseline.open_queues() if touches_queues and run.baseline else (),
        runs=rows.chosen(run) if step.action is Action.RUN_NOW else (),
        mark=run.id,
        deadline=run.deadline(step),
    )


def next_token(run: Run, step: Step) -> str:
    """The token of the next attempt at `step`: the same for the same history."""
    return f"{run.id}-{step.id}-{run.attempts.get(step.id, 0) + 1}"


def expectation(run: Run, step: Step, reading: PairReading | None) -> Expectation:
    """Who must answer when the action of `step` is carried out."""
    name = run.name_of(step.side)
    identity = reading.server(name).identity if reading else None
    timeline = identity.value.timeline if isinstance(identity, Known) else 0
    return Expectation(name, step.role, timeline)
