"""A pair of servers in memory: the world that scripted drivers read and act on. No I/O.

Everything may be set by hand between two polls. What happens by itself happens in `turn`, which each read of
a server calls: replication counts down, agents come back, the scheduler ticks, jobs complete.
"""

import asyncio
import enum
from dataclasses import dataclass, field
from datetime import UTC, datetime

from skytui.clock import Clock
from skytui.pair.mark import Carried, Foreign, Mark, Marking
from skytui.pair.order import Order, Outcome
from skytui.pair.vocabulary import Action, FinishedRun, Job, LateRun, Role, Salvage, User


class Fate(enum.Enum):
    """What becomes of the next order of a kind, instead of its plain success."""

    FAIL = "it starts and fails; nothing is changed"
    REFUSE = "it is refused; nothing is changed"
    LOST_AFTER = "it is carried out, and its outcome is lost"
    LOST_BEFORE = "it is not carried out, and that is not known"


@dataclass
class ScriptedMark:
    """The mark a host carries, and how many seconds old its heartbeat is; a refresh makes that 0."""

    mark: Mark | None = None
    silent: float = 0.0

    def set(self, mark: Mark, take: Mark | None, stale: float) -> Marking:
        """Set or refresh it, as `Driver.mark` says."""
        before, silent = self.mark, self.silent
        if before is not None and before.identity != mark.identity:
            meant = take is not None and before.identity == take.identity
            if not meant or silent < stale:
                return Foreign(before, silent)
        self.mark, self.silent = mark, 0.0
        return Carried(before, silent)

    def clear(self, server: str, mark: Mark) -> str:
        """Remove it; whose stands there instead."""
        if self.mark is not None and self.mark.identity != mark.identity:
            return f"{server} carries the mark of {self.mark.words}."
        self.mark = None
        return ""


@dataclass
class ScriptedServer:
    """One server and its host. `serving` is the service, `database_up` its database."""

    name: str
    role: Role
    address: str
    port: int
    serving: bool = True
    database_up: bool = True
    host_up: bool = True
    guard: bool = False
    timeline: int = 1
    position: int = 0x3000000
    checkpoint: int = 0x3000000
    control: str = "in production"
    ticks: int = 0
    turns: int = 0
    connected: set[str] = field(default_factory=set)
    back_at: int = 0
    finished: list[FinishedRun] = field(default_factory=list)
    late: list[LateRun] = field(default_factory=list)
    unrecognised: list[FinishedRun] = field(default_factory=list)
    marker: str = ""
    salvage: Salvage = field(default_factory=Salvage)
    run_mark: ScriptedMark = field(default_factory=ScriptedMark)
    booted: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    @property
    def down(self) -> bool:
        """Whether nothing of it runs any more."""
        return not self.serving and not self.database_up


@dataclass
class ScriptedPair:
    """Both servers, what they replicate, and what has been done to them.

    `queues` maps a name to *locked*. `pending` falls by `rate` at each turn of the master. `agents_after` is
    how many turns a new master waits for its agents; those in `missing` never come. `fates` are taken once
    each. While an action has a `gate`, it waits there before it takes effect. `done` counts what really
    took effect, in order.
    """

    clock: Clock
    servers: dict[str, ScriptedServer] = field(default_factory=dict)
    queues: dict[str, bool] = field(default_factory=dict)
    agents: tuple[str, ...] = ("NIGHT-01", "NIGHT-02", "NIGHT-03")
    missing: set[str] = field(default_factory=set)
    users: list[User] = field(default_factory=list)
    running: list[Job] = field(default_factory=list)
    due: list[Job] = field(default_factory=list)
    scheduler: str = "running"
    pending: int = 0
    rate: int = 1
    link_up: bool = True
    touched: bool = False
    agents_after: int = 2
    fates: dict[Action, list[Fate]] = field(default_factory=dict)
    gates: dict[Action, asyncio.Event] = field(default_factory=dict)
    done: list[tuple[str, Action]] = field(default_factory=list)
    records: dict[str, tuple[Order, Outcome]] = field(default_factory=dict)
    void: set[str] = field(default_factory=set)
    lines: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    listeners: dict[tuple[str, str], list[asyncio.Queue[str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.servers:
            self.servers = {
                name: ScriptedServer(name, role, f"10.0.0.{number}", 7800 + number)
                for number, (name, role) in enumerate(
                    (("sky-a", Role.MASTER), ("sky-b", Role.STANDBY)), start=1
                )
            }
            self.servers["sky-b"].control = "in archive recovery"
            self.servers["sky-a"].connected = set(self.agents)
        if not self.queues:
            names = [*self.agents, *(f"{agent}/long" for agent in self.agents), "ARCHIVE", "PAYROLL"]
            self.queues = {name: name in {"ARCHIVE", "PAYROLL"} for name in names}

    def peer(self, name: str) -> ScriptedServer:
        """The other server."""
        return next(server for server in self.servers.values() if server.name != name)

    def write(self, server: str, log: str, line: str) -> None:
        """A server writes a line into one of its logs."""
        self.lines.setdefault((server, log), []).append(line)
        for listener in self.listeners.get((server, log), []):
            listener.put_nowait(line)

    def listen(self, server: str, log: str) -> "asyncio.Queue[str]":
        """The last lines of a log, and every line from now on."""
        queue: asyncio.Queue[str] = asyncio.Queue()
        for line in self.lines.get((server, log), [])[-50:]:
            queue.put_nowait(line)
        self.listeners.setdefault((server, log), []).append(queue)
        return queue

    @property
    def streaming(self) -> bool:
        """Whether data flows from a master to a standby now."""
        roles = {server.role for server in self.servers.values()}
        alive = all(server.serving and server.database_up for server in self.servers.values())
        return self.link_up and alive and roles == {Role.MASTER, Role.STANDBY}

    def turn(self, server: ScriptedServer) -> None:
        """What happens by itself between two polls of a server."""
        server.turns += 1
        if not server.serving or server.role is not Role.MASTER:
            return
        server.position += 0x100
        if self.streaming:
            self.pending = max(self.pending - self.rate, 0)
            self.peer(server.name).position = server.position
        if server.turns >= server.back_at:
            server.connected = set(self.agents) - self.missing
        if self.scheduler == "running":
            server.ticks += 1
            if server.connected and not all(self.queues.values()):
                self._complete(server)

    def _complete(self, server: ScriptedServer) -> None:
        now = self.clock.now()
        run = FinishedRun(f"price-feed@{now:%Y-%m-%dT%H:%M:%SZ}#{server.ticks}", "price-feed", now, now, 0)
        server.finished = [run, *server.finished][:50]

    # -- what the actions do; each returns why it cannot, or the empty string

    def lock(self, names: tuple[str, ...], *, locked: bool) -> str:
        """Lock or unlock queues by name."""
        self.queues |= dict.fromkeys(names, locked)
        return ""

    def shut_down(self, server: ScriptedServer) -> str:
        """Stop service and database in an orderly way; a connected standby has everything then."""
        server.checkpoint = server.position + 0x100
        server.position = server.checkpoint + 0x78  # past its record: where it begins is not yet enough
        if self.streaming:
            self.peer(server.name).position = server.position
        server.serving = server.database_up = False
        server.connected = set()
        server.control = "shut down" if server.role is Role.MASTER else "shut down in recovery"
        return ""

    def fence(self, server: ScriptedServer) -> str:
        """Set the guard, and stop what still runs."""
        server.guard = True
        return "" if server.down else self.shut_down(server)

    def start(self, server: ScriptedServer) -> str:
        """Start in the role the data has."""
        if not server.down:
            return "it runs already"
        server.serving = server.database_up = True
        server.ticks = 0
        server.back_at = server.turns + self.agents_after
        server.control = "in production" if server.role is Role.MASTER else "in archive recovery"
        return ""

    def promote(self, server: ScriptedServer) -> str:
        """The standby becomes master: scheduler stopped, all queues held, agents not there yet."""
        if not server.serving:
            return "its server does not run"
        server.role = Role.MASTER
        server.timeline += 1
        if self.touched:
            self.peer(server.name).checkpoint += 0x100
        server.control = "in production"
        server.ticks = 0
        server.connected = set()
        server.back_at = server.turns + self.agents_after
        self.scheduler = "stopped"
        self.queues = dict.fromkeys(self.queues, True)
        return ""

    def convert(self, server: ScriptedServer) -> str:
        """A stopped former master becomes the standby of the other."""
        master = self.peer(server.name)
        if not server.down:
            return "its server runs"
        if master.role is not Role.MASTER or not master.serving:
            return f"{master.name} is no running master"
        server.role = Role.STANDBY
        server.serving = server.database_up = True
        server.timeline = master.timeline
        server.position = master.position
        server.control = "in archive recovery"
        server.guard = False
        return ""
