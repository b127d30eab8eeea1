"""A driver on a world in memory: for unit tests, screenshots and the matrix of deaths. No I/O."""

from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from skytui.clock import Instant
from skytui.drivers.driver import Said
from skytui.drivers.scripted_world import Fate, ScriptedPair, ScriptedServer
from skytui.pair.logline import LogLine
from skytui.pair.mark import Mark, Marking, Unmarked
from skytui.pair.order import Order, Outcome, Result
from skytui.pair.reading import Cause, Known, Unknown
from skytui.pair.vocabulary import (
    Action,
    Agent,
    Control,
    Identity,
    Link,
    Port,
    Process,
    Queue,
    Role,
    Salvage,
    Scheduler,
    Script,
    ServerReading,
)

T = TypeVar("T")

ON_HOST = {
    Action.SET_GUARD,
    Action.CLEAR_GUARD,
    Action.SHUT_DOWN,
    Action.FENCE,
    Action.START,
    Action.PROMOTE,
    Action.SALVAGE,
    Action.CONVERT,
}
"""What runs on the host and leaves a record there; the rest goes over HTTP and leaves none."""

_BY_HAND = {Action.CLEAR_MARKER}


def position_text(position: int) -> str:
    """A log position as PostgreSQL writes it."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


class ScriptedDriver:
    """One server of a `ScriptedPair`. Implements `Driver`."""

    def __init__(self, pair: ScriptedPair, server: str) -> None:
        self._pair = pair
        self._own = pair.servers[server]
        self._outcomes: dict[str, Outcome] = {}

    @property
    def server(self) -> str:
        """The server's fixed name."""
        return self._own.name

    @property
    def logs(self) -> tuple[str, ...]:
        """The names of the logs that can be followed."""
        return ("server", "scheduler", "replication")

    async def read(self) -> ServerReading:
        """One poll; the world moves on by one turn."""
        at = self._pair.clock.instant()
        self._pair.turn(self._own)
        return _Eye(self._pair, self._own, at).look()

    def look_again(self) -> None:
        """Everything is asked for at each poll."""

    async def act(self, order: Order, said: Said) -> Outcome:
        """Carry out an order, once, with the fate that the world has for it."""
        if order.token in self._outcomes:
            return self._outcomes[order.token]
        if order.token in self._pair.records:
            return await self.probe(order, said)
        if unreachable := self._unreachable(order):
            return self._keep(order, Outcome(Result.NOT_STARTED, f"{self.server}: {unreachable}."))
        if refusal := self._refusal(order):
            return self._keep(order, Outcome(Result.REFUSED, f"{self.server}: {refusal}."))
        fates = self._pair.fates.get(order.action, [])
        fate = fates.pop(0) if fates else None
        name = order.action.value.replace("_", " ")
        if fate is Fate.REFUSE:
            return self._keep(order, Outcome(Result.REFUSED, f"{self.server}: {name} was refused."))
        lost = Outcome(Result.UNKNOWN, f"{self.server}: the outcome of {name} was lost.")
        if fate is Fate.LOST_BEFORE:
            return self._keep(order, lost) if order.action not in ON_HOST else lost
        self._outcomes[order.token] = lost  # what stays if we are cancelled in the middle
        if order.action in self._pair.gates:
            await self._pair.gates[order.action].wait()
        outcome = self._take_effect(order, fate, said)
        if order.action in ON_HOST:
            self._pair.records[order.token] = (order, outcome)
        if fate is Fate.LOST_AFTER:
            return self._keep(order, lost)
        return self._keep(order, outcome)

    async def probe(self, order: Order, said: Said) -> Outcome:
        """What became of an order: the host's record for commands, this driver's memory for the rest."""
        if order.action in _BY_HAND:
            return Outcome(Result.NOT_STARTED, f"{self.server}: this step is done by hand.")
        if order.action not in ON_HOST:
            says = f"{self.server}: the server keeps no record of orders; what it reads now has to tell."
            return self._outcomes.get(order.token, Outcome(Result.UNKNOWN, says))
        if not self._own.host_up:
            return Outcome(Result.UNKNOWN, f"{self.server}: no SSH connection.")
        if order.token in self._pair.records:
            return self._pair.records[order.token][1]
        self._pair.void.add(order.token)
        return Outcome(Result.NOT_STARTED, f"{self.server}: it was never started there, and never will be.")

    def percent(self, order: Order, line: str) -> float | None:
        """Its commands say nothing of how far they are."""
        return None

    def preview(self, order: Order) -> str:
        """What would run where."""
        if order.action in _BY_HAND:
            return f"{self.server}: this step is done by hand."
        if order.action in ON_HOST:
            lines = "  (standard input: {secret.admin})" if order.action is Action.CONVERT else ""
            return f"{self.server}: bin/{order.action.value}{lines}"
        return f"POST https://{self._own.address}:{self._own.port}/{order.action.value} {list(order.queues)}"

    async def mark(self, mark: Mark, *, take: Mark | None = None, stale: float = 0.0) -> Marking:
        """Set or refresh a run's mark on the host."""
        if not self._own.host_up:
            return Unmarked(f"{self.server}: no SSH connection.")
        return self._own.run_mark.set(mark, take, stale)

    async def unmark(self, mark: Mark) -> str:
        """Remove a run's mark from the host."""
        if not self._own.host_up:
            return f"{self.server}: no SSH connection."
        return self._own.run_mark.clear(self.server, mark)

    async def try_login(self) -> str:
        """Every secret is right here."""
        return ""

    async def follow(self, log: str) -> AsyncIterator[LogLine]:
        """The lines of a log as they are written.

        Raises KeyError for a log there is not.
        """
        if log not in self.logs:
            raise KeyError(log)
        lines = self._pair.listen(self.server, log)
        while True:
            yield LogLine(self.server, log, await lines.get(), self._pair.clock.now())

    async def close(self) -> None:
        """Nothing is open."""

    def _keep(self, order: Order, outcome: Outcome) -> Outcome:
        self._outcomes[order.token] = outcome
        return outcome

    def _unreachable(self, order: Order) -> str:
        if order.server != self.server or order.action in _BY_HAND:
            return ""
        if order.action in ON_HOST:
            return "" if self._own.host_up else "no SSH connection; nothing was started"
        return "" if self._own.serving and self._own.host_up else "no connection; nothing was sent"

    def _refusal(self, order: Order) -> str:
        own, expects = self._own, order.expects
        if order.server != own.name:
            return f"the order is for {order.server}"
        if order.action in _BY_HAND:
            return "this step is done by hand"
        if order.token in self._pair.void:
            return "a probe used this order's token up; it was not started"
        if expects.name != own.name or expects.role is not own.role:
            return f"refused, it says `{own.name} {own.role}`, expected was `{expects.name} {expects.role}`"
        if order.action not in ON_HOST:
            if expects.timeline not in {0, own.timeline}:
                return f"refused, it is on timeline {own.timeline}, expected was {expects.timeline}"
            if own.role is not Role.MASTER:
                return "it is a standby; ask the master"
            unknown = [queue for queue in order.queues if queue not in self._pair.queues]
            if unknown:
                return f"there is no queue {unknown[0]}; nothing was changed"
        return ""

    def _take_effect(self, order: Order, fate: Fate | None, said: Said) -> Outcome:
        name = order.action.value.replace("_", " ")
        said(f"{name} on {self.server}")
        self._pair.write(self.server, "server", name)
        why = "it failed" if fate is Fate.FAIL else self._effects()[order.action](order)
        if why:
            said(why)
            return Outcome(Result.FAILED, f"{self.server}: {name}: {why}.", 1, tail=(why,))
        self._pair.done.append((self.server, order.action))
        said("done")
        position = position_text(self._own.position) if order.action is Action.WRITE_MARKER else ""
        return Outcome(Result.DONE, f"{self.server}: {name} ended with 0.", 0, position, tail=("done",))

    def _effects(self) -> dict[Action, Callable[[Order], str]]:
        pair, own = self._pair, self._own
        return {
            Action.LOCK_QUEUES: lambda order: pair.lock(order.queues, locked=True),
            Action.UNLOCK_QUEUES: lambda order: pair.lock(order.queues, locked=False),
            Action.STOP_SCHEDULER: lambda _: self._schedule("stopped"),
            Action.START_SCHEDULER: lambda _: self._schedule("running"),
            Action.SET_GUARD: lambda _: self._guard(is_set=True),
            Action.CLEAR_GUARD: lambda _: self._guard(is_set=False),
            Action.WRITE_MARKER: self._mark,
            Action.SHUT_DOWN: lambda _: pair.shut_down(own),
            Action.FENCE: lambda _: pair.fence(own),
            Action.START: lambda _: pair.start(own),
            Action.RUN_NOW: self._run_now,
            Action.PROMOTE: lambda _: pair.promote(own),
            Action.SALVAGE: self._salvage,
            Action.CONVERT: lambda _: pair.convert(own),
        }

    def _schedule(self, state: str) -> str:
        if self._pair.scheduler != state:
            self._pair.scheduler, self._own.ticks = state, 0
        return ""

    def _run_now(self, order: Order) -> str:
        self._own.late = [late for late in self._own.late if late.id not in order.runs]
        return ""

    def _salvage(self, order: Order) -> str:
        if not self._own.down:
            return "its server runs"
        self._own.salvage = Salvage(order.mark, f"/home/{self.server}/salvage/{order.mark}")
        return ""

    def _guard(self, *, is_set: bool) -> str:
        self._own.guard = is_set
        return ""

    def _mark(self, order: Order) -> str:
        self._own.position += 0x100
        self._own.marker = order.mark
        return ""


class _Eye:
    """Everything one poll sees of a server."""

    def __init__(self, pair: ScriptedPair, own: ScriptedServer, at: Instant) -> None:
        self._pair = pair
        self._own = own
        self._at = at

    def look(self) -> ServerReading:
        pair, own, peer = self._pair, self._own, self._pair.peer(self._own.name)
        identity = Identity(own.name, own.timeline, "7300000000000000001", practice=True)
        queues = [Queue(name, locked) for name, locked in pair.queues.items()]
        link = Link("streaming" if pair.streaming else "none", peer.name if pair.streaming else "")
        agents = [Agent(name, "active", name in own.connected) for name in pair.agents]
        active = (
            "active and connected to the master" if pair.streaming else "active and connecting to the master"
        )
        status = active if own.role is Role.STANDBY else ("Active" if pair.streaming else "Not connected")
        shut = "refused" if own.host_up else "no answer"
        port = Port(own.port, "open" if own.serving and own.host_up else shut)
        database = Port(own.port + 1000, "open" if own.database_up and own.host_up else shut)
        processes = [Process("server", own.serving), Process("database", own.database_up)]
        return ServerReading(
            identity=self._served(identity),
            role=self._served(own.role),
            version=self._served("scripted-1"),
            clock=self._served(pair.clock.now()),
            address=self._served(own.address),
            listen_port=self._served(own.port),
            users=self._served(list(pair.users)),
            running_jobs=self._served(list(pair.running)),
            due_jobs=self._of_master(list(pair.due)),
            next_start=self._of_master(""),
            finished_runs=self._of_master(list(own.finished)),
            late_runs=self._of_master(list(own.late)),
            queues=self._served(queues),
            agents=self._served(agents),
            scheduler=self._of_master(Scheduler(pair.scheduler, own.ticks)),
            replication_pending=self._served(pair.pending),
            replication_link=self._served(link),
            wal_position=self._served(position_text(own.position)),
            standby_status=self._served(status),
            server_history=self._of_master(list(own.unrecognised)),
            database_bytes=self._served(3 * 2**30),
            disk_free=self._hosted(40 * 2**30),
            process=self._hosted(processes),
            ports=Known([port, database], self._at, "scripted TCP"),
            control=self._hosted(Control(own.control, position_text(own.checkpoint), own.timeline)),
            guard=self._hosted(own.guard),
            marker=self._hosted(own.marker),
            scripts=self._hosted([Script(name, True, True, "0" * 64, True) for name in sorted(ON_HOST)]),
            reaches_peer=self._hosted([self._from_here(peer)]),
            run_mark=self._hosted(own.run_mark.mark.identity if own.run_mark.mark else ""),
            last_boot=self._hosted(own.booted),
            salvage=self._hosted(own.salvage),
        )

    def _from_here(self, peer: ScriptedServer) -> Port:
        if peer.host_up:
            return Port(peer.port, "open" if peer.serving else "refused")
        return Port(peer.port, "no answer")

    def _served(self, value: T) -> Known[T] | Unknown:
        if self._own.serving and self._own.host_up:
            return Known(value, self._at, "scripted HTTP")
        return Unknown(f"{self._own.name}: no connection", self._at, "scripted HTTP")

    def _of_master(self, value: T) -> Known[T] | Unknown:
        if self._own.serving and self._own.role is not Role.MASTER:
            says = "asked of the master only; this server reads standby"
            return Unknown(says, cause=Cause.NOT_ASKED)
        return self._served(value)

    def _hosted(self, value: T) -> Known[T] | Unknown:
        if self._own.host_up:
            return Known(value, self._at, "scripted SSH")
        return Unknown(f"{self._own.name}: no SSH connection", self._at, "scripted SSH")
