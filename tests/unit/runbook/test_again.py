"""An attempt that ended without what it was for: how the step is gone on with, and what is never repeated."""

from datetime import timedelta

import pytest

from skytui.pair.order import Order, Outcome, Result
from skytui.pair.vocabulary import Action, Role
from skytui.runbook.machine import fold
from skytui.runbook.model import Checking, Failed, Proving, Running, Waiting
from skytui.runbook.prospect import Turn, prospect
from skytui.runbook.refusals import confirmable
from skytui.runbook.steps import PLANNED, STEPS
from tests.support.walk import Walk, card_of

ACTIONS = [step.id for step in PLANNED if step.action]
DONE = Outcome(Result.DONE, "done", 0, position="0/5000100")
FAILED = Outcome(Result.FAILED, "exit code 1", 1)
REFUSED = Outcome(Result.REFUSED, "it says sky-a standby")


def stuck(step: str) -> Walk:
    """The action of `step` was called done and changed nothing: its gate stays shut."""
    walk = card_of(step)
    walk.act = lambda order: DONE
    assert walk.confirm() == ""
    walk.poll()
    walk.poll()
    assert isinstance(walk.run.stage, Checking)
    return walk


def let_it_be_late(walk: Walk) -> None:
    step = walk.run.step
    assert step is not None
    walk.world.tick(step.deadline + 1)
    walk.poll()


def performed(walk: Walk, action: Action) -> list[Order]:
    return [order for order in walk.performed if order.action is action]


# The marker is written and only has not arrived: its gate opens by itself.
@pytest.mark.parametrize("step", [step for step in ACTIONS if step != "replication-zero"])
class TestDoneButTheGateStaysShut:
    def test_before_the_deadline_there_is_nothing_to_confirm(self, step: str) -> None:
        walk = stuck(step)
        assert not confirmable(walk.run, walk.world.clock.now())
        assert walk.confirm() == "this step is under way; there is nothing to confirm"
        assert prospect(walk.run, walk.world.poll()).turn is Turn.MACHINE

    def test_after_it_the_operator_may_try_again(self, step: str) -> None:
        walk = stuck(step)
        let_it_be_late(walk)
        ahead = prospect(walk.run, walk.world.poll())
        assert ahead.turn is Turn.OPERATOR
        assert ahead.phrase == walk.run.phrase(STEPS[step])
        assert ahead.overdue > 0
        walk.act = walk.world.act
        assert walk.confirm() == ""
        walk.settle()
        assert walk.run.record(step) is not None
        assert walk.run.attempts[step] == 2
        assert fold(walk.events) == walk.run

    def test_what_is_true_by_then_passes_and_is_not_repeated(self, step: str) -> None:
        walk = stuck(step)
        let_it_be_late(walk)
        assert walk.confirm() == ""
        assert isinstance(walk.run.stage, Proving)
        walk.world.act(walk.performed[-1])
        count = len(walk.performed)
        walk.settle()
        assert walk.run.record(step) is not None
        assert len(walk.performed) == count

    def test_a_confirmation_for_another_host_is_refused(self, step: str) -> None:
        walk = stuck(step)
        let_it_be_late(walk)
        if STEPS[step].typed:
            assert walk.confirm(phrase="sky-z").startswith("type the host's name")

    def test_the_wait_goes_on_if_nobody_confirms(self, step: str) -> None:
        walk = stuck(step)
        let_it_be_late(walk)
        walk.world.act(walk.performed[-1])
        walk.settle()
        assert walk.run.record(step) is not None
        assert walk.run.attempts[step] == 1


@pytest.mark.parametrize("step", [step.id for step in PLANNED if not step.action])
def test_a_step_that_only_looks_has_nothing_to_try_again(step: str) -> None:
    walk = Walk().to(step)
    walk.world.old.up = walk.world.new.up = False
    assert walk.confirm() == ""
    let_it_be_late(walk)
    assert isinstance(walk.run.stage, Checking)
    assert not confirmable(walk.run, walk.world.clock.now() + timedelta(days=1))


def test_a_shut_down_that_left_the_database_running_is_gone_on_with() -> None:
    walk = stuck("shut-down")
    walk.world.old.link = ""
    let_it_be_late(walk)
    walk.confirm()
    walk.poll()
    assert walk.run.half_way == ("shut-down",)
    assert isinstance(walk.run.stage, Running | Checking), "its full gate would ask for a live link"


def test_a_promotion_is_not_tried_again_while_the_old_master_may_be_up() -> None:
    walk = stuck("promote")
    walk.world.old.up = True
    let_it_be_late(walk)
    walk.confirm()
    walk.poll()
    assert isinstance(walk.run.stage, Waiting)
    assert len(performed(walk, Action.PROMOTE)) == 1


class TestConversionThatIsTrueAllTheSame:
    """Its script failed, or refused, and that server reads standby: it is not run again."""

    def converted_but(self, outcome: Outcome) -> Walk:
        walk = Walk().to("convert")
        walk.act = lambda order: None
        assert walk.confirm() == ""
        walk.poll()
        walk.world.act(walk.performed[-1])
        assert walk.finish(outcome) == ""
        walk.poll()
        assert isinstance(walk.run.stage, Failed), "a person looks at it first"
        return walk

    @pytest.mark.parametrize("outcome", [FAILED, REFUSED], ids=["failed", "refused"])
    def test_the_confirmed_retry_passes_on_the_gate(self, outcome: Outcome) -> None:
        walk = self.converted_but(outcome)
        assert prospect(walk.run, walk.world.poll()).turn is Turn.OPERATOR
        assert walk.confirm() == ""
        walk.poll()
        assert walk.run.record("convert") is not None
        assert len(performed(walk, Action.CONVERT)) == 1
        assert fold(walk.events) == walk.run

    def test_not_while_its_guard_is_still_set(self) -> None:
        walk = self.converted_but(FAILED)
        walk.world.old.guard = True
        walk.act = lambda order: REFUSED
        walk.confirm()
        walk.poll()
        assert walk.run.record("convert") is None


def test_what_a_promotion_that_failed_was_for_is_shown_as_confirmable_once_it_is_true() -> None:
    walk = Walk().to("promote")
    walk.act = lambda order: FAILED
    walk.confirm()
    walk.poll()
    walk.world.act(walk.performed[-1])
    assert walk.world.new.role is Role.MASTER
    ahead = prospect(walk.run, walk.world.poll())
    assert (ahead.turn, ahead.reasons) == (Turn.OPERATOR, ())
    walk.confirm()
    walk.poll()
    assert walk.run.record("promote") is not None
    assert len(performed(walk, Action.PROMOTE)) == 1
