"""One run of the real conductor over simulated servers, from its first card to its end, turn by turn.

Everything a person, a server or a network does is a method here, and leaves a line in `story`.
"""

import asyncio
import errno
import shutil
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec

from skytui.conductor import journal
from skytui.conductor.conductor import Conductor
from skytui.conductor.hub import Hub
from skytui.conductor.runs import load_run, stored_runs
from skytui.config.pairs import PairConfig, ServerConfig
from skytui.config.secrets import SecretStore
from skytui.errors import StateError
from skytui.link.wire import (
    AbortRun,
    Confirm,
    HoldRun,
    Message,
    NewEvent,
    NewReading,
    Notice,
    Open,
    Postpone,
    ReleaseRun,
    Seat,
    State,
    Take,
    TurnRun,
    Waive,
)
from skytui.pair.order import Order
from skytui.pair.pair import PairReading
from skytui.pair.thresholds import Thresholds
from skytui.pair.vocabulary import Role
from skytui.runbook.events import Aborted, Intended, Recorded, Resumed, Turned
from skytui.runbook.model import Checking, Doubtful, Ended, Run, Running
from skytui.runbook.prospect import Turn, prospect
from skytui.runbook.steps import PLANNED, STEPS, UNDO, UNPLANNED
from skytui.runbook.undo import why_no_abort
from tests.simulation.observers import Observers
from tests.simulation.servers import NEW, OLD, SimulatedDriver, SimulatedServers
from tests.simulation.stepped import START, SteppedClock, SteppedLoop, Time

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where journals are written in no time: a file system in memory, where there is one."""
POLL_SECONDS = 3.0
TURN_SECONDS = POLL_SECONDS + 0.1
"""One turn: the time moves on by so much, and both servers are polled."""
PATIENCE = 8
"""For how many turns a careful person looks at a card that does not change."""
TURNS = 400
"""After so many turns without faults, a run that has not come to an end goes nowhere."""
PLAN = [step.id for step in PLANNED]
LOST_STEPS = [step.id for step in UNPLANNED if step not in PLANNED]
UNDO_STEPS = [step.id for step in UNDO]
SEAT = Seat(1, "ann", "console", 1, START)
OTHER = Seat(2, "bob", "console", 2, START)


WRITE = journal._write


def _no_room(file: BinaryIO, data: bytes) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


class Died(BaseException):
    """The process is gone: nothing that is written against errors gets to see this."""


@dataclass
class Tally:
    """What has been seen, over all runs of a test."""

    steps: int = 0
    stutters: int = 0
    runs: int = 0
    past_no_return: int = 0
    resumed_from_unknown: int = 0
    aborted: int = 0
    turned: int = 0
    lives: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    met: set[tuple[str, str]] = field(default_factory=set)

    @property
    def says(self) -> str:
        """All of it, in a line."""
        ends = ", ".join(f"{number} {how}" for how, number in self.endings.most_common())
        return (
            f"{self.steps} steps and {self.stutters} stutters in {self.runs} runs ({self.lives} conductors):"
            f" {self.past_no_return} past the point of no return, {self.resumed_from_unknown} resumed from"
            f" an unknown outcome, {self.aborted} aborted, {self.turned} planned turned unplanned,"
            f" {len(self.met)} faults at a step; ended: {ends}"
        )


class Listening(Hub):
    """Who hears everything that the conductor tells."""

    def __init__(self, heard: Callable[[Message], None]) -> None:
        super().__init__()
        self._heard = heard

    def publish(self, message: Message) -> None:
        """Tell it."""
        self._heard(message)


class Simulation:
    """The servers, the folder, and the conductor that lives just now."""

    def __init__(self, tally: Tally) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="skytui-simulation-", dir=MEMORY))
        self.tally = tally
        self.time = Time()
        self.loop = SteppedLoop(self.time)
        self.servers = SimulatedServers(self.time)
        self.observers = Observers(self.servers)
        self.servers.acting, self.servers.told, self.servers.die = self._acting, self.tell, self._die_here
        self.story: list[str] = []
        self.events: list[Recorded] = []
        self.reading: PairReading | None = None
        self.dies_at_next_event = self.absent = self.counting = self.troubled = False
        self._dead = False
        self._picture: object = None
        self._run: Run | None = None
        self._lives = 0
        self._wrong: BaseException | None = None
        self._two_masters = False
        self._alarm_owed = ""
        self.begin_life()

    # -- lives of the conductor

    def begin_life(self) -> None:
        """Another conductor takes up what is there."""
        self._lives += 1
        self.tally.lives += 1
        self.tell(f"conductor {self._lives} starts")
        self._dead = self.dies_at_next_event = self._two_masters = False
        self.clock = SteppedClock(self.time, f"life {self._lives}")
        self.servers.pair.clock = self.clock
        for name in (OLD, NEW):
            self.servers.looks[name].clear()
        config = PairConfig(
            name="test",
            file=self.folder / "config.toml",
            profile="skybot",
            servers={n: ServerConfig(name=n, address=f"{n}.example", listen_port=1) for n in (OLD, NEW)},
            thresholds=Thresholds(poll_seconds=POLL_SECONDS),
        )
        self.conductor = Conductor(
            config,
            drivers={name: SimulatedDriver(self.servers, name) for name in (OLD, NEW)},
            secrets=SecretStore({}),
            clock=self.clock,
            folder=self.folder,
            owner="ann",
        )
        self.conductor.hub = Listening(self._heard)
        if self.events:
            left = load_run(stored_runs(self.folder)[-1])
            assert left.contents.events == tuple(self.events), "the journal is not what was told"
        self._work = self.loop.create_task(self.conductor.serve())
        self.loop.settle()
        if self._work.done() and self.full:
            # It says why, and ends: whoever wants to go on calls skytui again when there is room.
            error = self._work.exception()
            assert isinstance(error, StateError), error
            self.tell(f"  it ends at once: {error}")
            self.absent = True
        else:
            self.absent = False
            self._after()

    @property
    def full(self) -> bool:
        """Whether there is no room on the jump host's disk."""
        return journal._write is not WRITE

    def end_life(self) -> None:
        """The conductor is gone, from one moment to the next."""
        self._dead = True
        if self.absent:
            return
        self._work.cancel()
        self.loop.settle()
        assert self._work.done()

    def _die_here(self) -> None:
        self.tell("the conductor dies")
        self._dead = True
        for task in asyncio.all_tasks(self.loop) - {asyncio.current_task(self.loop)}:
            task.cancel()  # none of them comes to say or write anything more
        raise Died

    def settle(self) -> None:
        """Everything that is due now happens; a conductor that died meanwhile is followed by another."""
        self.loop.settle()
        self._after()

    def _after(self) -> None:
        if self._wrong is not None:
            raise self._wrong
        assert not self._alarm_owed, self._alarm_owed
        if self._dead:
            self.end_life()
            self.begin_life()
        if self.absent:
            if not self.full:
                self.begin_life()
            return
        assert not self._work.done(), f"the conductor ended by itself: {self._work}"

    def fill_disk(self) -> None:
        """Nothing more can be written on the jump host."""
        journal._write = _no_room

    def free_disk(self) -> None:
        """There is room again."""
        journal._write = WRITE

    def turn(self, seconds: float = TURN_SECONDS) -> None:
        """Time passes."""
        self.servers.turn()
        self.loop.move(seconds)
        self._after()
        self.count()

    def count(self) -> None:
        """Something was done: a step if anything is other than before, else a stutter."""
        if self.counting:
            before, self._picture = self._picture, self.picture
            self.tally.steps += before != self._picture
            self.tally.stutters += before == self._picture

    def count_from_here(self) -> None:
        """What has been done until now was the way to where a story begins."""
        self.counting, self._picture = True, self.picture

    @property
    def picture(self) -> object:
        """Everything but the time and what grows with it: a step that leaves this as it was is a stutter."""
        servers = self.servers
        still = {"position": 0, "ticks": 0, "finished": 0}
        truths = [msgspec.structs.replace(servers.truth(name), **still) for name in (OLD, NEW)]
        fates = [tuple(fates) for fates in servers.reading.values()]
        marks = [server.run_mark.mark for server in servers.pair.servers.values()]
        told = (self._lives, len(self.events), self.full, self.dies_at_next_event, servers.misread)
        return truths, fates, tuple(servers.ending), servers.mixed_up, tuple(servers.flying), marks, told

    def ask(self, request: Callable[[], Awaitable[str] | str]) -> str:
        """Ask the conductor for something; why it refused."""

        async def asked() -> str:
            if self.absent:
                return "no conductor lives"
            try:
                answer = request()
                return answer if isinstance(answer, str) else await answer
            except StateError as error:
                return str(error)
            except Died:
                return "the conductor died"

        refused = self.loop.finish(asked())
        self._after()
        self.count()
        if refused:
            self.tell(f"  refused: {refused}")
        return refused

    # -- what is seen of it

    def tell(self, says: str) -> None:
        """One line of the story."""
        self.story.append(f"{self.time.seconds:7.1f} s  {says}")

    def _heard(self, message: Message) -> None:
        try:
            self._hear(message)
        except AssertionError as wrong:
            self._wrong = self._wrong or wrong
            raise

    def _hear(self, message: Message) -> None:
        match message:
            case NewEvent(event=event, run=run):
                assert not self._dead, "the dead do not write"
                self.events.append(event)
                self._run = run
                self.tell(f"  journal: {_words(event)}")
                self._count(event, run)
                self.observers.recorded(event, run, self.events, self.clock.instant())
                if self.dies_at_next_event:
                    self._die_here()
            case NewReading(reading=reading):
                if self._dead:
                    raise Died
                self.reading = reading
                self._watch_for_two_masters()
            case Notice(says=text):
                if text.startswith("TWO MASTERS"):
                    self._alarm_owed = ""
                self.tell(f"  said: {text}")

    def _watch_for_two_masters(self) -> None:
        """The alarm is due before anything else happens after a poll that saw two, and none before it."""
        looks = [self.servers.looks[name][-1] for name in (OLD, NEW)]
        before = self._two_masters
        self._two_masters = all(look.gives("role") and look.truth.serves_as(Role.MASTER) for look in looks)
        if self._two_masters and not before:
            self._alarm_owed = f"two masters were read at {self.time.seconds:.1f} s, and no alarm was given"

    def _acting(self, order: Order) -> None:
        assert not self._dead, "the dead do not act"
        self.tell(f"  {order.action.value} begins on {order.server}")
        try:
            self.observers.acting(order, self.run_folder, self.events, self.clock.instant())
        except AssertionError as wrong:
            self._wrong = self._wrong or wrong
            raise

    def _count(self, event: Recorded, run: Run) -> None:
        tally = self.tally
        if isinstance(event, Intended) and STEPS[event.step].no_way_back and run.attempts[event.step] == 1:
            tally.past_no_return += 1
        if isinstance(event, Aborted):
            tally.aborted += 1
        if isinstance(event, Turned):
            tally.turned += 1
        if isinstance(event, Resumed) and isinstance(run.stage, Running | Doubtful):
            tally.resumed_from_unknown += 1

    @property
    def run_folder(self) -> Path:
        """Where the run's journal lies."""
        return self.folder / "runs" / self.run.id

    @property
    def run(self) -> Run:
        """The run after the last event that was told."""
        assert self._run is not None
        return self._run

    @property
    def step(self) -> str:
        """The id of the current step; empty when the run is over."""
        return self.run.step.id if self.run.step else ""

    @property
    def tale(self) -> str:
        """The story, a line for each thing that happened."""
        return "\n".join(["The story:", *self.story])

    # -- what people do

    def open(self) -> None:
        """Start a run."""
        self.tell("ann opens a run")
        while self.reading is None or not (self.reading.master() and self.reading.standby()):
            self.turn()
        assert self.ask(lambda: self.conductor.open(Open(1), SEAT)) == ""
        self.tally.runs += 1

    @property
    def operator(self) -> Seat:
        """Where the operator of the run sits."""
        return SEAT if self.run.operator == SEAT.who else OTHER

    def confirm(self, step: str | None = None, phrase: str | None = None, seat: Seat | None = None) -> str:
        """Confirm the current step, or what is given."""
        run, current, seat = self.run, self.run.step, seat or self.operator
        if current is None:
            return "the run is over"
        step = step or current.id
        phrase = run.phrase(current) if phrase is None else phrase
        self.tell(f"{seat.who} confirms {step}{f' with {phrase}' if phrase else ''}")
        return self.ask(lambda: self.conductor.desk.confirm(Confirm(1, run.id, step, phrase), seat))

    def waive(self, reason: str = "agreed", seat: Seat | None = None) -> str:
        run, step, seat = self.run, self.step, seat or self.operator
        self.tell(f"{seat.who} waives {step}: {reason!r}")
        return self.ask(lambda: self.conductor.desk.waive(Waive(1, run.id, step, reason), seat))

    def abort(self, reason: str = "not tonight", seat: Seat | None = None) -> str:
        run, seat = self.run, seat or self.operator
        self.tell(f"{seat.who} aborts: {reason!r}")
        return self.ask(lambda: self.conductor.desk.abort(AbortRun(1, run.id, reason), seat))

    def turn_over(self, reason: str = "the master is lost", seat: Seat | None = None) -> str:
        """Make an unplanned swap of it."""
        run, seat = self.run, seat or self.operator
        self.tell(f"{seat.who} makes an unplanned swap of it: {reason!r}")
        return self.ask(lambda: self.conductor.desk.turn(TurnRun(1, run.id, reason), seat))

    def state(self, seat: Seat | None = None) -> str:
        """State that the original master is powered off."""
        run, step, seat = self.run, self.step, seat or self.operator
        self.tell(f"{seat.who} states: {run.statement_words}")
        return self.ask(lambda: self.conductor.desk.state(State(1, run.id, step, run.statement_words), seat))

    def postpone(self, reason: str = "the machine is broken", seat: Seat | None = None) -> str:
        """Leave the conversion for later."""
        run, seat = self.run, seat or self.operator
        self.tell(f"{seat.who} leaves the conversion for later: {reason!r}")
        return self.ask(lambda: self.conductor.desk.postpone(Postpone(1, run.id, reason), seat))

    def hold(self, seat: Seat = OTHER) -> str:
        self.tell(f"{seat.who} holds the run")
        return self.ask(lambda: self.conductor.desk.hold(HoldRun(1, "wait"), seat))

    def take(self, seat: Seat = OTHER, reason: str = "you are not there") -> str:
        run = self.run
        self.tell(f"{seat.who} takes the run over: {reason!r}")
        return self.ask(lambda: self.conductor.desk.take(Take(1, run.id, reason), seat))

    def release(self, seat: Seat | None = None) -> str:
        seat = seat or self.operator
        self.tell(f"{seat.who} lets it go on")
        return self.ask(lambda: self.conductor.desk.release(ReleaseRun(1), seat))

    # -- a careful person

    def go_on(self, until: Callable[[], bool], turns: int = TURNS) -> bool:
        """Confirm what may be confirmed, until it is so, or `turns` have passed."""
        answered: object = None
        seen: object = None
        since = 0
        for _ in range(turns):
            run = self.run
            if run.over or until():
                return until() or run.over
            now = (run.stage, run.stage_at, run.hold)
            since = 0 if now != seen else since + 1
            seen = now
            if run.hold:
                self.release()
            elif self.reading is not None and now != answered:
                turn = prospect(run, self.reading).turn
                doubtful = isinstance(run.stage, Doubtful | Checking)
                if turn is Turn.OPERATOR and (not doubtful or since >= PATIENCE):
                    answered = now
                    self.confirm()
                    continue
            if since >= PATIENCE and self._ways_out():
                continue
            self.turn()
        return until()

    def go_back_to(self, step: str) -> None:
        """Abort before the point of no return, and stand at this step on the way back."""
        assert self.go_to("promote")
        before = UNDO_STEPS[: UNDO_STEPS.index(step)]
        if STEPS[step].action:
            self.servers.ending += [*(None for _ in before), "slow"]
        else:  # its gate stays shut as long as the standby is not Active
            self.servers.pair.link_up = False
        assert self.abort() == ""
        for _ in range(TURNS):
            if self.step == step:
                return
            self.turn()
        raise AssertionError(f"{step} is not reached: {self.run.stage}")

    def stand_at(self, step: str) -> None:
        """A new run goes on to this step, wherever in a plan or in an abort it is."""
        self.open()
        if step in UNDO_STEPS:
            self.go_back_to(step)
        elif step in LOST_STEPS:
            assert self.go_to("shut-down")
            self.servers.crash(OLD)
            self.turn()
            assert self.turn_over() == ""
            assert self.go_to(step)
        else:
            assert self.go_to(step)

    def finish(self) -> None:
        """To the end, or to a place from which a person knows how to go on."""
        self.go_on(lambda: self.run.over)
        if self._put_right_by_hand():
            self.go_on(lambda: self.run.over)
        run = self.run
        assert load_run(self.run_folder).run == run, "the fold of the journal is not the run"
        if isinstance(run.stage, Ended):
            self.tally.endings[run.stage.ending] += 1
            return
        ahead = prospect(run, self.reading)
        self.tally.endings[f"stopped half-way at {self.step}: {'; '.join(ahead.reasons)}"] += 1
        assert ahead.turn is Turn.OPERATOR or ahead.reasons, f"nothing says why the run stays at {run.stage}"

    def _put_right_by_hand(self) -> bool:
        """Do what the card says is missing, where somebody changed it behind the run's back."""
        if self.step not in ("restored", "convert"):
            return False
        self.tell("* somebody puts right by hand what the card says is missing")
        pair, before = self.servers.pair, self.run.baseline
        self.servers.old.guard = False
        if self.step == "restored" and before is not None:
            pair.queues |= {queue.name: queue.locked for queue in before.queues}
            pair.scheduler = before.scheduler or pair.scheduler
        return True

    def go_to(self, step: str) -> bool:
        """Go on until the run stands at this step."""
        return self.go_on(lambda: self.step == step)

    def _ways_out(self) -> bool:
        """What a person does about a step that does not get on: go back, else let it be."""
        run = self.run
        if run.over or (self.reading and prospect(run, self.reading).turn is Turn.OPERATOR):
            return False
        if not why_no_abort(run):
            return self.abort("it does not get on") == ""
        if run.step and run.step.waivable:
            return self.waive("it does not get on") == ""
        return False

    def close(self) -> None:
        """End all of it, and give back what it holds."""
        self.free_disk()
        if not self._work.done():
            self.end_life()
        elif not self._work.cancelled():
            self._work.exception()  # it was looked at, or is what the story failed on
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()
        shutil.rmtree(self.folder)


def _words(event: Recorded) -> str:
    parts = [type(event).__name__.lower()]
    for name in ("step", "action", "outcome", "who", "reasons", "proofs", "ending", "missing", "reason"):
        value = getattr(event, name, None)
        if name == "outcome" and value is not None:
            value = f"{value.result}: {value.says}"
        if isinstance(value, tuple):
            value = "; ".join(value)
        if value:
            parts.append(str(value))
    return " · ".join(parts)
