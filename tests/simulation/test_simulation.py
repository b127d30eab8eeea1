"""What skytui never does, it does in no story either; and every story comes to an end once the faults have.

What is counted here is printed with `pytest -s`. A failure prints the story, one line for each thing that
happened.
"""

from collections.abc import Iterator

import pytest

from skytui.runbook.model import Ending
from skytui.runbook.steps import STEPS
from tests.simulation.faults import FAULTS, happens, heal
from tests.simulation.machine import EVERY_STEP, tell_stories
from tests.simulation.simulation import LOST_STEPS, PLAN, UNDO_STEPS, Simulation, Tally

PARTS = 4
"""The long simulation in parts of its own seed each, so that they can run side by side."""
STORIES, STEPS_EACH = 90, 45
AT_LEAST = Tally(steps=10_000, past_no_return=300, resumed_from_unknown=200, aborted=100, turned=50)
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
    assert tally.turned * PARTS >= AT_LEAST.turned
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
            if not sim.go_to(step) or sim.step != step:
                ends(sim)  # it was taken back, or went past this step
                sim = Simulation(tally)
                sim.stand_at(step)
            meets(sim, names[(place + shift) % len(names)])
        ends(sim)
    assert {(step, name) for step in PLAN for name in names} <= tally.met


@pytest.mark.slow
@pytest.mark.parametrize("steps", [LOST_STEPS, UNDO_STEPS], ids=["unplanned", "abort"])
def test_every_fault_at_every_step_of_an_unplanned_swap_and_of_an_abort(
    tally: Tally, steps: list[str]
) -> None:
    for step in steps:
        for name in FAULTS:
            sim = Simulation(tally)
            sim.stand_at(step)
            meets(sim, name)
            ends(sim)
    assert {(step, name) for step in steps for name in FAULTS} <= tally.met


def test_a_story_may_begin_at_every_step() -> None:
    assert set(EVERY_STEP) == {step.id for step in STEPS.values() if not step.manual}


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


def ends(sim: Simulation) -> None:
    """The run comes to its end."""
    try:
        sim.finish()
    except AssertionError as error:
        raise AssertionError(sim.tale) from error
    finally:
        sim.close()
