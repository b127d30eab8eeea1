"""How far a command has got, and that it has stopped getting on."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from skytui.runbook.progress import Progress, begun, heard, progress_words, stall_words

START = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
STALL = 45.0


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def told(*lines: tuple[float, str, float | None]) -> Progress:
    progress = begun("t", "convert", "sky-a", START)
    for seconds, line, percent in lines:
        progress = heard(progress, line, percent, at(seconds))
    return progress


def test_its_pace_says_how_long_it_takes_yet() -> None:
    progress = told((0, "0 kB (0%)", 0), (60, "25 kB (25%)", 25))
    assert progress.left(at(60)) == 180
    assert progress.left(at(72)) == 168
    assert progress_words(progress, at(72), STALL) == "25 %, for 12 s; about 3 min left"


def test_without_a_pace_nothing_is_said_of_the_time_left() -> None:
    assert told((0, "(0%)", 0)).left(at(5)) is None
    assert told((0, "(0%)", 0), (5, "(100%)", 100)).left(at(5)) is None
    assert progress_words(told((0, "(0%)", 0)), at(5), STALL) == "0 %, for 5 s"


def test_each_part_that_counts_from_nothing_has_a_pace_of_its_own() -> None:
    progress = told((0, "a (0%)", 0), (10, "a (100%)", 100), (20, "b (0%)", 0), (30, "b (50%)", 50))
    assert progress.left(at(30)) == 10


def test_the_same_line_over_and_over_is_no_progress() -> None:
    progress = told((0, "7/99 kB (7%)", 7), (30, "7/99 kB (7%)", 7), (50, "7/99 kB (7%)", 7))
    assert progress.unmoved(at(50)) == 50
    assert progress_words(progress, at(50), STALL) == "no progress for 50 s at 7 %; it is left to run"


def test_more_of_a_large_copy_is_progress_though_its_percent_stay() -> None:
    progress = told((0, "7000/99999 kB (7%)", 7), (40, "7900/99999 kB (7%)", 7))
    assert progress.unmoved(at(50)) == 10


def test_chatter_beside_the_percent_is_no_progress() -> None:
    progress = told((0, "(7%)", 7), (20, "still waiting, 20 s", None), (40, "still waiting, 40 s", None))
    assert progress.unmoved(at(50)) == 50
    assert progress.heard == at(40)


def test_a_command_that_never_says_how_far_it_is_gets_on_with_every_other_line() -> None:
    progress = told((20, "copying a", None), (40, "copying b", None))
    assert progress.unmoved(at(50)) == 10
    assert "does not say how far it is; its last word came 10 s ago" in progress_words(
        progress, at(50), STALL
    )
    silent = begun("t", "convert", "sky-a", START)
    assert stall_words(silent, at(60)) == "no progress for 60 s; it is left to run"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=3), st.none() | st.floats(0, 100)), max_size=30))
def test_whatever_it_says_it_was_never_heard_later_than_now_nor_is_there_less_than_no_time_left(
    lines: list[tuple[str, float | None]],
) -> None:
    progress = told(*((float(n), line, percent) for n, (line, percent) in enumerate(lines)))
    now = at(len(lines) + 1)
    assert START <= progress.moved <= progress.heard <= now
    left = progress.left(now)
    assert left is None or left >= 0
    assert progress_words(progress, now, STALL)
