"""For every conjunct of every gate: worlds in which it alone does not hold. And what each one looks at."""

from collections.abc import Callable

import msgspec

from skytui.pair.pair import PairReading
from skytui.pair.vocabulary import (
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
    Script,
    User,
)
from skytui.runbook.model import Debt, Decision, Run
from tests.support.world import AGENTS, LOCKED_QUEUES, NEW, OLD, OPEN_QUEUES, START, with_value

Told = tuple[Run, PairReading]
Lie = Callable[[Run, PairReading], Told]


def reads(server: str, reading: str, value: object) -> Lie:
    """The server says something else, equally fresh."""
    return lambda run, pair: (run, with_value(pair, server, reading, value))


def remembers(**changed: object) -> Lie:
    """The run itself knows something else."""
    return lambda run, pair: (msgspec.structs.replace(run, **changed), pair)


MISSED = LateRun("nightly@2026-03-02T03:00:00Z", "nightly", START.replace(day=2), "missed", "no scheduler")


def decides(step: str, row: str, decision: str) -> Lie:
    """A person decided about a row before."""

    def lie(run: Run, pair: PairReading) -> Told:
        more = Decision(step, row, decision, "ann")
        return msgspec.structs.replace(run, decisions=(*run.decisions, more)), pair

    return lie


def told(*lies: Lie) -> Lie:
    """Several of these at once."""

    def lie(run: Run, pair: PairReading) -> Told:
        for each in lies:
            run, pair = each(run, pair)
        return run, pair

    return lie


def counted(*pendings: int | None, apart: float = 6.0) -> Lie:
    """The counts of File Replication Requests were these, the last one at the end of the trail."""

    def lie(run: Run, pair: PairReading) -> Told:
        last = [sample for sample in pair.trail if sample.server == OLD][-1]
        samples = tuple(
            msgspec.structs.replace(
                last,
                pending=pending,
                at=msgspec.structs.replace(
                    last.at, seconds=last.at.seconds - apart * (len(pendings) - place)
                ),
            )
            for place, pending in enumerate(pendings, start=1)
        )
        return run, msgspec.structs.replace(pair, trail=samples)

    return lie


def _queues(**states: bool) -> list[Queue]:
    known = dict.fromkeys(OPEN_QUEUES, True) | dict.fromkeys(LOCKED_QUEUES, True)
    return [Queue(name, locked) for name, locked in (known | states).items()]


def _unlocked(*without: str, **states: bool) -> list[Queue]:
    known = dict.fromkeys(OPEN_QUEUES, False) | dict.fromkeys(LOCKED_QUEUES, True) | states
    return [Queue(name, locked) for name, locked in known.items() if name not in without]


def _agents(first: Agent | None) -> list[Agent]:
    rest = [Agent(name, "active", connected=True) for name in AGENTS[1:]]
    return [*([first] if first else []), *rest]


def _ports(*states: str) -> list[Port]:
    return [Port(8443 + place, state) for place, state in enumerate(states)]


def _no_active_agent(run: Run, pair: PairReading) -> Told:
    assert run.baseline is not None
    dead = tuple(msgspec.structs.replace(agent, state="inactive") for agent in run.baseline.agents)
    return msgspec.structs.replace(run, baseline=msgspec.structs.replace(run.baseline, agents=dead)), pair


def _not_ticking(server: str) -> dict[str, Lie]:
    return {
        "stopped": reads(server, "scheduler", Scheduler("stopped", 12)),
        "running by a row, its loop has not turned": reads(server, "scheduler", Scheduler("running", 0)),
    }


def _ours_shut(server: str) -> dict[str, Lie]:
    return {
        "one is locked": reads(server, "queues", _unlocked(night=True)),
        "one is not listed": reads(server, "queues", _unlocked("night")),
    }


def _theirs_open(server: str) -> dict[str, Lie]:
    return {
        "one is open": reads(server, "queues", _unlocked(legacy=False)),
        "one is not listed": reads(server, "queues", _unlocked("legacy")),
    }


def _standby_not_active(server: str) -> dict[str, Lie]:
    return {
        "inactive": reads(server, "standby_status", "Inactive"),
        "nothing": reads(server, "standby_status", ""),
    }


def _page_not_active(server: str) -> dict[str, Lie]:
    return {
        "connecting": reads(server, "standby_status", "Active and connecting to the master"),
        "nothing": reads(server, "standby_status", ""),
    }


def _it_was_stopped(run: Run, pair: PairReading) -> Told:
    assert run.baseline is not None
    return msgspec.structs.replace(
        run, baseline=msgspec.structs.replace(run.baseline, scheduler="stopped")
    ), pair


LIES: dict[str, dict[str, Lie]] = {
    # Each check has a table of its own, in tests/unit/runbook/test_checks.py.
    "no_check_blocks": {
        "no master": reads(OLD, "role", Role.STANDBY),
        "a dead link": reads(NEW, "replication_link", Link("")),
        "a script that is gone": reads(OLD, "scripts", [Script("stop.sh", False)]),
    },
    "old_is_master": {"it reads standby": reads(OLD, "role", Role.STANDBY)},
    "new_is_standby": {"it reads master": reads(NEW, "role", Role.MASTER)},
    "new_as_found": {"it reads master": reads(NEW, "role", Role.MASTER)},
    "new_tells_its_queues": {},
    "loss_accepted": {"nobody has accepted it": remembers(accepted="")},
    "guard_set_or_owed": {"not set": reads(OLD, "guard", False)},
    "new_is_master": {"it reads standby": reads(NEW, "role", Role.STANDBY)},
    "old_is_standby": {"it reads master": reads(OLD, "role", Role.MASTER)},
    "same_database": {
        "another one": reads(NEW, "identity", Identity(NEW, 3, "9999")),
        "one does not tell": reads(OLD, "identity", Identity(OLD, 3)),
    },
    # Whatever was read is a baseline; only what is missing keeps it from passing (see the decays).
    "baseline_complete": {},
    "nobody_logged_in": {
        "a user": reads(OLD, "users", [User("ann", address="10.0.0.9")]),
        "a user beside us": reads(OLD, "users", [User("console", own=True), User("ann")]),
    },
    "queues_locked": {
        "one is open": reads(OLD, "queues", _queues(night=False)),
        "no queue is listed": reads(OLD, "queues", []),
        "ours is not listed": reads(OLD, "queues", [q for q in _queues() if q.name != "night"]),
        "one locked before is not listed": reads(OLD, "queues", [q for q in _queues() if q.name != "legacy"]),
    },
    "no_job_runs_unaccepted": {
        "one runs": reads(OLD, "running_jobs", [Job("7", "nightly", "agent-1")]),
        "another one was accepted": told(
            decides("drain-jobs", "6", "accept"),
            reads(OLD, "running_jobs", [Job("7", "nightly", "agent-1")]),
        ),
        "one without an id": reads(OLD, "running_jobs", [Job(job="nightly", agent="agent-1")]),
    },
    "scheduler_stopped": {
        "it runs": reads(OLD, "scheduler", Scheduler("running", 5)),
        "it is stopping": reads(OLD, "scheduler", Scheduler("stopping")),
        "it says nothing": reads(OLD, "scheduler", Scheduler("")),
    },
    "link_streams_on_old": {
        "cut": reads(OLD, "replication_link", Link("")),
        "catching up": reads(OLD, "replication_link", Link("catchup", NEW)),
        "to somebody else": reads(OLD, "replication_link", Link("streaming", "sky-c")),
    },
    "link_streams_on_new": {
        "cut": reads(NEW, "replication_link", Link("")),
        "connecting": reads(NEW, "replication_link", Link("connecting", OLD)),
    },
    "nothing_pending_now": {"one file": reads(OLD, "replication_pending", 1)},
    "zero_long_enough": {
        "one file left": reads(OLD, "replication_pending", 1),
        "two readings only": counted(0, 0, apart=30.0),
        "too short": counted(0, 0, 0, 0, apart=1.0),
        "one was not 0": counted(0, 0, 0, 3, 0, 0, apart=2.0),
        "nothing was counted": counted(),
        "one was not read": counted(0, 0, 0, None, 0, 0, apart=2.0),
        "the last one was not read": counted(0, 0, 0, 0, 0, 0, None, apart=2.0),
        "nobody counted for a while": counted(0, 0, 0, apart=11.5),
    },
    "past_the_marker": {
        "before it": reads(NEW, "wal_position", "0/5000000"),
        "no position": reads(NEW, "wal_position", ""),
        "the marker's position is lost": remembers(marker=""),
    },
    "guard_set": {"not set": reads(OLD, "guard", False)},
    "guard_gone": {"still set": reads(OLD, "guard", True)},
    "old_ports_refuse": {
        "one is open": reads(OLD, "ports", _ports("refused", "open")),
        "one does not answer": reads(OLD, "ports", _ports("refused", "no answer")),
        "none was tried": reads(OLD, "ports", []),
    },
    "old_processes_gone": {
        "the database is left": reads(
            OLD, "process", [Process("server", False), Process("database", True, 41)]
        ),
        "the service is left": reads(
            OLD, "process", [Process("server", True, 40), Process("database", False)]
        ),
        "none was looked for": reads(OLD, "process", []),
    },
    "orderly_shutdown": {
        "it crashed": reads(OLD, "control", Control("in production", "0/5000100", 3)),
        "it was a standby": reads(OLD, "control", Control("shut down in recovery", "0/5000100", 3)),
        "it is being shut down": reads(OLD, "control", Control("shutting down", "0/5000100", 3)),
    },
    "past_last_checkpoint": {
        "before it": reads(NEW, "wal_position", "0/50000FF"),
        "at its start only": reads(NEW, "wal_position", "0/5000100"),
        "no checkpoint": reads(OLD, "control", Control("shut down", "", 3)),
    },
    "nothing_pending_on_new": {"one file": reads(NEW, "replication_pending", 1)},
    "timeline_moved_on": {
        "the same": reads(NEW, "identity", Identity(NEW, 3, "7301")),
        "an earlier one": reads(NEW, "identity", Identity(NEW, 2, "7301")),
        "none any more": reads(NEW, "identity", Identity(NEW, 0, "7301")),
    },
    "agents_connected": {
        "a row says active, nothing is connected": reads(
            NEW, "agents", _agents(Agent(AGENTS[0], "active", connected=False))
        ),
        "nothing says whether it is connected": reads(NEW, "agents", _agents(Agent(AGENTS[0], "active"))),
        "connected, but not active": reads(
            NEW, "agents", _agents(Agent(AGENTS[0], "starting", connected=True))
        ),
        "not listed": reads(NEW, "agents", _agents(None)),
        "0 of 0": _no_active_agent,
    },
    "scheduler_ticked": _not_ticking(NEW),
    "old_scheduler_ticked": _not_ticking(OLD),
    "scheduler_as_before": {**_not_ticking(OLD), "it was stopped before": _it_was_stopped},
    "our_queues_open": _ours_shut(NEW),
    "our_queues_open_again": _ours_shut(OLD),
    "others_still_locked": _theirs_open(NEW),
    "others_still_locked_on_old": _theirs_open(OLD),
    "copy_fits": {
        "a byte too few": reads(OLD, "disk_free", 3_200_000_000 + 320_000_000 + 64 * 2**20 - 1),
        "the database has grown": reads(NEW, "database_bytes", 40_000_000_000),
    },
    "nothing_left_behind": {
        "its database was started since": reads(OLD, "control", Control("in production", "0/5000100", 3)),
        "it was started and stopped since": reads(OLD, "control", Control("shut down", "0/5000200", 3)),
        "an earlier run saved": told(
            reads(OLD, "salvage", Salvage("20260201-020000", "/salvage")),
            reads(OLD, "control", Control("shut down", "0/5000200", 3)),
        ),
        "what was compared is lost": remembers(last_checkpoint=""),
        "it was never compared": remembers(records=()),
    },
    "schedule_goes_on": {
        "none": reads(NEW, "finished_runs", []),
        "one that started before": reads(NEW, "finished_runs", [FinishedRun("a", "a", START, START, 0)]),
        "one that has not ended": reads(
            NEW, "finished_runs", [FinishedRun("a", "a", START.replace(hour=23), None)]
        ),
        "one without times": reads(NEW, "finished_runs", [FinishedRun("a")]),
        "times without a zone": reads(
            NEW,
            "finished_runs",
            [FinishedRun("a", "a", START.replace(tzinfo=None), START.replace(tzinfo=None), 0)],
        ),
        "when the queues were unlocked is lost": remembers(unlocked_at=None),
        "a next start that nobody knows is accepted": told(
            decides("first-job", "next-start", "accept"), reads(NEW, "next_start", "")
        ),
    },
    "missed_runs_decided": {
        "one is not decided": reads(NEW, "late_runs", [MISSED]),
        "another one is decided": told(
            decides("first-job", "hourly@03:00", "leave"), reads(NEW, "late_runs", [MISSED])
        ),
    },
    "chosen_runs_queued": {
        "it is missed still": told(
            decides("first-job", MISSED.id, "run-now"), reads(NEW, "late_runs", [MISSED])
        ),
        "the last word counts": told(
            decides("first-job", MISSED.id, "leave"),
            decides("first-job", MISSED.id, "run-now"),
            reads(NEW, "late_runs", [MISSED]),
        ),
    },
    "completions_decided": {
        "one is not decided": reads(NEW, "server_history", [FinishedRun("lost", "lost", START, START, 0)]),
        "one that was saved": remembers(salvage=Salvage("x", "/x", [FinishedRun("saved", "saved")], 1)),
        "a job that was accepted and has no end": decides("drain-jobs", "7", "accept"),
    },
    "nothing_owed": {"a lock": remembers(ledger=(Debt("lock-queues", OLD, ("night",)),))},
    "said_done": {"nobody": remembers(said_done={}), "of another step": remembers(said_done={"x": "ann"})},
    "master_says_active": _standby_not_active(NEW),
    "old_master_says_active": _standby_not_active(OLD),
    "standby_says_active": _page_not_active(OLD),
    "old_standby_says_active": _page_not_active(NEW),
}
"""By conjunct: a name for the world, and the world."""

_ROLE_OLD, _ROLE_NEW = ((OLD, "role"), (OLD, "identity")), ((NEW, "role"), (NEW, "identity"))

_BOTH_CHECKED = (
    *("identity", "role", "version", "clock", "users", "replication_link", "standby_status"),
    *("process", "ports", "control", "disk_free", "scripts", "reaches_peer"),
)

LOOKS_AT: dict[str, tuple[tuple[str, str], ...]] = {
    "no_check_blocks": (
        *((server, reading) for server in (OLD, NEW) for reading in _BOTH_CHECKED),
        *((OLD, reading) for reading in ("agents", "queues", "database_bytes")),
    ),
    "old_is_master": _ROLE_OLD,
    "new_is_standby": _ROLE_NEW,
    "new_as_found": _ROLE_NEW,
    "new_tells_its_queues": ((NEW, "queues"),),
    "loss_accepted": (),
    "guard_set_or_owed": ((OLD, "guard"),),
    "new_is_master": _ROLE_NEW,
    "old_is_standby": _ROLE_OLD,
    "same_database": ((OLD, "identity"), (NEW, "identity")),
    "baseline_complete": (
        *((OLD, reading) for reading in ("agents", "queues", "running_jobs", "due_jobs", "users")),
        (OLD, "database_bytes"),
        (OLD, "server_history"),
        (OLD, "scheduler"),
        *((server, reading) for server in (OLD, NEW) for reading in ("address", "listen_port")),
    ),
    "nobody_logged_in": ((OLD, "users"),),
    "queues_locked": ((OLD, "queues"),),
    "no_job_runs_unaccepted": ((OLD, "running_jobs"),),
    "scheduler_stopped": ((OLD, "scheduler"),),
    "link_streams_on_old": ((OLD, "replication_link"),),
    "link_streams_on_new": ((NEW, "replication_link"),),
    "nothing_pending_now": ((OLD, "replication_pending"),),
    "zero_long_enough": ((OLD, "replication_pending"),),
    "past_the_marker": ((NEW, "wal_position"),),
    "guard_set": ((OLD, "guard"),),
    "guard_gone": ((OLD, "guard"),),
    "old_ports_refuse": ((OLD, "ports"),),
    "old_processes_gone": ((OLD, "process"),),
    "orderly_shutdown": ((OLD, "control"),),
    "past_last_checkpoint": ((OLD, "control"), (NEW, "wal_position")),
    "nothing_pending_on_new": ((NEW, "replication_pending"),),
    "timeline_moved_on": ((NEW, "identity"),),
    "agents_connected": ((NEW, "agents"),),
    "scheduler_ticked": ((NEW, "scheduler"),),
    "old_scheduler_ticked": ((OLD, "scheduler"),),
    "scheduler_as_before": ((OLD, "scheduler"),),
    "our_queues_open": ((NEW, "queues"),),
    "our_queues_open_again": ((OLD, "queues"),),
    "others_still_locked": ((NEW, "queues"),),
    "others_still_locked_on_old": ((OLD, "queues"),),
    "copy_fits": ((NEW, "database_bytes"), (OLD, "disk_free")),
    "nothing_left_behind": ((OLD, "control"),),
    "schedule_goes_on": ((NEW, "finished_runs"),),
    "missed_runs_decided": ((NEW, "late_runs"),),
    "chosen_runs_queued": ((NEW, "late_runs"),),
    "completions_decided": ((NEW, "server_history"), (NEW, "finished_runs")),
    "nothing_owed": (),
    "said_done": (),
    "master_says_active": ((NEW, "standby_status"),),
    "old_master_says_active": ((OLD, "standby_status"),),
    "standby_says_active": ((OLD, "standby_status"),),
    "old_standby_says_active": ((NEW, "standby_status"),),
}
"""By conjunct: every reading it needs, as (server, reading)."""
