"""What a headless run was told in advance, and what it would still be missing."""

from datetime import datetime, timedelta

import pytest

from skytui.commands.answers import Answers, parse_answers
from skytui.commands.swap import latest_time
from skytui.errors import UsageError
from skytui.runbook.steps import PLANNED
from tests.support.walk import Walk

TYPED = {"shut-down": "sky-a", "promote": "sky-b", "convert": "sky-a"}


def test_confirmations_and_waivers_are_read_by_step() -> None:
    answers = parse_answers(
        yes=True, confirm=["shut-down=sky-a", "promote=sky-b"], waive=["users-out=it is = 3 a.m."]
    )
    assert answers.yes
    assert answers.confirm == {"shut-down": "sky-a", "promote": "sky-b"}
    assert answers.waive == {"users-out": "it is = 3 a.m."}


@pytest.mark.parametrize("given", ["shut-down", "shut-down=", "shut-down=  ", "="])
def test_what_is_no_pair_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match=r"--confirm .*write --confirm STEP=TEXT"):
        parse_answers(yes=False, confirm=[given], waive=[])


def test_an_unknown_step_is_refused_and_the_steps_are_named() -> None:
    with pytest.raises(UsageError, match=r"there is no step shutdown.*shut-down"):
        parse_answers(yes=False, confirm=["shutdown=sky-a"], waive=[])


@pytest.mark.parametrize("step", [step.id for step in PLANNED if not step.waivable])
def test_what_the_procedure_does_not_let_be_waived_is_refused(step: str) -> None:
    with pytest.raises(UsageError, match="the procedure does not let it be waived"):
        parse_answers(yes=True, confirm=[], waive=[f"{step}=no time"])


def test_without_anything_said_nothing_is_confirmed() -> None:
    run, answers = Walk().run, Answers()
    assert all(answers.phrase(run, step) is None for step in PLANNED)


def test_yes_covers_plain_confirmations_only() -> None:
    run, answers = Walk().run, Answers(yes=True)
    confirmed = {step.id for step in PLANNED if answers.phrase(run, step) is not None}
    assert confirmed == {step.id for step in PLANNED} - set(TYPED)


def test_typed_ones_must_be_said_each() -> None:
    run = Walk().run
    assert Answers(yes=True).missing(run) == [f"--confirm {step}={name}" for step, name in TYPED.items()]
    assert Answers(yes=True, confirm=TYPED).missing(run) == []


def test_a_wrong_phrase_is_as_good_as_none() -> None:
    answers = Answers(yes=True, confirm=TYPED | {"promote": "sky-a"})
    assert answers.missing(Walk().run) == ["--confirm promote=sky-b"]


def test_everything_missing_is_named_at_once_and_yes_once() -> None:
    assert Answers().missing(Walk().run) == [
        "--yes",
        "--confirm shut-down=sky-a",
        "--confirm promote=sky-b",
        "--confirm convert=sky-a",
    ]


def test_of_a_run_under_way_only_what_is_left_is_missing() -> None:
    assert Answers(yes=True).missing(Walk().to("agents-back").run) == ["--confirm convert=sky-a"]


def test_a_practice_pair_fills_in_the_phrases_but_only_with_yes() -> None:
    run = Walk().run
    assert Answers(yes=True, practice=True).missing(run) == []
    assert "--confirm promote=sky-b" in Answers(practice=True).missing(run)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("drain-jobs", "write --decide STEP=DECISION"),
        ("=accept", "write --decide STEP=DECISION"),
        ("lock-queues=accept", "lock-queues has no list to decide on"),
        ("drain-jobs=leave", "drain-jobs takes accept"),
    ],
)
def test_a_decision_that_is_none_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_answers(yes=True, confirm=[], waive=[], decide=[text])


def test_a_decision_is_for_one_row_or_for_the_rest() -> None:
    given = ["drain-jobs/nightly@2026-11-22T02:00:00Z=accept", "first-job=leave"]
    answers = parse_answers(yes=True, confirm=[], waive=[], decide=given)
    assert answers.decide == {
        "drain-jobs/nightly@2026-11-22T02:00:00Z": "accept",
        "first-job": "leave",
    }


def test_the_latest_time_is_the_next_moment_the_clock_here_shows_it() -> None:
    now = datetime(2026, 11, 22, 23, 30).astimezone()
    assert latest_time("", now) is None
    assert latest_time("23:45", now) == now + timedelta(minutes=15)
    assert latest_time("00:30", now) == now + timedelta(hours=1)
    with pytest.raises(UsageError, match="write a time of day"):
        latest_time("soon", now)
