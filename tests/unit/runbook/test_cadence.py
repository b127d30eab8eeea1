"""When the last swap was, and when the next is due."""

from datetime import UTC, datetime, time, timedelta

from skytui.pair.quiet import QuietWindow
from skytui.runbook.cadence import Cadence, Timing, cadence_of, cadence_words
from skytui.runbook.history import PastRun

DAY = timedelta(days=1)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


SUNDAY = QuietWindow("Sun 02:00-05:00 UTC", frozenset({6}), time(2), time(5), UTC)


def past(days_ago: float, new: str = "sky-b", clean: bool = True) -> PastRun:
    ended = NOW - days_ago * DAY
    return PastRun(id=f"r{days_ago:g}", kind="planned", old="sky-a", new=new, ended=ended, clean=clean)


def test_without_anything_known_it_says_so() -> None:
    assert cadence_words(cadence_of([], Timing(), NOW), NOW) == ("no swap by skytui is recorded here",)


def test_the_latest_run_counts_whatever_their_order() -> None:
    found = cadence_of([past(3, "sky-a"), past(70)], Timing(), NOW)
    assert found.last is not None
    assert (found.last.run, found.last.master) == ("r3", "sky-a")
    assert found.due is None
    (says,) = cadence_words(found, NOW)
    assert "3 days ago (run r3; sky-a became the master)" in says


def test_the_next_swap_is_due_in_the_quiet_window_after_the_days_have_passed() -> None:
    found = cadence_of([past(30)], Timing(60 * DAY, SUNDAY), NOW)
    assert found.due is not None
    assert found.due >= NOW + 30 * DAY
    assert (found.due.weekday(), found.due.hour) == (6, 2)
    _, due, quiet = cadence_words(found, NOW)
    assert due.startswith(f"next swap due {found.due:%Y-%m-%d} 02:00 UTC, in ")
    assert quiet.startswith("quiet window Sun 02:00-05:00 UTC: next ")


def test_a_due_date_in_the_middle_of_a_window_counts_as_it_is() -> None:
    sunday = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
    run = PastRun(id="r", kind="planned", old="a", new="b", ended=sunday - 7 * DAY, clean=True)
    assert cadence_of([run], Timing(7 * DAY, SUNDAY), sunday).due == sunday


def test_one_that_is_overdue_says_by_how_much() -> None:
    found = cadence_of([past(65)], Timing(60 * DAY), NOW)
    assert "next swap OVERDUE" in cadence_words(found, NOW)[1]
    assert "5 days ago (every 60 days)" in cadence_words(found, NOW)[1]


def test_before_the_first_swap_nothing_is_due() -> None:
    found = cadence_of([], Timing(60 * DAY), NOW)
    assert cadence_words(found, NOW)[1] == "next swap due: not known before the first one (every 60 days)"


def test_an_open_window_says_until_when() -> None:
    now = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
    found = cadence_of([], Timing(None, SUNDAY), now)
    assert cadence_words(found, now)[1] == "quiet window Sun 02:00-05:00 UTC: open now, until 05:00 UTC"
    assert not found.outdated(now)
    assert found.outdated(now + timedelta(hours=2))
    assert not Cadence().outdated(now)


def test_a_run_that_was_not_clean_says_so() -> None:
    assert ", not clean;" in cadence_words(cadence_of([past(1, clean=False)], Timing(), NOW), NOW)[0]


def test_a_conversion_alone_is_no_swap() -> None:
    conversion = PastRun(id="c", kind="convert", old="sky-a", new="sky-b", ended=NOW, clean=True)
    found = cadence_of([past(3), conversion], Timing(), NOW)
    assert found.last is not None
    assert found.last.run == "r3"
