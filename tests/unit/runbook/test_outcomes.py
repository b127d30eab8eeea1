"""What becomes of a run when an action fails, is refused, gets lost, or its conductor dies."""

import itertools
from collections.abc import Callable

import pytest

from skytui.pair.order import Order, Outcome, Result
from skytui.pair.vocabulary import Action, Role, Scheduler
from skytui.runbook.events import Closed, Finished, Intended, Passed
from skytui.runbook.machine import fold
from skytui.runbook.model import Checking, Doubtful, Ended, Ending, Failed, Proving, Running, Waiting
from skytui.runbook.refusals import confirmable
from skytui.runbook.steps import PLANNED, STEPS
from tests.support.walk import Walk, card_of

ACTIONS = [step.id for step in PLANNED if step.action]
READ_BACK = [step.id for step in PLANNED if step.action and step.readback and step.id != "replication-zero"]
REPEATABLE = [step.id for step in PLANNED if step.action and step.repeatable]
LOST = Outcome(Result.UNKNOWN, "the connection was cut")
FAILED = Outcome(Result.FAILED, "exit code 3", 3)
REFUSED = Outcome(Result.REFUSED, "412", 412)
NEVER = Outcome(Result.NOT_STARTED, "no such token on the server")
DONE = Outcome(Result.DONE, "done", 0, position="0/5000100")


def under_way(step: str) -> Walk:
    """A run whose action of `step` has begun, and did nothing yet."""
    walk = card_of(step)
    walk.act = lambda order: None
    assert walk.confirm() == ""
    walk.poll()
    assert isinstance(walk.run.stage, Running)
    return walk


def in_doubt(step: str) -> Walk:
    walk = under_way(step)
    assert walk.finish(LOST) == ""
    assert isinstance(walk.run.stage, Doubtful)
    return walk


def tokens(walk: Walk) -> list[str]:
    return [order.token for order in walk.performed]


@pytest.mark.parametrize("step", ACTIONS)
def test_a_lost_outcome_is_asked_for_and_never_repeated(step: str) -> None:
    walk = in_doubt(step)
    order = walk.performed[-1]
    assert [probe.token for probe in walk.probed] == [order.token]
    for _ in range(5):
        walk.poll()
    assert tokens(walk).count(order.token) == 1
    assert len(tokens(walk)) == len(set(tokens(walk)))
    assert isinstance(walk.run.stage, Doubtful)


@pytest.mark.parametrize("step", READ_BACK)
def test_a_gate_that_holds_answers_in_place_of_the_lost_outcome(step: str) -> None:
    walk = in_doubt(step)
    walk.world.act(walk.performed[-1])
    walk.settle()
    assert walk.run.record(step) is not None
    assert tokens(walk).count(walk.performed[-1].token) == 1


def test_a_conversion_whose_outcome_is_lost_is_not_passed_by_its_gate() -> None:
    # The server may read standby while the script has not ended yet.
    walk = in_doubt("convert")
    walk.world.act(walk.performed[-1])
    for _ in range(3):
        walk.poll()
    assert isinstance(walk.at(), Doubtful)
    walk.finish(DONE)
    walk.settle()
    assert walk.at() == Waiting("standby-active")


@pytest.mark.parametrize("step", ACTIONS)
def test_a_probe_that_finds_it_done_leads_to_the_gate(step: str) -> None:
    walk = in_doubt(step)
    done = walk.world.act(walk.performed[-1])
    assert walk.finish(done) == ""
    assert isinstance(walk.run.stage, Checking)
    walk.settle()
    assert walk.run.record(step) is not None


@pytest.mark.parametrize("step", ACTIONS)
def test_a_probe_that_finds_it_never_started_puts_the_card_up_again(step: str) -> None:
    walk = in_doubt(step)
    assert walk.finish(NEVER) == ""
    assert walk.run.stage == Waiting(step, NEVER.says)
    lost = walk.performed[-1].token
    walk.confirm()
    walk.poll()
    assert walk.performed[-1].token != lost


@pytest.mark.parametrize("step", ACTIONS)
def test_what_is_in_doubt_may_be_confirmed_again_only_where_that_changes_nothing_more(step: str) -> None:
    walk = in_doubt(step)
    assert confirmable(walk.run, walk.world.clock.now()) is STEPS[step].repeatable
    assert (walk.confirm() == "") is STEPS[step].repeatable


def test_only_what_changes_roles_or_servers_is_not_repeatable() -> None:
    assert set(ACTIONS) - set(REPEATABLE) == {"shut-down", "promote", "convert"}


@pytest.mark.parametrize("step", ACTIONS)
def test_a_lost_outcome_of_the_other_attempt_does_not_come_in_late(step: str) -> None:
    walk = under_way(step)
    first = walk.performed[-1]
    walk.finish(FAILED)
    walk.confirm()
    walk.poll()
    assert walk.performed[-1].token != first.token
    assert walk.finish(DONE, first) == "no such action is under way"


@pytest.mark.parametrize("step", ACTIONS)
@pytest.mark.parametrize("outcome", [FAILED, REFUSED], ids=["failed", "refused"])
def test_what_failed_waits_for_a_person_and_is_tried_again_under_a_new_token(
    step: str, outcome: Outcome
) -> None:
    walk = under_way(step)
    walk.finish(outcome)
    assert walk.run.stage == Failed(step, outcome)
    for _ in range(3):
        walk.poll()
    assert walk.run.stage == Failed(step, outcome)
    first = walk.performed[-1].token
    walk.act = walk.world.act
    assert walk.confirm() == ""
    walk.settle()
    assert walk.run.record(step) is not None
    assert walk.performed[-1].token != first
    assert walk.run.attempts[step] == 2


@pytest.mark.parametrize("step", READ_BACK)
def test_what_was_called_failed_but_is_true_is_not_repeated(step: str) -> None:
    walk = under_way(step)
    walk.world.act(walk.performed[-1])
    walk.finish(FAILED)
    performed = len(walk.performed)
    assert walk.confirm() == ""
    walk.settle()
    assert len(walk.performed) == performed
    assert walk.run.record(step) is not None
    assert isinstance(walk.events[-1], Passed)


def test_a_shut_down_that_was_refused_needs_the_whole_gate_again() -> None:
    walk = under_way("shut-down")
    walk.finish(REFUSED)
    walk.world.old.scheduler = Scheduler("running", 1)
    walk.confirm()
    walk.poll()
    assert walk.run.stage == Waiting("shut-down", "the Job Scheduler on sky-a reads running")


def test_a_shut_down_that_stopped_half_way_is_gone_on_with_while_the_other_reads_standby() -> None:
    walk = under_way("shut-down")
    walk.finish(FAILED)
    assert walk.run.half_way == ("shut-down",)
    walk.world.old.up = False
    walk.world.old.link = ""
    walk.act = walk.world.act
    walk.confirm()
    walk.settle()
    assert walk.run.record("shut-down") is not None


def test_a_shut_down_is_not_gone_on_with_once_the_other_reads_master() -> None:
    walk = under_way("shut-down")
    walk.finish(FAILED)
    walk.world.new.role = Role.MASTER
    walk.confirm()
    walk.poll()
    assert walk.run.stage == Waiting("shut-down", "sky-b reads master")


def test_the_marker_is_known_from_the_outcome_alone() -> None:
    walk = in_doubt("replication-zero")
    walk.world.act(walk.performed[-1])
    for _ in range(15):
        walk.poll()
    assert isinstance(walk.run.stage, Doubtful), "without the marker's position the gate proves nothing"
    walk.finish(Outcome(Result.DONE, "done", position="0/5000100"))
    walk.settle()
    assert walk.run.marker == "0/5000100"


class TestResumed:
    """Another conductor takes the journal up."""

    def test_while_waiting_nothing_changes(self) -> None:
        walk = Walk().to("lock-queues")
        assert walk.resume() == ""
        assert walk.run.stage == Waiting("lock-queues")

    def test_a_confirmation_that_came_to_nothing_is_asked_for_again(self) -> None:
        walk = Walk().to("lock-queues")
        walk.confirm()
        assert isinstance(walk.run.stage, Proving)
        walk.resume()
        for _ in range(3):
            walk.poll()
        assert walk.performed == []
        assert isinstance(walk.run.stage, Waiting)
        assert walk.run.stage.note

    @pytest.mark.parametrize("step", ACTIONS)
    def test_an_action_under_way_is_lost_and_asked_for(self, step: str) -> None:
        walk = under_way(step)
        token = walk.performed[-1].token
        walk.resume()
        assert isinstance(walk.run.stage, Doubtful)
        assert [order.token for order in walk.probed] == [token]
        assert tokens(walk).count(token) == 1

    def test_a_doubt_is_asked_about_again(self) -> None:
        walk = in_doubt("promote")
        walk.resume()
        assert isinstance(walk.run.stage, Doubtful)
        assert len(walk.probed) == 2
        assert tokens(walk).count(walk.performed[-1].token) == 1

    def test_a_gate_is_read_on_and_old_readings_do_not_pass_it(self) -> None:
        walk = Walk().to("lock-queues")
        walk.confirm()
        walk.poll()
        walk.resume()
        assert isinstance(walk.at(), Checking)
        walk.settle()
        assert walk.at() == Waiting("drain-jobs")

    def test_what_failed_goes_on_waiting_for_a_person(self) -> None:
        walk = under_way("promote")
        walk.finish(FAILED)
        walk.resume()
        for _ in range(3):
            walk.poll()
        assert walk.run.stage == Failed("promote", FAILED)

    def test_a_death_between_the_last_gate_and_the_end_ends_the_run(self) -> None:
        whole = Walk().to_end()
        assert isinstance(whole.events[-1], Closed)
        torn = Walk().to("standby-active")
        torn.confirm()
        left = fold(whole.events[:-1])
        assert left is not None
        assert left.complete
        assert not left.over
        torn.take_up(left)
        assert torn.resume() == ""
        assert torn.run.stage == Ended(Ending.DONE)
        assert len(torn.run.records) == len(torn.run.plan)

    def test_a_last_gate_that_passed_on_a_full_disk_ends_at_the_next_poll(self) -> None:
        walk = Walk().to_end()
        left = fold(walk.events[:-1])
        assert left is not None
        walk.take_up(left)
        walk.poll()
        assert walk.run.stage == Ended(Ending.DONE)
        assert len(walk.run.records) == len(walk.run.plan)


def test_no_prefix_of_a_troubled_journal_folds_into_a_second_performance() -> None:
    """Every death at every record: what is resumed performs nothing that was performed before."""
    walk = Walk()
    walk.act = _troubled(walk)
    for _ in range(100):
        if walk.run.over:
            break
        if confirmable(walk.run, walk.world.clock.now()):
            assert walk.confirm() == ""
        walk.poll()
        if walk.run.unlocked_at:
            walk.world.job_completes()
    assert walk.run.over
    for count in range(1, len(walk.events)):
        intended = {e.token for e in walk.events[:count] if isinstance(e, Intended)}
        left = fold(walk.events[:count])
        assert left is not None
        again = Walk()
        again.take_up(left)
        again.act = lambda order: None
        assert again.resume() == ""
        for _ in range(2):
            again.poll()
        assert not intended & {order.token for order in again.performed}
        assert again.performed == []
    assert {e.outcome.result for e in walk.events if isinstance(e, Finished)} >= {
        Result.DONE,
        Result.FAILED,
        Result.UNKNOWN,
    }


def _troubled(walk: Walk) -> Callable[[Order], Outcome]:
    """Every first attempt at a step goes wrong, in one way or the other; the second is carried out."""
    ways = itertools.cycle([LOST, FAILED])

    def act(order: Order) -> Outcome:
        can_be_lost = order.action not in (Action.SHUT_DOWN, Action.PROMOTE, Action.CONVERT)
        return next(ways) if order.token.endswith("-1") and can_be_lost else walk.world.act(order)

    return act
