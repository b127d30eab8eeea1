"""Every step of the planned swap on the practice pair, and a death at three moments of each.

At every step and each of the moments the conductor is killed with -9; and, in swaps of their own, the client
is gone without a word while all SSH connections to both hosts are cut. One swap takes all steps at one
moment, and two swaps follow each other on a pair. The same matrix, with more moments, runs on the scripted
driver in every `make test`: tests/simulation/test_kill_matrix.py.
"""

from collections import Counter
from datetime import UTC, datetime

import msgspec
import pytest

from skytui.conductor.runs import load_run
from skytui.runbook.events import Closed, Confirmed, Finished, Intended, Passed, Recorded, Resumed
from skytui.runbook.model import Ended, Ending
from skytui.runbook.steps import PLANNED, STEPS
from tests.e2e.conftest import Practice
from tests.e2e.deaths import (
    ONCE,
    Moment,
    after_the_outcome,
    before_the_intent,
    between_intent_and_outcome,
    did,
    drop_ssh,
    finish,
    kill_conductor,
    last_recorded,
    reach,
)
from tests.e2e.roles import check_replication, check_roles
from tests.e2e.test_judge import everything_has_ended, judged, stop_scheduler
from tests.e2e.walk import Walk

pytestmark = [pytest.mark.pair, pytest.mark.slow]

PLAN = [step.id for step in PLANNED]
ON_HOST = {"guard-master", "shut-down", "promote", "convert"}
"""The steps whose action is a command on a host: it takes long enough to die in the middle of it."""
HOSTS = ("sky-a", "sky-b")


class Swap(msgspec.Struct):
    """One swap: who was master before it, and what had been done by then."""

    practice: Practice
    number: int
    before: dict[str, Counter[str]]
    again: set[str] = set()

    @classmethod
    def begin(cls, practice: Practice, number: int) -> "Swap":
        return cls(practice, number, {host: did(practice, host) for host in HOSTS})

    @property
    def old(self) -> str:
        return HOSTS[(self.number + 1) % 2]

    @property
    def new(self) -> str:
        return HOSTS[self.number % 2]

    async def check(self) -> None:
        """The run is done and clean, nothing was done twice, and the roles are really exchanged."""
        stored = load_run(sorted(self.practice.runs.iterdir())[-1])
        run = stored.run
        assert run.stage == Ended(Ending.DONE)
        assert run.ledger == ()
        assert (run.old, run.new) == (self.old, self.new)
        async with await Walk.attached() as walk:
            assert walk.run in (run, None), "the journal folds to the run, if its conductor still lives"
        intents = [event.token for event in stored.contents.events if isinstance(event, Intended)]
        assert len(intents) == len(set(intents))
        self.check_counts({STEPS[step].action for step in self.again})
        check_roles(self.practice, master=self.new, standby=self.old, timeline=self.number + 1)
        check_replication(self.practice, master=self.new, standby=self.old, mark=f"swap_{self.number}")

    def check_counts(self, again: set[object]) -> None:
        """Once each. Only what a person confirmed a second time, its outcome being lost, may count twice."""
        for side, host in (("original master", self.old), ("original standby", self.new)):
            counts = did(self.practice, host) - self.before[host]
            for name in (
                "POST /api/v1/queues/lock", "POST /api/v1/scheduler/stop", "POST /api/v1/marker",
                "POST /api/v1/queues/unlock", "POST /api/v1/scheduler/start",
                "setAutostart.sh no", "setAutostart.sh yes", "stop.sh", "start.sh",
                "standbyToMaster.sh", "masterToStandby.sh",
            ):  # fmt: skip
                wanted = int(name in ONCE[side])
                allowed = wanted + int(name == "POST /api/v1/marker" and "write_marker" in again)
                assert wanted <= counts[name] <= allowed, f"{name} on {host}: {counts[name]} times"


async def swap_killing_the_conductor(practice: Practice, number: int, moment: Moment) -> None:
    swap = Swap.begin(practice, number)
    missed: list[tuple[str, Recorded]] = []
    for step in PLAN:
        async with await Walk.attached() as walk:
            await reach(walk, step, moment(step))
            kill_conductor()
        died_after = last_recorded(practice)
        if not meant(moment, step, died_after):
            missed.append((step, died_after))
        if isinstance(died_after, Closed):
            continue  # with the last gate the run was over; there is nothing to go on with
        async with await Walk.attached() as walk:
            assert any(isinstance(event, Resumed) for event in walk.events)
            if await finish(walk, step):
                swap.again.add(step)
    await swap.check()
    # Who strikes is another process: on a busy machine it may come too late, but hardly ever.
    assert len(missed) <= 2, f"these died later than they should have: {missed}"


def meant(moment: Moment, step: str, last: Recorded) -> bool:
    """Whether it died at the moment that was meant, by the last event on disk.

    An action over HTTP is over in milliseconds: dying in the middle of it is left to luck.
    """
    if not STEPS[step].action or STEPS[step].only_if_needed:
        return True
    if moment is before_the_intent:
        return isinstance(last, Confirmed)
    if moment is between_intent_and_outcome:
        return isinstance(last, Intended) or step not in ON_HOST
    return isinstance(last, Finished | Passed)


async def swap_cutting_connections(practice: Practice, number: int, moment: Moment) -> None:
    """At every step the client is gone without a word, and SSH to both hosts is cut."""
    swap = Swap.begin(practice, number)
    for step in PLAN:
        async with await Walk.attached() as walk:
            await reach(walk, step, moment(step))
            walk.cut()
            drop_ssh(practice)
        async with await Walk.attached() as walk:
            if await finish(walk, step):
                swap.again.add(step)
            assert not any(isinstance(event, Resumed) for event in walk.events), "the conductor lived on"
    await swap.check()


async def check_the_jobs(practice: Practice, master: str, began: datetime) -> None:
    """The same judge as for an undisturbed swap: nothing lost, nothing run twice."""
    ended = datetime.now(UTC)
    await stop_scheduler(practice, master)
    await everything_has_ended(practice, master)
    verdict = judged(practice, master, began, ended)
    assert not verdict.faults, verdict.faults
    assert verdict.runs > 0


async def test_a_conductor_killed_before_every_intent_and_in_every_action(practice: Practice) -> None:
    began = datetime.now(UTC)
    await swap_killing_the_conductor(practice, 1, before_the_intent)
    await swap_killing_the_conductor(practice, 2, between_intent_and_outcome)
    await check_the_jobs(practice, "sky-a", began)


async def test_a_conductor_killed_after_every_outcome_and_connections_cut_before_every_intent(
    practice: Practice,
) -> None:
    began = datetime.now(UTC)
    await swap_killing_the_conductor(practice, 1, after_the_outcome)
    await swap_cutting_connections(practice, 2, before_the_intent)
    await check_the_jobs(practice, "sky-a", began)


async def test_connections_cut_in_every_action_and_after_every_outcome(practice: Practice) -> None:
    began = datetime.now(UTC)
    await swap_cutting_connections(practice, 1, between_intent_and_outcome)
    await swap_cutting_connections(practice, 2, after_the_outcome)
    await check_the_jobs(practice, "sky-a", began)
