"""Every conjunct and every guard is needed: without it something fails. The table: `make mutations`."""

import pytest

from tests.simulation.catchers import GUARDS, cases_of, caught_by, caught_in_a_story, quiet
from tests.simulation.mutants import Mutant, every_mutant, of_gates, of_guards
from tests.unit.runbook import test_gates

PARTS = 4


def names_of_what_nothing_catches(mutants: list[Mutant]) -> list[str]:
    return [mutant.name for mutant in mutants if not caught_by(mutant)]


def test_the_conjuncts_of_the_gates_are_each_needed() -> None:
    assert names_of_what_nothing_catches(of_gates()) == []


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_the_guards_are_each_needed(part: int) -> None:
    assert names_of_what_nothing_catches(of_guards()[part::PARTS]) == []


def test_there_is_something_to_take_out_and_it_is_put_back() -> None:
    assert {mutant.gate for mutant in of_gates()} == set(test_gates.CONJUNCTS)
    assert len(of_guards()) > 80
    names = [mutant.name for mutant in every_mutant()]
    assert len(names) == len(set(names))
    for mutant in every_mutant():
        with mutant.inside():
            pass
    with quiet():
        for module in (test_gates, *GUARDS):
            for _, test, arguments in cases_of(module):
                test(**arguments)


SEEN_BY_STORIES = [
    "machine._start_or_balk: never if not verdict.passes",
    "after replication-zero: without zero_long_enough",
    "sight.Sight.take: never if age > limit",
    "sight.Sight.take: never if not self.counts(reading.at)",
    "undo.why_no_abort: never if run.no_way_back",
]


@pytest.mark.slow
@pytest.mark.parametrize("name", SEEN_BY_STORIES)
def test_the_simulation_itself_can_fail(name: str) -> None:
    (mutant,) = (mutant for mutant in every_mutant() if mutant.name == name)
    assert caught_in_a_story(mutant).startswith("simulation: ")
