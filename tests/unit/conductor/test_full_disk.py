"""A run on a file system that is really full, or really read-only: noticed before an effect, and said."""

import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from skytui.conductor.journal import read_journal
from skytui.conductor.lock import sole_owner
from skytui.conductor.runs import JOURNAL, PLAN, open_run, stored_runs
from skytui.errors import StateError
from skytui.link.client import Client
from skytui.link.wire import HoldRun, Open, ReleaseRun
from skytui.runbook.model import Ended, Ending, Run
from tests.support.conducted import Conducted, conducted, confirm, go_to, until_read
from tests.support.conducted import open_run as open_one
from tests.support.world import World

PAGE = 4096
"""What a tmpfs gives room in; a file goes on growing in its last page though the disk is full."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = mount("-t", "tmpfs", "-o", "size=1m,mode=700", "none", str(folder))
    if mounted:
        pytest.skip(f"no file system can be mounted here: {mounted}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, timeout=30)


def mount(*arguments: str) -> str:
    """Why not; empty when it is mounted."""
    try:
        done = subprocess.run(["mount", *arguments], capture_output=True, text=True, timeout=30, check=False)
    except OSError as error:
        return str(error)
    return done.stderr.strip() or ("" if done.returncode == 0 else f"mount ended with {done.returncode}")


@contextlib.contextmanager
def full(disk: Path) -> Iterator[None]:
    """No room at all, until the block ends."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        while _fits(file):
            pass
    try:
        yield
    finally:
        filler.unlink()


def _fits(file: BinaryIO) -> bool:
    try:
        file.write(b"\0" * PAGE)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False
    return True


async def to_the_end_of_a_page(client: Client, journal: Path) -> None:
    """Let the journal grow until the next confirmation needs a page that the disk may not have."""

    async def held_and_released(reason: str) -> int:
        before = journal.stat().st_size
        assert (await client.request(lambda number: HoldRun(number, reason))).refused == ""
        assert (await client.request(ReleaseRun)).refused == ""
        return journal.stat().st_size - before

    least = await held_and_released("x")
    room = -journal.stat().st_size % PAGE
    await held_and_released("x" * ((room - least - 120) % PAGE + 1))
    assert 0 < -journal.stat().st_size % PAGE < 250, "less than a confirmation takes"


def acted(here: Conducted) -> list[int]:
    return [len(driver.acted) for driver in here.drivers.values()]


async def at_the_card(here: Conducted, step: str) -> tuple[Client, Run, Path]:
    client = await here.client()
    run = await go_to(client, await open_one(client), step)
    return client, run, here.folder / "runs" / run.id / JOURNAL


@pytest.mark.parametrize("step", ["lock-queues", "shut-down", "promote"])
async def test_a_step_does_not_start_on_a_full_disk_and_goes_on_when_there_is_room(
    disk: Path, step: str
) -> None:
    async with conducted(disk) as here:
        client, run, journal = await at_the_card(here, step)
        await to_the_end_of_a_page(client, journal)
        before, written = acted(here), journal.read_bytes()
        with full(disk):
            for _ in range(2):
                refused = await confirm(client, run)
                assert refused == (
                    f"The journal {journal} cannot be written: No space left on device."
                    " Nothing was started; make room on that disk and confirm again."
                )
            await until_read(await here.client("watch"))
            assert acted(here) == before
            assert journal.read_bytes() == written
        done = await go_to(client, run, "")
        assert done.stage == Ended(Ending.DONE)
        assert len(read_journal(journal).events) > 20


async def test_a_run_is_not_opened_on_a_full_disk_and_nothing_half_made_is_left(disk: Path) -> None:
    async with conducted(disk) as here:
        client = await here.client()
        await until_read(client)
        with full(disk):
            for _ in range(2):
                refused = (await client.request(Open)).refused
                assert "No space left on device" in refused
                assert "make room on that disk" in refused
                assert not here.conductor.busy
                assert list(disk.glob("runs/*")) == []
        run = await open_one(client)
        assert [folder.name for folder in stored_runs(disk)] == [run.id]


async def test_room_for_half_of_what_a_run_needs_leaves_nothing_either(disk: Path) -> None:
    async with conducted(disk) as here:
        client = await here.client()
        await until_read(client)
        for pages in range(1, 6):
            with full(disk):
                with (disk / "filler").open("r+b") as file:
                    file.truncate((disk / "filler").stat().st_size - pages * PAGE)
                refused = (await client.request(Open)).refused
                if not refused:
                    break
                assert "No space left on device" in refused
                assert list(disk.glob("runs/*")) == []
        else:
            raise AssertionError("five pages are room enough for a run")
        assert pages > 1
        found = open_run(disk)
        assert found is not None
        assert found.run.fixed


async def test_what_only_helps_stops_no_run_on_a_full_disk(disk: Path) -> None:
    """A gate passes on a full disk as long as its record has room; the plan on paper then lags behind."""
    async with conducted(disk) as here:
        client, run, journal = await at_the_card(here, "users-out")
        plan = journal.with_name(PLAN)
        before = plan.read_bytes()
        assert -journal.stat().st_size % PAGE > 1200 or await grown(client, journal)
        with full(disk):
            run = await go_to(client, run, "lock-queues")
            assert plan.read_bytes() == before
        run = await go_to(client, run, "drain-jobs")
        assert b"`users-out`" not in plan.read_bytes()


async def grown(client: Client, journal: Path) -> bool:
    """Into a page that has room."""
    reason = "x" * (-journal.stat().st_size % PAGE)
    assert (await client.request(lambda number: HoldRun(number, reason))).refused == ""
    assert (await client.request(ReleaseRun)).refused == ""
    return True


class TestReadOnly:
    def remount(self, disk: Path, how: str) -> None:
        assert mount("-o", f"remount,{how}", str(disk)) == ""

    async def test_no_run_is_opened_and_nothing_is_left(self, disk: Path) -> None:
        async with conducted(disk) as here:
            client = await here.client()
            await until_read(client)
            self.remount(disk, "ro")
            refused = (await client.request(Open)).refused
            assert "Read-only file system" in refused
            assert not here.conductor.busy
            self.remount(disk, "rw")
            assert list(disk.glob("runs/*")) == []
            run = await go_to(client, await open_one(client), "")
            assert run.stage == Ended(Ending.DONE)

    async def test_a_run_that_was_left_is_not_taken_up_and_goes_on_later(self, disk: Path) -> None:
        world = World()
        async with conducted(disk, world=world) as here:
            client, _run, journal = await at_the_card(here, "lock-queues")
        written = journal.read_bytes()
        (disk / "conductor.sock").unlink()
        self.remount(disk, "ro")
        with pytest.raises(StateError, match="Read-only file system"):
            async with conducted(disk, world=world):
                raise AssertionError("nothing is served from there")
        with pytest.raises(StateError, match="cannot be opened: Read-only file system"), sole_owner(disk):
            raise AssertionError("nobody owns what cannot be written")
        self.remount(disk, "rw")
        assert journal.read_bytes() == written
        async with conducted(disk, world=world) as here:
            client = await here.client()
            assert client.welcome.run is not None
            done = await go_to(client, client.welcome.run, "")
            assert done.stage == Ended(Ending.DONE)


@pytest.fixture
def damaged(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """An ext4 of its own, in a file, and what makes the kernel find an error in it."""
    disk, file = tmp_path / "ext", tmp_path / "ext.img"
    disk.mkdir()
    with file.open("wb") as made:
        made.truncate(16 * 1024 * 1024)
    try:
        subprocess.run(["mkfs.ext4", "-q", "-F", str(file)], check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no ext4 can be made here: {error}")
    if why := mount("-o", "loop,errors=remount-ro", str(file), str(disk)):
        pytest.skip(f"no ext4 can be mounted here: {why}")
    try:
        number = disk.stat().st_dev
        device = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}").resolve().name
        trigger = Path(f"/sys/fs/ext4/{device}/trigger_fs_error")
        if not trigger.exists():
            pytest.skip(f"this kernel cannot be told to find an error: there is no {trigger}")
        yield disk, trigger
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True, timeout=30)


async def test_a_disk_that_turns_read_only_under_an_open_run_starts_nothing(
    damaged: tuple[Path, Path],
) -> None:
    """As a file system does that finds itself damaged: it asks nobody who has files open."""
    disk, trigger = damaged
    async with conducted(disk) as here:
        client, run, journal = await at_the_card(here, "lock-queues")
        before, written = acted(here), journal.read_bytes()
        trigger.write_text("1")
        for _ in range(2):
            refused = await confirm(client, run)
            assert refused.startswith(f"The journal {journal} cannot be written: ")
            assert acted(here) == before
        assert journal.read_bytes() == written
