"""A planned run whose master is lost can be turned into an unplanned one; a conversion can be left for later.

Both are the operator's choice, and never happen by themselves. Source: the procedure's *Unplanned swap*.
"""

from skytui.pair.vocabulary import Action
from skytui.runbook.model import Checking, Doubtful, Failed, Proving, Run, Running, Waiting
from skytui.runbook.steps import STEPS, Kind, Phase, plan_of


def plan_of_turn(run: Run) -> tuple[str, ...]:
    """The steps that a planned run goes on with when it is turned, with those its configuration adds."""
    added = [step for step in run.plan if STEPS[step].manual and run.record(step) is None]
    return tuple(step.id for step in plan_of(Kind.UNPLANNED, added))


def why_no_turn(run: Run) -> str:
    """Why a run cannot be turned into an unplanned one now; empty when it can."""
    step = run.step
    if step is None or run.complete:
        return "the run has ended"
    if run.kind is not Kind.PLANNED:
        return (
            f"this run is {run.kind.value} already"
            if run.kind is Kind.UNPLANNED
            else "this run only converts"
        )
    if run.no_way_back:
        return f"{run.new} was told to become the master already: go on with this run"
    if run.hold:
        return f"held by {run.hold.who}: {run.hold.reason}; let it go on first"
    if isinstance(run.stage, Running | Proving):
        return f"{step.id} is under way; wait until it has ended or its outcome is called lost"
    if isinstance(run.stage, Doubtful) and step.action is Action.START:
        return f"{run.old} may be starting: what became of that must be known first"
    return ""


def why_not_later(run: Run) -> str:
    """Why the conversion cannot be left for a run of its own now; empty when it can."""
    step = run.step
    if step is None or run.complete:
        return "the run has ended"
    if step.phase is not Phase.CONVERT:
        return f"only the conversion can be left for later, not {step.id}"
    if run.hold:
        return f"held by {run.hold.who}: {run.hold.reason}; let it go on first"
    looks = isinstance(run.stage, Checking) and step.action is None
    if not isinstance(run.stage, Waiting | Failed) and not looks:
        return f"{step.id} is under way"
    return f"{run.old} is the standby already: only its state is waited for" if _converted(run) else ""


def _converted(run: Run) -> bool:
    return run.record("convert") is not None
