"""Aborting on the practice pair at every step of *Shut down your master server*: it is as it was before."""

import pytest

from skytui.conductor.runs import load_run, stored_runs
from skytui.link.wire import AbortRun
from skytui.pair.pair import PairReading
from skytui.pair.reading import Known
from skytui.paths import PRACTICE, pair_state_dir
from skytui.runbook.model import Ended, Ending
from skytui.runbook.steps import PLANNED, Phase
from tests.e2e.conftest import Practice
from tests.e2e.roles import check_replication, check_roles
from tests.e2e.walk import Walk

pytestmark = pytest.mark.pair

STEPS = [step.id for step in PLANNED if step.phase is Phase.SHUT_DOWN]


def value(reading: object) -> object:
    assert isinstance(reading, Known), reading
    return reading.value


def picture(reading: PairReading) -> object:
    """What is to be as before: everything about the pair that does not change by itself."""
    old, new = reading.server("sky-a"), reading.server("sky-b")
    assert isinstance(old.queues, Known)
    assert isinstance(old.agents, Known)
    assert isinstance(old.scheduler, Known)
    queues = {queue.name: queue.locked for queue in old.queues.value}
    agents = {agent.name: (agent.state, agent.connected) for agent in old.agents.value}
    plain = [value(r) for r in (old.role, new.role, old.guard, new.guard, old.identity)]
    status = [value(old.standby_status), value(new.standby_status)]
    return plain, queues, agents, old.scheduler.value.state, status


def whole(reading: PairReading | None) -> bool:
    """Whether everything in the picture was read, with all agents back and the standby Active."""
    if reading is None:
        return False
    old, new = reading.server("sky-a"), reading.server("sky-b")
    wanted = (old.role, new.role, old.queues, old.scheduler, old.guard, new.guard, old.identity)
    return (
        all(isinstance(each, Known) for each in (*wanted, old.standby_status, new.standby_status))
        and isinstance(old.agents, Known)
        and all(agent.connected for agent in old.agents.value)
        and str(value(old.standby_status)) == "Active"
        and "connected" in str(value(new.standby_status))
    )


async def test_at_every_step_of_shutting_down(practice: Practice) -> None:
    timeline = int(practice.psql("sky-a", "SELECT timeline_id FROM pg_control_checkpoint()"))
    async with await Walk.attached() as walk:
        await walk.until(lambda: whole(walk.reading))
        assert walk.reading is not None
        before = picture(walk.reading)
        for step in STEPS:
            await walk.to(step)
            assert walk.run is not None
            run = walk.run.id
            reply = await walk.ask(lambda number, run=run: AbortRun(number, run, "a rehearsal"))  # type: ignore[misc]
            assert not reply.refused, reply.refused
            await walk.until(lambda: walk.run is not None and walk.run.over)
            assert walk.run.stage == Ended(Ending.ROLLED_BACK)
            assert walk.run.ledger == ()
            await walk.until(lambda: whole(walk.reading))
            assert picture(walk.reading) == before, step
    assert len(stored_runs(pair_state_dir(PRACTICE))) == len(STEPS)
    check_roles(practice, master="sky-a", standby="sky-b", timeline=timeline)
    check_replication(practice, master="sky-a", standby="sky-b", mark="after_aborts")


async def test_from_the_command_line_and_a_swap_afterwards(practice: Practice) -> None:
    async with await Walk.attached() as walk:
        await walk.to("promote")
    done = practice.skytui("abort", PRACTICE, "--reason", "the network team called")
    assert done.returncode == 11, done.stderr
    run = load_run(stored_runs(pair_state_dir(PRACTICE))[-1]).run
    assert run.abort is not None
    assert run.abort.reason == "the network team called"
    async with await Walk.attached() as walk:
        await walk.to_the_end()
    check_roles(practice, master="sky-b", standby="sky-a", timeline=2)
    refused = practice.skytui("abort", PRACTICE, "--reason", "too late")
    assert refused.returncode == 10
    assert "no open run" in refused.stderr
