"""Commands before and after a phase: when they run, what a failing one stops, and what it does not."""

import msgspec
import pytest

from skytui.conductor.journal import _EVENT
from skytui.runbook.effects import Effect, Raise, Refuse, RunHook
from skytui.runbook.events import Hooked, HookWaived, Opened, Passed, Recorded
from skytui.runbook.hooks import SLUGS, due, failed, failed_words, under_way
from skytui.runbook.machine import advance, fold
from skytui.runbook.model import Checking, Ended, Ending, Proving, Waiting
from skytui.runbook.prospect import Turn, prospect
from tests.support.walk import WHO, Walk


class Hooking(Walk):
    """A walk whose hooks end as they are told to: True, False, or None for not yet."""

    def __init__(self, *hooks: str) -> None:
        super().__init__()
        opened = self.events[0]
        assert isinstance(opened, Opened)
        self.events = [msgspec.structs.replace(opened, hooks=hooks)]
        run = fold(self.events)
        assert run is not None
        self.take_up(run)
        self.ran: list[str] = []
        self.answer: dict[str, bool | None] = {}

    def _carry_out(self, effect: Effect, cause: Recorded) -> None:  # type: ignore[override]
        if isinstance(effect, RunHook):
            self.ran.append(effect.hook)
            ok = self.answer.get(effect.hook, True)
            if ok is not None:
                assert self.hooked(effect.hook, ok=ok) == ""
            return
        super()._carry_out(effect, cause)

    def hooked(self, name: str, *, ok: bool, says: str = "ended with 3: no VIP") -> str:
        when, _, phase = name.partition(" ")
        at, wall = self.world.tick(0.1), self.world.clock.now()
        return self.feed(Hooked(at=at, wall=wall, phase=phase, when=when, ok=ok, says=says))

    def waive_hook(self, name: str, reason: str = "it is done by hand", who: str = WHO) -> str:
        at, wall = self.world.tick(0.1), self.world.clock.now()
        return self.feed(HookWaived(at=at, wall=wall, hook=name, who=who, reason=reason))


ALL = tuple(f"{when} {phase}" for phase in SLUGS.values() for when in ("before", "after"))


def test_each_runs_once_in_its_place_and_the_run_is_clean() -> None:
    walk = Hooking(*ALL)
    walk.to_end()
    assert walk.ran == list(ALL)
    assert walk.at() == Ended(Ending.DONE)
    assert fold(walk.events) == walk.run


def test_only_those_that_are_configured_run() -> None:
    walk = Hooking("after activate")
    walk.to_end()
    assert walk.ran == ["after activate"]


@pytest.mark.parametrize(("phase", "first"), [("shut-down", "users-out"), ("activate", "promote")])
def test_a_before_hook_that_fails_stops_the_run_before_the_first_effect(phase: str, first: str) -> None:
    name = f"before {phase}"
    walk = Hooking(name)
    walk.answer[name] = False
    walk.to(first)
    performed = len(walk.performed)
    assert walk.confirm() == ""
    stage = walk.at()
    assert isinstance(stage, Waiting)
    assert stage.note.startswith(f"the hook {name} failed: ended with 3: no VIP; confirm to run it again")
    walk.poll()
    walk.poll()
    assert isinstance(walk.at(), Waiting)
    assert len(walk.performed) == performed
    assert failed(walk.run) == name
    assert prospect(walk.run, walk.world.poll(0.1)).turn is Turn.OPERATOR
    walk.answer[name] = True
    walk.to_end()
    assert walk.ran == [name, name]
    assert walk.at() == Ended(Ending.DONE)


def test_while_it_runs_nothing_begins_and_nothing_passes() -> None:
    walk = Hooking("before activate", "before shut-down")
    walk.answer = {"before activate": None, "before shut-down": None}
    walk.to("users-out")
    assert walk.confirm() == ""
    for _ in range(3):
        walk.poll()
    assert isinstance(walk.at(), Checking)
    assert under_way(walk.run) == "before shut-down"
    assert "the hook before shut-down is running" in prospect(walk.run, walk.world.poll(0.1)).reasons
    assert walk.hooked("before shut-down", ok=True) == ""
    walk.settle()
    walk.to("promote")
    performed = len(walk.performed)
    assert walk.confirm() == ""
    for _ in range(3):
        walk.poll()
    assert isinstance(walk.at(), Proving)
    assert len(walk.performed) == performed
    assert not walk.run.no_way_back
    assert prospect(walk.run, walk.world.poll(0.1)).reasons == ("the hook before activate is running",)
    assert walk.hooked("before activate", ok=True) == ""
    walk.settle()
    walk.to_end()


def test_no_recorded_event_gets_past_a_hook_that_has_not_succeeded() -> None:
    walk = Hooking("before shut-down")
    walk.answer["before shut-down"] = None
    walk.to("users-out")
    assert "has not succeeded" in walk.waive("users-out", "they know")
    assert walk.confirm() == ""
    passed = Passed(at=walk.world.tick(0.1), wall=walk.world.clock.now(), step="users-out", proofs=("p",))
    run, effects = advance(walk.run, passed)
    assert run == walk.run
    assert isinstance(effects[0], Refuse)
    assert "the hook before shut-down has not succeeded" in effects[0].reason


def test_a_failed_one_can_be_waived_by_the_operator_for_a_reason_and_the_run_is_not_clean() -> None:
    name = "before activate"
    walk = Hooking(name)
    walk.answer[name] = False
    walk.to("promote")
    assert "has not failed" in walk.waive_hook(name)
    walk.confirm()
    assert walk.waive_hook(name, who="bob") == f"{WHO} operates this run, not bob"
    assert walk.waive_hook(name, reason=" ") == "a waiver needs a reason"
    assert "has not failed" in walk.waive_hook("before convert")
    assert walk.waive_hook(name) == ""
    assert walk.at() == Waiting("promote", f"the hook {name} was waived by {WHO}: it is done by hand")
    assert due(walk.run) == ""
    (waiver,) = walk.run.waivers
    assert (waiver.step, waiver.reason) == ("promote", "it is done by hand")
    assert waiver.unproven == ("the hook before activate failed: ended with 3: no VIP",)
    walk.to_end()
    assert walk.ran == [name]
    assert walk.at() == Ended(Ending.NOT_CLEAN)


def test_an_after_hook_that_fails_is_recorded_and_stops_nothing() -> None:
    walk = Hooking("after shut-down", "after convert")
    walk.answer = {"after shut-down": False, "after convert": False}
    walk.to_end()
    assert walk.ran == ["after shut-down", "after convert"]
    assert failed_words(walk.run) == "the hook after convert failed: ended with 3: no VIP"
    assert walk.at() == Ended(Ending.DONE)


def test_the_run_does_not_end_before_its_last_hook_has() -> None:
    walk = Hooking("after convert")
    walk.answer["after convert"] = None
    walk.to(walk.run.plan[-1])
    assert walk.confirm() == ""
    for _ in range(5):
        walk.poll()
    assert walk.run.complete
    assert not walk.run.over
    assert walk.hooked("after convert", ok=True) == ""
    assert walk.at() == Ended(Ending.DONE)
    assert walk.hooked("after convert", ok=True) == "the run has ended"


def test_one_whose_conductor_died_is_not_repeated_by_itself() -> None:
    for name, first in (("before shut-down", "users-out"), ("before activate", "promote")):
        walk = Hooking(name)
        walk.answer[name] = None
        walk.to(first)
        walk.confirm()
        assert walk.resume() == ""
        assert isinstance(walk.at(), Waiting)
        assert failed_words(walk.run) == f"the hook {name} failed: the conductor died while it ran"
        assert failed(walk.run) == name
        walk.answer[name] = True
        walk.to_end()
        assert walk.ran == [name, name]


def test_a_run_that_only_waited_for_its_last_hook_ends_when_it_is_taken_up() -> None:
    walk = Hooking("after convert")
    walk.answer["after convert"] = None
    walk.to(walk.run.plan[-1])
    walk.confirm()
    walk.poll()
    walk.poll()
    assert walk.run.complete
    assert walk.resume() == ""
    assert walk.at() == Ended(Ending.DONE)


def test_going_back_runs_no_hooks_and_waits_for_none() -> None:
    walk = Hooking(*ALL)
    walk.to("shut-down")
    ran = list(walk.ran)
    assert walk.abort() == ""
    for _ in range(40):
        if not walk.run.over:
            walk.poll()
    assert walk.at() == Ended(Ending.ROLLED_BACK)
    assert walk.ran == ran


def test_what_came_of_a_hook_nobody_began_is_refused() -> None:
    walk = Hooking("before activate")
    assert walk.hooked("before activate", ok=True) == "no such hook is under way"


def test_they_stand_in_the_journal_as_they_were() -> None:
    walk = Hooking(*ALL)
    walk.answer["before activate"] = False
    walk.to("promote")
    walk.confirm()
    walk.waive_hook("before activate")
    walk.to_end()
    again = [_EVENT.decode(msgspec.json.encode(event)) for event in walk.events]
    assert again == walk.events
    assert fold(again) == walk.run
    assert not any(isinstance(effect, Raise) for effect in advance(walk.run, walk.events[-1])[1])
