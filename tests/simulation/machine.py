"""The state machine that makes up stories: faults, people and time in any order, then the faults end."""

from typing import ClassVar

from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from skytui.runbook.steps import PLANNED
from tests.simulation.faults import FAULTS, happens, heal
from tests.simulation.simulation import OTHER, SEAT, UNDO_STEPS, Simulation, Tally

PLAN = [step.id for step in PLANNED]

reasons = st.sampled_from(["agreed", "agreed", ""])
seats = st.sampled_from([SEAT, OTHER])


class Stories(RuleBasedStateMachine):
    """One run after the other; `tally` counts over all of them."""

    tally: ClassVar[Tally] = Tally()

    def __init__(self) -> None:
        super().__init__()
        self.sim = Simulation(self.tally)
        self.picture: object = None

    @initialize(step=st.sampled_from([*PLAN, *UNDO_STEPS]))
    def a_run_stands_at(self, step: str) -> None:
        self.sim.open()
        if step in UNDO_STEPS:
            self.sim.go_back_to(step)
        else:
            assert self.sim.go_on(lambda: self.sim.step == step)
        self.picture = self.sim.picture

    @rule(name=st.sampled_from(sorted(FAULTS)))
    def it_happens_that(self, name: str) -> None:
        happens(self.sim, name)

    @rule(turns=st.integers(1, 5))
    def time_passes(self, turns: int) -> None:
        for _ in range(turns):
            self.sim.turn()

    @rule(seconds=st.sampled_from([70.0, 200.0, 4000.0]))
    def nothing_happens_for_long(self, seconds: float) -> None:
        self.sim.turn(seconds)
        self.sim.turn()

    @rule()
    def the_operator_confirms(self) -> None:
        self.sim.confirm()

    @rule(step=st.sampled_from(PLAN), phrase=st.sampled_from(["", "sky-a", "sky-b", "yes"]), seat=seats)
    def somebody_confirms_anything(self, step: str, phrase: str, seat: object) -> None:
        self.sim.confirm(step, phrase, SEAT if seat == SEAT else OTHER)

    @rule(reason=reasons)
    def the_operator_waives(self, reason: str) -> None:
        self.sim.waive(reason)

    @rule(reason=reasons)
    def the_operator_aborts(self, reason: str) -> None:
        self.sim.abort(reason)

    @rule()
    def somebody_holds(self) -> None:
        self.sim.hold()

    @rule()
    def the_operator_lets_it_go_on(self) -> None:
        self.sim.release()

    @rule()
    def somebody_takes_over(self) -> None:
        self.sim.take(OTHER if self.sim.operator == SEAT else SEAT)

    @rule(steps=st.integers(1, 4))
    def a_careful_person_goes_on(self, steps: int) -> None:
        behind = len(self.sim.run.records) + steps
        self.sim.go_on(lambda: len(self.sim.run.records) >= behind, turns=8)

    @rule()
    def the_faults_end(self) -> None:
        heal(self.sim)

    @invariant()
    def it_counts(self) -> None:
        before, self.picture = self.picture, self.sim.picture
        if before is not None and before != self.picture:
            self.tally.steps += 1
        else:
            self.tally.stutters += 1

    def teardown(self) -> None:
        try:
            if self.sim.conductor.run is not None:
                heal(self.sim)
                self.sim.finish()
        finally:
            note("\n".join(["The story:", *self.sim.story]))
            self.sim.close()


def tell_stories(examples: int, steps: int) -> Tally:
    """So many runs with so many steps each, the same every time; what was seen in them.

    Raises AssertionError with the shortest story in which something happened that never must.
    """

    class Told(Stories):
        tally = Tally()

    run_state_machine_as_test(
        Told,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=True,
            database=None,
            deadline=None,
            report_multiple_bugs=False,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Told.tally
