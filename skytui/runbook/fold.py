"""What a recorded event makes of a run. Whether the event counts was decided by the machine before."""

import msgspec

from skytui.pair.order import Outcome, Result
from skytui.runbook import hooks
from skytui.runbook.events import (
    Aborted,
    Balked,
    Baselined,
    Closed,
    Confirmed,
    Decided,
    Finished,
    HandedOver,
    Held,
    Hooked,
    HookWaived,
    Intended,
    Marked,
    Opened,
    Passed,
    Postponed,
    Recorded,
    Refuted,
    Released,
    Resumed,
    Salvaged,
    Stated,
    Turned,
    Waived,
)
from skytui.runbook.model import (
    Abort,
    Checking,
    Debt,
    Decision,
    Doubtful,
    Ended,
    Failed,
    Hold,
    Postponement,
    Proving,
    Run,
    Running,
    Stage,
    Statement,
    StepRecord,
    Turn,
    Waiting,
    Waiver,
)
from skytui.runbook.steps import STEPS, Kind, Step


def apply(run: Run | None, event: Recorded) -> Run:
    """The run after a recorded event.

    Raises ValueError for an event other than `Opened` when there is no run.
    """
    return hooks.noted(_apply(run, event), event)


def _apply(run: Run | None, event: Recorded) -> Run:
    if isinstance(event, Opened):
        return _open(event)
    if run is None:
        raise ValueError("a journal starts with the run being opened")
    match event:
        case Confirmed():
            return _confirm(run, event)
        case Balked(step=step, reasons=reasons):
            return _stage(run, event, Waiting(step, "; ".join(reasons)))
        case Intended():
            return _intend(run, event)
        case Finished(outcome=outcome):
            return _finish(run, event, outcome)
        case Baselined(baseline=baseline):
            return msgspec.structs.replace(run, baseline=baseline)
        case Salvaged(salvage=salvage):
            return msgspec.structs.replace(run, salvage=salvage)
        case Passed(step=step, proofs=proofs):
            attested = STEPS[step].manual
            record = StepRecord(step, run.step_began, event.wall, proofs, attested=attested)
            return _next(_settle(run, event), event, record)
        case Waived():
            waiver = Waiver(event.step, event.reason, event.who, event.unproven, event.check)
            waived = msgspec.structs.replace(run, waivers=(*run.waivers, waiver))
            if event.check:
                return waived
            record = StepRecord(event.step, run.step_began, event.wall, event.unproven, waived=True)
            return _next(waived, event, record)
        case Decided():
            decision = Decision(event.step, event.row, event.decision, event.who, event.reason, event.says)
            return msgspec.structs.replace(run, decisions=(*run.decisions, decision))
        case Held(who=who, reason=reason):
            return msgspec.structs.replace(run, hold=Hold(who, reason))
        case Released():
            return msgspec.structs.replace(run, hold=None)
        case Aborted():
            return _abort(run, event)
        case Stated():
            stated = Statement(event.step, event.who, event.words, event.at)
            return msgspec.structs.replace(run, statements=(*run.statements, stated))
        case Refuted(says=says):
            return _refute(run, says)
        case Turned():
            return _turn(run, event)
        case Postponed(who=who, reason=reason):
            return msgspec.structs.replace(run, postponed=Postponement(who, reason))
        case HandedOver(to=to):
            return msgspec.structs.replace(run, operator=to)
        case Hooked() | HookWaived():
            return run
        case Marked(server=server, missing=missing):
            return msgspec.structs.replace(run, marks={**run.marks, server: missing})
        case Resumed():
            return _resume(run, event)
        case Closed(ending=ending):
            return _stage(run, event, Ended(ending))


def _open(event: Opened) -> Run:
    return Run(
        id=event.run,
        pair=event.pair,
        kind=event.kind,
        old=event.old,
        new=event.new,
        who=event.who,
        host=event.host,
        operator=event.who,
        keys_of=event.keys_of or event.who,
        fixed=event.fixed,
        why=event.why,
        ticket=event.ticket,
        unverified=event.unverified,
        instructions=event.instructions,
        promote_before=event.promote_before,
        began=event.wall,
        plan=event.plan,
        thresholds=event.thresholds,
        deadlines=event.deadlines,
        hooks=event.hooks,
        stage=Waiting(event.plan[0]),
        stage_wall=event.wall,
        stage_at=event.at,
        step_began=event.wall,
        ledger=event.owed,
        dark_since=event.wall if event.kind is Kind.UNPLANNED else None,
    )


def _confirm(run: Run, event: Confirmed) -> Run:
    step = STEPS[event.step]
    tried = _half_way(run, step.id) if isinstance(run.stage, Checking) else run
    if step.manual:
        tried = msgspec.structs.replace(tried, said_done={**tried.said_done, step.id: event.who})
    elif step.words:
        tried = msgspec.structs.replace(tried, accepted=event.who)
    return _stage(tried, event, Proving(step.id, event.at) if step.action else Checking(step.id, event.at))


def _stage(run: Run, event: Recorded, stage: Stage) -> Run:
    return msgspec.structs.replace(run, stage=stage, stage_wall=event.wall, stage_at=event.at)


def _intend(run: Run, event: Intended) -> Run:
    step = STEPS[event.step]
    running = _stage(run, event, Running(event.step, event.token, event.at))
    attempts = {**run.attempts, event.step: run.attempts.get(event.step, 0) + 1}
    return msgspec.structs.replace(
        running,
        attempts=attempts,
        # What is suppressed is owed from the intent on: whether the action worked may never be known.
        ledger=_owe(run, step),
        no_way_back=run.no_way_back or step.no_way_back,
        dark_since=event.wall if step.id == "stop-scheduler" and not run.dark_since else run.dark_since,
    )


def _owe(run: Run, step: Step) -> tuple[Debt, ...]:
    if any(debt.what == step.id for debt in run.ledger):
        return run.ledger
    match step.id:
        case "lock-queues":
            names = run.baseline.open_queues() if run.baseline else ()
            return (*run.ledger, Debt(step.id, run.old, names))
        case "stop-scheduler":
            return (*run.ledger, Debt(step.id, run.old))
        case "guard-master" | "shut-down" | "silence-monitoring":
            return (*run.ledger, Debt(step.id, run.old))
        case "fence-master":
            return _with(run.ledger, Debt("guard-master", run.old))
        case "promote":
            # Whatever the replicated database says, a new master starts with all of it held back.
            names = run.baseline.open_queues() if run.baseline else ()
            return _with(run.ledger, Debt("lock-queues", run.new, names), Debt("stop-scheduler", run.new))
        case _:
            return run.ledger


def _with(ledger: tuple[Debt, ...], *debts: Debt) -> tuple[Debt, ...]:
    """The ledger with these debts, where the same is not owed already."""
    owed = {debt.what for debt in ledger}
    return (*ledger, *(debt for debt in debts if debt.what not in owed))


_PAYS = {
    "unlock-queues": {"lock-queues"},
    "start-scheduler": {"stop-scheduler"},
    "convert": {"guard-master", "shut-down"},
    "unsilence": {"silence-monitoring"},
    "unlock-again": {"lock-queues"},
    "restart-scheduler": {"stop-scheduler"},
    "unguard-master": {"guard-master"},
    "start-again": {"shut-down"},
}
"""Which step pays what earlier ones owe."""


def _settle(run: Run, event: Passed) -> Run:
    paid = _PAYS.get(event.step, set())
    # The guard is owed also where it was set already, or could not be set on a host that is out of reach.
    # What is silenced by hand is owed once somebody has said that it is.
    owes = event.step == "fence-master" or STEPS[event.step].manual
    ledger = _owe(run, STEPS[event.step]) if owes else run.ledger
    return msgspec.structs.replace(
        run,
        ledger=tuple(debt for debt in ledger if debt.what not in paid),
        stopped_at=event.clock if event.step == "stop-scheduler" else run.stopped_at,
        last_checkpoint=event.checkpoint or run.last_checkpoint,
        unlocked_at=event.clock if event.step == "unlock-queues" else run.unlocked_at,
        dark_until=event.wall if event.step in _LIGHT else run.dark_until,
    )


_LIGHT = ("start-scheduler", "restart-scheduler")
"""With these the scheduler is dark no longer."""


def _abort(run: Run, event: Aborted) -> Run:
    step = run.step
    behind = tuple(record.step for record in run.records)
    aborted = msgspec.structs.replace(
        run,
        abort=Abort(event.who, event.reason, step.id if step else ""),
        plan=(*behind, *event.plan),
        step_began=event.wall,
    )
    return _stage(aborted, event, Waiting(event.plan[0])) if event.plan else aborted


def _refute(run: Run, says: str) -> Run:
    last = msgspec.structs.replace(run.statements[-1], refuted=says)
    return msgspec.structs.replace(run, statements=(*run.statements[:-1], last))


def _turn(run: Run, event: Turned) -> Run:
    step = run.step
    doubtful = isinstance(run.stage, Doubtful) and step is not None and not step.repeatable
    turned = msgspec.structs.replace(
        run,
        kind=Kind.UNPLANNED,
        abort=None,
        turned=Turn(event.who, event.reason, step.id if step else "", doubtful),
        plan=(*(record.step for record in run.records), *event.plan),
        step_began=event.wall,
        dark_since=run.dark_since or event.wall,
    )
    return _stage(turned, event, Waiting(event.plan[0]))


def _finish(run: Run, event: Finished, outcome: Outcome) -> Run:
    match outcome.result:
        case Result.DONE:
            checked = _stage(run, event, Checking(event.step, event.at))
            return msgspec.structs.replace(checked, marker=outcome.position or run.marker)
        case Result.UNKNOWN:
            return _stage(run, event, Doubtful(event.step, event.token, event.at, outcome.says))
        case Result.NOT_STARTED:
            return _stage(run, event, Waiting(event.step, outcome.says))
        case Result.FAILED:
            return _stage(_half_way(run, event.step), event, Failed(event.step, outcome))
        case Result.REFUSED:
            return _stage(run, event, Failed(event.step, outcome))


def _half_way(run: Run, step: str) -> Run:
    """An attempt at this step began and ended without what it was for."""
    others = (other for other in run.half_way if other != step)
    return msgspec.structs.replace(run, half_way=(*others, step))


def _next(run: Run, event: Recorded, record: StepRecord) -> Run:
    recorded = msgspec.structs.replace(run, records=(*run.records, record), step_began=event.wall)
    # Not the place of the step's name: a run that goes back, is turned and goes back again meets some twice.
    place = len(recorded.records)
    if place == len(run.plan):
        return recorded
    return _stage(recorded, event, Waiting(run.plan[place]))


def _resume(run: Run, event: Resumed) -> Run:
    """A confirmation whose action had not begun is asked for again: who gave it may be gone."""
    operator = event.who if event.after else run.operator
    run = msgspec.structs.replace(run, keys_of=event.who, operator=operator)
    if isinstance(run.stage, Proving):
        return _stage(run, event, Waiting(run.stage.step, "confirmed before, but nothing had been started"))
    return run
