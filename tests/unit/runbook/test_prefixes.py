"""Whatever part of a journal a death leaves: the run it folds to repeats nothing that may have been done.

A run is walked with outcomes that hypothesis chooses, and the servers are remembered at every event. Then
every prefix of its journal is taken up again over the servers as they were then; where it ends in the middle
of an action, over servers that have carried it out and over servers that have not.
"""

import copy
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skytui.clock import ManualClock
from skytui.pair.order import Order, Outcome, Result
from skytui.pair.vocabulary import Action, Role
from skytui.runbook.events import Finished, Intended, Recorded
from skytui.runbook.machine import fold
from skytui.runbook.model import Doubtful, Failed, Waiting
from skytui.runbook.steps import PLANNED
from tests.support.walk import Walk
from tests.support.world import World

NEVER_TWICE = {step.action: step.id for step in PLANNED if step.action and not step.repeatable}
AFTERWARDS = 12
"""How often a person confirms whatever can be confirmed, in the life after."""


class History(list[Recorded]):
    """The events of a run, and the world as it was when each was recorded."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self.worlds: list[World] = []

    def append(self, event: Recorded) -> None:
        super().append(event)
        self.worlds.append(copy.deepcopy(self._world))


def walked(answers: list[tuple[Result, bool]]) -> History:
    """A run whose first actions end like this: with that result, carried out or not."""
    world = World()
    walk = Walk(world)
    history = History(world)
    for event in walk.events:
        history.append(event)
    walk.events = history
    left = list(answers)

    def act(order: Order) -> Outcome:
        result, carried_out = left.pop() if left else (Result.DONE, True)
        if result is Result.DONE or (carried_out and result in (Result.UNKNOWN, Result.FAILED)):
            done = world.act(order)
            return done if result is Result.DONE else Outcome(result, "cut off")
        return Outcome(result, "no")

    walk.act = act
    for _ in range(60):
        if walk.run.over:
            break
        stage = walk.run.stage
        if isinstance(stage, Waiting | Failed) or (isinstance(stage, Doubtful) and stage.step not in STUCK):
            walk.confirm()
        for _ in range(14):
            walk.poll()
            if walk.run.unlocked_at:
                world.job_completes()
    return history


STUCK = set(NEVER_TWICE.values())


def lives_after(history: History, place: int) -> Iterator[World]:
    """The servers as the next conductor may find them, when the journal ends with the event at `place`."""
    yield history.worlds[place]
    if isinstance(history[place], Intended) and place + 1 < len(history):
        yield history.worlds[place + 1]


def known_to_have_ended(events: list[Recorded], step: str) -> bool:
    """Whether the last thing the journal says of the action of this step is an outcome that is known."""
    told = [e for e in events if isinstance(e, Intended | Finished) and e.step == step]
    last = told[-1] if told else None
    return isinstance(last, Finished) and last.outcome.result is not Result.UNKNOWN


results = st.sampled_from([Result.DONE, Result.FAILED, Result.REFUSED, Result.UNKNOWN, Result.NOT_STARTED])


@given(answers=st.lists(st.tuples(results, st.booleans()), max_size=12))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_prefix_folds_into_a_run_that_repeats_what_may_have_been_done(
    answers: list[tuple[Result, bool]],
) -> None:
    history = walked(answers)
    for place in range(len(history)):
        for world in lives_after(history, place):
            goes_on_without_repeating(list(history[: place + 1]), copy.deepcopy(world))


def goes_on_without_repeating(events: list[Recorded], world: World) -> None:
    before: set[Action] = {order.action for order in world.done}
    world.clock = ManualClock(world.clock.now(), "the life after")
    walk = Walk(world)
    run = fold(events)
    assert run is not None
    walk.take_up(run)
    walk.resume()
    for _ in range(3):
        walk.poll()
    assert walk.performed == [], "performed something that nobody confirmed"
    for _ in range(AFTERWARDS):
        walk.confirm()
        walk.poll()
        walk.poll()
    for order in walk.performed:
        if order.action in NEVER_TWICE and order.action in before:
            assert known_to_have_ended(events, NEVER_TWICE[order.action]), f"{order.action} was done again"


def test_that_a_repeated_promotion_would_be_noticed() -> None:
    """What the test above looks for is there to be seen: a journal that lost its intent repeats it."""
    history = walked([])
    intent = next(i for i, e in enumerate(history) if isinstance(e, Intended) and e.action is Action.PROMOTE)
    world = copy.deepcopy(history.worlds[intent + 1])
    assert Action.PROMOTE in {order.action for order in world.done}
    world.new.role = Role.STANDBY  # and it does not show
    with pytest.raises(AssertionError, match="promote was done again"):
        goes_on_without_repeating(list(history[:intent]), world)
