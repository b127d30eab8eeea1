"""A gate let pass unproven: only where the procedure says so, with a reason, and never clean."""

import pytest

from skytui.pair.vocabulary import Job, User
from skytui.runbook.events import Closed, Waived
from skytui.runbook.model import Ended, Ending, Waiting
from skytui.runbook.steps import PLANNED, STEPS
from tests.support.walk import WHO, Walk

WAIVABLE = [step.id for step in PLANNED if step.waivable]
OTHERS = [step.id for step in PLANNED if not step.waivable]


@pytest.mark.parametrize("step", OTHERS)
def test_what_the_procedure_does_not_let_be_waived_is_not(step: str) -> None:
    assert Walk().to(step).waive(step, "no time") == f"the procedure does not let {step} be waived"


@pytest.mark.parametrize("step", WAIVABLE)
def test_a_waiver_needs_a_reason(step: str) -> None:
    walk = Walk().to(step)
    assert walk.waive(step, "") == "a waiver needs a reason"
    assert walk.waive(step, " \t") == "a waiver needs a reason"


@pytest.mark.parametrize("step", WAIVABLE)
def test_a_waiver_counts_for_the_card_that_is_up_only(step: str) -> None:
    assert "another step" in Walk().waive(step, "no time")


@pytest.mark.parametrize(
    ("step", "confirmed"),
    [
        *(pytest.param(step, False, id=f"{step}-waiting") for step in WAIVABLE),
        *(pytest.param(step, True, id=f"{step}-checking") for step in WAIVABLE if not STEPS[step].action),
    ],
)
def test_a_run_with_a_waiver_is_not_called_clean(step: str, confirmed: bool) -> None:
    walk = Walk().to(step)
    if confirmed:
        walk.confirm()
    assert walk.waive(step, "agreed with operations") == ""
    record = walk.run.record(step)
    assert record is not None
    assert record.waived
    assert [(waiver.step, waiver.reason, waiver.who) for waiver in walk.run.waivers] == [
        (step, "agreed with operations", WHO)
    ]
    walk.to_end()
    assert walk.run.stage == Ended(Ending.NOT_CLEAN)
    assert isinstance(walk.events[-1], Closed)


def test_a_held_run_takes_no_waiver() -> None:
    walk = Walk().to("users-out")
    walk.hold("the night shift ends", "bob")
    assert walk.waive("users-out", "no time") == "held by bob: the night shift ends"
    walk.release()
    assert walk.waive("users-out", "no time") == ""


def test_a_waiver_lets_one_gate_pass_and_no_more() -> None:
    walk = Walk().to("users-out")
    walk.world.old.users.append(User("ann"))
    walk.world.old.running.append(Job("1", "nightly", "agent-1"))
    walk.waive("users-out", "she knows")
    walk.to("drain-jobs")
    walk.confirm()
    for _ in range(3):
        walk.poll()
    assert walk.run.record("drain-jobs") is None
    assert not isinstance(walk.run.stage, Waiting)


def test_what_was_unproven_stands_in_the_record() -> None:
    walk = Walk().to("users-out")
    at, wall = walk.world.tick(), walk.world.clock.now()
    unproven = ("1 logged in: ann from 10.0.0.9",)
    waived = Waived(at=at, wall=wall, step="users-out", who=WHO, reason="she knows", unproven=unproven)
    assert walk.feed(waived) == ""
    record = walk.run.record("users-out")
    assert record is not None
    assert record.proofs == unproven
    assert walk.run.waivers[0].unproven == unproven
