"""A planned swap in which something is to be decided at every list, and what was decided is what happens."""

import asyncio

import pytest

from skytui.lab import faults
from skytui.lab.jobset import USUAL, parse_run_id
from skytui.link.wire import Decide
from skytui.runbook.model import Ended, Ending
from skytui.runbook.rows import rows
from tests.e2e.conftest import PairUp
from tests.e2e.roles import check_roles
from tests.e2e.walk import Walk

pytestmark = [pytest.mark.pair, pytest.mark.slow]


def missed(walk: Walk) -> list[str]:
    """The runs that were missed while there was no scheduler, and are not decided about."""
    assert walk.run is not None
    return [row.id for row in rows(walk.run, walk.reading) if row.open]


async def test_a_swap_with_decisions(pair_up: PairUp) -> None:
    practice = pair_up(USUAL)  # its jobs take their time
    async with await Walk.attached() as walk:
        await walk.to("users-out")
        await asyncio.to_thread(faults.inject, "hang-jobs")
        try:
            await walk.to("drain-jobs")
            await asyncio.to_thread(faults.inject, "forget-run")
            walk.decisions["drain-jobs"] = "accept"
            await walk.to("promote")
        finally:
            faults.undo("hang-jobs")
        assert walk.run is not None

        # One missed run is started after all, the others are left.
        walk.decisions["first-job"] = ""
        await walk.to("first-job")
        await walk.until(lambda: bool(missed(walk)))
        run, chosen = walk.run, missed(walk)[0]
        reply = await walk.ask(lambda number: Decide(number, run.id, "first-job", {chosen: "run-now"}))
        assert not reply.refused, reply.refused
        walk.decisions["first-job"] = "leave"
        await walk.to("disk-space")
        counted = practice.psql("sky-b", f"SELECT count(*) FROM sky.run WHERE id = '{chosen}'")
        assert counted == "1", "the chosen run is queued, once"
        assert practice.psql("sky-b", "SELECT count(*) FROM sky.missed") != "0", "the others are not"

        faults.inject("small-disk", "sky-a")
        assert not (await walk.confirm()).refused
        await walk.until(lambda: any("make room" in each for each in walk.prospect.reasons))
        faults.undo("small-disk", "sky-a")
        await walk.until(lambda: walk.run is not None and walk.run.record("disk-space") is not None)

        await walk.to_the_end()
        assert walk.run.stage == Ended(Ending.DONE)
        reviewed = [each for each in walk.run.decisions if each.step == "server-history"]
        assert any("not recognised" in each.says for each in reviewed), reviewed
        assert all(parse_run_id(each.row) for each in reviewed)
    check_roles(practice, master="sky-b", standby="sky-a", timeline=2)
