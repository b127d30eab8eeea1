"""Usual times, and where the time of a run went."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from skytui.clock import Instant
from skytui.runbook.history import (
    PastRun,
    UsualTime,
    past_run,
    seconds_words,
    usual_spans,
    usual_steps,
    usual_words,
)
from skytui.runbook.paper import remaining_steps
from skytui.runbook.spent import seconds_between, spent_by_step
from tests.support.walk import Walk

START = datetime(2026, 1, 1, tzinfo=UTC)


def run(number: int, seconds: float, kind: str = "planned", **steps: float) -> PastRun:
    return PastRun(
        id=f"r{number}",
        kind=kind,
        old="sky-a",
        new="sky-b",
        ended=START + timedelta(days=number),
        clean=True,
        steps={"promote": seconds, **steps},
        spans={"scheduler-dark": 10 * seconds},
    )


def test_the_usual_time_is_the_median_and_what_nine_in_ten_kept_to() -> None:
    past = [run(n, float(n)) for n in range(1, 12)]
    assert usual_steps(past, "planned")["promote"] == UsualTime(6.0, 10.0, 11)
    assert usual_spans(past, "planned")["scheduler-dark"].median == 60.0


def test_only_runs_of_the_same_kind_count() -> None:
    past = [run(1, 5.0), run(2, 500.0, "unplanned")]
    assert usual_steps(past, "planned")["promote"] == UsualTime(5.0, 5.0, 1)
    assert usual_steps(past, "convert") == {}


def test_what_was_slow_long_ago_is_forgotten() -> None:
    past = [run(0, 9999.0), *(run(n, 1.0) for n in range(1, 21))]
    assert usual_steps(past, "planned")["promote"].p90 == 1.0


def test_a_step_that_only_some_runs_had_is_counted_in_those() -> None:
    past = [run(1, 1.0, salvage=3.0), run(2, 1.0)]
    assert usual_steps(past, "planned")["salvage"].runs == 1


def test_an_ended_run_adds_the_time_of_the_machine_alone() -> None:
    walk = Walk()
    walk.world.clock.advance(1000)
    walk.to_end()
    past = past_run(walk.run, walk.events)
    assert past is not None
    assert past.steps[walk.run.plan[0]] < 10
    assert past.clean
    assert past.spans["scheduler-dark"] > 0


def test_a_waived_step_adds_nothing_and_the_run_is_not_clean() -> None:
    walk = Walk().to("users-out")
    walk.waive("users-out", "they may run on")
    past = past_run(walk.to_end().run, walk.events)
    assert past is not None
    assert "users-out" not in past.steps
    assert not past.clean


def test_an_open_run_and_one_that_was_taken_back_add_nothing() -> None:
    walk = Walk().to("users-out")
    assert past_run(walk.run, walk.events) is None
    walk.abort()
    while not walk.run.over:
        walk.poll()
    assert past_run(walk.run, walk.events) is None


def test_time_over_a_conductors_death_goes_by_the_wall_clock() -> None:
    walk = Walk().to("users-out")
    last = walk.events[-1]
    later = msgspec.structs.replace(last, at=Instant("another", 3.0), wall=last.wall + timedelta(seconds=40))
    assert seconds_between(last, later) == 40
    assert seconds_between(later, last) == 0


def test_the_time_of_a_card_that_nobody_confirmed_yet_is_a_persons() -> None:
    walk = Walk().to("users-out")
    walk.world.clock.advance(30)
    walk.hold()
    spent = spent_by_step(walk.events)["users-out"]
    assert spent.person >= 30
    assert spent.machine == 0


def test_a_journal_that_does_not_start_with_the_run_being_opened_is_refused() -> None:
    walk = Walk().to("users-out")
    with pytest.raises(ValueError, match="starts with"):
        spent_by_step(walk.events[1:])


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.25, "0.2 s"),
        (9.4, "9 s"),
        (119.4, "119 s"),
        (119.6, "2 min"),
        (250, "4 min 10 s"),
        (3599.9, "1 h 00 min"),
        (3900, "1 h 05 min"),
    ],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert seconds_words(seconds) == words


def test_usual_times_in_words() -> None:
    assert usual_words(UsualTime(9.0, 31.0, 5)) == "9 s (p90 31 s, of 5 runs)"
    assert usual_words(UsualTime(9.0, 9.0, 1)) == "9 s (of 1 run)"
    assert "no earlier run" in usual_words(None)


def test_the_plan_says_how_long_each_step_takes() -> None:
    walk = Walk().to("convert")
    text = remaining_steps(walk.run, {}, {"convert": UsualTime(250.0, 600.0, 4)})
    assert "How long: usually 4 min 10 s (p90 10 min, of 4 runs); overdue after 45 min." in text
    assert "How long: no usual time is known; overdue after 10 min." in text
