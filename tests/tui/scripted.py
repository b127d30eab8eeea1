"""A session without a process: the runbook's own machine over a pair made of values."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from skytui.clock import ManualClock
from skytui.conductor.poller import merge
from skytui.conductor.seats import ACTS, LOOKS
from skytui.link.wire import Notice, Past, Present, Seat, ServerFacts
from skytui.pair.logline import LogLine
from skytui.pair.pair import PairReading
from skytui.pair.thresholds import Thresholds
from skytui.runbook.effects import Effect, Perform, Raise, Refuse
from skytui.runbook.events import (
    Aborted,
    Confirmed,
    Decided,
    Finished,
    HandedOver,
    Held,
    Observed,
    Opened,
    Postponed,
    Recorded,
    Released,
    Stated,
    Turned,
    Waived,
)
from skytui.runbook.machine import advance
from skytui.runbook.model import Waiting
from skytui.runbook.sides import sides_of
from skytui.runbook.steps import Kind, plan_of
from skytui.runbook.turning import plan_of_turn
from skytui.runbook.undo import plan_of_abort
from skytui.tui.logring import LogRing
from skytui.tui.session import Shown
from tests.tui.world import START, World

FACTS = (
    ServerFacts("sky-a", "127.0.0.1:7443", ("server", "scheduler", "replication")),
    ServerFacts("sky-b", "127.0.0.2:7443", ("server", "scheduler", "replication")),
)
PREVIEWS = {
    "lock-queues": "POST https://sky-a:7443/api/v1/queues/lock",
    "stop-scheduler": "POST https://sky-a:7443/api/v1/scheduler/stop",
    "replication-zero": "POST https://sky-a:7443/api/v1/marker",
    "guard-master": "sky-a$ conf/autostart := no",
    "shut-down": "sky-a$ bin/stop.sh",
    "fence-master": "sky-a$ bin/setAutostart.sh no, then bin/stop.sh",
    "promote": "sky-b$ bin/standbyToMaster.sh",
    "start-scheduler": "POST https://sky-b:7443/api/v1/scheduler/start",
    "unlock-queues": "POST https://sky-b:7443/api/v1/queues/unlock",
    "convert": "sky-a$ bin/masterToStandby.sh  (3 lines on standard input)",
}


YOU = Seat(1, "jo", "console", 4711, START)
"""The console of the test."""


class ScriptedSession:
    """Everything happens at once, when the test says so: `poll` is the only thing that lets time pass."""

    def __init__(
        self,
        world: World | None = None,
        *,
        practice: bool = True,
        secrets: tuple[str, ...] = (),
        you: Seat = YOU,
    ) -> None:
        self.clock = ManualClock(START)
        self.world = world or World()
        self.asked: list[tuple[str, ...]] = []
        self.right_secret = "correct"
        self.thresholds = Thresholds()
        self._log = LogRing()
        self._changed: Callable[[], None] = lambda: None
        self._shown = Shown(
            pair="practice" if practice else "prod",
            practice=practice,
            keys_of="jo",
            servers=FACTS,
            you=you,
            may=() if you.client in LOOKS else ACTS,
            present=Present(None, (you,)),
            secrets_wanted=secrets,
            previews=PREVIEWS,
            past=Past(),
        )
        self.poll()

    @property
    def shown(self) -> Shown:
        return self._shown

    @property
    def log(self) -> LogRing:
        return self._log

    def watch(self, changed: Callable[[], None]) -> None:
        self._changed = changed

    def show(self, **changes: object) -> None:
        self._shown = msgspec.structs.replace(self._shown, **changes)
        self._changed()

    def poll(self, times: int = 1) -> None:
        """Let the conductor read both servers, once or more often."""
        for _ in range(times):
            self.clock.advance(0.8)
            reading = self._kept(self.world.read(self.clock))
            self.show(reading=reading, received=self.clock.instant().seconds)
            observed = Observed(at=self.clock.instant(), wall=self.clock.now(), reading=reading)
            _, effects = advance(self._shown.run, observed)
            self._perform(effects)

    def _kept(self, fresh: PairReading) -> PairReading:
        """With the last values kept as stale, as the poller does."""
        before = self._shown.reading
        if before is None:
            return fresh
        servers = {name: merge(before.server(name), now) for name, now in fresh.servers.items()}
        return msgspec.structs.replace(fresh, servers=servers)

    def say(self, server: str, log: str, *texts: str) -> None:
        """Lines come in, a tenth of a second apart."""
        wall = self.clock.now()
        self._log.extend(
            LogLine(server, log, text, wall + timedelta(seconds=index / 10))
            for index, text in enumerate(texts)
        )

    def notice(self, says: str) -> None:
        kept = (*self._shown.notices, Notice(self.clock.now(), says))
        self.show(notices=kept, noticed=self._shown.noticed + 1)

    async def open_run(self, kind: Kind = Kind.PLANNED, why: str = "", ticket: str = "") -> str:
        given = () if kind is Kind.PLANNED else (kind.value,)
        self.asked.append(("open", *given, *((why, ticket) if why or ticket else ())))
        return self.open(self.you, kind=kind, why=why, ticket=ticket)

    async def state(self, run: str, step: str, words: str) -> str:
        self.asked.append(("state", step, words))
        at, wall = self.clock.instant(), self.clock.now()
        return self._event(Stated(at=at, wall=wall, run=run, step=step, who=self.you.who, words=words))

    async def turn(self, run: str, reason: str) -> str:
        self.asked.append(("turn", reason))
        assert self._shown.run is not None
        at, wall, plan = self.clock.instant(), self.clock.now(), plan_of_turn(self._shown.run)
        return self._event(Turned(at=at, wall=wall, run=run, who=self.you.who, reason=reason, plan=plan))

    async def postpone(self, run: str, reason: str) -> str:
        self.asked.append(("postpone", reason))
        at, wall = self.clock.instant(), self.clock.now()
        return self._event(Postponed(at=at, wall=wall, run=run, who=self.you.who, reason=reason))

    async def confirm(self, run: str, step: str, phrase: str) -> str:
        self.asked.append(("confirm", step, phrase))
        at, wall = self.clock.instant(), self.clock.now()
        return self._event(Confirmed(at=at, wall=wall, run=run, step=step, who=self.you.who, phrase=phrase))

    async def waive(self, run: str, step: str, reason: str, check: str = "") -> str:
        self.asked.append(("waive", f"{step}/{check}" if check else step, reason))
        return self._waived(step, reason, check)

    async def decide(self, run: str, step: str, decisions: Mapping[str, str]) -> str:
        self.asked.append(("decide", step, *(f"{row}={decision}" for row, decision in decisions.items())))
        refused = ""
        for row, decision in decisions.items():
            refused = refused or self.decide_now(row, decision)
        return refused

    def decide_now(self, row: str, decision: str) -> str:
        run = self._shown.run
        assert run is not None
        assert run.step is not None
        at, wall = self.clock.instant(), self.clock.now()
        return self._event(
            Decided(
                at=at, wall=wall, run=run.id, step=run.step.id, row=row, decision=decision, who=self.you.who
            )
        )

    async def abort(self, run: str, reason: str) -> str:
        self.asked.append(("abort", reason))
        return self.abort_now(reason)

    def abort_now(self, reason: str) -> str:
        run = self._shown.run
        assert run is not None
        at, wall = self.clock.instant(), self.clock.now()
        return self._event(
            Aborted(at=at, wall=wall, run=run.id, who="jo", reason=reason, plan=plan_of_abort(run))
        )

    async def hold(self, reason: str) -> str:
        self.asked.append(("hold", reason))
        return self._held(self.you.who, reason)

    def state_now(self) -> None:
        run = self._shown.run
        assert run is not None
        assert run.step is not None
        at, wall = self.clock.instant(), self.clock.now()
        self.event(
            Stated(at=at, wall=wall, run=run.id, step=run.step.id, who="jo", words=run.statement_words)
        )

    def postpone_now(self, reason: str) -> None:
        run = self._shown.run
        assert run is not None
        at, wall = self.clock.instant(), self.clock.now()
        self.event(Postponed(at=at, wall=wall, run=run.id, who="jo", reason=reason))

    def waive_now(self, step: str, reason: str) -> None:
        refused = self._waived(step, reason)
        assert not refused, refused

    def hold_now(self, reason: str, who: str = "jo") -> None:
        refused = self._held(who, reason)
        assert not refused, refused

    async def release(self) -> str:
        self.asked.append(("release",))
        at, wall = self.clock.instant(), self.clock.now()
        return self._event(Released(at=at, wall=wall, who=self.you.who))

    async def take(self, run: str, reason: str) -> str:
        self.asked.append(("take", reason))
        return self.taken(self.you, reason)

    async def hand_over(self, run: str, to: str) -> str:
        self.asked.append(("hand over", to))
        return self.handed(to, by=self.you.who)

    async def give_secret(self, name: str, value: str) -> str:
        self.asked.append(("secret", name))
        if value != self.right_secret:
            return "sky-a does not accept this password for admin"
        self.show(secrets_wanted=tuple(other for other in self._shown.secrets_wanted if other != name))
        return ""

    async def try_secrets(self) -> str:
        self.asked.append(("try secrets",))
        return ""

    # What tests and scenarios do by themselves.

    @property
    def you(self) -> Seat:
        you = self._shown.you
        assert you is not None
        return you

    def come(self, *seats: Seat) -> None:
        """These clients connect."""
        here = self._shown.present
        self.show(present=Present(here.operator, (*here.others, *seats)))

    def go(self, gone: Seat) -> None:
        """This client hangs up."""
        here = self._shown.present
        operator = None if here.operator == gone else here.operator
        self.show(present=Present(operator, tuple(seat for seat in here.others if seat != gone)))

    def sit(self, operator: Seat | None) -> None:
        """This client operates from now on; without one the operator's seat is free."""
        here = self._shown.present
        seats = (seat for seat in (here.operator, *here.others) if seat is not None and seat != operator)
        self.show(present=Present(operator, tuple(seats)))

    def taken(self, by: Seat, reason: str) -> str:
        """This client takes the run over."""
        refused = self._handed(to=by.who, by=by.who, reason=reason)
        if not refused:
            self.sit(by)
        return refused

    def handed(self, to: str, *, by: str) -> str:
        """The run is passed on to a user."""
        refused = self._handed(to=to, by=by)
        if not refused:
            self.sit(None)
        return refused

    def event(self, event: Recorded) -> None:
        """Something happens in the run that the test makes up."""
        refused = self._event(event)
        assert not refused, refused

    def open(
        self,
        by: Seat | None = None,
        *,
        kind: Kind = Kind.PLANNED,
        optional: Mapping[str, str] | None = None,
        promote_before: datetime | None = None,
        why: str = "",
        ticket: str = "",
    ) -> str:
        last = self._shown.run
        sides = sides_of(kind, self._shown.reading, last if last and last.postponed else None)
        assert not sides.why_not
        self.show(run=None if self._shown.run and self._shown.run.over else self._shown.run)
        operator = by or self.you
        refused = self._event(
            Opened(
                at=self.clock.instant(),
                wall=self.clock.now(),
                run="2026-11-22-0300",
                pair=self._shown.pair,
                kind=kind,
                old=sides.old,
                new=sides.new,
                who=operator.who,
                plan=tuple(step.id for step in plan_of(kind, optional or ())),
                thresholds=self.thresholds,
                why=why,
                ticket=ticket,
                owed=sides.owed,
                instructions=dict(optional or {}),
                promote_before=promote_before,
            )
        )
        if not refused:
            self.sit(operator)
        return refused

    def accept(self) -> None:
        """Confirm the step whose card is up, with its phrase."""
        run = self._shown.run
        assert run is not None
        assert run.step is not None
        refused = self._event(
            Confirmed(
                at=self.clock.instant(),
                wall=self.clock.now(),
                run=run.id,
                step=run.step.id,
                who=run.operator,
                phrase=run.phrase(run.step),
            )
        )
        assert not refused, refused

    def walk(self, to: str = "", polls: int = 60) -> None:
        """Go on step by step until the card of `to` is up; to the end of the run without one."""
        for _ in range(len(plan_of(Kind.PLANNED)) + 1):
            run = self._shown.run
            assert run is not None
            if run.over or (run.step is not None and run.step.id == to):
                return
            place = len(run.records)
            self.accept()
            for _ in range(polls):
                self.poll()
                run = self._shown.run
                assert run is not None
                if run.over or (len(run.records) > place and isinstance(run.stage, Waiting)):
                    break
            else:
                raise AssertionError(f"{run.stage} goes on for ever")
        raise AssertionError(f"{to} was never reached")

    def _waived(self, step: str, reason: str, check: str = "") -> str:
        at, wall = self.clock.instant(), self.clock.now()
        return self._event(Waived(at=at, wall=wall, step=step, who=self.you.who, reason=reason, check=check))

    def _held(self, who: str, reason: str) -> str:
        return self._event(Held(at=self.clock.instant(), wall=self.clock.now(), who=who, reason=reason))

    def _handed(self, *, to: str, by: str, reason: str = "") -> str:
        at, wall = self.clock.instant(), self.clock.now()
        return self._event(HandedOver(at=at, wall=wall, to=to, by=by, reason=reason))

    def _event(self, event: Recorded) -> str:
        after, effects = advance(self._shown.run, event)
        refusals = [effect.reason for effect in effects if isinstance(effect, Refuse)]
        if refusals:
            return refusals[0]
        assert after is not None
        earlier = () if isinstance(event, Opened) else self._shown.events
        self.show(run=after, events=(*earlier, event))
        self._perform(effects)
        return ""

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Raise):
                refused = self._event(effect.event)
                assert not refused, refused
            elif isinstance(effect, Perform):
                self._act(effect)

    def _act(self, effect: Perform) -> None:
        run = self._shown.run
        assert run is not None
        assert run.step is not None
        self.clock.advance(0.4)
        outcome = self.world.act(effect.order)
        if outcome is None:
            return
        refused = self._event(
            Finished(
                at=self.clock.instant(),
                wall=self.clock.now(),
                step=run.step.id,
                token=effect.order.token,
                outcome=outcome,
            )
        )
        assert not refused, refused
