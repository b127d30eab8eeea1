"""Two servers as plain values. `read` gives what a driver would have read; `act` does what an order asks."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec

from skytui.clock import Instant, ManualClock
from skytui.drivers.scripted_world import ScriptedMark
from skytui.pair.order import Order, Outcome, Result
from skytui.pair.pair import PairReading, Sample
from skytui.pair.reading import Known, Stale, Unknown
from skytui.pair.vocabulary import (
    Action,
    Agent,
    Control,
    FinishedRun,
    Identity,
    Job,
    LateRun,
    Link,
    Port,
    Process,
    Queue,
    Role,
    Salvage,
    Scheduler,
    ServerReading,
    User,
)
from tests.support.facts import all_well, ports_of_peer, scripts

OLD, NEW = "sky-a", "sky-b"
START = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
AGENTS = ("agent-1", "agent-2", "agent-3")
OPEN_QUEUES = ("night", "reports")
LOCKED_QUEUES = ("legacy", "parked")

T = TypeVar("T")


@dataclass
class Server:
    """One server of the world. `up`: service and database run; `reached`: its host answers."""

    name: str
    role: Role
    timeline: int = 3
    up: bool = True
    reached: bool = True
    guard: bool = False
    scheduler: Scheduler = field(default_factory=lambda: Scheduler("stopped"))
    users: list[User] = field(default_factory=list)
    running: list[Job] = field(default_factory=list)
    finished: list[FinishedRun] = field(default_factory=list)
    queues: dict[str, bool] = field(default_factory=dict)
    position: int = 0x5000000
    pending: int = 0
    link: str = "streaming"
    control: str = "in production"
    standby_status: str = ""
    late: list[LateRun] = field(default_factory=list)
    unrecognised: list[FinishedRun] = field(default_factory=list)
    disk_free: int = 40_000_000_000
    salvage: Salvage = field(default_factory=Salvage)
    run_mark: ScriptedMark = field(default_factory=ScriptedMark)


class World:
    """A master sky-a and a standby sky-b. Things move on only by `act`, and time only by `tick`.

    `touched`: the old master's database is started and stopped again after it was compared with the standby.
    """

    def __init__(self, boot: str = "manual") -> None:
        self.clock = ManualClock(START, boot)
        queues = dict.fromkeys(OPEN_QUEUES, False) | dict.fromkeys(LOCKED_QUEUES, True)
        self.servers = {
            OLD: Server(
                OLD,
                Role.MASTER,
                scheduler=Scheduler("running", 40),
                users=[User("console", own=True)],
                queues=dict(queues),
                standby_status="Active",
            ),
            NEW: Server(
                NEW,
                Role.STANDBY,
                queues=dict(queues),
                control="in archive recovery",
                users=[User("console", own=True)],
                standby_status="Active and connected to the master",
            ),
        }
        self.done: list[Order] = []
        self.touched = False
        self._trail: tuple[Sample, ...] = ()
        self._polls = 0

    @property
    def old(self) -> Server:
        return self.servers[OLD]

    @property
    def new(self) -> Server:
        return self.servers[NEW]

    def tick(self, seconds: float = 1.0) -> Instant:
        self.clock.advance(seconds)
        return self.clock.instant()

    def poll(self, seconds: float = 1.0) -> PairReading:
        """A poll that begins after `seconds` and takes a tenth of a second."""
        began = self.tick(seconds)
        servers = {name: self.read(name) for name in self.servers}
        now = self.tick(0.1)
        fresh = tuple(
            Sample(pending.at, name, pending.value)
            for name, server in servers.items()
            if isinstance(pending := server.replication_pending, Known)
        )
        self._trail = (*(s for s in self._trail if now.since(s.at) <= 60), *fresh)
        self._polls += 1
        addresses = {OLD: "10.0.0.1:8443", NEW: "10.0.0.2:8443"}
        facts = all_well(began, addresses)
        return PairReading(began, now, self.clock.now(), servers, self._trail, self._polls, facts)

    def read(self, name: str) -> ServerReading:
        """What would be read of a server now: of one that is down, only what its host can tell."""
        server, at = self.servers[name], self.clock.instant()

        def known(value: T) -> Known[T]:
            return Known(value, at, "world")

        ports = [
            Port(8443, "open" if server.up else "refused"),
            Port(5432, "open" if server.up else "refused"),
        ]
        host = ServerReading(
            process=known([Process("server", server.up), Process("database", server.up)]),
            ports=known(ports),
            control=known(Control(server.control, _position(server.position), server.timeline)),
            guard=known(server.guard),
            disk_free=known(server.disk_free),
            marker=known(""),
            scripts=known(scripts()),
            reaches_peer=known(ports_of_peer()),
            run_mark=known(_identity_of(server.run_mark)),
            last_boot=known(START - timedelta(days=40)),
            salvage=known(server.salvage),
        )
        if not server.reached:
            silent = Unknown("no SSH connection", at, "world")
            host = ServerReading(
                process=silent,
                ports=known([Port(8443, "no answer"), Port(5432, "no answer")]),
                control=silent,
                guard=silent,
                disk_free=silent,
                marker=silent,
            )
        if not server.up or not server.reached:
            down = Unknown("connection refused", at, "world")
            gone = {
                field: down for field in host.__struct_fields__ if isinstance(getattr(host, field), Unknown)
            }
            return msgspec.structs.replace(host, **gone)
        master = server.role is Role.MASTER
        peer = self.servers[NEW if name == OLD else OLD]
        streams = server.link if peer.up and peer.role is not server.role else ""
        nothing = Unknown("only the master tells", at, "world")
        return msgspec.structs.replace(
            host,
            identity=known(Identity(name, server.timeline, "7301", practice=True)),
            role=known(server.role),
            version=known("18"),
            clock=known(self.clock.now()),
            address=known(f"10.0.0.{1 if name == OLD else 2}"),
            listen_port=known(8443),
            users=known(list(server.users)),
            running_jobs=known(list(server.running)) if master else nothing,
            due_jobs=known([Job(job="nightly", due="03:00")]) if master else nothing,
            next_start=known("03:00") if master else nothing,
            finished_runs=known(list(server.finished)) if master else nothing,
            late_runs=known(list(server.late)) if master else nothing,
            queues=known([Queue(queue, locked) for queue, locked in server.queues.items()]),
            agents=known([Agent(agent, "active", connected=master) for agent in AGENTS]),
            scheduler=known(server.scheduler) if master else nothing,
            replication_pending=known(server.pending),
            replication_link=known(Link(streams, peer.name if streams else "")),
            wal_position=known(_position(server.position)),
            standby_status=known(server.standby_status),
            server_history=known(list(server.unrecognised)),
            database_bytes=known(3_200_000_000),
        )

    def act(self, order: Order) -> Outcome:
        """Do what an order asks for, as an obedient server would."""
        self.done.append(order)
        server = self.servers[order.server]
        position = ""
        match order.action:
            case Action.LOCK_QUEUES | Action.UNLOCK_QUEUES:
                server.queues |= dict.fromkeys(order.queues, order.action is Action.LOCK_QUEUES)
            case Action.STOP_SCHEDULER:
                server.scheduler = Scheduler("stopped")
            case Action.START_SCHEDULER:
                server.scheduler = Scheduler("running", 2)
            case Action.WRITE_MARKER:
                server.position += 0x100
                position = _position(server.position)
                self.servers[order.peer].position = server.position
            case Action.SET_GUARD:
                server.guard = True
            case Action.SHUT_DOWN:
                server.up, server.control = False, "shut down"
                self.servers[order.peer].position = server.position + 0x100
            case Action.FENCE:
                server.guard = True
                if server.up:
                    server.up, server.control = False, "shut down"
            case Action.CLEAR_GUARD:
                server.guard = False
            case Action.START:
                server.up, server.control = True, "in production"
            case Action.PROMOTE:
                self.servers[order.peer].position += 0x100 if self.touched else 0
                server.role, server.timeline, server.control = (
                    Role.MASTER,
                    server.timeline + 1,
                    "in production",
                )
                server.queues = dict(self.servers[order.peer].queues)
                server.standby_status = ""
            case Action.RUN_NOW:
                server.late = [late for late in server.late if late.id not in order.runs]
            case Action.SALVAGE:
                server.salvage = Salvage(order.mark, f"/salvage/{order.mark}")
            case Action.CONVERT:
                peer = self.servers[order.peer]
                server.up, server.role, server.guard = True, Role.STANDBY, False
                server.timeline, server.control = peer.timeline, "in archive recovery"
                server.standby_status, peer.standby_status = "Active and connected to the master", "Active"
            case _:
                raise AssertionError(f"no step asks for {order.action}")
        return Outcome(Result.DONE, "done", 0, position=position)

    def job_completes(self) -> None:
        """A job starts and ends on the new master now."""
        now = self.clock.now()
        self.new.finished.append(FinishedRun("nightly@03:00", "nightly", now, now + timedelta(seconds=1), 0))


def with_readings(
    pair: PairReading, server: str, **readings: Known[object] | Stale[object] | Unknown
) -> PairReading:
    """The same poll with some readings of one server replaced."""
    changed = msgspec.structs.replace(pair.server(server), **readings)
    return msgspec.structs.replace(pair, servers={**pair.servers, server: changed})


def with_value(pair: PairReading, server: str, reading: str, value: object) -> PairReading:
    """The same poll, in which one reading of one server gave another value, equally fresh."""
    before = getattr(pair.server(server), reading)
    at = before.at if isinstance(before, Known | Stale) else pair.began
    return with_readings(pair, server, **{reading: Known(value, at, "test")})


def _identity_of(run_mark: ScriptedMark) -> str:
    return run_mark.mark.identity if run_mark.mark else ""


def _position(number: int) -> str:
    return f"{number >> 32:X}/{number & 0xFFFFFFFF:X}"
