"""The planned swap from end to end, over a pair made of plain values."""

import pytest

from skytui.pair.vocabulary import OPTIONAL_STEPS, Action
from skytui.runbook.events import Closed, Confirmed, Finished, Intended, Passed, Recorded
from skytui.runbook.machine import advance, fold
from skytui.runbook.model import Ended, Ending, Waiting
from skytui.runbook.steps import PLANNED, STEPS, UNDO
from tests.support.walk import PLAN, Walk
from tests.support.world import LOCKED_QUEUES, NEW, OLD, OPEN_QUEUES


@pytest.fixture(scope="module")
def whole() -> Walk:
    return Walk().to_end()


def told(events: list[Recorded]) -> list[tuple[str, str]]:
    """(what, step) of everything that belongs to a step."""
    names = {Confirmed: "confirmed", Intended: "intended", Finished: "finished", Passed: "passed"}
    return [
        (names[type(event)], event.step)
        for event in events
        if isinstance(event, Confirmed | Intended | Finished | Passed)
    ]


def test_every_step_is_confirmed_intended_finished_and_passed_in_the_order_of_the_plan(whole: Walk) -> None:
    expected = [
        (what, step.id)
        for step in PLANNED
        for what in (
            ("confirmed", "intended", "finished", "passed")
            if step.action and not step.only_if_needed
            else ("confirmed", "passed")
        )
    ]
    assert told(whole.events) == expected
    assert isinstance(whole.events[-1], Closed)


def test_the_run_ends_done_with_an_empty_ledger(whole: Walk) -> None:
    run = whole.run
    assert run.stage == Ended(Ending.DONE)
    assert run.ledger == ()
    assert run.waivers == ()
    assert [record.step for record in run.records] == list(PLAN)
    assert all(record.proofs for record in run.records)


def test_the_fold_of_every_prefix_is_the_run_as_it_was_then(whole: Walk) -> None:
    live = None
    for count, event in enumerate(whole.events, start=1):
        live, _ = advance(live, event)
        assert fold(whole.events[:count]) == live
    assert live == whole.run


def test_folding_performs_nothing(whole: Walk) -> None:
    done = list(whole.world.done)
    fold(whole.events)
    assert whole.world.done == done


def test_each_action_was_carried_out_once_on_the_right_server(whole: Walk) -> None:
    assert [(order.action, order.server) for order in whole.world.done] == [
        (Action.LOCK_QUEUES, OLD),
        (Action.STOP_SCHEDULER, OLD),
        (Action.WRITE_MARKER, OLD),
        (Action.SET_GUARD, OLD),
        (Action.SHUT_DOWN, OLD),
        (Action.PROMOTE, NEW),
        (Action.START_SCHEDULER, NEW),
        (Action.UNLOCK_QUEUES, NEW),
        (Action.CONVERT, OLD),
    ]
    tokens = [order.token for order in whole.world.done]
    assert len(set(tokens)) == len(tokens)


def test_every_order_expects_the_right_name_role_and_timeline(whole: Walk) -> None:
    for order in whole.world.done:
        assert order.expects.name == order.server
        step = next(step for step in PLANNED if step.action is order.action)
        assert order.expects.role is step.role
        assert order.peer in (OLD, NEW)
        assert order.peer != order.server
    timelines = {order.action: order.expects.timeline for order in whole.world.done}
    assert timelines[Action.SHUT_DOWN] == 3
    assert timelines[Action.PROMOTE] == 3
    assert timelines[Action.UNLOCK_QUEUES] == 4
    assert timelines[Action.CONVERT] == 0, "a server that is down tells no timeline"


def test_only_the_queues_that_were_open_are_locked_and_unlocked(whole: Walk) -> None:
    touched = [order for order in whole.world.done if order.queues]
    assert [(order.action, order.queues) for order in touched] == [
        (Action.LOCK_QUEUES, OPEN_QUEUES),
        (Action.UNLOCK_QUEUES, OPEN_QUEUES),
    ]
    assert whole.world.new.queues == dict.fromkeys(OPEN_QUEUES, False) | dict.fromkeys(LOCKED_QUEUES, True)


def test_the_ledger_owes_from_the_intent_and_is_paid_by_the_gate() -> None:
    walk, owed = Walk(), {}
    for step in PLAN[1:]:
        walk.to(step)
        owed[step] = [debt.what for debt in walk.run.ledger]
    assert owed["lock-queues"] == []
    assert owed["stop-scheduler"] == ["lock-queues"]
    assert owed["promote"] == ["lock-queues", "stop-scheduler", "guard-master", "shut-down"]
    assert owed["unlock-queues"] == ["lock-queues", "guard-master", "shut-down"]
    assert owed["convert"] == ["guard-master", "shut-down"]
    assert owed["standby-active"] == []


def test_the_ledger_names_the_queues_it_owes() -> None:
    assert Walk().to("stop-scheduler").run.owes("lock-queues") == OPEN_QUEUES


def test_the_intent_of_promote_is_the_point_of_no_return() -> None:
    walk = Walk().to("promote")
    walk.act = lambda order: None
    assert not walk.run.no_way_back
    assert walk.confirm() == ""
    assert not walk.run.no_way_back
    walk.poll()
    assert isinstance(walk.events[-1], Intended)
    assert walk.run.no_way_back


def test_the_point_of_no_return_stays_behind_the_run(whole: Walk) -> None:
    intents = [n for n, event in enumerate(whole.events, start=1) if isinstance(event, Intended)]
    behind = [run.no_way_back for n in intents if (run := fold(whole.events[:n])) is not None]
    assert behind == [False] * 5 + [True] * 4
    assert whole.run.no_way_back


def test_the_dark_time_runs_from_the_scheduler_stopping_to_the_new_one_ticking(whole: Walk) -> None:
    run = whole.run
    stopped = next(e.wall for e in whole.events if isinstance(e, Intended) and e.step == "stop-scheduler")
    ticked = next(e.wall for e in whole.events if isinstance(e, Passed) and e.step == "start-scheduler")
    assert (run.dark_since, run.dark_until) == (stopped, ticked)


def test_confirming_twice_in_one_breath_confirms_one_step() -> None:
    walk = Walk()
    assert walk.confirm("preflight") == ""
    assert [walk.confirm("preflight") != "" for _ in range(9)] == [True] * 9
    walk.settle()
    assert walk.run.stage == Waiting("baseline")


def test_the_plan_is_the_procedure() -> None:
    assert tuple(STEPS) == (*PLAN, "assess", "fence-master", *OPTIONAL_STEPS, *(step.id for step in UNDO))
    typed = {step.id for step in PLANNED if step.typed}
    assert typed == {"shut-down", "promote", "convert"}
    assert {step.id for step in PLANNED if step.no_way_back} == {"promote"}
    waivable = {step.id for step in PLANNED if step.waivable}
    assert waivable == {"users-out", "agents-back", "first-job", "run-missed", "salvage"}
