"""Events that do not count leave the run as it was; `Walk.feed` itself holds the run against that."""

import msgspec
import pytest

from skytui.pair.order import Outcome, Result
from skytui.pair.vocabulary import Action, Role, Scheduler
from skytui.runbook.effects import Raise, Refuse
from skytui.runbook.events import (
    Balked,
    Baselined,
    Closed,
    Confirmed,
    Finished,
    Intended,
    Observed,
    Opened,
    Passed,
)
from skytui.runbook.machine import CONFIRMATION_SECONDS, advance
from skytui.runbook.model import Checking, Ended, Ending, Proving, Running, Waiting
from tests.support.walk import PLAN, WHO, Walk
from tests.support.world import NEW, OLD


@pytest.mark.parametrize("step", ["shut-down", "promote", "convert"])
@pytest.mark.parametrize("phrase", ["", "yes", "SKY-A", " sky-a", "sky-"])
def test_a_wrong_phrase_is_refused_and_the_right_one_named(step: str, phrase: str) -> None:
    walk = Walk().to(step)
    wanted = NEW if step == "promote" else OLD
    assert f"type the host's name, {wanted}" in walk.confirm(step, phrase)


def test_the_other_hosts_name_does_not_confirm() -> None:
    assert "type the host's name, sky-b" in Walk().to("promote").confirm("promote", OLD)


@pytest.mark.parametrize("step", [step for step in PLAN if step != "lock-queues"])
def test_a_confirmation_counts_only_for_the_card_that_is_up(step: str) -> None:
    assert "another step" in Walk().to("lock-queues").confirm(step)


def test_a_confirmation_of_another_run_is_refused() -> None:
    assert "another step" in Walk().confirm(run="20250101-000000")


def test_while_the_servers_are_looked_at_there_is_nothing_to_confirm() -> None:
    walk = Walk().to("lock-queues")
    assert walk.confirm() == ""
    assert isinstance(walk.run.stage, Proving)
    assert "under way" in walk.confirm()


def test_while_the_action_is_under_way_there_is_nothing_to_confirm() -> None:
    walk = Walk().to("lock-queues")
    walk.act = lambda order: None
    walk.confirm()
    walk.poll()
    assert isinstance(walk.run.stage, Running)
    assert "under way" in walk.confirm()


def test_while_the_gate_is_read_there_is_nothing_to_confirm() -> None:
    walk = Walk().to("drain-jobs")
    walk.confirm()
    assert isinstance(walk.run.stage, Checking)
    assert "under way" in walk.confirm()


def test_a_held_run_takes_no_confirmation_and_says_who_holds_it() -> None:
    walk = Walk().to("lock-queues")
    walk.hold("the night shift ends", "bob")
    assert walk.confirm() == "held by bob: the night shift ends"
    assert walk.release() == ""
    assert walk.confirm() == ""


def test_a_hold_before_the_action_begins_stops_it() -> None:
    walk = Walk().to("lock-queues")
    walk.confirm()
    walk.hold()
    walk.poll()
    assert walk.performed == []
    assert walk.run.stage == Waiting("lock-queues", "held by bob: lunch")


def test_a_held_run_does_not_pass_its_gate() -> None:
    walk = Walk().to("lock-queues")
    walk.confirm()
    walk.poll()
    walk.hold()
    for _ in range(3):
        walk.poll()
    assert isinstance(walk.at(), Checking)
    walk.release()
    walk.poll()
    assert walk.at() == Waiting("drain-jobs")


def test_a_run_that_is_not_held_cannot_be_released() -> None:
    assert Walk().release() == "the run is not held"


def test_after_the_end_nothing_counts() -> None:
    walk = Walk().to_end()
    at, wall = walk.world.tick(), walk.world.clock.now()
    assert walk.confirm("standby-active") == "the run has ended"
    assert walk.hold() == "the run has ended"
    assert walk.resume() == "the run has ended"
    assert walk.waive("first-job", "late") == "the run has ended"
    assert walk.feed(Closed(at=at, wall=wall, ending=Ending.NOT_CLEAN)) == "the run has ended"
    walk.poll()
    assert walk.run.stage == Ended(Ending.DONE)


def test_a_second_run_is_not_opened_over_the_first() -> None:
    walk = Walk()
    opened = walk.events[0]
    assert isinstance(opened, Opened)
    assert walk.feed(opened) == "a run is open already"


def test_without_a_run_nothing_counts() -> None:
    walk = Walk()
    at, wall = walk.world.tick(), walk.world.clock.now()
    confirmed = Confirmed(at=at, wall=wall, run="x", step="baseline", who=WHO)
    assert advance(None, confirmed) == (None, [Refuse("no run is open")])


# What the machine raises itself is checked like everything else: a journal that was put together by hand does
# not get past it either.


def confirmed_lock() -> tuple[Walk, Intended]:
    """A run in which locking is confirmed, and the intent it would come to."""
    walk = Walk().to("lock-queues")
    walk.confirm()
    reading = walk.world.poll()
    _, effects = advance(walk.run, Observed(at=reading.now, wall=reading.wall, reading=reading))
    (effect,) = effects
    assert isinstance(effect, Raise)
    assert isinstance(effect.event, Intended)
    return walk, effect.event


def test_the_intent_itself_counts() -> None:
    walk, intent = confirmed_lock()
    assert walk.feed(intent) == ""


@pytest.mark.parametrize(
    "forged",
    [
        {"step": "stop-scheduler"},
        {"token": "20260301-020000-lock-queues-2"},
        {"action": Action.UNLOCK_QUEUES},
        {"server": NEW},
    ],
    ids=lambda forged: next(iter(forged)),
)
def test_an_intent_for_anything_else_does_not(forged: dict[str, object]) -> None:
    walk, intent = confirmed_lock()
    assert walk.feed(msgspec.structs.replace(intent, **forged)) != ""


def test_an_intent_without_a_confirmation_does_not_count() -> None:
    walk, intent = confirmed_lock()
    fresh = Walk().to("lock-queues")
    assert fresh.feed(intent) == "nobody confirmed this step"
    walk.feed(intent)
    assert walk.feed(intent) == "nobody confirmed this step"
    assert len(walk.performed) == 1


def test_a_gate_does_not_pass_before_it_is_checked() -> None:
    walk = Walk().to("lock-queues")
    passed = Passed(
        at=walk.world.tick(), wall=walk.world.clock.now(), step="lock-queues", proofs=("so I say",)
    )
    assert walk.feed(passed) == "this step is not being checked"
    walk.confirm()
    assert walk.feed(passed) == "this step is not being checked"


def test_a_gate_passes_once() -> None:
    walk = Walk().to("close")
    walk.confirm()
    last = Passed(at=walk.world.tick(), wall=walk.world.clock.now(), step="close", proofs=("nothing",))
    assert walk.feed(last) == ""
    assert walk.feed(last) == "the run has ended"


def test_an_outcome_of_another_action_is_not_taken() -> None:
    walk = Walk().to("stop-scheduler")
    walk.act = lambda order: None
    walk.confirm()
    walk.poll()
    earlier = walk.world.done[0]
    assert walk.finish(Outcome(Result.DONE, "done"), earlier) == "no such action is under way"
    token = walk.performed[-1].token
    at, wall = walk.world.tick(), walk.world.clock.now()
    elsewhere = Finished(at=at, wall=wall, step="promote", token=token, outcome=Outcome(Result.DONE, "done"))
    assert walk.feed(elsewhere) == "no such action is under way"


def test_the_run_is_not_closed_while_steps_are_left() -> None:
    walk = Walk().to("standby-active")
    at, wall = walk.world.tick(), walk.world.clock.now()
    assert walk.feed(Closed(at=at, wall=wall, ending=Ending.DONE)) == "there are steps left"


def test_the_baseline_is_not_replaced_later() -> None:
    walk = Walk().to("users-out")
    baselined = next(event for event in walk.events if isinstance(event, Baselined))
    assert walk.feed(baselined) == "the baseline is recorded once"


@pytest.mark.parametrize("step", ["lock-queues", "shut-down", "promote", "convert"])
def test_what_changed_between_confirmation_and_action_stops_it(step: str) -> None:
    walk = Walk().to(step)
    attempts = len(walk.performed)
    walk.confirm()
    server = walk.world.servers[NEW if step == "promote" else OLD]
    other = Role.STANDBY if server.role is Role.MASTER else Role.MASTER
    server.role, server.up = other, True
    walk.poll()
    assert len(walk.performed) == attempts
    assert isinstance(walk.events[-1], Balked)
    assert isinstance(walk.run.stage, Waiting)
    assert walk.run.stage.step == step
    assert walk.run.stage.note


def test_a_scheduler_started_again_before_the_shut_down_stops_it() -> None:
    walk = Walk().to("shut-down")
    walk.confirm()
    walk.world.old.scheduler = Scheduler("running", 1)
    walk.poll()
    assert walk.run.stage == Waiting("shut-down", "the Job Scheduler on sky-a reads running")


def test_a_poll_that_began_before_the_confirmation_decides_nothing() -> None:
    walk = Walk().to("lock-queues")
    early = walk.world.poll()
    walk.confirm()
    assert walk.observe(early) == ""
    assert isinstance(walk.run.stage, Proving)


def test_a_confirmation_does_not_count_for_ever() -> None:
    walk = Walk().to("lock-queues")
    walk.confirm()
    walk.poll(CONFIRMATION_SECONDS + 1)
    assert walk.performed == []
    assert isinstance(walk.run.stage, Waiting)
    assert "confirm again" in walk.run.stage.note


def test_after_a_balk_the_same_step_can_be_confirmed_again() -> None:
    walk = Walk().to("shut-down")
    walk.world.old.guard = False
    walk.confirm()
    walk.poll()
    assert walk.run.stage == Waiting("shut-down", "the guard on sky-a reads not set")
    walk.world.old.guard = True
    walk.confirm()
    walk.settle()
    assert walk.run.attempts["shut-down"] == 1
