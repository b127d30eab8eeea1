"""Every check can fail, and every check can be unable to tell: a named fault of the world for each."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from skytui.pair.facts import Calendar, Folder, Logout, Past, Remembered, Terminal
from skytui.pair.pair import PairReading
from skytui.pair.reading import Cause, Known, Stale, Unknown
from skytui.pair.vocabulary import (
    Agent,
    Control,
    FinishedRun,
    Identity,
    Job,
    Link,
    Port,
    Process,
    Queue,
    Role,
    Scheduler,
    Script,
    User,
)
from skytui.runbook.checks import BY_ID, CHECKS, Checked, Verdict, check_now, counts, summary
from skytui.runbook.checks.check import carry_out
from skytui.runbook.sight import Sight
from tests.support.facts import SHA
from tests.support.world import NEW, OLD, START, World, with_readings, with_value

Fault = Callable[[PairReading], PairReading]
LIMIT = 10.0


def reads(server: str, reading: str, value: object) -> Fault:
    return lambda pair: with_value(pair, server, reading, value)


def silent(server: str, reading: str, cause: Cause = Cause.SILENT) -> Fault:
    return lambda pair: with_readings(
        pair, server, **{reading: Unknown("cut off", pair.began, "HTTP /", cause)}
    )


def fact(name: str, value: object) -> Fault:
    def change(pair: PairReading) -> PairReading:
        facts = msgspec.structs.replace(pair.facts, **{name: Known(value, pair.began, "test")})
        return msgspec.structs.replace(pair, facts=facts)

    return change


def no_fact(name: str) -> Fault:
    def change(pair: PairReading) -> PairReading:
        facts = msgspec.structs.replace(pair.facts, **{name: Unknown("cannot be looked up", pair.began)})
        return msgspec.structs.replace(pair, facts=facts)

    return change


def growing(pair: PairReading) -> PairReading:
    """Seven requests wait, and half a minute ago it was five."""
    pair = with_value(pair, OLD, "replication_pending", 7)
    trail = tuple(
        msgspec.structs.replace(
            pair.trail[0],
            pending=count,
            at=msgspec.structs.replace(pair.began, seconds=pair.began.seconds - age),
        )
        for count, age in ((5, 30.0), (6, 15.0), (7, 0.0))
    )
    return msgspec.structs.replace(pair, trail=trail)


def a_script(**changed: object) -> list[Script]:
    return [msgspec.structs.replace(Script("stop.sh", True, True, SHA, True), **changed)]


BREAKS: dict[str, dict[str, Fault]] = {
    "roles": {"two-masters": reads(NEW, "role", Role.MASTER), "no-master": reads(OLD, "role", Role.STANDBY)},
    "identity": {"swapped-addresses": reads(OLD, "identity", Identity(NEW, 3, "7301"))},
    "database": {"foreign-standby": reads(NEW, "identity", Identity(NEW, 3, "9999"))},
    "pinned": {"rebuilt-pair": fact("remembered", Remembered("20260101-020000", {}, "4711"))},
    "timeline": {"old-timeline": reads(NEW, "identity", Identity(NEW, 2, "7301"))},
    "version": {"mixed-versions": reads(NEW, "version", "17")},
    "profile": {"odd-answers": silent(OLD, "database_bytes", Cause.UNUSABLE)},
    "address": {"wrong-address": reads(OLD, "listen_port", 9)},
    "clocks": {
        "slow-clock": reads(OLD, "clock", START - timedelta(seconds=20)),
        "wrong-clock": reads(OLD, "clock", START - timedelta(hours=1)),
    },
    "http": {"http-refuses": silent(NEW, "role", Cause.REFUSED)},
    "login": {
        "wrong-password": silent(OLD, "users", Cause.REFUSED),
        "forgotten-session": reads(OLD, "users", []),
    },
    "ssh": {
        "locked-out": lambda pair: with_readings(
            pair, NEW, process=Unknown("no key", pair.began, "SSH x", Cause.REFUSED)
        )
    },
    "ports": {"shut-port": reads(NEW, "ports", [Port(8443, "open"), Port(5432, "refused")])},
    "master-reaches-standby": {"cut-forward": reads(OLD, "reaches_peer", [Port(8443, "no answer")])},
    "standby-reaches-master": {"cut-back": reads(NEW, "reaches_peer", [Port(5432, "refused")])},
    "scripts-present": {"script-gone": reads(NEW, "scripts", a_script(present=False))},
    "scripts-executable": {"script-not-executable": reads(OLD, "scripts", a_script(executable=False))},
    "scripts-run": {"script-asks": reads(OLD, "scripts", a_script(runs=False, says="Password:"))},
    "scripts-unchanged": {
        "script-changed": fact("remembered", Remembered("r", {OLD: {"stop.sh": "0" * 64}}, "7301"))
    },
    "scripts-alike": {"script-changed-on-one": reads(NEW, "scripts", a_script(sha256="1" * 64))},
    "replication-link": {
        "cut-walreceiver": reads(NEW, "replication_link", Link("")),
        "other-standby": reads(OLD, "replication_link", Link("streaming", "sky-c")),
    },
    "file-requests": {"no-duplicator": growing},
    "log-distance": {"slow-standby": reads(OLD, "wal_position", "1/0")},
    "standby-active": {"standby-inactive": reads(OLD, "standby_status", "Not connected")},
    "scheduler": {"scheduler-stopped": reads(OLD, "scheduler", Scheduler("stopped"))},
    "agents": {
        "one-agent-gone": reads(OLD, "agents", [Agent("a", "active", True), Agent("b", "active", False)]),
        "all-agents-gone": reads(OLD, "agents", [Agent("a", "inactive", True)]),
    },
    "queues": {
        "all-queues-locked": reads(OLD, "queues", [Queue("night", True)]),
        "work-behind-a-lock": reads(OLD, "queues", [Queue("night", False), Queue("parked", True, 3)]),
        "no-queue": reads(OLD, "queues", []),
    },
    "users": {"user-logged-in": reads(OLD, "users", [User("console", own=True), User("ann")])},
    "running-jobs": {"running-job": reads(OLD, "running_jobs", [Job("7", "nightly", "agent-1")])},
    "due-jobs": {"due-job": reads(OLD, "due_jobs", [Job(job="nightly", due="03:00")])},
    "server-history": {"unrecognised": reads(OLD, "server_history", [FinishedRun("nightly@01:00")])},
    "processes": {"orphan-database": reads(OLD, "process", [Process("server", False)])},
    "control-data": {"crashed": reads(NEW, "control", Control("shut down", "0/1", 3))},
    "disk": {
        "full-disk": reads(OLD, "disk_free", 1_000_000_000),
        "tight-disk": reads(NEW, "disk_free", 4_000_000_000),
    },
    "guard": {"guard-left": reads(NEW, "guard", True)},
    "marker": {"marker-left": reads(OLD, "marker", "run 7")},
    "run-mark": {"foreign-mark": reads(OLD, "run_mark", "20260101-020000/abc")},
    "last-boot": {"reboot": reads(OLD, "last_boot", START - timedelta(seconds=30))},
    "open-ledger": {
        "debt": fact("past", Past(owed=("run 7 owes guard-master on sky-a",))),
        "other-run-open": fact("past", Past(open_run="20260101-020000")),
        "torn-journal": fact("past", Past(unreadable=("20260101-020000",))),
    },
    "cadence": {"overdue": fact("calendar", Calendar(60, START - timedelta(days=9)))},
    "quiet-window": {
        "loud-time": fact(
            "calendar", Calendar(0, None, "Sun", START + timedelta(hours=2), START + timedelta(hours=5))
        )
    },
    "state-folder": {
        "read-only-state": fact("folder", Folder("/x", 10**10, "its file system is read-only")),
        "no-room-for-a-run": fact("folder", Folder("/x", 1000)),
        "little-room": fact("folder", Folder("/x", 20 * 2**20)),
    },
    "linger": {"no-linger": fact("logout", Logout("ann", kills=True, lingers=False))},
    "terminal": {
        "dumb-terminal": fact("terminal", Terminal("dumb", 120, 40)),
        "small-terminal": fact("terminal", Terminal("xterm", 79, 24)),
        "no-utf8": fact("terminal", Terminal("xterm", 120, 40, False)),
    },
}
"""By check: a name for what is wrong, and the world in which it is."""

_READ_FROM = {
    "roles": (OLD, "role"),
    "identity": (NEW, "identity"),
    "database": (OLD, "identity"),
    "timeline": (NEW, "identity"),
    "version": (NEW, "version"),
    "profile": (OLD, "role"),
    "address": (NEW, "address"),
    "clocks": (OLD, "clock"),
    "http": (NEW, "role"),
    "login": (NEW, "users"),
    "ports": (OLD, "ports"),
    "master-reaches-standby": (OLD, "reaches_peer"),
    "standby-reaches-master": (NEW, "reaches_peer"),
    "scripts-present": (OLD, "scripts"),
    "scripts-executable": (NEW, "scripts"),
    "scripts-run": (OLD, "scripts"),
    "scripts-alike": (NEW, "scripts"),
    "replication-link": (NEW, "replication_link"),
    "file-requests": (OLD, "replication_pending"),
    "log-distance": (NEW, "wal_position"),
    "standby-active": (NEW, "standby_status"),
    "scheduler": (OLD, "scheduler"),
    "agents": (OLD, "agents"),
    "queues": (OLD, "queues"),
    "users": (OLD, "users"),
    "running-jobs": (OLD, "running_jobs"),
    "due-jobs": (OLD, "due_jobs"),
    "server-history": (OLD, "server_history"),
    "processes": (NEW, "process"),
    "control-data": (OLD, "control"),
    "disk": (NEW, "disk_free"),
    "guard": (OLD, "guard"),
    "marker": (NEW, "marker"),
    "run-mark": (OLD, "run_mark"),
    "last-boot": (NEW, "last_boot"),
}
HIDES: dict[str, Fault] = {
    **{check: silent(*where) for check, where in _READ_FROM.items()},
    "ssh": lambda pair: with_readings(pair, OLD, process=Unknown("no answer", pair.began, "SSH x")),
    "pinned": no_fact("remembered"),
    "scripts-unchanged": no_fact("remembered"),
    "open-ledger": no_fact("past"),
    "cadence": no_fact("calendar"),
    "quiet-window": no_fact("calendar"),
    "state-folder": no_fact("folder"),
    "linger": no_fact("logout"),
    "terminal": no_fact("terminal"),
}
"""By check: the world in which it cannot tell."""

WELL: dict[str, Fault] = {
    "pinned": fact("remembered", Remembered("r", {}, "7301")),
    "scripts-unchanged": fact("remembered", Remembered("r", {OLD: {"stop.sh": SHA}}, "7301")),
    "cadence": fact("calendar", Calendar(60, START + timedelta(days=9))),
    "quiet-window": fact(
        "calendar", Calendar(0, None, "Sun", START - timedelta(hours=1), START + timedelta(hours=5))
    ),
    "terminal": fact("terminal", Terminal("xterm-256color", 120, 36)),
    "due-jobs": reads(OLD, "due_jobs", []),
}
"""By check: what a world in which all is well lacks for it to be more than *not applicable*."""


def found(check: str, fault: Fault = lambda pair: pair) -> Checked:
    return carry_out(BY_ID[check], Sight(fault(World().poll()), LIMIT))


def test_there_are_enough_checks_and_each_has_its_faults() -> None:
    assert len(CHECKS) >= 30
    assert len(BY_ID) == len(CHECKS), "an id stands for one check"
    assert set(BREAKS) == set(BY_ID)
    assert set(HIDES) == set(BY_ID)


@pytest.mark.parametrize("check", BY_ID)
def test_a_check_passes_in_a_world_in_which_all_is_well(check: str) -> None:
    checked = found(check, WELL.get(check, lambda pair: pair))
    assert checked.verdict is Verdict.OK, checked.says
    assert checked.age is not None, "no pass without evidence"
    assert not checked.blocks
    assert checked.hint == ""


@pytest.mark.parametrize(("check", "fault"), [(check, name) for check in BREAKS for name in BREAKS[check]])
def test_a_check_finds_each_of_its_faults(check: str, fault: str) -> None:
    checked = found(check, BREAKS[check][fault])
    assert checked.verdict in (Verdict.WARN, Verdict.BLOCK), checked.says
    assert checked.blocks is (checked.verdict is Verdict.BLOCK)
    assert not checked.blocks or BY_ID[check].blocks, "what says that it cannot block, blocks"
    assert checked.hint
    assert checked.evidence


@pytest.mark.parametrize("check", BY_ID)
def test_a_check_that_cannot_tell_says_so_and_blocks_if_it_could(check: str) -> None:
    checked = found(check, HIDES[check])
    assert checked.verdict is Verdict.UNKNOWN, checked.says
    assert checked.blocks is BY_ID[check].blocks


@pytest.mark.parametrize("check", _READ_FROM)
def test_what_was_read_too_long_ago_is_no_evidence(check: str) -> None:
    server, reading = _READ_FROM[check]

    def old(pair: PairReading) -> PairReading:
        known = getattr(pair.server(server), reading)
        long_ago = msgspec.structs.replace(known.at, seconds=known.at.seconds - 41.0)
        return with_readings(pair, server, **{reading: Known(known.value, long_ago)})

    assert found(check, old).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("check", _READ_FROM)
def test_the_last_value_known_is_no_evidence(check: str) -> None:
    server, reading = _READ_FROM[check]

    def stale(pair: PairReading) -> PairReading:
        known = getattr(pair.server(server), reading)
        return with_readings(pair, server, **{reading: Stale(known.value, known.at, "cut off")})

    assert found(check, stale).verdict is Verdict.UNKNOWN


def test_what_a_kind_of_system_does_not_have_is_not_applicable_and_blocks_nothing() -> None:
    for check in ("queues", "agents", "scripts-present", "control-data"):
        server, reading = _READ_FROM.get(check, (OLD, ""))
        checked = found(check, silent(server, reading, Cause.NO_SUCH_THING))
        assert checked.verdict is Verdict.NOT_APPLICABLE
        assert not checked.blocks


def test_that_a_system_has_no_roles_is_never_not_applicable() -> None:
    assert found("roles", silent(OLD, "role", Cause.NO_SUCH_THING)).verdict is Verdict.UNKNOWN


def test_the_summary_counts_what_is_not_ok() -> None:
    pair = with_value(World().poll(), NEW, "role", Role.MASTER)
    checks = check_now(pair, LIMIT)
    assert sum(counts(checks).values()) == len(checks)
    assert summary(checks).startswith(f"{len(checks)} checks: 1 block, ")


def test_the_mark_and_the_journal_of_the_run_itself_are_no_surprise() -> None:
    reading = with_value(World().poll(), OLD, "run_mark", "20260301-020000/abc")
    reading = fact("past", Past(open_run="20260301-020000"))(reading)
    own = {checked.id: checked for checked in check_now(reading, LIMIT, "20260301-020000")}
    assert own["run-mark"].verdict is own["open-ledger"].verdict is Verdict.OK
    other = {checked.id: checked for checked in check_now(reading, LIMIT)}
    assert other["run-mark"].verdict is Verdict.WARN
    assert other["open-ledger"].verdict is Verdict.BLOCK
