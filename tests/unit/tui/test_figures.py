"""Numbers as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skytui.clock import Instant
from skytui.pair.pair import Sample
from skytui.tui.glyphs import ASCII, UNICODE
from skytui.tui.view.figures import ago, pace_of, plural, short_time, size, sparkline


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (41.9, "0:41"), (61, "1:01"), (3723, "1:02:03"), (-3, "0:00"), (float("inf"), "?")],
)
def test_short_time(seconds: float, text: str) -> None:
    assert short_time(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (3_200_000_000, "3.2 GB"), (41_000_000_000, "41 GB")],
)
def test_size(count: int, text: str) -> None:
    assert size(count) == text


def test_ago_and_plural() -> None:
    assert ago(3.2) == "3 s ago"
    assert ago(600) == "10 min ago"
    assert ago(float("inf")) == "in an earlier session"
    assert plural(1, "match", "matches") == "1 match"
    assert plural(2, "match", "matches") == "2 matches"


@given(st.lists(st.integers(0, 10**6)), st.integers(-3, 30), st.sampled_from([UNICODE.spark, ASCII.spark]))
def test_a_sparkline_never_is_longer_than_its_room(values: list[int], width: int, signs: str) -> None:
    line = sparkline(values, signs, width)
    assert len(line) == min(len(values), max(0, width))
    assert set(line) <= set(signs)


def trail(*counts: int, server: str = "sky-a") -> list[Sample]:
    return [Sample(Instant("x", float(second)), server, count) for second, count in enumerate(counts)]


def test_the_pace_of_falling_requests() -> None:
    pace = pace_of(trail(60, 50, 40, 30), "sky-a")
    assert pace is not None
    assert pace.pending == 30
    assert pace.rate == pytest.approx(10)
    assert pace.eta == pytest.approx(3)


def test_the_pace_is_measured_from_the_highest_count_on() -> None:
    """Files that were still being added do not make the fall look slower."""
    pace = pace_of(trail(0, 0, 40, 30, 20), "sky-a")
    assert pace is not None
    assert pace.rate == pytest.approx(10)


def test_no_pace_promises_nothing() -> None:
    steady = pace_of(trail(5, 5, 5), "sky-a")
    assert steady is not None
    assert steady.eta is None
    rising = pace_of(trail(1, 5, 9), "sky-a")
    assert rising is not None
    assert rising.eta is None
    assert pace_of(trail(1, 2), "sky-b") is None
    single = pace_of(trail(7), "sky-a")
    assert single is not None
    assert single.rate == 0
