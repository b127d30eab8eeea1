"""Carries a run over a world the way the conductor does, with nothing in between: no disk, no tasks."""

from collections.abc import Callable, Collection
from datetime import datetime

import msgspec

from skytui.clock import Instant
from skytui.pair.order import Order, Outcome
from skytui.pair.pair import PairReading
from skytui.pair.thresholds import Thresholds
from skytui.pair.vocabulary import LateRun
from skytui.runbook.effects import Effect, Perform, Probe, Raise, Refuse
from skytui.runbook.events import (
    Aborted,
    Confirmed,
    Decided,
    Finished,
    HandedOver,
    Held,
    Observed,
    Opened,
    Passed,
    Postponed,
    Recorded,
    Released,
    Resumed,
    Stated,
    Turned,
    Waived,
)
from skytui.runbook.machine import advance
from skytui.runbook.model import Checking, Debt, Doubtful, Proving, Run, Stage, Waiting
from skytui.runbook.steps import PLANNED, STEPS, Kind, plan_of
from skytui.runbook.turning import plan_of_turn
from skytui.runbook.undo import plan_of_abort
from tests.support.world import NEW, OLD, World

PLAN = tuple(step.id for step in PLANNED)
WHO = "ann"


def card_of(step: str) -> "Walk":
    """A run at the card of `step`, in a world in which its action is needed."""
    walk = Walk()
    if step == "run-missed":
        walk.to("first-job")
        missed = LateRun("nightly@missed", "nightly", walk.world.clock.now(), "missed", "no scheduler")
        walk.world.new.late.append(missed)
        assert walk.decide(missed.id, "run-now") == ""
    walk.to(step)
    if step == "salvage":
        walk.world.old.control = "in production"  # somebody started it since it was compared
    return walk


class Seen(msgspec.Struct, frozen=True):
    """The poll that let an action start or a gate pass: the run before it, and since when evidence counts."""

    run: Run
    reading: PairReading
    since: Instant


class Walk:
    """A run and everything that happened in it. `act` answers an order; None leaves its outcome open."""

    def __init__(
        self,
        world: World | None = None,
        thresholds: Thresholds | None = None,
        *,
        kind: Kind = Kind.PLANNED,
        owed: tuple[Debt, ...] = (),
        optional: Collection[str] = (),
        promote_before: datetime | None = None,
    ) -> None:
        self.world = world or World()
        self.act: Callable[[Order], Outcome | None] = self.world.act
        self.events: list[Recorded] = []
        self.performed: list[Order] = []
        self.probed: list[Order] = []
        self.started: dict[str, Seen] = {}
        self.passed: dict[str, Seen] = {}
        self._run: Run | None = None
        opened = Opened(
            at=self.world.clock.instant(),
            wall=self.world.clock.now(),
            run="20260301-020000",
            pair="test",
            kind=kind,
            old=OLD,
            new=NEW,
            who=WHO,
            plan=tuple(step.id for step in plan_of(kind, optional)),
            thresholds=thresholds or Thresholds(),
            owed=owed,
            instructions={step: f"do {step}" for step in optional},
            promote_before=promote_before,
        )
        assert self.feed(opened) == ""

    @property
    def run(self) -> Run:
        assert self._run is not None
        return self._run

    def at(self) -> Stage:
        return self.run.stage

    def take_up(self, run: Run) -> None:
        """Go on from a run that was folded from a journal."""
        self._run = run

    def feed(self, event: Recorded | Observed) -> str:
        """Let an event happen, and everything that follows from it. Why it was refused, or nothing."""
        run, effects = advance(self._run, event)
        refused = [effect.reason for effect in effects if isinstance(effect, Refuse)]
        if refused:
            assert run == self._run, "a refused event changed the run"
            assert len(effects) == 1, "a refused event has other effects"
            return refused[0]
        if not isinstance(event, Observed):
            self.events.append(event)
            self._run = run
        for effect in effects:
            self._carry_out(effect, event)
        return ""

    def _carry_out(self, effect: Effect, cause: Recorded | Observed) -> None:
        match effect:
            case Raise(event=event):
                self._remember(event, cause)
                assert self.feed(event) == ""
            case Perform(order=order):
                self.performed.append(order)
                outcome = self.act(order)
                if outcome is not None:
                    self.finish(outcome)
            case Probe(order=order):
                self.probed.append(order)

    def _remember(self, event: Recorded, cause: Recorded | Observed) -> None:
        stage = self.run.stage
        if isinstance(cause, Observed) and isinstance(stage, Proving | Checking | Doubtful):
            into = self.passed if isinstance(event, Passed) else self.started
            into[stage.step] = Seen(self.run, cause.reading, stage.since)

    def poll(self, seconds: float = 1.0) -> None:
        reading = self.world.poll(seconds)
        assert self.observe(reading) == ""

    def observe(self, reading: PairReading) -> str:
        return self.feed(Observed(at=reading.now, wall=reading.wall, reading=reading))

    def confirm(self, step: str = "", phrase: str | None = None, run: str = "", who: str = WHO) -> str:
        """Confirm the current step as it wants to be confirmed, or as told."""
        current = self.run.step
        wanted = self.run.phrase(current) if current else ""
        return self.feed(
            Confirmed(
                at=self.world.tick(0.1),
                wall=self.world.clock.now(),
                run=run or self.run.id,
                step=step or (current.id if current else ""),
                who=who,
                phrase=wanted if phrase is None else phrase,
            )
        )

    def finish(self, outcome: Outcome, order: Order | None = None) -> str:
        """The outcome of an order comes in; of the last one performed when none is given."""
        order = order or self.performed[-1]
        plan = (STEPS[step] for step in reversed(self.run.plan))  # an abort's steps are the last ones
        step = next(step.id for step in plan if step.action is order.action)
        return self.feed(
            Finished(
                at=self.world.tick(0.1),
                wall=self.world.clock.now(),
                step=step,
                token=order.token,
                outcome=outcome,
            )
        )

    def waive(self, step: str, reason: str, who: str = WHO) -> str:
        at, wall = self.world.tick(0.1), self.world.clock.now()
        return self.feed(Waived(at=at, wall=wall, step=step, who=who, reason=reason))

    def decide(self, row: str, decision: str, who: str = WHO, step: str = "") -> str:
        """Decide about a row of the current step's list."""
        current = self.run.step
        return self.feed(
            Decided(
                at=self.world.tick(0.1),
                wall=self.world.clock.now(),
                run=self.run.id,
                step=step or (current.id if current else ""),
                row=row,
                decision=decision,
                who=who,
            )
        )

    def abort(self, reason: str = "not tonight", who: str = WHO, plan: tuple[str, ...] | None = None) -> str:
        at, wall = self.world.tick(0.1), self.world.clock.now()
        steps = plan_of_abort(self.run) if plan is None else plan
        return self.feed(Aborted(at=at, wall=wall, run=self.run.id, who=who, reason=reason, plan=steps))

    def state(self, words: str | None = None, who: str = WHO, step: str = "") -> str:
        """State that the original master is powered off, in the words that count or in others."""
        at, wall, run = self.world.tick(0.1), self.world.clock.now(), self.run
        current = step or (run.step.id if run.step else "")
        said = run.statement_words if words is None else words
        return self.feed(Stated(at=at, wall=wall, run=run.id, step=current, who=who, words=said))

    def turn(self, reason: str = "sky-a is dead", who: str = WHO, plan: tuple[str, ...] | None = None) -> str:
        at, wall = self.world.tick(0.1), self.world.clock.now()
        steps = plan_of_turn(self.run) if plan is None else plan
        return self.feed(Turned(at=at, wall=wall, run=self.run.id, who=who, reason=reason, plan=steps))

    def postpone(self, reason: str = "the machine is broken", who: str = WHO) -> str:
        at, wall = self.world.tick(0.1), self.world.clock.now()
        return self.feed(Postponed(at=at, wall=wall, run=self.run.id, who=who, reason=reason))

    def hand_over(self, to: str, by: str, reason: str = "") -> str:
        at, wall = self.world.tick(0.1), self.world.clock.now()
        return self.feed(HandedOver(at=at, wall=wall, to=to, by=by, reason=reason))

    def hold(self, reason: str = "lunch", who: str = "bob") -> str:
        return self.feed(Held(at=self.world.tick(0.1), wall=self.world.clock.now(), who=who, reason=reason))

    def release(self, who: str = "bob") -> str:
        return self.feed(Released(at=self.world.tick(0.1), wall=self.world.clock.now(), who=who))

    def resume(self, who: str = WHO, after: str = "") -> str:
        at, wall = self.world.tick(0.1), self.world.clock.now()
        return self.feed(Resumed(at=at, wall=wall, who=who, after=after))

    def settle(self, polls: int = 20) -> None:
        """Poll until the card of the next step is up or the run is over; jobs complete meanwhile."""
        step = self.run.step
        for _ in range(polls):
            if self.run.over or (isinstance(self.run.stage, Waiting) and self.run.step is not step):
                return
            self.poll()
            if self.run.unlocked_at:
                self.world.job_completes()
        raise AssertionError(f"the run stays at {self.run.stage}")

    def to(self, step: str) -> "Walk":
        """Go on until the card of `step` is up."""
        while self.run.step is not None and self.run.step.id != step:
            assert self.confirm() == ""
            self.settle()
        return self

    def to_end(self) -> "Walk":
        while not self.run.over:
            assert self.confirm() == ""
            self.settle()
        return self
