"""Guards that only a clumsy or forged event meets: each is shown to hold where it alone decides."""

import msgspec
import pytest

from skytui.pair.order import Outcome, Result
from skytui.pair.vocabulary import Identity, Role
from skytui.runbook.effects import Raise
from skytui.runbook.events import Balked, Closed, Observed, Passed, Postponed, Refuted, Turned, Waived
from skytui.runbook.machine import advance, fold
from skytui.runbook.model import Doubtful, Proving, Run, Running
from skytui.runbook.refusals import refusal
from skytui.runbook.statements import sign_of_life, why_no_statement
from skytui.runbook.steps import Kind
from skytui.runbook.turning import plan_of_turn, why_no_turn, why_not_later
from skytui.runbook.undo import why_no_abort
from tests.support.walk import WHO, Walk
from tests.support.world import OLD, World, with_value


def in_action(step: str, *, lost: bool = False) -> Walk:
    """The action of this step is under way, or its outcome is lost."""
    walk = Walk().to(step)
    walk.act = (lambda order: Outcome(Result.UNKNOWN, "lost")) if lost else (lambda order: None)
    assert walk.confirm() == ""
    walk.poll()
    assert isinstance(walk.run.stage, Doubtful if lost else Running)
    return walk


def confirmed(step: str) -> Walk:
    """This step is confirmed, and nothing has begun yet."""
    walk = Walk().to(step)
    assert walk.confirm() == ""
    assert isinstance(walk.run.stage, Proving)
    return walk


def held(walk: Walk) -> Run:
    assert walk.hold() == ""
    return walk.run


def test_what_nobody_confirmed_does_not_balk() -> None:
    walk = Walk().to("lock-queues")
    event = Balked(at=walk.world.tick(0.1), wall=walk.world.clock.now(), step="lock-queues", reasons=("no",))
    assert "nobody confirmed" in refusal(walk.run, event)


def test_what_was_never_stated_is_not_refuted() -> None:
    walk = Walk()
    event = Refuted(at=walk.world.tick(0.1), wall=walk.world.clock.now(), says="it runs")
    assert "no statement" in refusal(walk.run, event)


def test_while_one_step_is_checked_no_other_one_passes() -> None:
    walk = Walk().to("users-out")
    assert walk.confirm() == ""
    event = Passed(at=walk.world.tick(0.1), wall=walk.world.clock.now(), step="drain-jobs", proofs=())
    assert "not being checked" in refusal(walk.run, event)


def test_a_lost_conversion_does_not_pass_by_its_gate_alone() -> None:
    walk = in_action("convert", lost=True)
    event = Passed(at=walk.world.tick(0.1), wall=walk.world.clock.now(), step="convert", proofs=())
    assert "not being checked" in refusal(walk.run, event)


def test_what_is_meant_for_another_run_turns_and_postpones_nothing() -> None:
    walk = Walk().to("promote")
    at, wall = walk.world.tick(0.1), walk.world.clock.now()
    plan = plan_of_turn(walk.run)
    turned = Turned(at=at, wall=wall, run="another", who=WHO, reason="it is dead", plan=plan)
    assert "another run" in refusal(walk.run, turned)
    later = Walk().to("convert")
    postponed = Postponed(at=at, wall=wall, run="another", who=WHO, reason="later")
    assert "another run" in refusal(later.run, postponed)


def test_nothing_is_waived_while_it_is_under_way() -> None:
    walk = Walk().to("users-out")
    at, wall = walk.world.tick(0.1), walk.world.clock.now()
    run = msgspec.structs.replace(walk.run, stage=Proving("users-out", at))
    event = Waived(at=at, wall=wall, step="users-out", who=WHO, reason="agreed")
    assert "nothing to waive" in refusal(run, event)


def test_a_run_that_has_ended_is_left_alone() -> None:
    over = Walk().to_end().run
    for why_not in (why_no_abort, why_no_turn, why_not_later, why_no_statement):
        assert why_not(over) == "the run has ended"


@pytest.mark.parametrize(("kind", "says"), [(Kind.UNPLANNED, "already"), (Kind.CONVERT, "only converts")])
def test_only_a_planned_run_is_turned(kind: Kind, says: str) -> None:
    run = msgspec.structs.replace(Walk().to("lock-queues").run, kind=kind)
    assert says in why_no_turn(run)


def test_a_run_is_not_turned_while_an_action_is_under_way_or_about_to_begin() -> None:
    assert "under way" in why_no_turn(in_action("shut-down").run)
    assert "under way" in why_no_turn(confirmed("shut-down").run)


def test_a_conversion_is_left_for_later_only_while_nothing_goes_on() -> None:
    assert why_not_later(Walk().to("convert").run) == ""
    assert "under way" in why_not_later(in_action("convert").run)
    assert "under way" in why_not_later(in_action("convert", lost=True).run)
    assert "held" in why_not_later(held(Walk().to("convert")))


def test_a_statement_is_given_only_while_nothing_goes_on() -> None:
    assert why_no_statement(Walk().to("promote").run) == ""
    assert "under way" in why_no_statement(in_action("promote").run)
    assert "under way" in why_no_statement(confirmed("promote").run)
    assert "held" in why_no_statement(held(Walk().to("promote")))


def test_who_answers_under_another_name_refutes_nothing() -> None:
    walk = Walk(World(), kind=Kind.UNPLANNED).to("promote")
    assert walk.state() == ""
    reading = with_value(walk.world.poll(), OLD, "role", Role.MASTER)
    assert "not powered off" in sign_of_life(walk.run, reading)
    other = with_value(reading, OLD, "identity", Identity("sky-z", 1, "7301"))
    assert sign_of_life(walk.run, other) == ""


def test_a_run_whose_end_could_not_be_recorded_ends_with_the_next_poll() -> None:
    walk = Walk().to_end()
    closed = walk.events.pop()
    assert isinstance(closed, Closed)
    reading = walk.world.poll()
    run = fold(walk.events)
    after, effects = advance(run, Observed(at=reading.now, wall=reading.wall, reading=reading))
    assert after == run
    assert effects == [Raise(Closed(at=reading.now, wall=reading.wall, ending=closed.ending))]


def test_what_may_still_be_under_way_is_not_undone_blindly_by_way_of_an_unplanned_swap() -> None:
    walk = in_action("shut-down", lost=True)
    assert "not known yet" in why_no_abort(walk.run)
    assert walk.turn() == ""
    assert "go on to fence-master" in walk.abort()
    walk.act = walk.world.act
    walk.to("promote")
    assert why_no_abort(walk.run) == ""


def test_a_run_that_was_turned_with_everything_known_may_go_back_at_once() -> None:
    walk = Walk().to("shut-down")
    assert walk.turn() == ""
    assert why_no_abort(walk.run) == ""
