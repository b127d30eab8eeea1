"""What the watch after a run finds in a poll."""

import pytest

from skytui.pair.pair import PairReading
from skytui.pair.reading import Unknown
from skytui.pair.vocabulary import Agent, Role
from skytui.runbook.watch import Watch, findings, watch_of
from tests.support.walk import Walk
from tests.support.world import AGENTS, NEW, OLD, with_readings, with_value


def ended() -> tuple[Watch, PairReading, Walk]:
    walk = Walk().to_end()
    reading = walk.world.poll()
    watch = watch_of(walk.run, reading, 24.0)
    assert watch is not None
    return watch, reading, walk


def says(watch: Watch, reading: PairReading) -> list[tuple[str, str, bool]]:
    return [(finding.about, finding.says, finding.alarm) for finding in findings(watch, reading)]


def test_it_is_the_new_master_with_the_agents_it_has_for_as_long_as_is_configured() -> None:
    watch, reading, walk = ended()
    assert (watch.master, watch.other, watch.agents) == (NEW, OLD, AGENTS)
    assert (watch.until - reading.wall).total_seconds() == 24 * 3600
    assert watch_of(walk.run, reading, 0) is None
    assert findings(watch, reading) == ()


def test_of_a_run_taken_back_it_is_the_original_master() -> None:
    walk = Walk().to("shut-down")
    walk.abort()
    walk.settle()
    watch = watch_of(walk.run, walk.world.poll(), 1.0)
    assert watch is not None
    assert (watch.master, watch.other) == (OLD, NEW)


def test_a_run_that_changed_nothing_or_is_open_is_not_watched() -> None:
    walk = Walk()
    assert watch_of(walk.run, walk.world.poll(), 1.0) is None
    walk.abort()
    assert watch_of(walk.run, walk.world.poll(), 1.0) is None


def test_two_masters_are_an_alarm() -> None:
    watch, reading, _ = ended()
    found = says(watch, with_value(reading, OLD, "role", Role.MASTER))
    assert found == [
        ("masters", "TWO MASTERS: sky-a and sky-b both read master, and jobs may run twice", True)
    ]


@pytest.mark.parametrize("connected", [False, None])
def test_an_agent_that_leaves_is_named(connected: bool | None) -> None:
    watch, reading, _ = ended()
    gone = Agent(AGENTS[0], "active", connected=connected, last_seen="03:10")
    rest = [Agent(name, "active", connected=True) for name in AGENTS[1:]]
    found = says(watch, with_value(reading, NEW, "agents", [gone, *rest]))
    assert found == [("agent agent-1", "agent agent-1 has left sky-b since the swap, last seen 03:10", True)]
    found = says(watch, with_value(reading, NEW, "agents", rest))
    assert found == [("agent agent-1", "sky-b does not list agent agent-1 any more", True)]


def test_what_cannot_be_seen_is_said_and_is_no_alarm() -> None:
    watch, reading, _ = ended()
    for name, about in (("role", "sky-b cannot be watched"), ("agents", "the agents cannot be watched")):
        blind = with_readings(reading, NEW, **{name: Unknown("no route to host")})
        assert says(watch, blind) == [("sight", f"{about}: no route to host", False)]


def test_a_master_that_is_none_any_more_is_an_alarm() -> None:
    watch, reading, _ = ended()
    found = says(watch, with_value(reading, NEW, "role", Role.STANDBY))
    assert found == [("role", "sky-b reads standby, and no server reads master", True)]
