"""One pair, owned: its drivers, its poller, its run, and what clients are told of them."""

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from skytui import __version__
from skytui.clock import Clock
from skytui.conductor.afterwatch import AfterWatch
from skytui.conductor.archive import Archive
from skytui.conductor.bell import Bell
from skytui.conductor.desk import Desk
from skytui.conductor.engine import Engine
from skytui.conductor.fixed import fix
from skytui.conductor.hooks import HookRunner
from skytui.conductor.hub import Hub
from skytui.conductor.journal import Journal
from skytui.conductor.logs import Logs
from skytui.conductor.marks import Marks, mark_of
from skytui.conductor.paper import changes_the_plan, previews_of, put_on_paper
from skytui.conductor.poller import Poller
from skytui.conductor.progress import Listener
from skytui.conductor.runs import (
    JOURNAL,
    StoredRun,
    ended_here,
    left_over,
    new_run_id,
    nothing_half_made,
    open_run,
)
from skytui.conductor.seats import Seats
from skytui.conductor.succession import SAME, Succession
from skytui.conductor.surroundings import Surroundings, remember
from skytui.conductor.wanted import Wanted
from skytui.config.inputs import NO_INPUTS, Inputs
from skytui.config.pairs import PairConfig
from skytui.config.secrets import Secret, SecretStore
from skytui.drivers.driver import Driver
from skytui.errors import StateError
from skytui.link.wire import (
    PROTOCOL,
    GiveSecret,
    NewEvent,
    NewLines,
    NewReading,
    Notice,
    Open,
    Present,
    Previews,
    Seat,
    ServerFacts,
    TrySecrets,
    Welcome,
)
from skytui.pair.logline import LogLine
from skytui.pair.order import Order
from skytui.pair.pair import PairReading
from skytui.plaintext import plain
from skytui.remote.credentials import Credentials
from skytui.runbook.cadence import Timing
from skytui.runbook.events import Hooked, Opened, Passed, Recorded
from skytui.runbook.hooks import failed_words
from skytui.runbook.model import Run
from skytui.runbook.progress import Progress
from skytui.runbook.sides import Sides, sides_of
from skytui.runbook.steps import Kind, plan_of

_LOG = logging.getLogger(__name__)


class Conductor:
    """Owns a pair while it serves. A request returns why it was refused, empty when it counted.

    `inputs` are what `config` and `drivers` were made of; `outdated` says why no run may be opened by them
    any more, empty while one may. `credentials` are what the drivers log in to hosts with; `remarks` is what
    everybody who attaches must know of how that is done. `how` is how a run that was left is taken up;
    `polled` is called after each poll.
    """

    def __init__(
        self,
        config: PairConfig,
        *,
        drivers: Mapping[str, Driver],
        secrets: SecretStore,
        clock: Clock,
        folder: Path,
        owner: str,
        credentials: Credentials | None = None,
        remarks: tuple[str, ...] = (),
        inputs: Inputs = NO_INPUTS,
        outdated: Callable[[], str] = lambda: "",
        how: Succession = SAME,
        polled: Callable[[], None] = lambda: None,
    ) -> None:
        self._config = config
        self._drivers = drivers
        self._secrets = secrets
        self._credentials = credentials or Credentials()
        self.remarks = remarks
        self._clock = clock
        self.folder = folder
        self._owner = owner
        self._inputs = inputs
        self._outdated = outdated
        self._how = how
        self._polled = polled
        self._events: list[Recorded] = []
        self._previews: dict[str, str] = {}
        self._reading: PairReading | None = None
        self._engine: Engine | None = None
        self._two_masters = False
        self._opening = asyncio.Lock()
        self.hub = Hub()
        self.seats = Seats(config.operators, self._here)
        self.desk = Desk(self.seats, clock, engine=lambda: self._engine, reading=lambda: self._reading)
        self.wanted = Wanted(
            secrets,
            drivers,
            also=lambda: tuple(self._credentials.wanted),
            publish=self.hub.publish,
            trouble=self._trouble,
        )
        self._credentials.changed = self.wanted.tell
        self._logs = Logs(drivers, lambda lines: self.hub.publish(NewLines(lines)))
        self._hooks = HookRunner(config, self._hook_said)
        self._marks = Marks(
            drivers,
            config.thresholds,
            clock,
            ours=lambda mark: ended_here(folder, mark),
            trouble=self._trouble,
        )
        self._archive = Archive(
            folder, Timing(config.every, config.quiet), clock, send=self.hub.publish, trouble=self._trouble
        )
        self._listener = Listener(
            drivers,
            clock,
            config.thresholds.stall_seconds,
            send=self.hub.publish,
            stalled=self._stalled,
        )
        self._bell = Bell(config, trouble=self._trouble, said=self._bell_said)
        self.after = AfterWatch(folder, config.watch_hours, changed=self.hub.publish, called=self._call)
        surroundings = Surroundings(config, folder, clock)
        self._poller = Poller(drivers, clock, config.thresholds.poll_seconds, self._found, surroundings)

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
        return self._opening.locked() or (self.run is not None and not self.run.over)

    async def serve(self) -> None:
        """Poll, follow logs, keep marks fresh, and carry on a run that was left, until cancelled.

        Raises StateError when the journal of a run that was left cannot be trusted.
        """
        left = open_run(self.folder)
        try:
            if left is not None:
                self._carry_on(left)
            else:
                self.after.resume(self._clock.now())
            async with asyncio.TaskGroup() as group:
                group.create_task(self._poller.run())
                group.create_task(self._logs.run())
                group.create_task(self._marks.serve())
                group.create_task(self._archive.read())
        finally:
            self._logs.flush()
            if self._engine:
                await self._engine.close()
            await self._marks.close()
            await self._bell.close()
            await asyncio.gather(*(driver.close() for driver in self._drivers.values()))

    def _carry_on(self, left: StoredRun) -> None:
        """Take up a run that another process left."""
        journal, contents = Journal.resume(left.folder / JOURNAL)
        self._events = list(contents.events)
        self._engine = self._new_engine(journal)
        self._logs.transcribe(left.folder / "logs")
        self._engine.resume(left.run, self._owner, self._how, socket.gethostname())
        run = self._engine.run or left.run
        key = contents.events[0].at.boot
        mark = mark_of(self._config.name, run.id, key, run.operator, run.began)
        self._marks.resumed(self._engine, mark, contents.hashes)

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
                ServerFacts(
                    name,
                    f"{server.address}:{server.listen_port}",
                    self._drivers[name].logs,
                    unverified=server.unverified,
                )
                for name, server in self._config.servers.items()
            ),
            secrets_wanted=self.wanted.now.names,
            secrets_refused=self.wanted.now.refused,
            hosts_ask=self.wanted.now.hosts_ask,
            reading=self._reading,
            run=self.run,
            events=tuple(self._events),
            lines=tuple(self._logs.kept),
            previews=self._previews,
            optional=tuple(self._config.by_hand),
            progress=self._listener.progress,
            past=self._archive.past,
            watched=self.after.watched,
        )

    async def open(self, request: Open, seat: Seat) -> str:
        """Start a run, once every server that can be reached carries its mark."""
        async with self._opening:  # of two at once the second is told of the first one's run
            if reason := self._why_not_open(seat, request.kind):
                return reason
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

    def _why_not_open(self, seat: Seat, kind: Kind) -> str:
        if self.run is not None and not self.run.over:
            operator = self.seats.present.operator
            by = operator.words if operator else f"{self.run.operator}, who is not connected"
            return f"run {self.run.id} is open, since {self.run.began:%H:%M} UTC; it is operated by {by}"
        if reason := self.seats.why_not_operate(seat):
            return reason
        if reason := self._outdated():
            return reason
        if wanted := self.wanted.now.names:
            return f"a secret is wanted first: {', '.join(wanted)}"
        return self._sides(kind).why_not

    def _sides(self, kind: Kind) -> Sides:
        """Who would hand over to whom in a run of this kind that starts now."""
        return sides_of(kind, self._reading, left_over(self.folder) if kind is Kind.CONVERT else None)

    def _begin(self, request: Open, seat: Seat, run_id: str) -> str:
        """The run is open with its first event. Raises StateError when that cannot be written."""
        sides = self._sides(request.kind)
        if sides.why_not:
            raise StateError(f"No run was started: {sides.why_not}.")
        folder = self.folder / "runs" / run_id
        silenced = ["unsilence"] if any(debt.what == "silence-monitoring" for debt in sides.owed) else []
        plan = tuple(step.id for step in plan_of(request.kind, [*self._config.by_hand, *silenced]))
        with nothing_half_made(folder):
            fixed = fix(folder, self._inputs, plan, self._config.thresholds)
            journal = Journal.create(folder / JOURNAL, run_id)
        opened = Opened(
            at=self._clock.instant(),
            wall=self._clock.now(),
            run=run_id,
            pair=self._config.name,
            kind=request.kind,
            old=sides.old,
            new=sides.new,
            who=seat.who,
            host=socket.gethostname(),
            plan=plan,
            thresholds=self._config.thresholds,
            keys_of=self._owner,
            fixed=fixed,
            instructions={step: words for step, words in self._config.by_hand.items() if words},
            promote_before=request.promote_before,
            why=plain(request.why).strip(),
            ticket=plain(request.ticket).strip(),
            owed=sides.owed,
            hooks=self._hooks.names,
            deadlines={step: float(seconds) for step, seconds in self._config.deadlines.items()},
            unverified=tuple(name for name, server in self._config.servers.items() if server.unverified),
        )
        engine = self._new_engine(journal)
        last, self._events = self._events, []
        try:
            with nothing_half_made(folder, lambda: engine.run is None):
                refused = engine.feed(opened)
        except BaseException:  # whatever it was: the file does not stay open
            journal.close()
            self._events = last
            raise
        self._engine = engine
        self.after.opened()
        self.seats.sit(seat)
        self._logs.transcribe(folder / "logs")
        return refused

    async def secrets(self, request: GiveSecret | TrySecrets) -> str:
        """A secret given by a person, or those that were refused tried again; and both servers read anew."""
        if isinstance(request, TrySecrets):
            refused = await self.wanted.again()
        elif request.name in self._credentials.wanted:
            refused = await self._credentials.give(request.name, Secret(request.value))
        else:
            refused = await self.wanted.take(request)
        self._poller.look()
        return refused

    def attached(self, seat: Seat, agent: str) -> None:
        """A client has come, with this SSH agent. Who may only look lends none, and answers nothing."""
        if self.seats.may(seat):
            self._credentials.attached(agent)
            self._poller.look()

    def left(self, seat: Seat) -> None:
        """A client has gone."""
        if self.seats.may(seat):
            self._credentials.left()

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
            run_hook=self._hooks.run,
        )

    def _here(self, present: Present) -> None:
        self.hub.publish(present)

    def _found(self, reading: PairReading) -> None:
        self._reading = reading
        self._polled()
        self.wanted.tell()
        self.hub.publish(NewReading(reading))
        self._alarm(reading)
        if self._engine:
            self._engine.observe(reading)
        self.after.observe(reading)
        self._preview()
        self._listener.look()
        self._archive.look()

    def _alarm(self, reading: PairReading) -> None:
        """Say it at once, and once, when two servers read master. No gate passes over that by itself."""
        masters = reading.masters()
        before, self._two_masters = self._two_masters, len(masters) > 1
        if self._two_masters and not before:
            self._call(
                f"TWO MASTERS: {' and '.join(masters)} both read master, and jobs may run twice."
                " Stop the one that should not be, by hand; nothing is started from here meanwhile.",
                serious=True,
            )

    def _call(self, says: str, serious: bool) -> None:
        """Say it to whoever is here, and run the pair's alarm command where somebody has to be called."""
        self._trouble(says)
        if serious:
            self._bell.ring(says, self.run)

    def _recorded(self, event: Recorded, run: Run) -> None:
        self._events.append(event)
        self._listener.follow(run)
        if run.over:  # whoever is told that it has ended finds its report
            self._logs.flush()
            self._archive.report(run)
        self.hub.publish(NewEvent(event, run))
        if isinstance(event, Passed) and event.step == "preflight":
            self._remember(run)
        if changes_the_plan(event):
            previews = previews_of(run, self._drivers, self._reading)
            put_on_paper(self.folder / "runs" / run.id, run, previews, self._archive.usual_of(run))
        if isinstance(event, Hooked) and not event.ok:
            self._trouble(f"T{failed_words(run)[1:]}.")
        if run.over:
            self._marks.ended()
            self._archive.ended()
            self.after.ended(run)

    def _stalled(self, progress: Progress, says: str) -> None:
        self._logs.add(LogLine(progress.server, "skytui", says, self._clock.now()))
        self._trouble(says)

    def _remember(self, run: Run) -> None:
        """Keep what the preflight saw, for the next one. A run goes on without it."""
        try:
            if self._reading is not None:
                remember(self.folder, run.id, self._reading)
        except StateError as error:
            self._trouble(f"The next preflight has nothing to compare with. {error}")

    def _said(self, order: Order, line: str) -> None:
        step = self.run.step if self.run else None
        self._listener.hear(order, step.id if step else order.action.value, line)
        self._logs.add(LogLine(order.server, order.action.value, line, self._clock.now()))

    def _hook_said(self, hook: str, line: str) -> None:
        self._logs.add(LogLine("hook", hook.replace(" ", "-"), line, self._clock.now()))

    def _bell_said(self, line: str) -> None:
        self._hook_said("alarm", line)

    def _trouble(self, says: str) -> None:
        _LOG.warning("%s", says)
        self.hub.publish(Notice(self._clock.now(), says))

    def _preview(self) -> None:
        """Say what the actions still to come would run where, when that has changed."""
        previews = previews_of(self.run, self._drivers, self._reading) if self.run else {}
        if previews != self._previews:
            self._previews = previews
            self.hub.publish(Previews(previews))
