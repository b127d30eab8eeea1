"""Taking a run back: from everywhere before the point of no return to how things were; not after it."""

import copy

import pytest

from skytui.pair.order import Order, Outcome, Result
from skytui.pair.vocabulary import Action, Role, Scheduler
from skytui.runbook.events import Aborted, Intended
from skytui.runbook.machine import fold
from skytui.runbook.model import Doubtful, Ended, Ending, Failed, Running, Waiting
from skytui.runbook.steps import PLANNED
from tests.support.walk import PLAN, Walk
from tests.support.world import OLD, World

BACK = PLAN[: PLAN.index("promote") + 1]
AHEAD = PLAN[PLAN.index("promote") + 1 :]
UNDONE = {
    "lock-queues": Action.UNLOCK_QUEUES,
    "stop-scheduler": Action.START_SCHEDULER,
    "guard-master": Action.CLEAR_GUARD,
    "shut-down": Action.START,
}


def state_of(world: World) -> object:
    """What an abort has to bring back."""
    return [
        (s.role, s.up, s.guard, s.scheduler.state, s.queues, s.control, s.standby_status)
        for s in (world.old, world.new)
    ]


@pytest.mark.parametrize("step", BACK)
def test_from_every_step_the_pair_is_as_it_was(step: str) -> None:
    walk = Walk()
    before = copy.deepcopy(state_of(walk.world))
    walk.to(step)
    behind = [UNDONE[done] for done in PLAN[: PLAN.index(step)] if done in UNDONE]
    done = len(walk.performed)
    assert walk.abort() == ""
    walk.settle()
    assert walk.run.stage == Ended(Ending.ROLLED_BACK)
    assert walk.run.ledger == ()
    assert state_of(walk.world) == before
    assert [order.action for order in walk.performed[done:]] == behind[::-1]
    assert {order.server for order in walk.performed[done:]} <= {OLD}
    assert fold(walk.events) == walk.run


@pytest.mark.parametrize("step", AHEAD)
def test_after_the_point_of_no_return_it_is_refused_with_the_way_forward(step: str) -> None:
    walk = Walk().to(step)
    says = walk.abort()
    assert says.startswith("sky-b was told to become the master, and that cannot be taken back")
    assert says.endswith("finish the run, then swap back")


def test_the_intent_of_promote_is_enough() -> None:
    walk = Walk().to("promote")
    walk.act = lambda order: Outcome(Result.NOT_STARTED, "no connection")
    walk.confirm()
    walk.poll()
    assert isinstance(walk.at(), Waiting)
    assert "cannot be taken back" in walk.abort()


def test_it_needs_the_operator_a_reason_and_the_right_run() -> None:
    walk = Walk().to("shut-down")
    assert walk.abort(reason="  ") == "an abort needs a reason"
    assert walk.abort(who="bob") == "ann operates this run, not bob"
    event = Aborted(
        at=walk.world.tick(), wall=walk.world.clock.now(), run="x", who="ann", reason="r", plan=()
    )
    assert walk.feed(event) == "this abort was for another run"
    assert walk.abort(plan=("restored",)) == "these steps do not take back what was done"
    assert walk.run.abort is None


def test_nothing_is_aborted_twice_or_while_it_is_held() -> None:
    walk = Walk().to("shut-down")
    walk.hold()
    assert walk.abort() == "held by bob: lunch; let it go on first"
    walk.release()
    assert walk.abort() == ""
    assert walk.abort() == "ann aborted it already; it goes backwards"


def test_an_action_under_way_ends_first() -> None:
    walk = Walk().to("shut-down")
    walk.act = lambda order: None
    walk.confirm()
    walk.poll()
    assert isinstance(walk.at(), Running)
    assert walk.abort() == "shut-down is under way; abort when it has ended"


def test_a_shut_down_in_doubt_is_not_undone_blindly() -> None:
    walk = Walk().to("shut-down")
    walk.act = lambda order: Outcome(Result.UNKNOWN, "cut off")
    walk.confirm()
    walk.poll()
    assert isinstance(walk.at(), Doubtful)
    assert "must not be undone blindly" in walk.abort()


def test_a_lock_in_doubt_is_taken_back_whether_it_was_carried_out_or_not() -> None:
    for carried_out in (True, False):
        walk = Walk().to("lock-queues")

        def act(order: Order, *, walk: Walk = walk, carried_out: bool = carried_out) -> Outcome:
            if carried_out or order.action is not Action.LOCK_QUEUES:
                walk.world.act(order)
            doubt = order.action is Action.LOCK_QUEUES
            return Outcome(Result.UNKNOWN, "cut off") if doubt else Outcome(Result.DONE, "done")

        walk.act = act
        walk.confirm()
        walk.poll()
        assert walk.abort() == ""
        walk.settle()
        assert walk.run.stage == Ended(Ending.ROLLED_BACK)
        assert [order.action for order in walk.performed[1:]] == (
            [Action.UNLOCK_QUEUES] if carried_out else []
        )
        assert not any(walk.world.old.queues[queue] for queue in ("night", "reports"))


def test_a_shut_down_that_failed_half_way_is_started_again() -> None:
    walk = Walk().to("shut-down")

    def act(order: Order) -> Outcome:
        walk.world.act(order)
        failed = order.action is Action.SHUT_DOWN
        return Outcome(Result.FAILED, "the database hangs", 1) if failed else Outcome(Result.DONE, "done")

    walk.act = act
    walk.confirm()
    walk.poll()
    assert isinstance(walk.at(), Failed)
    assert walk.abort() == ""
    walk.settle()
    assert walk.run.stage == Ended(Ending.ROLLED_BACK)


def test_a_master_is_not_started_again_beside_another_one() -> None:
    walk = Walk().to("promote")
    walk.world.new.role = Role.MASTER
    assert walk.abort() == ""
    for _ in range(10):
        walk.poll()
    assert isinstance(walk.at(), Waiting)
    assert "sky-b reads master" in getattr(walk.at(), "note", "")
    assert not any(order.action is Action.START for order in walk.performed)
    walk.world.new.role = Role.STANDBY
    assert walk.confirm() == ""
    walk.settle()
    assert walk.run.stage == Ended(Ending.ROLLED_BACK)


def test_an_undo_that_fails_waits_for_a_person_and_says_what_is_owed() -> None:
    walk = Walk().to("promote")

    def act(order: Order) -> Outcome:
        if order.action is Action.CLEAR_GUARD and not failed:
            failed.append(order)
            return Outcome(Result.FAILED, "read-only file system", 1)
        return walk.world.act(order)

    failed: list[Order] = []
    walk.act = act
    walk.abort()
    for _ in range(12):
        walk.poll()
    stage = walk.at()
    assert isinstance(stage, Failed)
    assert stage.step == "unguard-master"
    assert [debt.what for debt in walk.run.ledger] == ["lock-queues", "stop-scheduler", "guard-master"]
    assert walk.confirm() == ""
    walk.settle()
    assert walk.run.stage == Ended(Ending.ROLLED_BACK)
    assert walk.run.ledger == ()


def test_what_was_stopped_before_stays_stopped() -> None:
    world = World()
    world.old.scheduler = Scheduler("stopped")
    walk = Walk(world).to("promote")
    walk.abort()
    walk.settle()
    assert walk.run.stage == Ended(Ending.ROLLED_BACK)
    assert world.old.scheduler.state == "stopped"


def test_a_hold_stops_it_too_and_let_go_it_goes_on_by_itself() -> None:
    walk = Walk().to("promote")
    walk.abort()
    walk.hold()
    for _ in range(5):
        walk.poll()
    assert not walk.run.over
    walk.release()
    stage = walk.at()
    if isinstance(stage, Waiting) and stage.note:
        walk.confirm()
    walk.settle()
    assert walk.run.over


def test_a_death_in_the_middle_goes_on_backwards() -> None:
    walk = Walk().to("promote")
    walk.abort()
    walk.poll()
    intents = sum(isinstance(event, Intended) for event in walk.events)
    walk.resume()
    assert walk.run.abort is not None
    for _ in range(4):
        walk.confirm()
        walk.poll()
    walk.settle(60)
    assert walk.run.stage == Ended(Ending.ROLLED_BACK)
    actions = [event.action for event in walk.events if isinstance(event, Intended)]
    assert len(actions) == len(set(actions)), "nothing is done twice"
    assert intents <= len(actions)


def test_every_action_before_the_point_of_no_return_has_its_undo() -> None:
    """But the marker: a row in the replicated database, which stays as a record."""
    changing = {step.id for step in PLANNED if step.action and step.id in BACK} - {"promote"}
    assert {step.id for step in PLANNED if step.undo} == set(UNDONE) == changing - {"replication-zero"}


def test_a_run_that_goes_back_is_turned_and_goes_back_again_takes_everything_back() -> None:
    walk = Walk().to("promote")
    before = copy.deepcopy(state_of(Walk().world))
    act = walk.act
    walk.act = lambda o: Outcome(Result.FAILED, "no") if o.action is Action.UNLOCK_QUEUES else act(o)
    assert walk.abort() == ""
    for _ in range(10):
        walk.poll()
    assert isinstance(walk.run.stage, Failed)
    assert walk.run.step is not None
    assert walk.run.step.id == "unlock-again"
    walk.act = act
    assert walk.turn() == ""
    assert walk.run.number("assess") == len(walk.run.records) + 1
    assert walk.abort() == ""
    walk.settle()
    over = walk.run
    assert over.stage == Ended(Ending.ROLLED_BACK)
    assert walk.run.ledger == ()
    assert [record.step for record in walk.run.records] == list(walk.run.plan)
    assert state_of(walk.world) == before
    assert fold(walk.events) == walk.run
