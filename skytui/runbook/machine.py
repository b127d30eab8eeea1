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
from functools import reduce

from skytui.pair.order import Expectation, Outcome, Result
from skytui.pair.reading import Known
from skytui.runbook import gates, hooks
from skytui.runbook.baseline import baseline_of_the_standby, record_baseline
from skytui.runbook.effects import Effect, Look, Perform, Probe, Raise, Refuse
from skytui.runbook.events import (
    Aborted,
    Balked,
    Baselined,
    Closed,
    Confirmed,
    Decided,
    Finished,
    Hooked,
    Intended,
    Observed,
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
from skytui.runbook.fold import apply
from skytui.runbook.model import (
    Checking,
    Doubtful,
    Ending,
    Proving,
    Run,
    Running,
    Waiting,
)
from skytui.runbook.orders import expectation, next_token, order_for
from skytui.runbook.refusals import refusal
from skytui.runbook.statements import sign_of_life
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
        return run, [] if hooks.waits(run) else _observe(run, event)
    reason = refusal(run, event)
    if reason:
        return run, [Refuse(reason)]
    after = apply(run, event)
    return after, [*hooks.effects(after, event), *_effects(after, event)]


def fold(events: Iterable[Recorded]) -> Run | None:
    """The run that these recorded events make. None for none."""

    def step(run: Run | None, event: Recorded) -> Run | None:
        return advance(run, event)[0]

    return reduce(step, events, None)


def _effects(run: Run, event: Recorded) -> list[Effect]:
    """What an event that counted asks for."""
    match event:
        case Intended():
            step = run.step
            return [] if step is None else [Perform(order_for(run, step, event.token, event.expects))]
        case Finished(outcome=Outcome(result=Result.UNKNOWN)):
            return [*_probe(run), Look()]
        case Passed() | Waived() | Resumed() | Aborted() | Postponed() | Hooked() if run.complete:
            return [] if hooks.waits(run) else [_close(run, event)]
        case Aborted() | Passed() | Released() if _goes_back(run) and isinstance(run.stage, Waiting):
            return [_goes_on(run, run.stage, event)]
        case Resumed():
            return [*_lost(run, event), Look()]
        case Confirmed(step="preflight"):
            return [Look(everything=True)]
        case Finished() | Passed() | Waived() | Released() | Balked() | Stated() | Turned():
            return [Look()]
        case Confirmed() | Decided():
            return [Look()]
        case _:
            return []


def _goes_back(run: Run) -> bool:
    by_hand = run.step is not None and run.step.manual
    return run.abort is not None and run.hold is None and not by_hand


def _goes_on(run: Run, stage: Waiting, event: Recorded) -> Effect:
    """An abort was confirmed as a whole: its steps begin by themselves. One that fails waits for a person."""
    step, who = stage.step, run.operator
    return Raise(Confirmed(at=event.at, wall=event.wall, run=run.id, step=step, who=who))


def _close(run: Run, event: Recorded | Observed) -> Effect:
    ending = Ending.DONE if run.clean else Ending.NOT_CLEAN
    if run.abort:
        ending = Ending.ROLLED_BACK
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
    if says := sign_of_life(run, reading):
        return [Raise(Refuted(at=event.at, wall=event.wall, says=says))]
    if isinstance(stage, Proving):
        return _start_or_balk(run, step, stage, event) if reading.began.later_than(stage.since) else []
    if run.hold or not isinstance(stage, Checking | Doubtful):
        return []
    if isinstance(stage, Doubtful) and not step.readback:
        return []
    verdict = gates.passes(run, step, reading, stage.since)
    if not verdict.passes:
        return []
    return _goes_past(run, step, event, verdict.proofs)


def _goes_past(run: Run, step: Step, event: Observed, proofs: tuple[str, ...]) -> list[Effect]:
    """The gate passes; what it found that later steps go by is recorded first."""
    reading, at, wall = event.reading, event.at, event.wall
    raised: list[Effect] = []
    if run.baseline is None and step.id in ("baseline", "assess"):
        planned = step.id == "baseline"
        baseline = record_baseline(run, reading) if planned else baseline_of_the_standby(run, reading)
        raised.append(Raise(Baselined(at=at, wall=wall, baseline=baseline)))
    salvage = reading.server(run.old).salvage
    if step.id == "salvage" and isinstance(salvage, Known) and salvage.value.mark == run.id:
        raised.append(Raise(Salvaged(at=at, wall=wall, salvage=salvage.value)))
    clock = reading.server(run.name_of(step.side)).clock
    control = reading.server(run.old).control
    compared = step.id == "last-byte" and isinstance(control, Known)
    passed = Passed(
        at=at,
        wall=wall,
        step=step.id,
        proofs=proofs,
        clock=clock.value if isinstance(clock, Known) else None,
        checkpoint=control.value.checkpoint if compared and isinstance(control, Known) else "",
    )
    return [*raised, Raise(passed)]


def _start_or_balk(run: Run, step: Step, stage: Proving, event: Observed) -> list[Effect]:
    if run.hold or step.action is None:
        held = f"held by {run.hold.who}: {run.hold.reason}" if run.hold else "this step has no action"
        return [Raise(Balked(at=event.at, wall=event.wall, step=step.id, reasons=(held,)))]
    age = event.at.since(stage.since)
    if age > CONFIRMATION_SECONDS:
        old = f"nothing was started: the confirmation is {age:.0f} s old; confirm again"
        return [Raise(Balked(at=event.at, wall=event.wall, step=step.id, reasons=(old,)))]
    if run.attempts.get(step.id) or run.abort or step.only_if_needed:
        # Of an abort, what is to be taken back may never have been done. Otherwise an earlier attempt has
        # ended, or may be repeated. If what it was for is true, it is not. This holds for a step without
        # readback too: only an outcome still unknown keeps its gate from being a proof.
        already = gates.passes(run, step, event.reading, stage.since)
        if already.passes:
            return _goes_past(run, step, event, already.proofs)
    verdict = gates.may_start(run, step, event.reading, stage.since)
    if not verdict.passes:
        return [Raise(Balked(at=event.at, wall=event.wall, step=step.id, reasons=verdict.reasons))]
    intended = Intended(
        at=event.at,
        wall=event.wall,
        step=step.id,
        token=next_token(run, step),
        action=step.action,
        server=run.name_of(step.side),
        expects=expectation(run, step, event.reading),
        proofs=verdict.proofs,
    )
    return [Raise(intended)]
