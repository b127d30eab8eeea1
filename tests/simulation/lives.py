"""One run on the scripted driver through any number of lives of its conductor.

What stays from one life to the next is what stays after a kill -9: the folder and the servers. A conductor
dies in the moment an event is on disk, before anything follows from it, or inside an action.
"""

import asyncio
import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from skytui.clock import ManualClock
from skytui.conductor.conductor import Conductor
from skytui.conductor.hub import Hub
from skytui.conductor.runs import load_run, stored_runs
from skytui.config.pairs import PairConfig, ServerConfig
from skytui.config.secrets import SecretStore
from skytui.drivers.driver import Said
from skytui.drivers.scripted import ON_HOST, ScriptedDriver
from skytui.drivers.scripted_world import ScriptedPair
from skytui.link.wire import Confirm, Message, NewEvent, NewReading, Open, Seat
from skytui.pair.order import Order, Outcome, Result
from skytui.pair.thresholds import Thresholds
from skytui.pair.vocabulary import Action, ServerReading
from skytui.runbook.events import Recorded
from skytui.runbook.model import Doubtful, Failed, Run
from skytui.runbook.prospect import Turn, prospect
from skytui.runbook.refusals import confirmable
from skytui.runbook.steps import STEPS

START = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
SEAT = Seat(1, "ann", "console", 1, START)
TURN_SECONDS = 3.0
"""How far the clock moves with every poll."""
PATIENCE = 6
"""How many polls a person waits for the servers before doing again what may be done again."""
SOON, LATE = 3, 12
"""After how many polls of the next life an action that was still under way takes effect: `LATE` is beyond
anybody's patience, for what is never to be repeated however long it takes."""
NEVER_TWICE = (Action.SHUT_DOWN, Action.PROMOTE, Action.CONVERT)
TURNS = 400
"""After so many polls a run that is not over hangs."""


class Died(BaseException):
    """The process is gone: nothing that is written against errors gets to see this."""


class InAction(enum.Enum):
    """Where in an action a conductor dies."""

    CARRIED_OUT = "the server has done it, the outcome is not on disk"
    UNDER_WAY = "the server goes on with it, and ends after the next conductor has come"


@dataclass
class Servers:
    """The scripted pair with its clock, and what happens to it between two polls."""

    pair: ScriptedPair
    clock: ManualClock
    polls: int = 0
    flying: Order | None = None
    landed: asyncio.Event = field(default_factory=asyncio.Event)
    lands_at: int = 0
    cut_until: int = 0

    @classmethod
    def new(cls) -> "Servers":
        clock = ManualClock(START, boot="life 0")
        return cls(ScriptedPair(clock, touched=True), clock)

    def cut(self) -> None:
        """All connections to both servers are lost, for three polls."""
        self.cut_until = self.polls + 3
        self._connected(up=False)

    def turn(self) -> None:
        self.polls += 1
        self.clock.advance(TURN_SECONDS)
        if self.cut_until and self.polls >= self.cut_until:
            self.cut_until = 0
            self._connected(up=True)

    def _connected(self, *, up: bool) -> None:
        for server in self.pair.servers.values():
            server.host_up = up


class Driver(ScriptedDriver):
    """A scripted driver of one life."""

    def __init__(self, servers: Servers, name: str, hub: "DeadlyHub") -> None:
        super().__init__(servers.pair, name)
        self._servers = servers
        self._hub = hub
        self.dies: tuple[Action | None, InAction] | None = None

    async def read(self) -> ServerReading:
        servers = self._servers
        if self.server == "sky-a":
            servers.turn()
        flying = servers.flying
        if flying and flying.server == self.server and servers.polls >= servers.lands_at:
            servers.flying = None
            await ScriptedDriver(servers.pair, self.server).act(flying, lambda line: None)
            servers.landed.set()
        return await super().read()

    async def act(self, order: Order, said: Said) -> Outcome:
        match self.dies:
            case (order.action, InAction.CARRIED_OUT):
                await super().act(order, said)
                self._hub.die()
            case (order.action, InAction.UNDER_WAY):
                self._servers.flying = order
                self._servers.landed.clear()
                self._servers.lands_at = self._servers.polls + (LATE if order.action in NEVER_TWICE else SOON)
                self._hub.die()
        return await super().act(order, said)

    async def probe(self, order: Order, said: Said) -> Outcome:
        flying = self._servers.flying
        if flying and flying.token == order.token and order.action in ON_HOST:
            await self._servers.landed.wait()
        return await super().probe(order, said)


Strike = Callable[[Recorded, Run], bool]
"""Whether to die now: this event is on disk, and this is the run after it."""


class DeadlyHub(Hub):
    """Everybody who listens; and death, which comes when an event is told that is on disk."""

    def __init__(self, strike: Strike) -> None:
        super().__init__()
        self._strike = strike
        self.dead = asyncio.Event()

    def die(self) -> None:
        self.dead.set()
        raise Died

    def publish(self, message: Message) -> None:
        """Tell everybody. A process that is dead says and does nothing more."""
        if self.dead.is_set():
            assert not isinstance(message, NewEvent), "the dead do not write"
            if isinstance(message, NewReading):
                raise Died
        elif isinstance(message, NewEvent) and self._strike(message.event, message.run):
            self.die()
        else:
            super().publish(message)


def never(event: Recorded, run: Run) -> bool:
    """Live on."""
    return False


class Life:
    """One conductor over the folder and the servers, until it dies or the test ends it."""

    count = 0

    def __init__(self, folder: Path, servers: Servers, strike: Strike = never) -> None:
        Life.count += 1
        servers.clock = ManualClock(servers.clock.now(), boot=f"life {Life.count}")
        servers.pair.clock = servers.clock
        self._servers = servers
        config = PairConfig(
            name="test",
            file=folder / "config.toml",
            profile="skybot",
            servers={
                n: ServerConfig(name=n, address=f"{n}.example", listen_port=1) for n in servers.pair.servers
            },
            thresholds=Thresholds(poll_seconds=0.0001),
        )
        hub = DeadlyHub(strike)
        self.drivers = {name: Driver(servers, name, hub) for name in servers.pair.servers}
        self.conductor = Conductor(
            config,
            drivers=self.drivers,
            secrets=SecretStore({}),
            clock=servers.clock,
            folder=folder,
            owner="ann",
        )
        self.conductor.hub = hub
        self._dead = hub.dead
        self._folder = folder
        self.again: set[str] = set()

    def dies_in(self, step: str, where: InAction) -> None:
        """Die in the action of this step."""
        for driver in self.drivers.values():
            driver.dies = (STEPS[step].action, where) if step else None

    async def until_dead(self) -> None:
        """Walk on as a careful person would, until death comes.

        Raises AssertionError when it does not, though the run is over or goes nowhere.
        """
        work = asyncio.create_task(self.conductor.serve())
        try:
            await self._walk(self._dead.is_set)
        except Died:
            pass
        finally:
            await _gone(work)
        assert self._dead.is_set()

    async def until_over(self) -> Run:
        """Walk on to the end of the run, which is what the journal folds to."""
        work = asyncio.create_task(self.conductor.serve())
        try:
            await self._walk(lambda: self.conductor.run is not None and self.conductor.run.over)
        finally:
            await _gone(work)
        run = self.conductor.run
        assert run is not None
        assert load_run(stored_runs(self._folder)[-1]).run == run, "the fold is the live run"
        return run

    async def _walk(self, over: Callable[[], bool]) -> None:
        answered: object = None
        doubted: tuple[object, int] = (None, 0)
        last = self._servers.polls + TURNS
        while True:
            await asyncio.sleep(0)
            if over():
                return
            assert self._servers.polls < last, f"the run stays at {self.conductor.run}"
            reading, run = self.conductor.welcome(SEAT).reading, self.conductor.run
            if reading is None:
                continue
            if run is None:
                if reading.master() and reading.standby():
                    assert await self.conductor.open(Open(1), SEAT) == ""
                continue
            now = (run.stage, run.stage_at)
            if run.step is None or now == answered or prospect(run, reading).turn is not Turn.OPERATOR:
                continue
            if isinstance(run.stage, Failed):
                assert run.stage.outcome.result is Result.REFUSED, run.stage
            if isinstance(run.stage, Doubtful):
                doubted = doubted if doubted[0] == run.stage else (run.stage, self._servers.polls)
                if not confirmable(run, reading.wall) or self._servers.polls < doubted[1] + PATIENCE:
                    continue
                self.again.add(run.step.id)
            answered = now
            refused = self.conductor.desk.confirm(Confirm(1, run.id, run.step.id, run.phrase(run.step)), SEAT)
            assert refused == ""


async def _gone(work: "asyncio.Task[None]") -> None:
    """What a dead process leaves running: nothing."""
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
