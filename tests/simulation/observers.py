"""What skytui never does, watched from outside.

The observers go by what was really true on the servers when they were looked at, and by what stands in the
journal on disk; never by what the runbook thinks. Source: the procedure's *Invariants*.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from skytui.clock import Instant
from skytui.conductor.runs import JOURNAL
from skytui.pair.order import Order, Result
from skytui.pair.vocabulary import Action, Role
from skytui.runbook.events import (
    Aborted,
    Baselined,
    Closed,
    Confirmed,
    Finished,
    Intended,
    Passed,
    Postponed,
    Recorded,
    Refuted,
    Stated,
    Turned,
    Waived,
)
from skytui.runbook.model import Baseline, Ending, Run
from skytui.runbook.steps import STEPS
from tests.simulation.servers import NEW, OLD, Look, SimulatedServers, Truth

FRESH_SECONDS = 10.0
ZEROS, ZERO_SECONDS = 3, 10.0
ROLE_CHANGES = (Action.SHUT_DOWN, Action.START, Action.PROMOTE, Action.CONVERT)

Before = Baseline | None


class Claim(msgspec.Struct, frozen=True):
    """Something that must have been true of a server when it was last looked at, and was read."""

    server: str
    says: str
    true: Callable[[Truth, Before], bool]
    readings: tuple[str, ...]
    or_stated: bool = False
    """Where nothing can be seen of the server, the operator's statement stands for it."""


def reads(server: str, role: Role) -> Claim:
    return Claim(server, f"{server} serves as {role}", lambda t, _: t.serves_as(role), ("role", "identity"))


def _ours(before: Before) -> tuple[str, ...]:
    return before.open_queues() if before else ()


def _theirs(before: Before) -> tuple[str, ...]:
    return before.locked_queues() if before else ()


DOWN = Claim(OLD, f"{OLD} is down", lambda t, _: t.down, ("ports", "process"), or_stated=True)
OLD_MASTER, OLD_STANDBY = reads(OLD, Role.MASTER), reads(OLD, Role.STANDBY)
NEW_MASTER, NEW_STANDBY = reads(NEW, Role.MASTER), reads(NEW, Role.STANDBY)
ALL_LOCKED = Claim(OLD, "all queues are locked", lambda t, _: all(t.queues.values()), ("queues",))
STOPPED = Claim(OLD, "the scheduler is stopped", lambda t, _: t.scheduler == "stopped", ("scheduler",))
NOTHING_LEFT = Claim(OLD, "0 requests", lambda t, _: t.pending == 0, ("replication_pending",))
LINKED = Claim(OLD, "the link is alive", lambda t, _: t.streaming, ("replication_link",))
LINKED_THERE = Claim(NEW, "the link is alive", lambda t, _: t.streaming, ("replication_link",))
GUARDED = Claim(OLD, "the guard is set", lambda t, _: t.guard, ("guard",))
GUARDED_OR_OWED = msgspec.structs.replace(GUARDED, or_stated=True)
UNGUARDED = Claim(OLD, "the guard is gone", lambda t, _: not t.guard, ("guard",))


def _open(server: str) -> Claim:
    return Claim(
        server,
        "our queues are open, the others locked",
        lambda t, b: not any(t.queues[q] for q in _ours(b)) and all(t.queues[q] for q in _theirs(b)),
        ("queues",),
    )


def _ticks(server: str) -> Claim:
    return Claim(
        server, "the scheduler ticks", lambda t, _: t.scheduler == "running" and t.ticks > 0, ("scheduler",)
    )


def _as_before(truth: Truth, before: Before) -> bool:
    return before is not None and before.scheduler in (truth.scheduler, "")


def _agents(truth: Truth, before: Before) -> bool:
    return before is not None and set(before.active_agents()) <= truth.connected & set(truth.agents)


ROLES_AS_FOUND = (OLD_MASTER, NEW_STANDBY)
RELEASED = (NEW_MASTER, DOWN)

TO_START: dict[str, tuple[Claim, ...]] = {
    "lock-queues": ROLES_AS_FOUND,
    "stop-scheduler": ROLES_AS_FOUND,
    "replication-zero": (*ROLES_AS_FOUND, LINKED),
    "guard-master": ROLES_AS_FOUND,
    "shut-down": (*ROLES_AS_FOUND, ALL_LOCKED, STOPPED, LINKED, NOTHING_LEFT, GUARDED),
    "fence-master": (NEW_STANDBY,),
    "promote": (DOWN, NEW_STANDBY),
    "start-scheduler": RELEASED,
    "unlock-queues": RELEASED,
    "run-missed": RELEASED,
    "salvage": RELEASED,
    "convert": RELEASED,
    "start-again": (NEW_STANDBY,),
    "unguard-master": ROLES_AS_FOUND,
    "restart-scheduler": ROLES_AS_FOUND,
    "unlock-again": ROLES_AS_FOUND,
}
"""What must be true for the action of a step to begin."""

TO_GO_ON: dict[str, tuple[Claim, ...]] = {
    "shut-down": (NEW_STANDBY,),
    "salvage": (NEW_MASTER,),
    "convert": (NEW_MASTER,),
}
"""The same, where an earlier attempt ended half-way."""

TO_PASS: dict[str, tuple[Claim, ...]] = {
    "preflight": ROLES_AS_FOUND,
    "baseline": (
        *ROLES_AS_FOUND,
        Claim(OLD, "everything was read", lambda t, _: t.reachable, ("agents", "running_jobs", "due_jobs")),
        Claim(OLD, "everything was read", lambda t, _: t.reachable, ("queues", "users", "database_bytes")),
    ),
    "users-out": (Claim(OLD, "nobody is logged in", lambda t, _: t.users == 0, ("users",)),),
    "lock-queues": (ALL_LOCKED,),
    "drain-jobs": (Claim(OLD, "no job runs", lambda t, _: t.running == 0, ("running_jobs",)),),
    "stop-scheduler": (STOPPED,),
    "replication-zero": (LINKED, LINKED_THERE, NOTHING_LEFT),
    "guard-master": (GUARDED,),
    "shut-down": (DOWN,),
    "last-byte": (
        DOWN,
        Claim(OLD, "it was shut down in order", lambda t, _: t.control == "shut down", ("control",)),
        Claim(NEW, "nothing is missing", lambda t, _: t.pending == 0, ("replication_pending",)),
    ),
    "assess": (NEW_STANDBY, Claim(NEW, "it lists its queues", lambda t, _: t.reachable, ("queues",))),
    "fence-master": (NEW_STANDBY, DOWN, GUARDED_OR_OWED),
    "promote": (NEW_MASTER,),
    "agents-back": (
        NEW_MASTER,
        Claim(NEW, "all agents are connected", _agents, ("agents",)),
    ),
    "start-scheduler": (NEW_MASTER, _ticks(NEW)),
    "unlock-queues": (NEW_MASTER, _open(NEW)),
    "first-job": (
        NEW_MASTER,
        Claim(NEW, "a job has run", lambda t, _: t.finished > 0, ("finished_runs",)),
    ),
    **dict.fromkeys(("run-missed", "disk-space", "salvage", "server-history", "close"), (NEW_MASTER,)),
    "convert": (NEW_MASTER, OLD_STANDBY, UNGUARDED),
    "standby-active": (NEW_MASTER, OLD_STANDBY, LINKED, LINKED_THERE),
    "start-again": ROLES_AS_FOUND,
    "unguard-master": (*ROLES_AS_FOUND, UNGUARDED),
    "restart-scheduler": (*ROLES_AS_FOUND, _ticks(OLD)),
    "unlock-again": (*ROLES_AS_FOUND, _open(OLD)),
    "restored": (
        *ROLES_AS_FOUND,
        UNGUARDED,
        LINKED,
        LINKED_THERE,
        _open(OLD),
        Claim(OLD, "the scheduler is as before", _as_before, ("scheduler",)),
    ),
}
"""What must be true for a step to pass."""


class Observers:
    """They watch one run at a time. `told` hears what they see."""

    def __init__(self, servers: SimulatedServers) -> None:
        self._servers = servers
        self.acted: set[str] = set()

    # -- an action begins

    def acting(self, order: Order, run_folder: Path, events: list[Recorded], now: Instant) -> None:
        """Whether this order may be carried out now."""
        assert order.token not in self.acted, f"{order.token} is carried out a second time"
        self.acted.add(order.token)
        intent = next(e for e in reversed(events) if isinstance(e, Intended) and e.token == order.token)
        self._on_disk(run_folder, order)
        assert order.server == order.expects.name, "the order does not say who must answer"
        flying = [
            f.order
            for f in self._servers.flying.values()
            if f.order.action in ROLE_CHANGES and f.order.server == order.server
        ]
        assert not flying or order.action not in ROLE_CHANGES, f"{flying} is still under way"
        self._confirmed_once(intent, events)
        since = _last(events, intent.step, Confirmed).at
        went_half_way = _half_way(events[: events.index(intent)], intent.step)
        claims = TO_GO_ON.get(intent.step) if went_half_way else None
        self._true(claims or TO_START.get(intent.step, ()), since, now, events, f"{intent.step} begins")
        if order.action is Action.START:
            assert not any(isinstance(e, Intended) and e.action is Action.PROMOTE for e in events), (
                "a master is started after the other server was told to be one"
            )
        if order.action is Action.UNLOCK_QUEUES:
            locked = {q for e in events if isinstance(e, Baselined) for q in e.baseline.open_queues()}
            assert set(order.queues) <= locked, "a queue is unlocked that this run did not lock"
        self._marked(order)

    def _on_disk(self, folder: Path, order: Order) -> None:
        last = (folder / JOURNAL).read_bytes()
        assert f'"token":"{order.token}"'.encode() in last, "an action begins whose intent is not on disk"

    def _confirmed_once(self, intent: Intended, events: list[Recorded]) -> None:
        """A confirmation of the operator's own for each intent; nothing is repeated whose outcome is open."""
        told = [e for e in events if isinstance(e, Confirmed | Intended) and e.step == intent.step]
        place = told.index(intent)
        assert place, f"{intent.step} begins, and nobody confirmed it"
        assert isinstance(told[place - 1], Confirmed), f"{intent.step} begins on a used-up confirmation"
        step = STEPS[intent.step]
        if step.repeatable:
            return
        outcomes = [e.outcome.result for e in events if isinstance(e, Finished) and e.step == step.id]
        earlier = [e for e in told[:place] if isinstance(e, Intended)]
        assert not earlier or (outcomes and outcomes[-1] is not Result.UNKNOWN), f"{step.id} is done twice"

    def _marked(self, order: Order) -> None:
        server = self._servers.pair.servers[order.server]
        mark = server.run_mark.mark
        if server.host_up and mark is not None:
            assert mark.run != FOREIGN_RUN, f"{order.action} begins on a server that another run has marked"

    # -- a step passes, a run ends

    def recorded(self, event: Recorded, run: Run, events: list[Recorded], now: Instant) -> None:
        """Whether this event may have happened."""
        match event:
            case Passed(step=step):
                since = _last(events[:-1], step, Confirmed, Finished).at
                self._true(TO_PASS.get(step, ()), since, now, events, f"{step} passes")
                if step == "replication-zero":
                    self._zero_for_long(since)
            case Aborted():
                assert not any(isinstance(e, Intended) and STEPS[e.step].no_way_back for e in events), (
                    "gone back where there is no way back"
                )
            case Waived(step=step, reason=reason, who=who):
                assert STEPS[step].waivable, f"{step} is waived, which is never allowed"
                assert reason.strip()
                assert who
            case Closed(ending=ending):
                self._ended(ending, run, events)

    def _ended(self, ending: Ending, run: Run, events: list[Recorded]) -> None:
        ways = [type(e) for e in events if isinstance(e, Aborted | Turned)]
        aborted = bool(ways) and ways[-1] is Aborted
        later = any(isinstance(e, Postponed) for e in events)
        unclean = later or any(isinstance(e, Waived | Stated | Turned) for e in events)
        assert (ending is Ending.ROLLED_BACK) == aborted, f"it ended as {ending}"
        assert not (ending is Ending.DONE and unclean), "a run that is not clean is called so"
        assert later or run.ledger == (), f"the run is over, and still owes {run.ledger}"

    def _zero_for_long(self, since: Instant) -> None:
        row: list[Instant] = []
        for look in reversed(self._servers.looks[OLD]):
            counted = look.at.later_than(since) and look.gives("replication_pending")
            if not counted or look.truth.pending or not look.truth.streaming:
                break
            row.append(look.at)
        distinct = sorted({at.seconds for at in row})
        assert len(distinct) >= ZEROS, f"0 in only {len(distinct)} readings"
        assert distinct[-1] - distinct[0] >= ZERO_SECONDS, "0 for too short a time"

    def _true(
        self, claims: Iterable[Claim], since: Instant, now: Instant, events: list[Recorded], what: str
    ) -> None:
        before = next((e.baseline for e in reversed(events) if isinstance(e, Baselined)), None)
        for claim in claims:
            looks = self._servers.looks[claim.server]
            look = looks[-1] if looks else None
            assert look is not None, f"{what} and nobody has looked at {claim.server}"
            assert look.at.later_than(since), f"{what} on a look at {claim.server} from before"
            assert now.since(look.at) <= FRESH_SECONDS + 0.1, f"{what} on an old look at {claim.server}"
            if claim.or_stated and _stated(events, look):
                continue
            assert look.gives(*claim.readings), f"{what}, but {claim.readings} of {claim.server} was not read"
            assert claim.true(look.truth, before), f"{what}, and it is not so that {claim.says}"


FOREIGN_RUN = "20260301-010000"
"""The run of another jump host."""


def _last(events: list[Recorded], step: str, *kinds: type[Confirmed] | type[Finished]) -> Recorded:
    return next(
        e
        for e in reversed(events)
        if isinstance(e, Confirmed | Finished) and isinstance(e, kinds) and e.step == step
    )


def _stated(events: list[Recorded], look: Look) -> bool:
    """Whether a statement stands that it is powered off, and nothing was seen that says no."""
    words = [e for e in events if isinstance(e, Stated | Refuted)]
    if not words or isinstance(words[-1], Refuted):
        return False
    seen = look.answered == OLD and look.truth.reachable and look.at.later_than(words[-1].at)
    lives = look.truth.serving or look.truth.database_up
    return not (seen and lives and "ports" not in look.lost)


def _half_way(events: list[Recorded], step: str) -> bool:
    """Whether an attempt at this step ran and ended, and what it was for did not come about."""
    ended = (Result.DONE, Result.FAILED)
    return any(isinstance(e, Finished) and e.step == step and e.outcome.result in ended for e in events)
