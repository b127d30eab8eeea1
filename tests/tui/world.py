"""A pair made of plain values, for the screen's tests: it is read and acted upon like the real one."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from skytui.clock import Instant, ManualClock
from skytui.pair.order import Order, Outcome, Result
from skytui.pair.pair import PairReading, Sample
from skytui.pair.reading import Known, Unknown
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
    Scheduler,
    ServerReading,
    User,
)
from tests.support.facts import all_well, ports_of_peer, scripts

START = datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)
QUEUES = ("billing", "extract", "load", "mail", "nightly", "reports")
AGENTS = ("ag-berlin", "ag-lyon", "ag-oslo", "ag-turin")


@dataclass
class Host:
    name: str
    role: Role | None
    answers: bool = True
    seen_over_ssh: bool = True
    guard: bool = False
    streams: bool = True
    disk_free: int = 41_000_000_000


def _control_state(role: Role | None) -> str:
    return {Role.MASTER: "in production", Role.STANDBY: "in archive recovery", None: "shut down"}[role]


@dataclass
class World:
    """Both hosts, and the database they share."""

    hosts: dict[str, Host] = field(
        default_factory=lambda: {
            "sky-a": Host("sky-a", Role.MASTER),
            "sky-b": Host("sky-b", Role.STANDBY),
        }
    )
    locked: set[str] = field(default_factory=lambda: {"mail", "reports"})
    gone_agents: set[str] = field(default_factory=set)
    users: list[User] = field(default_factory=lambda: [User("admin", own=True)])
    jobs: list[Job] = field(default_factory=list)
    agent_names: tuple[str, ...] = AGENTS
    scheduler: str = "running"
    ticks: int = 40
    pending: int = 0
    falls: int = 0
    timeline: int = 3
    late: list[LateRun] = field(default_factory=list)
    finished: list[FinishedRun] = field(default_factory=list)
    outcomes: dict[Action, Outcome] = field(default_factory=dict)
    hanging: set[Action] = field(default_factory=set)
    trail: list[Sample] = field(default_factory=list)
    polls: int = 0

    def master(self) -> Host | None:
        return next((host for host in self.hosts.values() if host.role is Role.MASTER), None)

    def read(self, clock: ManualClock) -> PairReading:
        """One poll. Files are duplicated, the scheduler ticks, and time goes on while it lasts."""
        self.polls += 1
        self.pending = max(0, self.pending - self.falls)
        self.ticks += self.scheduler == "running"
        if self.scheduler == "running" and len(self.locked) < len(QUEUES):
            name = f"tick@{clock.now():%H:%M:%S}"
            self.finished = [*self.finished[-4:], FinishedRun(name, "tick", clock.now(), clock.now(), 0)]
        began = clock.instant()
        clock.advance(0.2)
        servers = {name: self._server(host, began, clock.now()) for name, host in self.hosts.items()}
        for name, server in servers.items():
            pending = server.replication_pending
            if isinstance(pending, Known):
                self.trail.append(Sample(began, name, pending.value))
        self.trail = [sample for sample in self.trail if began.since(sample.at) <= 60]
        return PairReading(
            began=began,
            now=clock.instant(),
            wall=clock.now(),
            servers=servers,
            trail=tuple(self.trail),
            poll=self.polls,
            facts=all_well(began, dict.fromkeys(self.hosts, "127.0.0.1:7443")),
        )

    def act(self, order: Order) -> Outcome | None:
        """Do what is ordered, or answer what the test has laid down for it; None while it is under way."""
        if order.action in self.hanging:
            return None
        laid_down = self.outcomes.pop(order.action, None)
        if laid_down is not None:
            return laid_down
        host, peer = self.hosts[order.server], self.hosts[order.peer]
        match order.action:
            case Action.LOCK_QUEUES:
                self.locked |= set(order.queues)
            case Action.UNLOCK_QUEUES:
                self.locked -= set(order.queues)
            case Action.STOP_SCHEDULER:
                self.scheduler = "stopped"
            case Action.START_SCHEDULER:
                self.scheduler, self.ticks = "running", 0
            case Action.WRITE_MARKER:
                return Outcome(Result.DONE, "the marker is written", position="0/3000100")
            case Action.SET_GUARD:
                host.guard = True
            case Action.SHUT_DOWN:
                host.role = None
                host.answers = False
                peer.streams = False
            case Action.FENCE:
                if not host.seen_over_ssh:
                    return Outcome(
                        Result.NOT_STARTED, f"{host.name}: no SSH connection. Nothing was started."
                    )
                host.guard, host.role, host.answers = True, None, False
            case Action.CLEAR_GUARD:
                host.guard = False
            case Action.START:
                host.role, host.answers = Role.MASTER, True
                peer.streams = True
            case Action.PROMOTE:
                host.role = Role.MASTER
                self.timeline += 1
            case Action.CONVERT:
                host.role, host.answers, host.guard = Role.STANDBY, True, False
                host.streams = peer.streams = True
        return Outcome(Result.DONE, "done", 0)

    def _server(self, host: Host, at: Instant, wall: datetime) -> ServerReading:
        over_ssh: dict[str, object] = {
            "process": Known(
                [Process("skybot", host.role is not None), Process("postgres", host.role is not None)], at
            ),
            "guard": Known(host.guard, at),
            "control": Known(Control(_control_state(host.role), "0/3000180", self.timeline), at),
            "disk_free": Known(host.disk_free, at),
            "marker": Known("", at),
            "scripts": Known(scripts(), at),
            "reaches_peer": Known(ports_of_peer(), at),
            "run_mark": Known("", at),
            "last_boot": Known(START - timedelta(days=40), at),
        }
        if not host.seen_over_ssh:
            over_ssh = {name: Unknown("no route to host", at) for name in over_ssh}
        if host.role is None or not host.answers:
            state = "refused" if host.role is None and host.seen_over_ssh else "no answer"
            ports = Known([Port(7443, state), Port(5432, state)], at)
            reason = "connection refused" if host.role is None else "no answer within 5 s"
            silent = {name: Unknown(reason, at) for name in ("role", "identity")}
            return ServerReading(ports=ports, **over_ssh, **silent)  # type: ignore[arg-type]
        common = {
            **over_ssh,
            "identity": Known(Identity(host.name, self.timeline, "7312", practice=True), at),
            "role": Known(host.role, at),
            "version": Known("5.4", at),
            "clock": Known(wall, at),
            "address": Known("127.0.0.1", at),
            "listen_port": Known(7443, at),
            "ports": Known([Port(7443, "open"), Port(5432, "open")], at),
            "replication_pending": Known(self.pending, at),
            "wal_position": Known("0/3000200", at),
            "database_bytes": Known(3_200_000_000, at),
        }
        if host.role is Role.STANDBY:
            state = "streaming" if host.streams else "down"
            status = "active and connected to the master" if host.streams else "connecting to the master"
            return ServerReading(
                users=Known([User("admin", own=True)], at),
                replication_link=Known(Link(state), at),
                standby_status=Known(status, at),
                queues=Known([Queue(name, name in self.locked) for name in QUEUES], at),
                **common,  # type: ignore[arg-type]
            )
        other = next(name for name in self.hosts if name != host.name)
        alive = host.streams and self.hosts[other].role is Role.STANDBY
        link = Link("streaming", other) if alive else Link("")
        return ServerReading(
            users=Known(list(self.users), at),
            running_jobs=Known(list(self.jobs), at),
            due_jobs=Known([], at),
            late_runs=Known(list(self.late), at),
            server_history=Known([], at),
            finished_runs=Known(list(self.finished), at),
            queues=Known([Queue(name, name in self.locked) for name in QUEUES], at),
            agents=Known([self._agent(name) for name in self.agent_names], at),
            scheduler=Known(Scheduler(self.scheduler, self.ticks), at),
            standby_status=Known("Active" if alive else "Unavailable", at),
            replication_link=Known(link, at),
            **common,  # type: ignore[arg-type]
        )

    def _agent(self, name: str) -> Agent:
        gone = name in self.gone_agents
        return Agent(name, "active", not gone, last_seen="2026-11-22T02:58:10+00:00" if gone else "")
