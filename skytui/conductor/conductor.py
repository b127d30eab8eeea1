"""One pair, owned: its drivers, its poller, its run, and what clients are told of them."""

import asyncio
import logging
import socket
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from skytui import __version__
from skytui.clock import Clock
from skytui.conductor.engine import Engine
from skytui.conductor.hub import Hub
from skytui.conductor.journal import Journal
from skytui.conductor.logs import Logs
from skytui.conductor.marks import Marks, mark_of
from skytui.conductor.poller import Poller
from skytui.conductor.runs import JOURNAL, ended_here, new_run_id, open_run
from skytui.conductor.seats import Seats
from skytui.config.pairs import PairConfig
from skytui.config.secrets import Secret, SecretStore
from skytui.drivers.driver import Driver
from skytui.errors import StateError
from skytui.link.wire import (
    PROTOCOL,
    Confirm,
    GiveSecret,
    HandOver,
    HoldRun,
    NewEvent,
    NewLines,
    NewReading,
    Notice,
    Open,
    Present,
    Previews,
    ReleaseRun,
    Seat,
    SecretsWanted,
    ServerFacts,
    Take,
    Waive,
    Welcome,
)
from skytui.pair.logline import LogLine
from skytui.pair.order import Order
from skytui.pair.pair import PairReading
from skytui.plaintext import plain
from skytui.runbook.events import Confirmed, HandedOver, Held, Opened, Recorded, Released, Waived
from skytui.runbook.gates import passes
from skytui.runbook.machine import expectation, next_token, order_for
from skytui.runbook.model import Run
from skytui.runbook.steps import plan_of

_LOG = logging.getLogger(__name__)
_NO_ROLES = "a planned swap needs one server that reads master and one that reads standby"


class Conductor:
    """Owns a pair while it serves. A request returns why it was refused, empty when it counted."""

    def __init__(
        self,
        config: PairConfig,
        *,
        drivers: Mapping[str, Driver],
        secrets: SecretStore,
        clock: Clock,
        folder: Path,
        owner: str,
    ) -> None:
        self._config = config
        self._drivers = drivers
        self._secrets = secrets
        self._clock = clock
        self.folder = folder
        self._owner = owner
        self._events: list[Recorded] = []
        self._previews: dict[str, str] = {}
        self._reading: PairReading | None = None
        self._engine: Engine | None = None
        self._two_masters = False
        self._opening = False
        self.hub = Hub()
        self.seats = Seats(config.operators, self._here)
        self._logs = Logs(drivers, lambda lines: self.hub.publish(NewLines(lines)))
        self._marks = Marks(
            drivers,
            config.thresholds,
            clock,
            ours=lambda mark: ended_here(folder, mark),
            trouble=self._trouble,
        )
        self._poller = Poller(drivers, clock, config.thresholds.poll_seconds, self._found)

    @property
    def run(self) -> Run | None:
        """The open run, else the last one of this process."""
        return self._engine.run if self._engine else None

    @property
    def wall(self) -> datetime:
        """Now, in UTC."""
        return self._clock.now()

    @property
    def busy(self) -> bool:
        """Whether a run is open, or being opened."""
        return self._opening or (self.run is not None and not self.run.over)

    async def serve(self) -> None:
        """Poll, follow logs, keep marks fresh, and carry on a run that was left, until cancelled.

        Raises StateError when the journal of a run that was left cannot be trusted.
        """
        left = open_run(self.folder)
        if left is not None:
            journal, contents = Journal.resume(left.folder / JOURNAL)
            self._events = list(contents.events)
            self._engine = self._new_engine(journal)
            self._logs.transcribe(left.folder / "logs")
            self._engine.resume(left.run, self._owner)
            key = contents.events[0].at.boot
            mark = mark_of(self._config.name, left.run.id, key, left.run.operator, left.run.began)
            self._marks.resumed(self._engine, mark, contents.hashes)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._poller.run())
                group.create_task(self._logs.run())
                group.create_task(self._marks.serve())
        finally:
            self._logs.flush()
            if self._engine:
                await self._engine.close()
            await self._marks.close()
            await asyncio.gather(*(driver.close() for driver in self._drivers.values()))

    def welcome(self, seat: Seat) -> Welcome:
        """The whole state, for a client that has just come."""
        self._logs.flush()
        return Welcome(
            protocol=PROTOCOL,
            version=__version__,
            pair=self._config.name,
            practice=self._config.practice,
            keys_of=self._owner,
            you=seat,
            may=self.seats.may(seat),
            present=self.seats.present,
            servers=tuple(
                ServerFacts(name, f"{server.address}:{server.listen_port}", self._drivers[name].logs)
                for name, server in self._config.servers.items()
            ),
            secrets_wanted=tuple(self._secrets.missing()),
            reading=self._reading,
            run=self.run,
            events=tuple(self._events),
            lines=tuple(self._logs.kept),
            previews=self._previews,
        )

    async def open(self, request: Open, seat: Seat) -> str:
        """Start a run, once every server that can be reached carries its mark."""
        if self._opening:
            return "another run is just being opened"
        if reason := self._why_not_open(seat):
            return reason
        self._opening = True
        try:
            run_id, wall = new_run_id(self.folder, self._clock.now()), self._clock.now()
            mark = mark_of(self._config.name, run_id, self._clock.instant().boot, seat.who, wall)
            reason = plain(request.take_over).strip()
            if refused := await self._marks.claim(mark, bool(reason)):
                return refused
            try:
                refused = self._begin(request, seat, run_id)
            except Exception:
                await self._marks.give_up()
                raise
            if self._engine is not None:
                self._marks.opened(self._engine, reason)
            return refused
        finally:
            self._opening = False

    def _why_not_open(self, seat: Seat) -> str:
        if self.run is not None and not self.run.over:
            operator = self.seats.present.operator
            by = operator.words if operator else f"{self.run.operator}, who is not connected"
            return f"run {self.run.id} is open, since {self.run.began:%H:%M} UTC; it is operated by {by}"
        if reason := self.seats.why_not_operate(seat):
            return reason
        wanted = self._secrets.missing()
        if wanted:
            return f"a secret is wanted first: {', '.join(wanted)}"
        return "" if self._roles else _NO_ROLES

    @property
    def _roles(self) -> tuple[str, str] | None:
        """Who reads master and who standby, if there is one of each."""
        old, new = (self._reading.master(), self._reading.standby()) if self._reading else (None, None)
        return (old, new) if old and new else None

    def _begin(self, request: Open, seat: Seat, run_id: str) -> str:
        """The run is open with its first event. Raises StateError when that cannot be written."""
        if (roles := self._roles) is None:
            raise StateError(f"No run was started: {_NO_ROLES}.")
        folder = self.folder / "runs" / run_id
        opened = Opened(
            at=self._clock.instant(),
            wall=self._clock.now(),
            run=run_id,
            pair=self._config.name,
            kind=request.kind,
            old=roles[0],
            new=roles[1],
            who=seat.who,
            host=socket.gethostname(),
            plan=tuple(step.id for step in plan_of(request.kind)),
            thresholds=self._config.thresholds,
        )
        journal = Journal.create(folder / JOURNAL, run_id)
        engine = self._new_engine(journal)
        last, self._events = self._events, []
        try:
            refused = engine.feed(opened)
        except BaseException:  # whatever it was: the file does not stay open
            journal.close()
            self._events = last
            raise
        self._engine = engine
        self.seats.sit(seat)
        self._logs.transcribe(folder / "logs")
        return refused

    def confirm(self, request: Confirm, seat: Seat) -> str:
        """Go on with a step.

        Only the phrase the step asks for gets into the event: whatever else was typed may be a secret, and
        what is refused or not asked for is not to be recorded.
        """
        if reason := self._claim(seat):
            return reason
        at, wall = self._clock.instant(), self._clock.now()
        step = self.run.step if self.run else None
        wanted = self.run.phrase(step) if self.run and step else ""
        phrase = wanted if request.phrase == wanted else ""
        return self._feed(
            Confirmed(at=at, wall=wall, run=request.run, step=request.step, who=seat.who, phrase=phrase)
        )

    def waive(self, request: Waive, seat: Seat) -> str:
        """Let a gate pass unproven; what was unproven then is recorded with it."""
        run = self.run
        if run is None or run.id != request.run:
            return "this waiver was for another run"
        if reason := self._claim(seat):
            return reason
        step = run.step
        unproven: tuple[str, ...] = ()
        if step is not None and self._reading is not None:
            unproven = passes(run, step, self._reading).reasons
        at, wall = self._clock.instant(), self._clock.now()
        waived = Waived(
            at=at, wall=wall, step=request.step, who=seat.who, reason=plain(request.reason), unproven=unproven
        )
        return self._feed(waived)

    def hold(self, request: HoldRun, seat: Seat) -> str:
        """Stop the run at its next gate. Everybody who is more than a watcher may."""
        at, wall = self._clock.instant(), self._clock.now()
        return self._feed(Held(at=at, wall=wall, who=seat.who, reason=plain(request.reason)))

    def release(self, _request: ReleaseRun, seat: Seat) -> str:
        """Lift the hold."""
        return self._feed(Released(at=self._clock.instant(), wall=self._clock.now(), who=seat.who))

    def take(self, request: Take, seat: Seat) -> str:
        """Operate the run from this client; journalled where anybody else has operated it until now."""
        run = self.run
        if run is None or run.over or run.id != request.run:
            return "that run is not open"
        if reason := self.seats.why_not_operate(seat):
            return reason
        taken = self._claim(seat)
        if not taken:
            return ""
        if not request.reason.strip():
            return taken
        if reason := self._hand_over(to=seat.who, by=seat.who, reason=plain(request.reason)):
            return reason
        self.seats.sit(seat)
        return ""

    def hand_over(self, request: HandOver, seat: Seat) -> str:
        """Pass the run on to another user, whose first client that acts operates it from then on."""
        if self.run is None or self.run.id != request.run:
            return "that run is not open"
        if reason := self._claim(seat) or self.seats.why_not_name(request.to):
            return reason
        if reason := self._hand_over(to=request.to, by=seat.who):
            return reason
        self.seats.rise()
        return ""

    def _hand_over(self, *, to: str, by: str, reason: str = "") -> str:
        at, wall = self._clock.instant(), self._clock.now()
        return self._feed(HandedOver(at=at, wall=wall, to=to, by=by, reason=reason))

    def _claim(self, seat: Seat) -> str:
        return "no run is open" if self.run is None else self.seats.claim(seat, self.run)

    async def take_secret(self, request: GiveSecret) -> str:
        """Try a secret, and keep it in memory if it is right."""
        if request.name not in self._secrets.missing():
            return f"no secret {request.name} is wanted"
        self._secrets.put(request.name, Secret(request.value))
        for driver in self._drivers.values():
            refused = await driver.try_login()
            if refused:
                self._secrets.forget(request.name)
                return refused
        self.hub.publish(SecretsWanted(tuple(self._secrets.missing())))
        self._poller.look()
        return ""

    def _feed(self, event: Recorded) -> str:
        if self._engine is None:
            return "no run is open"
        return self._engine.feed(event)

    def _new_engine(self, journal: Journal) -> Engine:
        return Engine(
            journal,
            self._drivers,
            self._clock,
            look=self._poller.look,
            recorded=self._recorded,
            said=self._said,
            trouble=self._trouble,
            objection=self._marks.refresh,
        )

    def _here(self, present: Present) -> None:
        self.hub.publish(present)

    def _found(self, reading: PairReading) -> None:
        self._reading = reading
        self.hub.publish(NewReading(reading))
        self._alarm(reading)
        if self._engine:
            self._engine.observe(reading)
        self._preview()

    def _alarm(self, reading: PairReading) -> None:
        """Say it at once, and once, when two servers read master. No gate passes over that by itself."""
        masters = reading.masters()
        before, self._two_masters = self._two_masters, len(masters) > 1
        if self._two_masters and not before:
            self._trouble(
                f"TWO MASTERS: {' and '.join(masters)} both read master, and jobs may run twice."
                " Stop the one that should not be, by hand; nothing is started from here meanwhile."
            )

    def _recorded(self, event: Recorded, run: Run) -> None:
        self._events.append(event)
        self.hub.publish(NewEvent(event, run))
        if run.over:
            self._marks.ended()

    def _said(self, order: Order, line: str) -> None:
        self._logs.add(LogLine(order.server, order.action.value, line, self._clock.now()))

    def _trouble(self, says: str) -> None:
        _LOG.warning("%s", says)
        self.hub.publish(Notice(self._clock.now(), says))

    def _preview(self) -> None:
        """Say what the actions still to come would run where, when that has changed."""
        run = self.run
        previews: dict[str, str] = {}
        if run is not None:
            for step in run.steps:
                if step.action is not None:
                    order = order_for(run, step, next_token(run, step), expectation(run, step, self._reading))
                    previews[step.id] = self._drivers[order.server].preview(order)
        if previews != self._previews:
            self._previews = previews
            self.hub.publish(Previews(previews))
