"""Why an event does not count now. `machine.advance` asks this first, for everything but a poll.

So no screen, script or replay can skip a confirmation, confirm for somebody else, or go back where there is
no way back.
"""

from datetime import datetime

from skytui.runbook import hooks
from skytui.runbook.checks import BY_ID
from skytui.runbook.events import (
    Aborted,
    Balked,
    Baselined,
    Closed,
    Confirmed,
    Decided,
    Finished,
    HandedOver,
    Intended,
    Passed,
    Postponed,
    Recorded,
    Refuted,
    Released,
    Salvaged,
    Stated,
    Turned,
    Waived,
)
from skytui.runbook.model import Checking, Doubtful, Failed, Proving, Run, Running, Waiting
from skytui.runbook.orders import next_token
from skytui.runbook.rows import ACCEPT, NEXT_START
from skytui.runbook.statements import why_no_statement
from skytui.runbook.turning import plan_of_turn, why_no_turn, why_not_later
from skytui.runbook.undo import plan_of_abort, why_no_abort


def refusal(run: Run, event: Recorded) -> str:
    """Why `event` does not count now; empty when it does."""
    if run.over:
        return "the run has ended"
    if reason := hooks.refusal(run, event):
        return reason
    match event:
        case Confirmed():
            return _refuse_confirmation(run, event)
        case Waived():
            return _refuse_waiver(run, event)
        case Decided():
            return _refuse_decision(run, event)
        case Balked():
            confirmed = _stands_at(run, event.step, Proving) or hooks.stopped(run, event.step)
            return "" if confirmed else "nobody confirmed this step"
        case Intended():
            return _refuse_intent(run, event)
        case Finished(step=step, token=token):
            stage = run.stage
            known = isinstance(stage, Running | Doubtful) and (stage.step, stage.token) == (step, token)
            return "" if known else "no such action is under way"
        case Passed():
            return "" if _may_pass(run, event.step) else "this step is not being checked"
        case Baselined():
            first = run.baseline is None and run.step is not None and run.step.id in ("baseline", "assess")
            counts = first and isinstance(run.stage, Checking)
            return "" if counts else "the baseline is recorded once"
        case Salvaged():
            here = _stands_at(run, "salvage", Checking, Proving, Doubtful)
            return "" if here else "what was saved is recorded when it is found"
        case Aborted():
            return _refuse_abort(run, event)
        case Stated():
            return _refuse_statement(run, event)
        case Refuted():
            return "" if run.statement else "there is no statement to be refuted"
        case Turned():
            return _refuse_turn(run, event)
        case Postponed():
            return _refuse_postponement(run, event)
        case Released(who=who):
            return _refuse_release(run, who)
        case HandedOver():
            return _refuse_hand_over(run, event)
        case Closed():
            return "" if run.complete else "there are steps left"
        case _:
            return ""


def _stands_at(run: Run, step: str, *stages: type) -> bool:
    return isinstance(run.stage, stages) and not run.over and run.step is not None and run.step.id == step


def _refuse_intent(run: Run, event: Intended) -> str:
    step = run.step
    if step is None or not _stands_at(run, event.step, Proving):
        return "nobody confirmed this step"
    if event.token != next_token(run, step):
        return f"{event.token} is not the token of this attempt"
    if event.action is not step.action or event.server != run.name_of(step.side):
        return f"{event.action} on {event.server} is not what this step does"
    return ""


def _may_pass(run: Run, step: str) -> bool:
    """Whether an open gate counts: while it is being checked, or in place of a lost or failed outcome."""
    if run.complete or run.step is None or run.step.id != step:
        return False
    match run.stage:
        case Checking():
            return True
        case Doubtful():
            return run.step.readback
        case Proving():
            return bool(run.attempts.get(step) or run.abort or run.step.only_if_needed)
        case _:
            return False


def _refuse_abort(run: Run, event: Aborted) -> str:
    if event.run != run.id:
        return "this abort was for another run"
    if reason := _not_the_operator(run, event.who) or why_no_abort(run):
        return reason
    if not event.reason.strip():
        return "an abort needs a reason"
    return "" if event.plan == plan_of_abort(run) else "these steps do not take back what was done"


def _refuse_statement(run: Run, event: Stated) -> str:
    if event.run != run.id or run.step is None or event.step != run.step.id:
        return "this statement was for another step"
    if reason := _not_the_operator(run, event.who) or why_no_statement(run):
        return reason
    return "" if event.words == run.statement_words else f"the statement is: {run.statement_words}"


def _refuse_turn(run: Run, event: Turned) -> str:
    if event.run != run.id:
        return "this was for another run"
    if reason := _not_the_operator(run, event.who) or why_no_turn(run):
        return reason
    if not event.reason.strip():
        return "to make an unplanned swap of it needs a reason"
    return "" if event.plan == plan_of_turn(run) else "these are not the steps of an unplanned swap"


def _refuse_postponement(run: Run, event: Postponed) -> str:
    if event.run != run.id:
        return "this was for another run"
    if reason := _not_the_operator(run, event.who) or why_not_later(run):
        return reason
    return "" if event.reason.strip() else "to leave the conversion for later needs a reason"


def _refuse_release(run: Run, who: str) -> str:
    if run.hold is None:
        return "the run is not held"
    if who not in (run.operator, run.hold.who):
        return f"{run.hold.who} holds it and {run.operator} operates it; only they let it go on"
    return ""


def _refuse_hand_over(run: Run, event: HandedOver) -> str:
    if not event.to:
        return "to whom it is handed over must be said"
    if event.by == run.operator:
        return "" if event.to != event.by or event.reason.strip() else f"{event.to} operates this run already"
    if event.to != event.by:
        return f"{run.operator} operates this run; only {run.operator} can pass it on"
    return "" if event.reason.strip() else "taking a run over needs a reason"


def _not_the_operator(run: Run, who: str) -> str:
    return "" if who == run.operator else f"{run.operator} operates this run, not {who}"


def _refuse_confirmation(run: Run, event: Confirmed) -> str:
    step = run.step
    if reason := _not_the_operator(run, event.who):
        return reason
    if step is None or event.run != run.id or event.step != step.id:
        return "this confirmation was for another step"
    if run.hold:
        return f"held by {run.hold.who}: {run.hold.reason}"
    if run.complete or not confirmable(run, event.wall):
        return "this step is under way; there is nothing to confirm"
    wanted = run.phrase(step)
    if wanted and event.phrase != wanted:
        what = "" if step.words else "the host's name, "
        return f"type {what}{wanted}, to confirm this step"
    return ""


def confirmable(run: Run, wall: datetime) -> bool:
    """Whether a confirmation would count at this time.

    It does when the card is up, when what failed or got lost may be done again, and when an action was called
    done and its gate has not opened by the step's deadline.
    """
    match run.stage:
        case Waiting() | Failed():
            return True
        case Checking():
            return bool(run.step and run.step.action) and run.overdue(wall) > 0
        case Doubtful():
            return bool(run.step and run.step.repeatable)
        case _:
            return False


def _refuse_check(run: Run, step: str, check: str) -> str:
    """Why this check cannot be waived; empty when it can."""
    if step != "preflight":
        return f"{step} has no checks; only preflight has"
    if check not in BY_ID:
        return f"there is no check {check}"
    if not BY_ID[check].waivable:
        return f"the check {check} cannot be waived: {BY_ID[check].hint}"
    if any(waiver.check == check for waiver in run.waivers):
        return f"the check {check} is waived already"
    return ""


def _refuse_waiver(run: Run, event: Waived) -> str:
    step = run.step
    if reason := _not_the_operator(run, event.who):
        return reason
    if step is None or event.step != step.id:
        return "this waiver was for another step"
    if event.check:
        if reason := _refuse_check(run, event.step, event.check):
            return reason
    elif not step.waivable:
        return f"the procedure does not let {step.id} be waived"
    if not event.reason.strip():
        return "a waiver needs a reason"
    if run.hold:
        return f"held by {run.hold.who}: {run.hold.reason}"
    if run.complete or not isinstance(run.stage, Waiting | Checking | Failed):
        return "this step is under way; there is nothing to waive"
    return ""


def _refuse_decision(run: Run, event: Decided) -> str:
    step = run.step
    if reason := _not_the_operator(run, event.who):
        return reason
    if step is None or event.run != run.id or event.step != step.id:
        return "this decision was for another step"
    if run.hold:
        return f"held by {run.hold.who}: {run.hold.reason}"
    if not step.decisions:
        return f"{step.id} has no list to decide on"
    if not event.row or event.decision not in step.decisions:
        return f"{step.id} takes {', '.join(step.decisions)} for a row of its list, not {event.decision!r}"
    if (event.row == NEXT_START) != (event.decision == ACCEPT) and step.id == "first-job":
        return "a missed run is run now or left; only the next start time is accepted"
    return ""
