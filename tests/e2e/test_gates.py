"""Gates that must refuse, on the practice pair: each trap is set for real."""

import pytest

from skytui.lab import faults
from skytui.pair.reading import Known
from skytui.runbook.model import Checking, Waiting
from skytui.runbook.prospect import Turn
from skytui.runbook.refusals import confirmable
from tests.e2e.conftest import Practice
from tests.e2e.walk import Walk

pytestmark = pytest.mark.pair


async def test_a_count_of_zero_over_a_dead_link_is_refused(practice: Practice) -> None:
    async with await Walk.attached() as walk:
        await walk.to("replication-zero")
        faults.inject("cut-walreceiver")

        def trapped() -> bool:
            assert walk.reading is not None
            old = walk.reading.server("sky-a")
            pending, link = old.replication_pending, old.replication_link
            return isinstance(pending, Known) and isinstance(link, Known) and not link.value.alive

        await walk.until(trapped)
        assert walk.reading is not None
        pending = walk.reading.server("sky-a").replication_pending
        assert isinstance(pending, Known)
        assert pending.value == 0, "the server itself reports 0: that is the trap"
        assert walk.prospect.turn is Turn.BLOCKED
        assert any("link" in reason and "dead" in reason for reason in walk.prospect.reasons)
        # Whoever confirms all the same is told the same by the machine, and nothing is started.
        assert not (await walk.confirm()).refused
        await walk.until(
            lambda: walk.run is not None and isinstance(walk.run.stage, Waiting) and bool(walk.run.stage.note)
        )
        assert walk.run is not None
        assert isinstance(walk.run.stage, Waiting)
        assert "link" in walk.run.stage.note
        assert "replication-zero" not in walk.run.attempts
        faults.undo("cut-walreceiver")
        await walk.pass_step()


async def test_agents_that_only_rows_say_are_active_are_named(practice: Practice) -> None:
    async with await Walk.attached() as walk:
        await walk.to("promote")
        faults.inject("stop-agents")
        try:
            await walk.pass_step()
            assert not (await walk.confirm()).refused  # agents-back
            await walk.until(lambda: walk.run is not None and isinstance(walk.run.stage, Checking))
            await walk.until(lambda: any("agents missing" in each for each in walk.prospect.reasons))
            assert walk.reading is not None
            agents = walk.reading.server("sky-b").agents
            assert isinstance(agents, Known)
            assert {agent.state for agent in agents.value} == {"active"}, "the replicated rows say active"
            (reason,) = walk.prospect.reasons
            assert all(name in reason for name in ("NIGHT-01", "NIGHT-02", "NIGHT-03"))
        finally:
            faults.undo("stop-agents")
        await walk.until(lambda: walk.run is not None and walk.run.record("agents-back") is not None)


async def test_a_database_that_outlives_its_service_is_not_down(practice: Practice) -> None:
    async with await Walk.attached() as walk:
        await walk.to("shut-down")
        faults.inject("orphan-database")

        def service_is_gone() -> bool:
            assert walk.reading is not None
            process = walk.reading.server("sky-a").process
            return isinstance(process, Known) and not all(each.running for each in process.value)

        await walk.until(service_is_gone)
        assert walk.run is not None
        assert walk.run.step is not None
        assert walk.prospect.turn is Turn.BLOCKED
        assert confirmable(walk.run, walk.run.stage_wall)
        assert not (await walk.confirm()).refused
        await walk.until(
            lambda: walk.run is not None and isinstance(walk.run.stage, Waiting) and bool(walk.run.stage.note)
        )
        assert walk.run.record("shut-down") is None
