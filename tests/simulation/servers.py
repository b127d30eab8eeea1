"""The two servers of a simulation, and all that can go wrong between them and who reads and drives them.

The scripted pair is the model. What was true at the moment of each look is written down here, apart from
what the console makes of it: the observers go by that.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import msgspec

from skytui.clock import Instant
from skytui.drivers.driver import Said
from skytui.drivers.scripted import ON_HOST, ScriptedDriver
from skytui.drivers.scripted_world import Fate, ScriptedPair, ScriptedServer
from skytui.pair.order import Order, Outcome, Result
from skytui.pair.reading import Unknown
from skytui.pair.vocabulary import READINGS, Action, Role, ServerReading
from tests.simulation.stepped import SteppedClock, Time

OLD, NEW = "sky-a", "sky-b"
LATE_SECONDS = 12.0
"""How long a late answer takes: longer than a reading may be old."""
SLOW_TURNS = 4
"""How many turns a slow action takes."""


class Truth(msgspec.Struct, frozen=True):
    """What a server and the pair really were at one moment."""

    role: Role
    serving: bool
    database_up: bool
    reachable: bool
    guard: bool
    timeline: int
    position: int
    checkpoint: int
    control: str
    ticks: int
    finished: int
    connected: frozenset[str]
    agents: tuple[str, ...]
    queues: dict[str, bool]
    scheduler: str
    pending: int
    streaming: bool
    users: int
    running: int

    @property
    def down(self) -> bool:
        """Whether that could be seen: nobody sees it who does not reach the host."""
        return self.reachable and not self.serving and not self.database_up

    def serves_as(self, role: Role) -> bool:
        """Whether it could be seen to be that."""
        return self.reachable and self.serving and self.role is role


class Look(msgspec.Struct, frozen=True):
    """One look at a server: when it was asked, who answered, what was true then, and what got lost."""

    at: Instant
    asked: str
    answered: str
    truth: Truth
    lost: frozenset[str] = frozenset()

    def gives(self, *readings: str) -> bool:
        """Whether these readings came back, and from whom they were asked."""
        return self.asked == self.answered and not self.lost.intersection(readings)


@dataclass
class Flying:
    """An action that is under way on a server."""

    order: Order
    turns: int
    landed: asyncio.Event = field(default_factory=asyncio.Event)
    outcome: Outcome | None = None


class SimulatedServers:
    """The pair, and what happens next to readings and actions.

    `reading` says by server what happens to the next readings, `ending` what becomes of the next actions;
    `acting` is called with every order before it is carried out, `told` with each thing that happens.
    """

    def __init__(self, time: Time) -> None:
        self.time = time
        self.pair = ScriptedPair(SteppedClock(time, "the servers"))
        self.pair.rate = 3
        self.reading: dict[str, list[str]] = {OLD: [], NEW: []}
        self.ending: list[Fate | str | None] = []
        self.misread = 0
        self.mixed_up = False
        self.flying: dict[str, Flying] = {}
        self.looks: dict[str, list[Look]] = {OLD: [], NEW: []}
        self.crashed: set[str] = set()
        self.acting: Callable[[Order], None] = lambda order: None
        self.told: Callable[[str], None] = lambda says: None
        self.die: Callable[[], None] = lambda: None

    @property
    def old(self) -> ScriptedServer:
        return self.pair.servers[OLD]

    @property
    def new(self) -> ScriptedServer:
        return self.pair.servers[NEW]

    def truth(self, server: str) -> Truth:
        """What is so now."""
        pair, own = self.pair, self.pair.servers[server]
        return Truth(
            role=own.role,
            serving=own.serving,
            database_up=own.database_up,
            reachable=own.host_up,
            guard=own.guard,
            timeline=own.timeline,
            position=own.position,
            checkpoint=own.checkpoint,
            control=own.control,
            ticks=own.ticks,
            finished=len(own.finished),
            connected=frozenset(own.connected),
            agents=pair.agents,
            queues=dict(pair.queues),
            scheduler=pair.scheduler,
            pending=pair.pending,
            streaming=pair.streaming,
            users=len(pair.users),
            running=len(pair.running),
        )

    def masters(self) -> list[str]:
        """Every server that is a master and serves."""
        return [s.name for s in self.pair.servers.values() if s.serving and s.role is Role.MASTER]

    def crash(self, name: str) -> None:
        """Everything of a server is gone, from one moment to the next."""
        server = self.pair.servers[name]
        if not server.down:
            self.crashed.add(name)
        server.serving = server.database_up = False
        server.connected = set()

    def turn(self) -> None:
        """What is under way comes nearer to its end."""
        for flying in [*self.flying.values()]:
            flying.turns -= 1
            if flying.turns <= 0:
                self.land(flying)

    def land(self, flying: Flying) -> None:
        """An action ends on its server, whoever still listens."""
        order = flying.order
        del self.flying[order.token]
        driver = ScriptedDriver(self.pair, order.server)
        host_up = self.pair.servers[order.server].host_up
        self.pair.servers[order.server].host_up = True  # it runs there; nobody needs to reach it
        flying.outcome = at_once(driver.act(order, lambda line: None))
        self.pair.servers[order.server].host_up = host_up
        self.after(order, flying.outcome)
        flying.landed.set()

    def after(self, order: Order, outcome: Outcome) -> None:
        """What an action leaves for the observers."""
        self.told(f"{order.server}: {order.action.value} ({order.token}): {outcome.result}")
        if outcome.result is Result.DONE and order.action in (Action.SHUT_DOWN, Action.START):
            self.crashed.discard(order.server)


def at_once(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    """The result of a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        outcome: Outcome = done.value
        return outcome
    raise AssertionError("it waits for something")


class SimulatedDriver(ScriptedDriver):
    """A driver of one life of the conductor."""

    def __init__(self, servers: SimulatedServers, name: str) -> None:
        super().__init__(servers.pair, name)
        self._servers = servers
        self._last: tuple[Look, ServerReading] | None = None

    @property
    def _mixed_up(self) -> bool:
        return self._servers.mixed_up and self.server == NEW

    async def read(self) -> ServerReading:
        """One look at the server, and what comes back of it."""
        servers, name = self._servers, self.server
        fate = servers.reading[name].pop(0) if servers.reading[name] else ""
        servers.misread += bool(fate)
        if fate == "doubled" and self._last:
            look, reading = self._last
            servers.looks[name].append(look)
            return reading
        answered = OLD if self._mixed_up else name
        reading = await (ScriptedDriver(servers.pair, answered).read() if self._mixed_up else super().read())
        at = reading.ports.at
        assert at is not None
        look = Look(at, name, answered, servers.truth(answered))
        if fate in ("lost", "half lost"):
            names = READINGS if fate == "lost" else READINGS[::2]
            gone: dict[str, Any] = dict.fromkeys(names, Unknown("the answer was lost", at))
            reading = msgspec.structs.replace(reading, **gone)
            look = msgspec.structs.replace(look, lost=frozenset(names))
        if fate == "late":
            await asyncio.sleep(LATE_SECONDS)
        self._last = look, reading
        servers.looks[name].append(look)
        return reading

    async def act(self, order: Order, said: Said) -> Outcome:
        """Carry out an order; or what happens instead."""
        servers = self._servers
        servers.acting(order)
        if self._mixed_up:
            return await ScriptedDriver(servers.pair, OLD).act(order, said)
        fate = servers.ending.pop(0) if servers.ending else None
        if self._unreachable(order):
            return await self._plain(order, said)
        match fate:
            case "skytui itself fails":
                raise RuntimeError("a defect of ours")
            case "dies, done":
                await self._plain(order, said)
                servers.die()
            case "slow" | "dies, under way":
                if not self._refusal(order):
                    return await self._slowly(order, dies=fate != "slow")
            case Fate():
                servers.pair.fates[order.action] = [fate]
        return await self._plain(order, said)

    async def _plain(self, order: Order, said: Said) -> Outcome:
        outcome = await super().act(order, said)
        self._servers.after(order, outcome)
        return outcome

    async def _slowly(self, order: Order, *, dies: bool) -> Outcome:
        servers = self._servers
        flying = servers.flying[order.token] = Flying(order, SLOW_TURNS)
        if dies:
            servers.die()
        lost = Outcome(Result.UNKNOWN, f"{self.server}: the outcome of {order.action} was lost.")
        try:
            async with asyncio.timeout(order.deadline):
                await flying.landed.wait()
        except TimeoutError:
            return lost
        if flying.outcome is None or not self._own.host_up:
            return lost
        return self._keep(order, flying.outcome)

    async def probe(self, order: Order, said: Said) -> Outcome:
        """What became of an order; of one that is under way when it has ended."""
        flying = self._servers.flying.get(order.token)
        if flying and order.action in ON_HOST:
            if not self._own.host_up:
                return Outcome(Result.UNKNOWN, f"{self.server}: no SSH connection.")
            await flying.landed.wait()
        return await super().probe(order, said)
