"""Who operates a run: whose confirmations count, and how that changes hands."""

import pytest

from skytui.runbook.machine import fold
from skytui.runbook.model import Waiting
from tests.support.walk import WHO, Walk


def test_whoever_starts_a_run_operates_it() -> None:
    assert Walk().run.operator == WHO


def test_only_the_operator_confirms_and_waives() -> None:
    walk = Walk()
    assert walk.confirm(who="bob") == "ann operates this run, not bob"
    walk.to("users-out")
    assert walk.waive("users-out", "they know", who="bob") == "ann operates this run, not bob"
    assert walk.waive("users-out", "they know") == ""


def test_taken_over_for_a_reason_the_run_is_the_others() -> None:
    walk = Walk().to("lock-queues")
    assert walk.hand_over("bob", "bob") == "taking a run over needs a reason"
    assert walk.hand_over("bob", "bob", "   ") == "taking a run over needs a reason"
    assert walk.hand_over("bob", "bob", "ann is on her way home") == ""
    assert walk.run.operator == "bob"
    assert walk.run.who == WHO, "who started it stays known"
    assert walk.confirm() == "bob operates this run, not ann"
    assert walk.confirm(who="bob") == ""
    assert fold(walk.events) == walk.run


def test_passed_on_it_needs_no_reason() -> None:
    walk = Walk()
    assert walk.hand_over("bob", "ann") == ""
    assert walk.run.operator == "bob"


def test_nobody_passes_on_what_is_not_theirs() -> None:
    walk = Walk()
    assert walk.hand_over("bob", "eve", "please") == "ann operates this run; only ann can pass it on"
    assert walk.hand_over("", "ann") == "to whom it is handed over must be said"
    assert walk.hand_over("ann", "ann") == "ann operates this run already"
    assert walk.run.operator == WHO


def test_the_same_person_takes_it_on_another_console_for_a_reason() -> None:
    walk = Walk()
    assert walk.hand_over("ann", "ann", "the other terminal hangs") == ""
    assert walk.run.operator == WHO


def test_a_hold_is_anybodys_and_ends_with_whoever_holds_or_operates() -> None:
    walk = Walk()
    assert walk.hold("the mail server is down", who="eve") == ""
    assert walk.confirm() == "held by eve: the mail server is down"
    assert walk.release("bob") == "eve holds it and ann operates it; only they let it go on"
    assert walk.release("eve") == ""
    walk.hold("again", who="eve")
    assert walk.release(WHO) == ""
    assert walk.confirm() == ""


@pytest.mark.parametrize("step", ["baseline", "shut-down", "promote"])
def test_handing_over_moves_no_step(step: str) -> None:
    walk = Walk().to(step)
    walk.hand_over("bob", "bob", "shift change")
    assert walk.run.stage == Waiting(step)


def test_a_dead_run_that_another_took_over_is_the_others() -> None:
    walk = Walk().to("lock-queues")
    assert walk.resume(who="bob", after="ann") == ""
    assert walk.run.operator == "bob"
    assert walk.confirm() == "bob operates this run, not ann"


def test_the_same_persons_resume_changes_no_operator() -> None:
    walk = Walk()
    walk.hand_over("bob", "ann")
    walk.resume(who=WHO)
    assert walk.run.operator == "bob"


def test_a_run_that_is_over_is_nobodys_to_take() -> None:
    walk = Walk().to_end()
    assert walk.hand_over("bob", "bob", "why not") == "the run has ended"
