"""`plan.md` beside the journal: what an operator goes on by when skytui itself is gone."""

import logging
from pathlib import Path

import pytest

from skytui.conductor.runs import PLAN, stored_runs
from skytui.runbook.model import Ended, Ending
from tests.support.conducted import conducted, confirm, go_to, open_run, until_run
from tests.support.walk import PLAN as STEPS
from tests.support.world import NEW, World


async def test_it_has_the_steps_that_are_left_from_the_first_to_the_last(tmp_path: Path) -> None:
    async with conducted(tmp_path) as here:
        client = await here.client()
        run = await open_run(client)
        (folder,) = stored_runs(tmp_path)
        plan = folder / PLAN
        for place, step in enumerate(STEPS):
            run = await go_to(client, run, step)
            text = plan.read_text()
            assert [each for each in STEPS if f"(`{each}`)" in text] == list(STEPS[place:])
            assert f"{place} of {len(STEPS)} steps done" in text
        assert "convert on sky-a" not in text
        run = await go_to(client, run, "")
        assert run.stage == Ended(Ending.DONE)
        assert "Nothing is left to do." in plan.read_text()
        assert [path.name for path in folder.iterdir() if path.name.endswith(".new")] == []


async def test_it_says_where_what_would_run_and_that_there_is_no_way_back(tmp_path: Path) -> None:
    async with conducted(tmp_path) as here:
        client = await here.client()
        run = await go_to(client, await open_run(client), "promote")
        plan = stored_runs(tmp_path)[0] / PLAN
        assert "promote on sky-b" in plan.read_text()
        assert "everything can be taken back" in plan.read_text()
        here.drivers[NEW].answers = [None]
        assert await confirm(client, run) == ""
        await until_run(client, lambda r: r.no_way_back)
        assert "The point of no return is behind this run" in plan.read_text()


async def test_it_is_on_paper_before_the_way_back_is_gone(tmp_path: Path) -> None:
    async with conducted(tmp_path) as here:
        client = await here.client()
        run = await go_to(client, await open_run(client), "promote")
        seen: list[str] = []
        here.drivers[NEW].before = lambda order: seen.append((stored_runs(tmp_path)[0] / PLAN).read_text())
        await go_to(client, run, "agents-back")
        assert "The point of no return is behind this run" in seen[0]


async def test_a_conductor_that_takes_the_run_up_writes_it_anew(tmp_path: Path) -> None:
    world = World()
    async with conducted(tmp_path, world=world) as here:
        client = await here.client()
        await go_to(client, await open_run(client), "lock-queues")
    plan = stored_runs(tmp_path)[0] / PLAN
    plan.unlink()
    async with conducted(tmp_path, world=world) as here:
        await here.client()
        assert "(`lock-queues`)" in plan.read_text()


async def test_where_it_cannot_be_written_the_log_says_so_and_the_run_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with conducted(tmp_path) as here:
        client = await here.client()
        run = await open_run(client)
        plan = stored_runs(tmp_path)[0] / PLAN
        plan.unlink()
        plan.mkdir()
        with caplog.at_level(logging.WARNING):
            run = await go_to(client, run, "lock-queues")
        assert f"{plan} cannot be written: Is a directory" in caplog.text
        assert (await go_to(client, run, "")).stage == Ended(Ending.DONE)
