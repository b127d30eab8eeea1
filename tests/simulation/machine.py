"""The state machine that makes up stories: faults, people and time in any order, then the faults end."""

import sys
from typing import ClassVar

from hypothesis import HealthCheck, Phase, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.simulation.faults import ACTIONS, ANSWERS, JUMP_HOST, SERVERS, WORK, happens, heal
from tests.simulation.simulation import LOST_STEPS, OTHER, PLAN, SEAT, UNDO_STEPS, Simulation, Tally

EVERY_STEP = [*PLAN, *LOST_STEPS, *UNDO_STEPS]
SEATS = {"ann": SEAT, "bob": OTHER}

DEATHS = [name for name in ACTIONS if "dies" in name]
LOSSES = ["the old master crashes", "the old master cannot be reached", "the old master's host reboots"]
WISHES = ["confirm", "waive", "abort", "abort", "turn", "state", "later", "hold", "release", "take"]

phrases = st.sampled_from(["", "sky-a", "sky-b", "yes"])
people = st.sampled_from(["ann", "ann", "bob"])


class Stories(RuleBasedStateMachine):
    """One run after the other; `tally` counts over all of them."""

    tally: ClassVar[Tally] = Tally()

    def __init__(self) -> None:
        super().__init__()
        self.sim = Simulation(self.tally)
        self.number = 0

    @initialize(step=st.sampled_from(EVERY_STEP))
    def a_run_stands_at(self, step: str) -> None:
        self.sim.stand_at(step)
        self.sim.count_from_here()

    def on_a_run(self) -> Simulation:
        """The run that is open; after one that is over, the next one, of another pair."""
        if self.sim.run.over:
            self.end()
            self.sim = Simulation(self.tally)
            self.number += 7
            self.a_run_stands_at(EVERY_STEP[self.number % len(EVERY_STEP)])
        return self.sim

    @rule(name=st.sampled_from(list(SERVERS)))
    def something_happens_to_a_server(self, name: str) -> None:
        sim = self.on_a_run()
        happens(sim, name)

    @rule(name=st.sampled_from(list(ANSWERS)))
    def something_happens_to_an_answer(self, name: str) -> None:
        sim = self.on_a_run()
        happens(sim, name)
        sim.confirm()
        sim.turn()

    @rule(name=st.sampled_from(list(ACTIONS)))
    def something_happens_in_an_action(self, name: str) -> None:
        self.an_action_begins(name)
        self.sim.turn()

    @rule(name=st.sampled_from(DEATHS))
    def the_conductor_dies_before_it_knows_what_became_of_an_action(self, name: str) -> None:
        heal(self.on_a_run())
        self.an_action_begins(name)

    def an_action_begins(self, name: str) -> None:
        """And this happens in it."""
        sim = self.on_a_run()
        sim.go_on(lambda: bool(sim.run.step and sim.run.step.action), turns=4)
        happens(sim, name)
        sim.confirm()

    @rule(name=st.sampled_from(list(JUMP_HOST)))
    def something_happens_on_the_jump_host(self, name: str) -> None:
        sim = self.on_a_run()
        happens(sim, name)

    @rule(name=st.sampled_from(list(WORK)))
    def something_happens_to_the_work(self, name: str) -> None:
        sim = self.on_a_run()
        happens(sim, name)

    @rule(turns=st.integers(1, 2))
    def time_passes(self, turns: int) -> None:
        sim = self.on_a_run()
        for _ in range(turns):
            sim.turn()

    @rule(seconds=st.sampled_from([70.0, 200.0, 4000.0]))
    def nothing_happens_for_long(self, seconds: float) -> None:
        sim = self.on_a_run()
        sim.turn(seconds)

    @rule()
    def the_operator_confirms(self) -> None:
        sim = self.on_a_run()
        sim.confirm()

    @rule(what=st.sampled_from(WISHES), by=people, step=st.sampled_from(PLAN), phrase=phrases)
    def somebody_wants_to(self, what: str, by: str, step: str, phrase: str) -> None:
        sim = self.on_a_run()
        seat = SEATS[by]
        match what:
            case "confirm":
                sim.confirm(step, phrase, seat)
            case "waive":
                sim.waive(seat=seat)
            case "abort":
                sim.abort(seat=seat)
            case "turn":
                sim.turn_over(seat=seat)
            case "state":
                sim.state(seat)
            case "later":
                sim.postpone(seat=seat)
            case "hold":
                sim.hold(seat)
            case "release":
                sim.release(seat)
            case _:
                sim.take(seat)

    @rule(turns=st.integers(0, 1))
    def the_run_is_taken_back(self, turns: int) -> None:
        sim = self.on_a_run()
        sim.abort()
        for _ in range(turns):
            sim.turn()

    @rule(how=st.sampled_from(LOSSES))
    def the_master_is_lost_and_the_run_made_unplanned(self, how: str) -> None:
        sim = self.on_a_run()
        happens(sim, how)
        sim.turn()
        sim.turn_over()
        sim.confirm()
        sim.state()

    @rule(steps=st.integers(1, 4))
    def a_careful_person_goes_on(self, steps: int) -> None:
        sim = self.on_a_run()
        behind = len(sim.run.records) + steps
        sim.go_on(lambda: len(sim.run.records) >= behind, turns=4)

    @rule()
    def the_faults_end(self) -> None:
        sim = self.on_a_run()
        heal(sim)

    def teardown(self) -> None:
        self.end()

    def end(self) -> None:
        """The faults end, and the run is brought to an end."""
        try:
            if sys.exc_info()[0] is None and self.sim.events:  # not after what has failed already
                self.sim.counting = False
                heal(self.sim)
                self.sim.finish()
        finally:
            note(self.sim.tale)
            self.sim.close()


def tell_stories(examples: int, steps: int, number: int = 0, *, shrink: bool = True) -> Tally:
    """So many runs with so many steps each, the same every time for the same `number`; what was seen in them.

    Raises AssertionError with the shortest story in which something happened that never must.
    """

    class Told(Stories):
        tally = Tally()

    run_state_machine_as_test(
        seed(number)(Told),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            database=None,
            deadline=None,
            report_multiple_bugs=False,
            phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Told.tally
