"""The one place where a run changes: `advance(run, event)`.

Pure. What it wants done comes back as effects; whether an event counts is decided here and nowhere else, so
no screen, script or replay can skip a confirmation or a gate. A run is the fold of its recorded events:
the effects of a fold are dropped.

    Waiting ──Confirmed──▶ Proving ──Intended──▶ Running ──Finished──▶ Checking ──Passed──▶ next Waiting
                              │ Balked                │ lost               ▲
                              ▼                       ▼                    │ done after all
                           Waiting                 Doubtful ───────────────┘
    A step without an action goes from Waiting to Checking. A failed action waits in Failed for a person.
    An action that was called done and whose gate stays shut past the deadline may be confirmed again: from
    Checking back to Proving, where it passes if it is true by then.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce

from skytui.pair.order import Expectation, Order, Outcome, Result
from skytui.pair.pair import PairReading
from skytui.pair.reading import Known
from skytui.pair.vocabulary import Action
from skytui.runbook import gates
from skytui.runbook.baseline import record_baseline
from skytui.runbook.effects import Effect, Look, Perform, Probe, Raise, Refuse
from skytui.runbook.events import (
    Balked,
    Baselined,
    Closed,
    Confirmed,
    Finished,
    HandedOver,
    Intended,
    Observed,
    Opened,
    Passed,
    Recorded,
    Released,
    Resumed,
    Waived,
)
from skytui.runbook.fold import apply
from skytui.runbook.model import (
    Checking,
    Doubtful,
    Ending,
    Failed,
    Proving,
    Run,
    Running,
    Waiting,
)
from skytui.runbook.steps import Step

CONFIRMATION_SECONDS = 120.0
"""How long a confirmation counts. An action that could not begin within this time is asked for again."""


def advance(run: Run | None, event: Recorded | Observed) -> tuple[Run | None, list[Effect]]:
    """The run after `event`, and what is to be done now.

    An event that does not count leaves the run as it was, with a single `Refuse`.
    """
    if isinstance(event, Opened):
        return (apply(None, event), [Look()]) if run is None else (run, [Refuse("a run is open already")])
    if run is None:
        return None, [] if isinstance(event, Observed) else [Refuse("no run is open")]
    if isinstance(event, Observed):
        return run, _observe(run, event)
    reason = _refusal(run, event)
    if reason:
        return run, [Refuse(reason)]
    after = apply(run, event)
    return after, _effects(after, event)


def fold(events: Iterable[Recorded]) -> Run | None:
    """The run that these recorded events make. None for none."""

    def step(run: Run | None, event: Recorded) -> Run | None:
        return advance(run, event)[0]

    return reduce(step, events, None)


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
        mark=run.id,
        deadline=step.deadline,
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


def _refusal(run: Run, event: Recorded) -> str:
    """Why `event` does not count now; empty when it does."""
    if run.over:
        return "the run has ended"
    match event:
        case Confirmed():
            return _refuse_confirmation(run, event)
        case Waived():
            return _refuse_waiver(run, event)
        case Balked():
            return "" if _stands_at(run, event.step, Proving) else "nobody confirmed this step"
        case Intended():
            return _refuse_intent(run, event)
        case Finished(step=step, token=token):
            stage = run.stage
            known = isinstance(stage, Running | Doubtful) and (stage.step, stage.token) == (step, token)
            return "" if known else "no such action is under way"
        case Passed():
            return "" if _may_pass(run, event.step) else "this step is not being checked"
        case Baselined():
            return "" if _stands_at(run, "baseline", Checking) else "the baseline is recorded once"
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
            return bool(run.attempts.get(step))
        case _:
            return False


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
    if not confirmable(run, event.wall):
        return "this step is under way; there is nothing to confirm"
    wanted = run.phrase(step)
    if wanted and event.phrase != wanted:
        return f"type the host's name, {wanted}, to confirm this step"
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


def _refuse_waiver(run: Run, event: Waived) -> str:
    step = run.step
    if reason := _not_the_operator(run, event.who):
        return reason
    if step is None or event.step != step.id:
        return "this waiver was for another step"
    if not step.waivable:
        return f"the procedure does not let {step.id} be waived"
    if not event.reason.strip():
        return "a waiver needs a reason"
    if run.hold:
        return f"held by {run.hold.who}: {run.hold.reason}"
    if not isinstance(run.stage, Waiting | Checking):
        return "this step is under way; there is nothing to waive"
    return ""


def _effects(run: Run, event: Recorded) -> list[Effect]:
    """What an event that counted asks for."""
    match event:
        case Intended():
            step = run.step
            return [] if step is None else [Perform(order_for(run, step, event.token, event.expects))]
        case Finished(outcome=Outcome(result=Result.UNKNOWN)):
            return [*_probe(run), Look()]
        case Passed() | Waived() | Resumed() if run.complete:
            return [_close(run, event)]
        case Resumed():
            return [*_lost(run, event), Look()]
        case Confirmed() | Finished() | Passed() | Waived() | Released() | Balked():
            return [Look()]
        case _:
            return []


def _close(run: Run, event: Recorded | Observed) -> Effect:
    ending = Ending.NOT_CLEAN if run.waivers else Ending.DONE
    return Raise(Closed(at=event.at, wall=event.wall, ending=ending))


def _lost(run: Run, event: Resumed) -> list[Effect]:
    """A conductor died while an action was under way: its outcome is lost, and looked for."""
    if isinstance(run.stage, Doubtful):
        return _probe(run)
    if not isinstance(run.stage, Running):
        return []
    outcome = Outcome(Result.UNKNOWN, "the conductor died while this was under way")
    stage = run.stage
    return [
        Raise(Finished(at=event.at, wall=event.wall, step=stage.step, token=stage.token, outcome=outcome))
    ]


def _probe(run: Run) -> list[Effect]:
    stage, step = run.stage, run.step
    if not isinstance(stage, Doubtful) or step is None:
        return []
    return [Probe(order_for(run, step, stage.token, Expectation(run.name_of(step.side), step.role)))]


def _observe(run: Run, event: Observed) -> list[Effect]:
    """What a poll decides: whether a confirmed action may start, whether a gate passes."""
    step = run.step
    if step is None:
        return []
    if run.complete:
        # The last gate passed, but that could not be followed by the end: the disk was full.
        return [_close(run, event)]
    stage, reading = run.stage, event.reading
    if isinstance(stage, Proving):
        return [_start_or_balk(run, step, stage, event)] if reading.began.later_than(stage.since) else []
    if run.hold or not isinstance(stage, Checking | Doubtful):
        return []
    if isinstance(stage, Doubtful) and not step.readback:
        return []
    verdict = gates.passes(run, step, reading, stage.since)
    if not verdict.passes:
        return []
    raised: list[Effect] = []
    if step.id == "baseline":
        baseline = record_baseline(run, reading)
        raised.append(Raise(Baselined(at=event.at, wall=event.wall, baseline=baseline)))
    return [*raised, Raise(_passed(run, step, event, verdict.proofs))]


def _passed(run: Run, step: Step, event: Observed, proofs: tuple[str, ...]) -> Passed:
    clock = event.reading.server(run.name_of(step.side)).clock
    seen = clock.value if isinstance(clock, Known) else None
    return Passed(at=event.at, wall=event.wall, step=step.id, proofs=proofs, clock=seen)


def _start_or_balk(run: Run, step: Step, stage: Proving, event: Observed) -> Effect:
    if run.hold or step.action is None:
        held = f"held by {run.hold.who}: {run.hold.reason}" if run.hold else "this step has no action"
        return Raise(Balked(at=event.at, wall=event.wall, step=step.id, reasons=(held,)))
    age = event.at.since(stage.since)
    if age > CONFIRMATION_SECONDS:
        old = f"nothing was started: the confirmation is {age:.0f} s old; confirm again"
        return Raise(Balked(at=event.at, wall=event.wall, step=step.id, reasons=(old,)))
    if run.attempts.get(step.id):
        # An earlier attempt has ended, or may be repeated. If what it was for is true, it is not. This holds
        # for a step without readback too: only an outcome still unknown keeps its gate from being a proof.
        already = gates.passes(run, step, event.reading, stage.since)
        if already.passes:
            return Raise(_passed(run, step, event, already.proofs))
    verdict = gates.may_start(run, step, event.reading, stage.since)
    if not verdict.passes:
        return Raise(Balked(at=event.at, wall=event.wall, step=step.id, reasons=verdict.reasons))
    return Raise(
        Intended(
            at=event.at,
            wall=event.wall,
            step=step.id,
            token=next_token(run, step),
            action=step.action,
            server=run.name_of(step.side),
            expects=expectation(run, step, event.reading),
            proofs=verdict.proofs,
        )
    )
