"""Deadlines by configuration, in place of the procedure's own."""

import msgspec

from skytui.runbook.machine import fold
from skytui.runbook.orders import expectation, order_for
from skytui.runbook.steps import STEPS
from tests.support.walk import Walk

SOON = {"users-out": 5.0, "promote": 7.0}


def walk_with_deadlines() -> Walk:
    walk = Walk()
    opened = msgspec.structs.replace(walk.events[0], deadlines=SOON)
    walk.events = [opened]
    run = fold([opened])
    assert run is not None
    walk.take_up(run)
    return walk


def test_a_step_is_overdue_by_the_deadline_of_its_own_run() -> None:
    walk = walk_with_deadlines()
    walk.to("users-out")
    began = walk.run.stage_wall
    at = walk.world.clock
    at.advance(6.0)
    assert walk.run.overdue(began) == 0
    assert walk.run.overdue(at.now()) > 0
    usual = msgspec.structs.replace(walk.run, deadlines={})
    assert usual.overdue(at.now()) == 0


def test_what_is_asked_of_a_server_has_it_too_and_the_other_steps_have_the_procedures() -> None:
    run = walk_with_deadlines().run
    for step in (STEPS["promote"], STEPS["convert"]):
        order = order_for(run, step, "t", expectation(run, step, None))
        assert order.deadline == SOON.get(step.id, step.deadline)


def test_a_run_that_is_taken_up_keeps_them() -> None:
    walk = walk_with_deadlines()
    raw = msgspec.json.encode(walk.events[0])
    again = fold([msgspec.json.decode(raw, type=type(walk.events[0]))])
    assert again is not None
    assert again.deadlines == SOON
