"""Conductors that are processes: killed, started again, by another configuration and by another person."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from skytui import paths
from skytui.conductor.fixed import FOLDER
from skytui.conductor.journal import Journal, read_journal
from skytui.conductor.lock import LOCK
from skytui.conductor.runs import JOURNAL, load_run, stored_runs
from skytui.errors import SkytuiError, StateError
from skytui.link.client import Client
from skytui.link.start import attach, conductor_listens
from skytui.link.wire import NewEvent, Open, Previews
from skytui.runbook.events import Opened, Resumed
from skytui.runbook.model import Run
from tests.support.conducted import until, until_read
from tests.support.configured import NAME, Configured, two_servers


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Configured]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("SKYTUI_CONFIG", raising=False)
    with two_servers() as ports:
        configured = Configured(*ports)
        try:
            yield configured
        finally:
            if conductor_listens(NAME):
                configured.kill()


async def opened(client: Client) -> Run:
    await until_read(client)
    reply = await client.request(Open)
    assert reply.refused == ""
    event = await until(client, lambda message: isinstance(message, NewEvent))
    assert isinstance(event, NewEvent)
    return event.run


async def preview(client: Client) -> str:
    """What locking the queues would run where."""
    said = client.welcome.previews
    while "lock-queues" not in said:
        message = await until(client, lambda m: isinstance(m, Previews))
        assert isinstance(message, Previews)
        said = message.previews
    return said["lock-queues"]


def skytui(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "skytui", *arguments],
        capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def edit_everything(night: Configured) -> None:
    a, b = night.ports
    night.edit(night.file, f":{a}", ":9")
    night.edit(night.file, f":{b}", f":{a}")
    night.edit(night.file, ":9", f":{b}")
    night.edit(night.file, "zero_seconds = 30.0", "zero_seconds = 31.0")
    night.edit(night.profile, '"/lock"', '"/lock/all"')


async def test_what_is_edited_in_the_middle_of_a_run_changes_nothing_for_it(night: Configured) -> None:
    client = await attach(NAME, "console")
    run = await opened(client)
    before = await preview(client)
    assert before == f"POST http://127.0.0.1:{night.ports[0]}/lock"
    await client.close()
    night.kill()

    edit_everything(night)
    client = await attach(NAME, "console")
    assert client.welcome.run is not None
    assert client.welcome.run.id == run.id
    assert client.welcome.run.thresholds.zero_seconds == 30
    assert await preview(client) == before
    await until_read(client)
    await client.close()
    night.kill()
    # The next run: the first one's folder is out of the way, as it is once it has ended.
    (folder,) = stored_runs(night.folder)
    folder.rename(night.folder / "ended")

    client = await attach(NAME, "console")
    run = await opened(client)
    assert run.thresholds.zero_seconds == 31
    assert (run.old, run.new) == ("sky-b", "sky-a")
    assert await preview(client) == f"{before}/all"
    await client.close()


async def test_a_faulty_configuration_keeps_nobody_from_a_run_under_way(night: Configured) -> None:
    client = await attach(NAME, "console")
    run = await opened(client)
    await client.close()
    night.kill()
    night.edit(night.file, "listen_port", "listen_prot")
    night.profile.unlink()
    held = skytui("hold", NAME, "--reason", "looking")
    assert held.returncode == 0, held.stderr
    (folder,) = stored_runs(night.folder)
    stored = load_run(folder).run
    assert stored.id == run.id
    assert stored.hold is not None


@pytest.mark.parametrize("file", ["config.toml", "profile.toml", "plan.json"])
async def test_a_copy_that_was_changed_is_refused_in_a_sentence(night: Configured, file: str) -> None:
    client = await attach(NAME, "console")
    run = await opened(client)
    await client.close()
    night.kill()
    (folder,) = stored_runs(night.folder)
    journal = (folder / JOURNAL).read_bytes()
    night.edit(folder / FOLDER / file, "lock" if file == "profile.toml" else "30.0", "31.0")
    with pytest.raises(StateError, match=f"What run {run.id} goes by was changed in .*Put those files back"):
        await attach(NAME, "console")
    assert (folder / JOURNAL).read_bytes() == journal
    verified = skytui("verify", run.id)
    assert verified.returncode == 10
    assert "was changed" in verified.stderr


async def test_no_run_is_opened_by_a_configuration_that_is_no_longer_there(night: Configured) -> None:
    client = await attach(NAME, "console")
    await until_read(client)
    night.edit(night.file, "zero_seconds = 30.0", "zero_seconds = 31.0")
    refused = (await client.request(Open)).refused
    assert "the configuration of night was changed since this conductor started, which ends now" in refused
    async for _ in client:
        pass
    assert client.why_lost
    await client.close()
    assert stored_runs(night.folder) == []
    client = await attach(NAME, "console")
    assert (await opened(client)).thresholds.zero_seconds == 31
    await client.close()


async def test_another_pair_in_the_same_file_is_nobodys_business(night: Configured) -> None:
    client = await attach(NAME, "console")
    await until_read(client)
    with night.file.open("a") as file:
        file.write('# a remark\n[pair.day]\nprofile = "skybot"\n')
    await opened(client)
    await client.close()


async def test_a_faulty_configuration_opens_no_run_and_ends_no_conductor(night: Configured) -> None:
    client = await attach(NAME, "console")
    await until_read(client)
    night.edit(night.file, "zero_seconds", "zero_second")
    refused = (await client.request(Open)).refused
    assert "is faulty now" in refused
    assert "did you mean `zero_seconds`?" in refused
    night.edit(night.file, "zero_second ", "zero_seconds ")
    await opened(client)
    await client.close()


async def test_no_secret_is_in_the_copy_only_where_it_comes_from(
    night: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHT_ADMIN", "hunter2-marked")
    night.edit(
        night.file, "practice = true", 'practice = true\nsecrets = { admin = { env = "NIGHT_ADMIN" } }'
    )
    client = await attach(NAME, "console")
    await opened(client)
    await client.close()
    files = [path for path in night.folder.rglob("*") if path.is_file()]
    assert any(b"NIGHT_ADMIN" in path.read_bytes() for path in files)
    assert not [path for path in files if b"hunter2-marked" in path.read_bytes()]


def left_by(who: str, night: Configured, silent: float) -> Run:
    """Make the run that is there one that went by the keys of `who`, whose conductor died so long ago."""
    (folder,) = stored_runs(night.folder)
    first, *_ = read_journal(folder / JOURNAL).events
    assert isinstance(first, Opened)
    for name in (JOURNAL, "head"):
        (folder / name).unlink()
    journal = Journal.create(folder / JOURNAL, first.run)
    journal.append(msgspec.structs.replace(first, keys_of=who, who=who))
    journal.close()
    lock = night.folder / LOCK
    now = lock.stat().st_mtime
    os.utime(lock, (now - silent, now - silent))
    return load_run(folder).run


class TestTakeOver:
    async def abandoned(self, night: Configured) -> Run:
        client = await attach(NAME, "console")
        await opened(client)
        await client.close()
        night.kill()
        return left_by("ann", night, 42 * 60)

    async def test_another_persons_run_is_not_taken_up_just_so(self, night: Configured) -> None:
        run = await self.abandoned(night)
        (folder,) = stored_runs(night.folder)
        before = (folder / JOURNAL).read_bytes()
        for _ in range(2):  # asking is no sign of life
            with pytest.raises(SkytuiError) as refused:
                await attach(NAME, "console")
            assert (
                f"Run {run.id} of night goes by the keys of ann, whose conductor has been dead for 42 min"
                in str(refused.value)
            )
            assert "skytui take night --reason '…'" in str(refused.value)
        assert (folder / JOURNAL).read_bytes() == before
        assert not conductor_listens(NAME)

    async def test_told_to_it_goes_on_with_the_new_persons_keys(self, night: Configured) -> None:
        run = await self.abandoned(night)
        taken = skytui("take", NAME, "--reason", "-- ann's machine\x1b[2J is gone")
        assert taken.returncode == 0, taken.stderr
        assert f"Run {run.id} is operated by" in taken.stdout
        assert "a new conductor has taken it up" in taken.stdout
        client = await attach(NAME, "console")
        (resumed,) = [event for event in client.welcome.events if isinstance(event, Resumed)]
        me = client.welcome.you.who
        assert (resumed.who, resumed.after, resumed.reason) == (me, "ann", "-- ann's machine is gone")
        assert resumed.host
        assert 42 * 60 <= resumed.silent < 44 * 60
        after = client.welcome.run
        assert after is not None
        assert (after.operator, after.keys_of, client.welcome.keys_of) == (me, me, me)
        await client.close()
        night.kill()
        # From here on it is ours, and is taken up without a word.
        client = await attach(NAME, "console")
        assert client.welcome.events[-1].__class__ is Resumed
        assert client.welcome.events[-1].after == ""
        await client.close()

    async def test_a_living_conductor_goes_on_with_the_keys_it_has(self, night: Configured) -> None:
        client = await attach(NAME, "console")
        run = await opened(client)
        (folder,) = stored_runs(night.folder)
        taken = skytui("take", NAME, "--reason", "on the train")
        assert taken.returncode == 0, taken.stderr
        assert "its conductor lives" in taken.stdout
        assert not [e for e in read_journal(folder / JOURNAL).events if isinstance(e, Resumed)]
        assert run.id in taken.stdout
        await client.close()

    async def test_without_a_run_there_is_nothing_to_take(self, night: Configured) -> None:
        taken = skytui("take", NAME, "--reason", "why not")
        assert (taken.returncode, taken.stdout) == (10, "")
        assert "Nothing was taken over: night has no open run" in taken.stderr
        assert skytui("take", NAME, "--reason", " ").returncode == 2


async def test_the_conductor_gives_a_sign_of_life_with_every_poll(night: Configured) -> None:
    client = await attach(NAME, "console")
    lock = night.folder / LOCK
    os.utime(lock, (0, 0))
    await until(client, lambda message: type(message).__name__ == "NewReading" and lock.stat().st_mtime > 0)
    await client.close()


async def test_a_private_pair_is_its_owners_alone_whatever_the_umask(night: Configured) -> None:
    with paths.masked(0o000):
        client = await attach(NAME, "console")
    await opened(client)
    await client.close()
    night.kill()
    modes = {
        path.relative_to(night.folder): stat.S_IMODE(path.lstat().st_mode) for path in night.folder.rglob("*")
    }
    assert set(modes.values()) == {0o700, 0o600}, modes
    assert stat.S_IMODE(night.folder.stat().st_mode) == 0o700


async def test_where_the_conductor_cannot_write_that_is_said(night: Configured) -> None:
    night.folder.parent.mkdir(parents=True)
    night.folder.write_text("a file where a folder should be")
    with pytest.raises(StateError, match="of night cannot be made: File exists"):
        await attach(NAME, "console")
