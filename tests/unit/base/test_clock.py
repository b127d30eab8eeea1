"""Moments of one process, and of another."""

import itertools
import math
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from skytui.clock import Instant, ManualClock, SystemClock

START = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
seconds = st.floats(0, 1e6)


def test_a_manual_clock_moves_only_when_it_is_moved() -> None:
    clock = ManualClock(START)
    first = clock.instant()
    assert clock.instant() == first
    assert clock.now() == START
    clock.advance(90.5)
    assert clock.instant().since(first) == 90.5
    assert clock.now() == START + timedelta(seconds=90.5)
    assert clock.now().tzinfo is UTC


def test_the_clock_of_this_process_does_not_go_back() -> None:
    clock = SystemClock()
    moments = [clock.instant() for _ in range(1000)]
    assert all(not earlier.later_than(later) for earlier, later in itertools.pairwise(moments))
    assert {moment.boot for moment in moments} == {moments[0].boot}
    assert clock.now().tzinfo is UTC


def test_two_processes_have_two_names() -> None:
    assert SystemClock().instant().boot != SystemClock().instant().boot


@given(seconds, seconds)
def test_within_a_process_moments_are_ordered(one: float, other: float) -> None:
    a, b = Instant("p", one), Instant("p", other)
    assert a.later_than(b) == (one > other)
    assert a.since(b) == one - other
    assert not (a.later_than(b) and b.later_than(a))


@given(seconds, seconds)
def test_what_another_process_recorded_is_earlier_and_infinitely_old(one: float, other: float) -> None:
    now, recorded = Instant("living", one), Instant("dead", other)
    assert now.later_than(recorded)
    assert now.since(recorded) == math.inf


def test_a_moment_is_not_later_than_itself() -> None:
    moment = Instant("p", 5.0)
    assert not moment.later_than(moment)
