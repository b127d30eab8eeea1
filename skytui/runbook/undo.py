"""Taking a run back: possible until the intent of `promote`, which is the point of no return.

Source: the procedure's *Abort*: it walks the undo column backwards and returns the pair to its baseline.
"""

from skytui.pair.vocabulary import Action
from skytui.runbook.model import Doubtful, Run, Running
from skytui.runbook.steps import PLANNED, UNDO, Kind


def plan_of_abort(run: Run) -> tuple[str, ...]:
    """The steps that take back what the run did or may have done: the undos, backwards, and a last look.

    None when nothing was attempted that changes anything: then everything is as it was.
    """
    undos = {step.undo for step in PLANNED if step.undo and run.attempts.get(step.id)}
    if run.attempts.get("fence-master"):
        undos |= {Action.START, Action.CLEAR_GUARD}
    if run.baseline and run.baseline.scheduler not in ("running", ""):
        undos.discard(Action.START_SCHEDULER)  # it was not running before either
    plan = tuple(step.id for step in UNDO if step.action in undos)
    silenced = any(debt.what == "silence-monitoring" for debt in run.ledger)
    seen = (*plan, "restored") if run.attempts else ()
    return (*seen, "unsilence") if silenced else seen


def why_no_abort(run: Run) -> str:
    """Why a run cannot be taken back now, and what to do instead; empty when it can."""
    step = run.step
    if step is None or run.complete:
        return "the run has ended"
    if run.abort:
        return f"{run.abort.who} aborted it already; it goes backwards"
    if run.kind is Kind.CONVERT:
        return f"{run.new} is the master already: nothing is taken back; the conversion can wait"
    if run.no_way_back:
        return (
            f"{run.new} was told to become the master, and that cannot be taken back: finish the run,"
            " then swap back"
        )
    if run.hold:
        return f"held by {run.hold.who}: {run.hold.reason}; let it go on first"
    if isinstance(run.stage, Running):
        return f"{step.id} is under way; abort when it has ended"
    if isinstance(run.stage, Doubtful) and not step.repeatable:
        return f"what became of {step.id} is not known yet, and must not be undone blindly"
    if run.turned and run.turned.doubtful and run.record("fence-master") is None:
        return (
            f"what became of {run.turned.step} is not known, and it may still be under way on {run.old}:"
            " go on to fence-master, which makes sure of that"
        )
    return ""
