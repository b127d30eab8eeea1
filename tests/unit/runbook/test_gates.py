"""Every conjunct of every gate, generated from the gates themselves: a new one without a test fails here."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from skytui.clock import Instant
from skytui.pair.pair import PairReading
from skytui.pair.reading import Known, Stale, Unknown
from skytui.pair.vocabulary import OPTIONAL_STEPS, READINGS, SLOW, Agent, Identity
from skytui.runbook.gates import AFTER, AGAIN, BEFORE, Gate, Verdict, judge
from skytui.runbook.sight import Sight
from skytui.runbook.steps import BY_CHOICE, STEPS, UNDO, UNPLANNED, Kind
from tests.support.lies import LIES, LOOKS_AT, Lie
from tests.support.walk import Seen, Walk, card_of
from tests.support.world import NEW, OLD, World, with_readings, with_value

TABLES: dict[str, dict[str, Gate]] = {"before": BEFORE, "again": AGAIN, "after": AFTER}
CONJUNCTS = [
    (table, step, proof.__name__)
    for table, rows in TABLES.items()
    for step, gate in rows.items()
    for proof in gate
]
FALSIFIED = [
    pytest.param(table, step, proof, lie, id=f"{table}-{step}-{proof}-{name}")
    for table, step, proof in CONJUNCTS
    for name, lie in LIES.get(proof, {}).items()
]
NEEDED = [
    pytest.param(table, step, proof, server, reading, id=f"{table}-{step}-{proof}-{server}-{reading}")
    for table, step, proof in CONJUNCTS
    for server, reading in LOOKS_AT.get(proof, ())
    if reading not in SLOW  # those may be older; see test_checks.py
]


@pytest.fixture(scope="module")
def whole() -> Walk:
    """A run to its end; and what others saw, that was aborted late or had something to save."""
    whole, aborted = Walk().to_end(), Walk().to("promote")
    assert aborted.abort() == ""
    aborted.settle()
    assert aborted.run.over
    lost = Walk(World(), kind=Kind.UNPLANNED).to("promote")
    for steps, walk in ((UNDO, aborted), (UNPLANNED[:2], lost)):
        for step in steps:
            whole.passed[step.id] = walk.passed[step.id]
            if step.action:
                whole.started[step.id] = walk.started[step.id]
    salvaged = card_of("salvage")
    assert salvaged.confirm() == ""
    salvaged.settle()
    whole.started["salvage"] = salvaged.started["salvage"]
    chosen = card_of("run-missed")
    assert chosen.confirm() == ""
    chosen.settle()
    whole.started["run-missed"] = chosen.started["run-missed"]
    by_hand = Walk(optional=OPTIONAL_STEPS).to_end()
    for step in BY_CHOICE:
        whole.passed[step.id] = by_hand.passed[step.id]
    return whole


def seen(whole: Walk, table: str, step: str) -> Seen:
    """The poll in which this gate was open."""
    return whole.passed[step] if table == "after" else whole.started[step]


def verdict(table: str, step: str, view: Seen, reading: PairReading | None = None) -> Verdict:
    gate = TABLES[table][step]
    return judge(
        gate, view.run, Sight(reading or view.reading, view.run.thresholds.fresh_seconds, view.since)
    )


def failing(found: Verdict) -> set[str]:
    return {finding.conjunct for finding in found.findings if not finding.holds}


def test_every_step_has_a_gate_and_every_action_one_before_it() -> None:
    assert set(AFTER) == set(STEPS)
    assert set(BEFORE) == {step.id for step in STEPS.values() if step.action}
    assert set(AGAIN) <= set(BEFORE)
    assert all(gate for table in TABLES.values() for gate in table.values())


def test_every_conjunct_can_be_falsified_here() -> None:
    used = {proof for _, _, proof in CONJUNCTS}
    assert {proof for proof in used if not LIES.get(proof)} == {"baseline_complete", "new_tells_its_queues"}
    assert set(LIES) == set(LOOKS_AT) == used


@pytest.mark.parametrize(("table", "step"), sorted({(table, step) for table, step, _ in CONJUNCTS}))
def test_the_world_of_the_walk_opens_every_gate(whole: Walk, table: str, step: str) -> None:
    found = verdict(table, step, seen(whole, table, step))
    assert found.passes
    assert not found.reasons
    assert all(found.proofs)


@pytest.mark.parametrize(("table", "step", "proof", "lie"), FALSIFIED)
def test_a_gate_is_shut_when_one_conjunct_alone_does_not_hold(
    whole: Walk, table: str, step: str, proof: str, lie: Lie
) -> None:
    view = seen(whole, table, step)
    run, reading = lie(view.run, view.reading)
    found = verdict(table, step, msgspec.structs.replace(view, run=run), reading)
    assert not found.passes
    assert failing(found) == {proof}
    assert all(found.reasons)


def decays(view: Seen, server: str, reading: str) -> Iterator[tuple[Seen, str]]:
    """The poll with one reading that does not count any more, and the words that say why."""
    known = getattr(view.reading.server(server), reading)
    assert isinstance(known, Known)
    value, now = known.value, view.reading.now
    since = msgspec.structs.replace(known.at, seconds=known.at.seconds - 0.02)
    early = msgspec.structs.replace(known.at, seconds=known.at.seconds - 0.05)
    old = msgspec.structs.replace(now, seconds=now.seconds - 11.0)
    elsewhere = msgspec.structs.replace(known.at, boot="another process")

    def instead(other: Known[object] | Stale[object] | Unknown, since: Instant = view.since) -> Seen:
        return Seen(view.run, with_readings(view.reading, server, **{reading: other}), since)

    yield instead(Unknown("HTTP 500")), "HTTP 500"
    yield instead(Stale(value, known.at, "cut off")), "cut off"
    yield instead(Known(value, early), since), "the next reading counts"
    yield instead(Known(value, since), since), "the next reading counts"
    yield instead(Known(value, old)), "only 10 s count"
    yield instead(Known(value, elsewhere)), "earlier session"


@pytest.mark.parametrize(("table", "step", "proof", "server", "reading"), NEEDED)
def test_a_reading_that_does_not_count_shuts_the_gate_and_is_named(
    whole: Walk, table: str, step: str, proof: str, server: str, reading: str
) -> None:
    for view, why in decays(seen(whole, table, step), server, reading):
        found = verdict(table, step, view)
        assert not found.passes
        assert proof in failing(found)
        shut = (f for f in found.findings if f.conjunct == proof and not f.holds)
        says = "; ".join(finding.says for finding in shut)
        assert why in says
        assert server in says or NAMES[reading] in says, says


NAMES = {
    "agents": "list of agents",
    "database_bytes": "database's size",
    "due_jobs": "list of due jobs",
    "finished_runs": "list of finished runs",
    "late_runs": "list of late runs",
    "server_history": "Server History",
    "queues": "list of queues",
    "replication_pending": "File Replication Requests",
    "running_jobs": "list of running jobs",
    "scheduler": "Job Scheduler's state",
    "standby_status": "STANDBY SERVER status",
    "users": "list of users",
}
"""What a sentence calls a reading, where it does not name the server."""


@pytest.mark.parametrize(("table", "step"), sorted({(table, step) for table, step, _ in CONJUNCTS}))
def test_each_conjunct_needs_what_is_said_of_it_and_nothing_else(whole: Walk, table: str, step: str) -> None:
    view = seen(whole, table, step)
    needed: dict[str, set[tuple[str, str]]] = {proof.__name__: set() for proof in TABLES[table][step]}
    for server in (OLD, NEW):
        for reading in READINGS:
            cut = with_readings(view.reading, server, **{reading: Unknown("cut")})
            for proof in failing(verdict(table, step, view, cut)):
                needed[proof].add((server, reading))
    assert needed == {proof: set(LOOKS_AT[proof]) for proof in needed}


@pytest.mark.parametrize(("table", "step"), sorted({(table, step) for table, step, _ in CONJUNCTS}))
def test_a_server_that_answers_under_another_name_proves_nothing(whole: Walk, table: str, step: str) -> None:
    view = seen(whole, table, step)
    asked = {server for proof in TABLES[table][step] for server, _ in LOOKS_AT[proof.__name__]}
    for server in asked:
        identity = Identity("sky-z", 9, "7301")
        found = verdict(table, step, view, with_value(view.reading, server, "identity", identity))
        assert not found.passes
        expected = {p.__name__ for p in TABLES[table][step] if server in {s for s, _ in LOOKS_AT[p.__name__]}}
        assert failing(found) == expected
        assert all(f"who answers as {server} is sky-z" in says for says in found.reasons)


def test_a_gate_without_conjuncts_is_never_open(whole: Walk) -> None:
    view = seen(whole, "after", "baseline")
    assert not judge((), view.run, Sight(view.reading, 10.0, view.since)).passes


def test_a_count_of_0_over_a_dead_link_names_the_link(whole: Walk) -> None:
    view = seen(whole, "after", "replication-zero")
    lie = LIES["link_streams_on_old"]["cut"]
    _, reading = lie(view.run, view.reading)
    found = verdict("after", "replication-zero", view, reading)
    (says,) = found.reasons
    assert "the replication link of sky-a is dead" in says
    assert "0 proves nothing" in says


def test_every_missing_agent_is_named(whole: Walk) -> None:
    view = seen(whole, "after", "agents-back")
    found = verdict("after", "agents-back", view, with_value(view.reading, NEW, "agents", []))
    (says,) = found.reasons
    assert says.startswith("3 of 3 agents missing")
    assert all(agent in says for agent in ("agent-1", "agent-2", "agent-3"))


@pytest.mark.parametrize(
    ("seconds", "words"), [(7, "7 s ago"), (125, "2 min ago"), (3 * 3600, "3 h ago"), (-5, "0 s ago")]
)
def test_a_missing_agent_was_seen_so_long_ago_by_the_servers_own_clock(
    whole: Walk, seconds: int, words: str
) -> None:
    view = seen(whole, "after", "agents-back")
    clock = datetime(2031, 1, 1, 12, tzinfo=UTC)  # nothing like ours
    last = (clock - timedelta(seconds=seconds)).isoformat()
    reading = with_value(view.reading, NEW, "agents", [Agent("agent-1", "active", False, last_seen=last)])
    (says,) = verdict("after", "agents-back", view, with_value(reading, NEW, "clock", clock)).reasons
    assert f"agent-1 (not connected, last seen {words})" in says


@pytest.mark.parametrize("last", ["yesterday", "2031-01-01T12:00:00"])
def test_what_is_no_time_in_any_zone_is_said_as_the_server_wrote_it(whole: Walk, last: str) -> None:
    view = seen(whole, "after", "agents-back")
    reading = with_value(view.reading, NEW, "agents", [Agent("agent-1", "active", False, last_seen=last)])
    clock = datetime(2031, 1, 1, 12, tzinfo=UTC)
    (says,) = verdict("after", "agents-back", view, with_value(reading, NEW, "clock", clock)).reasons
    assert f"agent-1 (not connected, last seen {last})" in says


def test_counts_taken_before_the_marker_do_not_make_the_zero_long_enough(whole: Walk) -> None:
    view = seen(whole, "after", "replication-zero")
    late = msgspec.structs.replace(view.since, seconds=view.reading.now.seconds - 2.0)
    found = verdict("after", "replication-zero", msgspec.structs.replace(view, since=late))
    assert "zero_long_enough" in failing(found)


@pytest.mark.parametrize("step", ["users-out", "drain-jobs"])
def test_nobody_and_nothing_are_the_empty_lists_that_pass(whole: Walk, step: str) -> None:
    view = seen(whole, "after", step)
    reading = with_value(view.reading, OLD, "users", [])
    assert verdict("after", step, view, reading).passes
