"""What skytui never does, it does in no story either; and every story comes to an end once the faults have.

What is counted here is printed with `pytest -s`. A failure prints the story, one line for each thing that
happened.
"""

from collections.abc import Iterator

import pytest

from skytui.runbook.model import Ending
from tests.simulation.faults import FAULTS, happens, heal
from tests.simulation.machine import EVERY_STEP, PLAN, tell_stories
from tests.simulation.simulation import UNDO_STEPS, Simulation, Tally

PARTS = 4
"""The long simulation in parts of its own seed each, so that they can run side by side."""
STORIES, STEPS_EACH = 130, 45
AT_LEAST = Tally(steps=10_000, past_no_return=300, resumed_from_unknown=200, aborted=100)
"""What all parts together have to reach; each has to reach its share."""


def test_some_stories() -> None:
    tally = tell_stories(15, 25)
    assert tally.steps > 100
    assert tally.endings


@pytest.mark.slow
@pytest.mark.parametrize("part", range(1, PARTS + 1))
def test_many_stories(part: int) -> None:
    tally = tell_stories(STORIES, STEPS_EACH, part)
    print(f"\npart {part} of {PARTS}: {tally.says}")
    assert tally.steps * PARTS >= AT_LEAST.steps
    assert tally.past_no_return * PARTS >= AT_LEAST.past_no_return
    assert tally.resumed_from_unknown * PARTS >= AT_LEAST.resumed_from_unknown
    assert tally.aborted * PARTS >= AT_LEAST.aborted
    assert set(tally.endings) <= set(Ending), "a run stopped half-way though the faults had ended"


@pytest.fixture
def tally() -> Iterator[Tally]:
    tally = Tally()
    yield tally
    print(f"\n{tally.says}")


@pytest.mark.slow
def test_every_fault_at_every_step_of_the_plan(tally: Tally) -> None:
    """One run goes through all steps with another fault at each; the next one too, shifted by one fault."""
    names = list(FAULTS)
    for shift in range(len(names)):
        sim = Simulation(tally)
        sim.open()
        for place, step in enumerate(PLAN):
            if sim.run.over or PLAN.index(step) < len(sim.run.records):
                sim = again(sim)
            assert sim.go_to(step), sim.tale
            meets(sim, names[(place + shift) % len(names)])
        ends(sim)
    assert {(step, name) for step in PLAN for name in names} <= tally.met


@pytest.mark.slow
def test_every_fault_at_every_step_of_an_abort(tally: Tally) -> None:
    for step in UNDO_STEPS:
        for name in FAULTS:
            sim = Simulation(tally)
            sim.open()
            sim.go_back_to(step)
            meets(sim, name)
            ends(sim)
    assert {(step, name) for step in UNDO_STEPS for name in FAULTS} <= tally.met
    assert set(tally.endings) == {Ending.ROLLED_BACK}


def test_the_steps_are_all_there_are() -> None:
    assert set(EVERY_STEP) == {*PLAN, *UNDO_STEPS}


def meets(sim: Simulation, fault: str) -> None:
    """The fault happens, somebody goes on regardless, and it ends."""
    try:
        happens(sim, fault)
        for _ in range(2):
            sim.turn()
        sim.confirm()
        for _ in range(2):
            sim.turn()
        heal(sim)
    except AssertionError as error:
        raise AssertionError(sim.tale) from error


def again(sim: Simulation) -> Simulation:
    """The next run, of another pair."""
    ends(sim)
    sim = Simulation(sim.tally)
    sim.open()
    return sim


def ends(sim: Simulation) -> None:
    """The run comes to its end."""
    try:
        sim.finish()
    except AssertionError as error:
        raise AssertionError(sim.tale) from error
    finally:
        sim.close()
