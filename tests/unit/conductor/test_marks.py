"""One run a pair, over jump hosts: what the conductor does with the marks on the servers."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from skytui.conductor.runs import load_run, stored_runs
from skytui.link.client import Client
from skytui.link.wire import NewEvent, Notice, Open, ReleaseRun, Reply
from skytui.pair.mark import Mark
from skytui.pair.order import Result
from skytui.runbook.events import Held, Intended, Marked, Opened, Recorded
from skytui.runbook.model import Failed, Run
from tests.support.conducted import (
    SECONDS,
    Conducted,
    conducted,
    confirm,
    go_to,
    open_run,
    until,
    until_read,
    until_run,
)
from tests.support.drivers import WorldDriver
from tests.support.walk import PLAN
from tests.support.world import NEW, OLD, World

BOB = Mark(pair="test", run="20260301-013000", key="b2", who="bob", host="jump2")
BOBS = "the mark of run 20260301-013000 by bob from jump2"
QUICK = 0.005
LAST = PLAN[-1]


def marked_by(world: World, server: str, mark: Mark | None, silent: float = 4.0) -> None:
    world.servers[server].run_mark.mark = mark
    world.servers[server].run_mark.silent = silent


def marks(world: World) -> list[Mark | None]:
    return [world.servers[name].run_mark.mark for name in (OLD, NEW)]


async def ask_to_open(client: Client, take_over: str = "") -> Reply:
    await until_read(client)
    return await client.request(lambda number: Open(number, take_over=take_over))


async def so(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(QUICK)


def events(here: Conducted, kind: type[Recorded]) -> list[Recorded]:
    stored = load_run(stored_runs(here.folder)[-1]).contents.events
    return [event for event in stored if isinstance(event, kind)]


def run_of(here: Conducted) -> Run:
    assert here.conductor.run is not None
    return here.conductor.run


async def beats(driver: WorldDriver, count: int = 3) -> None:
    """Let this many more heartbeats go by."""
    wanted = len(driver.marked) + count
    await so(lambda: len(driver.marked) >= wanted)


async def test_a_run_marks_both_servers_and_clears_them_at_its_end(tmp_path: Path) -> None:
    async with conducted(tmp_path, heartbeat_seconds=3600) as here:
        client = await here.client()
        run = await open_run(client)
        assert run.marks == {OLD: "", NEW: ""}
        (opened,) = events(here, Opened)
        for mark in marks(here.world):
            assert mark is not None
            assert (mark.pair, mark.run, mark.key) == ("test", run.id, opened.at.boot)
            assert (mark.who, mark.host) == (run.who, run.host)
            assert mark.since is not None
            assert mark.since <= opened.wall
        run = await go_to(client, run, "no such step: go on to the end")
        assert run.over
        await so(lambda: marks(here.world) == [None, None])


async def test_the_content_follows_the_journal(tmp_path: Path) -> None:
    async with conducted(tmp_path, heartbeat_seconds=QUICK) as here:
        await open_run(await here.client())
        await beats(here.drivers[NEW])
        hashes = load_run(stored_runs(here.folder)[-1]).contents.hashes
        mark = here.world.new.run_mark.mark
        assert mark is not None
        assert mark.hash == hashes[-1]
        assert [event.server for event in events(here, Marked)] == [OLD, NEW], "nothing more is recorded"  # type: ignore[union-attr]


@pytest.mark.parametrize("server", [OLD, NEW])
@pytest.mark.parametrize("reason", ["", "bob went home"])
async def test_a_mark_that_is_alive_refuses_and_changes_nothing(
    tmp_path: Path, server: str, reason: str
) -> None:
    async with conducted(tmp_path) as here:
        marked_by(here.world, server, BOB)
        before = marks(here.world)
        refused = (await ask_to_open(await here.client(), reason)).refused
        assert refused.startswith(f"{server} carries {BOBS}; its heartbeat is 4 s old")
        assert marks(here.world) == before
        assert not stored_runs(here.folder)
        assert not here.conductor.busy


async def test_a_silent_mark_refuses_until_it_is_taken_over_for_a_reason(tmp_path: Path) -> None:
    async with conducted(tmp_path) as here:
        for server in (OLD, NEW):
            marked_by(here.world, server, BOB, silent=400)
        client = await here.client()
        refused = (await ask_to_open(client)).refused
        assert refused == (
            f"sky-a carries {BOBS}; its heartbeat is 400 s old:"
            " if nobody drives it any more, take it over, for a reason"
        )
        assert marks(here.world) == [BOB, BOB]
        assert (await ask_to_open(client, "  ")).refused == refused
        assert (await ask_to_open(client, "bob's jump host burnt down")).refused == ""
        found = [
            (event.server, event.after, event.silent, event.reason)
            for event in events(here, Marked)
            if isinstance(event, Marked)
        ]
        whose = BOB.words
        assert found == [
            (OLD, whose, 400.0, "bob's jump host burnt down"),
            (NEW, whose, 400.0, "bob's jump host burnt down"),
        ]
        assert {mark.run for mark in marks(here.world) if mark} == {run_of(here).id}


async def test_nothing_is_taken_over_while_one_server_says_that_the_run_lives(tmp_path: Path) -> None:
    async with conducted(tmp_path) as here:
        marked_by(here.world, OLD, BOB, silent=400)
        marked_by(here.world, NEW, BOB)
        refused = (await ask_to_open(await here.client(), "he is gone")).refused
        assert refused.startswith("sky-b carries")
        assert marks(here.world) == [BOB, BOB]


async def test_of_two_that_open_at_once_one_is_let_in(tmp_path: Path) -> None:
    async with conducted(tmp_path) as here:
        first, second = [await here.client() for _ in range(2)]
        gate = here.drivers[NEW].marks_wait = asyncio.Event()
        opening = asyncio.create_task(ask_to_open(first))
        await so(lambda: bool(here.drivers[NEW].marked))
        late = asyncio.create_task(ask_to_open(second))
        await so(lambda: here.conductor.busy)
        gate.set()
        assert (await opening).refused == ""
        assert (await late).refused.startswith(f"run {run_of(here).id} is open, ")
        assert len(stored_runs(here.folder)) == 1


async def test_a_server_that_cannot_be_marked_does_not_refuse_and_is_marked_later(tmp_path: Path) -> None:
    async with conducted(tmp_path, heartbeat_seconds=QUICK) as here:
        driver = here.drivers[NEW]
        driver.unmarkable = "sky-b: no SSH connection."
        run = await open_run(await here.client())
        assert run.marks == {OLD: "", NEW: "sky-b: no SSH connection."}
        await beats(here.drivers[OLD])
        driver.unmarkable = ""
        await so(lambda: run_of(here).marks == {OLD: "", NEW: ""})
        driver.unmarkable = "sky-b: no SSH connection."
        await beats(here.drivers[OLD])
        driver.unmarkable = ""
        await beats(driver)
        assert len(events(here, Marked)) == 3, "that it was out of reach again is not recorded"
        assert not run_of(here).hold


async def test_another_runs_mark_holds_the_run_once_and_again_after_a_release(tmp_path: Path) -> None:
    async with conducted(tmp_path, heartbeat_seconds=QUICK) as here:
        client = await here.client()
        await open_run(client)
        marked_by(here.world, NEW, BOB)
        notice = await until(client, lambda m: isinstance(m, Notice))
        assert isinstance(notice, Notice)
        assert notice.says == f"sky-b now carries {BOBS}. The run is held."
        run = await until_run(client, lambda run: run.hold is not None)
        assert run.hold is not None
        assert (run.hold.who, run.hold.reason) == ("skytui", f"sky-b now carries {BOBS}")
        await beats(here.drivers[NEW])
        assert len(events(here, Held)) == 1
        assert (await client.request(ReleaseRun)).refused == ""
        await so(lambda: len(events(here, Held)) == 2)
        assert here.world.new.run_mark.mark == BOB, "it stays the other one's"


async def test_immediately_before_an_action_the_marks_are_looked_at(tmp_path: Path) -> None:
    async with conducted(tmp_path) as here:  # no heartbeat comes in time
        client = await here.client()
        run = await go_to(client, await open_run(client), "lock-queues")
        marked_by(here.world, OLD, BOB)
        assert await confirm(client, run) == ""
        run = await until_run(client, lambda run: isinstance(run.stage, Failed))
        assert isinstance(run.stage, Failed)
        assert run.stage.outcome.result is Result.REFUSED
        assert run.stage.outcome.says == f"sky-a now carries {BOBS}; nothing was started."
        assert run.hold is not None
        assert len(events(here, Intended)) == 1
        assert not here.drivers[OLD].acted
        assert await confirm(client, run) == f"held by skytui: sky-a now carries {BOBS}"


async def test_a_mark_that_is_gone_holds_the_run(tmp_path: Path) -> None:
    """Another run may have come, done its work, and cleared its marks."""
    async with conducted(tmp_path, heartbeat_seconds=QUICK) as here:
        client = await here.client()
        await open_run(client)
        marked_by(here.world, OLD, None)
        run = await until_run(client, lambda run: run.hold is not None)
        assert run.hold is not None
        assert run.hold.reason.startswith("sky-a did not carry this run's mark any more")
        assert (await client.request(ReleaseRun)).refused == ""
        await beats(here.drivers[OLD])
        assert len(events(here, Held)) == 1


async def test_a_conductor_that_ends_leaves_the_marks_of_an_open_run_and_the_next_one_refreshes_them(
    tmp_path: Path,
) -> None:
    world = World()
    async with conducted(tmp_path, world=world) as here:
        run = await open_run(await here.client())
    left = marks(world)
    assert {mark.run for mark in left if mark} == {run.id}
    for server in (OLD, NEW):
        world.servers[server].run_mark.silent = 400.0
    async with conducted(tmp_path, world=world) as here:
        await beats(here.drivers[NEW], 1)
        await so(lambda: [world.servers[name].run_mark.silent for name in (OLD, NEW)] == [0.0, 0.0])
        assert [mark.identity for mark in marks(world) if mark] == [mark.identity for mark in left if mark]
        assert run_of(here).hold is None


async def test_what_this_conductor_told_itself_is_no_older_copy(tmp_path: Path) -> None:
    """The first answers after the resumption are lost, but the marks were set."""
    world = World()
    async with conducted(tmp_path, world=world) as here:
        await open_run(await here.client())
    async with conducted(tmp_path, world=world, heartbeat_seconds=QUICK) as here:
        here.drivers[OLD].marks_unheard = here.drivers[NEW].marks_unheard = 2
        await beats(here.drivers[NEW], 5)
        assert run_of(here).hold is None


async def test_a_journal_restored_from_before_what_was_confirmed_is_held(tmp_path: Path) -> None:
    world = World()
    folder, backup = tmp_path / "state", tmp_path / "backup"
    folder.mkdir()
    async with conducted(folder, world=world) as here:
        await open_run(await here.client())
    shutil.copytree(stored_runs(folder)[-1], backup)
    async with conducted(folder, world=world) as here:
        client = await here.client()
        run = client.welcome.run or await until_run(client, lambda run: True)
        await go_to(client, run, "drain-jobs")
        assert run_of(here).hold is None
    shutil.rmtree(stored_runs(folder)[-1])
    shutil.copytree(backup, folder / "runs" / run.id)
    async with conducted(folder, world=world) as here:
        await so(lambda: here.conductor.run is not None and here.conductor.run.hold is not None)
        hold = run_of(here).hold
        assert hold is not None
        assert "sky-a has been told of events of this run that its journal here does not have" in hold.reason
        assert "sky-b has been told" in hold.reason


async def test_what_an_ended_run_of_ours_left_behind_is_replaced_without_asking(tmp_path: Path) -> None:
    async with conducted(tmp_path) as here:
        client = await here.client()
        first = await open_run(client)
        left = here.world.new.run_mark.mark
        await go_to(client, first, LAST)
        here.drivers[NEW].unmarkable = "sky-b: no SSH connection."
        run = run_of(here)
        assert await confirm(client, run) == ""
        notice = await until(client, lambda m: isinstance(m, Notice))
        assert isinstance(notice, Notice)
        assert notice.says.startswith(f"sky-b: no SSH connection. If the mark of run {run.id} is still there")
        here.drivers[NEW].unmarkable = ""
        await so(lambda: here.world.old.run_mark.mark is None)
        assert here.world.new.run_mark.mark is not None
        assert left is not None
        assert (await ask_to_open(client)).refused == ""
        assert {mark.run for mark in marks(here.world) if mark} == {run_of(here).id} != {first.id}
        assert all(event.after == "" for event in events(here, Marked) if isinstance(event, Marked))


async def test_what_an_ended_run_left_on_a_host_that_was_away_is_replaced(
    tmp_path: Path,
) -> None:
    """The host is away when one run clears its marks, and still when the next one sets its own."""
    async with conducted(tmp_path, heartbeat_seconds=QUICK) as here:
        client, driver = await here.client(), here.drivers[OLD]
        first = await go_to(client, await open_run(client), LAST)
        driver.unmarkable = "sky-a: no SSH connection."
        assert await confirm(client, first) == ""
        await so(lambda: run_of(here).over)
        left = here.world.servers[OLD].run_mark.mark
        assert left is not None
        assert left.run == first.id
        assert (await ask_to_open(client)).refused == ""
        second = run_of(here)
        assert second.id != first.id
        driver.unmarkable = ""
        await so(lambda: run_of(here).marks == {OLD: "", NEW: ""})
        assert run_of(here).hold is None
        assert {mark.run for mark in marks(here.world) if mark} == {second.id}


async def test_another_jump_hosts_run_of_the_same_second_is_not_ours(tmp_path: Path) -> None:
    async with conducted(tmp_path) as here:
        client = await here.client()
        run = await go_to(client, await open_run(client), "no such step: go on to the end")
        await so(lambda: marks(here.world) == [None, None])
        marked_by(here.world, OLD, msgspec.structs.replace(BOB, run=run.id))
        assert (await ask_to_open(client)).refused.startswith("sky-a carries the mark of run")


async def test_a_run_that_cannot_be_written_leaves_no_marks(tmp_path: Path) -> None:
    async with conducted(tmp_path) as here:
        client = await here.client()
        await until_read(client)
        (tmp_path / "runs").write_text("in the way")
        refused = (await ask_to_open(client)).refused
        assert "cannot be written" in refused
        assert marks(here.world) == [None, None]
        assert not here.conductor.busy


async def test_events_of_marks_are_told(tmp_path: Path) -> None:
    async with conducted(tmp_path) as here:
        client = await here.client()
        assert (await ask_to_open(client)).refused == ""
        told = await until(client, lambda m: isinstance(m, NewEvent) and isinstance(m.event, Marked))
        assert isinstance(told, NewEvent)
        assert told.run.marks == {OLD: ""}
