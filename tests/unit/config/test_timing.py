"""Cadence and quiet window, as they are written and as the clocks of the world go."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skytui.config.timing import Period, parse_quiet
from skytui.pair.quiet import next_due


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("written", "days"), [("60d", 60), ("8w", 56), (" 1 d ", 1)])
def test_a_period_is_a_number_of_days(written: str, days: int) -> None:
    assert Period.parse(written) == timedelta(days=days)


@pytest.mark.parametrize("written", ["", "60", 60, "0d", "-1d", "2h", "9999w", "٣d", None, True])
def test_what_is_no_period(written: object) -> None:
    with pytest.raises(ValueError, match=r"`60d`|at least a day"):
        Period.parse(written)


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("Sun 02:00-05:00 UTC", {6}),
        ("mon,THU 02:00-05:00 UTC", {0, 3}),
        ("Mon-Fri 02:00-05:00 UTC", {0, 1, 2, 3, 4}),
        ("Fri-Mon 02:00-05:00 UTC", {4, 5, 6, 0}),
        ("2:00 - 5:00 UTC", set(range(7))),
    ],
)
def test_the_days_of_a_quiet_window(written: str, days: set[int]) -> None:
    assert parse_quiet(written).days == days


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("Sun 02:00-05:00", "is no quiet window; write it as `Sun 02:00-05:00 Europe/Berlin`"),
        ("Son 02:00-05:00 UTC", "'Son' is no day; did you mean `Sun`"),
        ("Mon, 02:00-05:00 UTC", "'' is no day"),
        ("Sun 24:00-05:00 UTC", "'24:00' is no time of day"),
        ("Sun 02:00-02:00 UTC", "is empty"),
        ("Sun 02:00-05:00 Europe/Berlim", "no time zone 'Europe/Berlim'; did you mean `Europe/Berlin`"),
        ("Sun 02:00-05:00 ../../etc/passwd", "no time zone"),
        ("Sun 02:00-05:00 /etc/localtime", "no time zone"),
    ],
)
def test_what_is_no_quiet_window(written: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_quiet(written)


def test_it_is_open_by_the_clock_of_its_zone() -> None:
    quiet = parse_quiet("Sun 02:00-05:00 Europe/Berlin")
    assert quiet.opening(at("2026-01-14T12:00")) == (at("2026-01-18T01:00"), at("2026-01-18T04:00"))
    assert quiet.opening(at("2026-07-15T12:00")) == (at("2026-07-19T00:00"), at("2026-07-19T03:00"))
    assert [quiet.contains(at(f"2026-01-18T{time}")) for time in ("00:59", "01:00", "03:59", "04:00")] == [
        False,
        True,
        True,
        False,
    ]


def test_across_midnight_it_belongs_to_the_day_it_opens_on() -> None:
    quiet = parse_quiet("Sat 22:00-04:00 Europe/Berlin")
    assert quiet.opening(at("2026-01-18T01:00")) == (at("2026-01-17T21:00"), at("2026-01-18T03:00"))
    assert quiet.contains(at("2026-01-18T02:59"))
    assert not quiet.contains(at("2026-01-18T21:30"))


@pytest.mark.parametrize(
    ("written", "wall", "opens", "closes"),
    [
        # 29 March 2026: the clock goes from 02:00 to 03:00 at 01:00 UTC.
        ("Sun 02:30-05:00 Europe/Berlin", "2026-03-28T12:00", "2026-03-29T01:00", "2026-03-29T03:00"),
        ("Sun 01:00-02:30 Europe/Berlin", "2026-03-28T12:00", "2026-03-29T00:00", "2026-03-29T01:00"),
        # That hour is not there on that day, so it opens a week later.
        ("Sun 02:00-03:00 Europe/Berlin", "2026-03-28T12:00", "2026-04-05T00:00", "2026-04-05T01:00"),
        # 25 October 2026: from 03:00 back to 02:00 at 01:00 UTC.
        ("Sun 02:00-03:00 Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:00", "2026-10-25T02:00"),
        ("Sun 01:00-02:30 Europe/Berlin", "2026-10-24T12:00", "2026-10-24T23:00", "2026-10-25T01:30"),
        ("Sun 02:30-04:00 Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:30", "2026-10-25T03:00"),
    ],
)
def test_when_the_clocks_are_changed(written: str, wall: str, opens: str, closes: str) -> None:
    assert parse_quiet(written).opening(at(wall)) == (at(opens), at(closes))


ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]
)
CLOCKS = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda clock: f"{clock[0]}:{clock[1]:02}")


@given(
    zone=ZONES,
    start=CLOCKS,
    end=CLOCKS,
    day=st.sampled_from(["Mon", "Sun", "Mon-Sun", "Wed,Thu"]),
    wall=st.datetimes(datetime(2011, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_the_next_window_is_found_whenever_and_wherever(
    zone: str, start: str, end: str, day: str, wall: datetime
) -> None:
    if start == end:
        return
    quiet = parse_quiet(f"{day} {start}-{end} {zone}")
    opens, closes = quiet.opening(wall)
    assert wall < closes
    assert timedelta(0) < closes - opens <= timedelta(hours=49)  # Samoa went without a day in 2011
    assert quiet.contains(wall) == (opens <= wall)
    assert quiet.contains(opens)
    assert opens - wall < timedelta(days=15)


def test_the_next_swap_is_due_after_the_period_in_the_next_quiet_window() -> None:
    quiet = parse_quiet("Sun 02:00-05:00 Europe/Berlin")
    last = at("2026-01-01T12:00")
    assert next_due(last, timedelta(days=60), None) == at("2026-03-02T12:00")
    assert next_due(last, timedelta(days=60), quiet) == at("2026-03-08T01:00")
    assert next_due(at("2026-01-04T02:00"), timedelta(days=7), quiet) == at("2026-01-11T02:00")
