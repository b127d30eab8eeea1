"""A run of a team, whose members are real users of this machine: one conductor dies, another one goes on."""

import asyncio
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from skytui import paths
from skytui.conductor.runs import JOURNAL, load_run, stored_runs
from skytui.errors import UnreachableError
from skytui.link.client import Client
from skytui.link.start import attach
from skytui.link.wire import HoldRun, NewEvent, Open
from skytui.runbook.events import Marked, Opened, Resumed
from tests.support.conducted import SECONDS, until, until_read
from tests.support.configured import NAME, Configured, two_servers
from tests.support.users import BOB, CAROL, TEAM, needs_root, place_for_all, run_as, running_as, team_in

pytestmark = needs_root

IMPORTS = """\
import concurrent.futures.thread, encodings.idna, httpx, anyio._backends._asyncio
httpx.AsyncClient(trust_env=False)
import skytui.conductor.__main__ as conductor
"""
"""With what is otherwise imported late, from where only root may be able to read."""
CONDUCT = "sys.exit(conductor.main())"


@pytest.fixture
def night(monkeypatch: pytest.MonkeyPatch) -> Iterator[Configured]:
    with place_for_all() as place, two_servers() as ports:
        (place / "skytui").mkdir()
        monkeypatch.setenv("XDG_CONFIG_HOME", str(place))
        monkeypatch.setenv("XDG_STATE_HOME", str(place / "state"))
        monkeypatch.setenv("SKYTUI_CONFIG", str(place / "skytui" / "config.toml"))
        configured = Configured(*ports, more=f'state = "{team_in(place)}"')
        for path in (configured.file.parent, configured.file, configured.profile):
            path.chmod(0o755 if path.is_dir() else 0o644)
        yield configured


@contextmanager
def conductor_of(uid: int, *arguments: str) -> "Iterator[subprocess.Popen[bytes]]":
    with running_as(uid, CONDUCT, NAME, *arguments, groups=(TEAM,), imports=IMPORTS) as process:
        yield process


async def client_of(folder: Path, process: "subprocess.Popen[bytes]") -> Client:
    async with asyncio.timeout(SECONDS):
        while True:
            assert process.poll() is None, "the conductor has ended"
            try:
                return await Client.connect(folder, "console")
            except UnreachableError:
                await asyncio.sleep(0.05)


async def test_a_member_goes_on_with_another_members_run_when_told_to(night: Configured) -> None:
    with conductor_of(BOB) as process:
        client = await client_of(night.folder, process)
        assert client.welcome.keys_of == str(BOB)
        await until_read(client)
        assert (await client.request(Open)).refused == ""
        await until(client, lambda message: isinstance(message, NewEvent))
        await client.close()
        process.kill()
        process.wait(10)
    (folder,) = stored_runs(night.folder)
    written = (folder / JOURNAL).read_bytes()

    refused = await asyncio.to_thread(run_as, CAROL, CONDUCT, NAME, groups=(TEAM,), imports=IMPORTS)
    assert refused.returncode == 10
    assert f"goes by the keys of {BOB}, whose conductor has been dead for" in refused.stderr
    assert (folder / JOURNAL).read_bytes() == written

    with conductor_of(CAROL, "--take-over=bob went home") as process:
        client = await client_of(night.folder, process)
        assert client.welcome.keys_of == str(CAROL)
        assert (await client.request(lambda number: HoldRun(number, "a look around"))).refused == ""
        await client.close()
    stored = load_run(folder)
    told = [event for event in stored.contents.events if not isinstance(event, Marked)]
    opened, resumed, held = told
    assert isinstance(opened, Opened)
    assert (opened.who, opened.keys_of) == ("root", str(BOB))
    assert isinstance(resumed, Resumed)
    assert (resumed.who, resumed.after, resumed.reason) == (str(CAROL), str(BOB), "bob went home")
    assert held is not None
    assert (folder / JOURNAL).stat().st_uid == BOB


async def test_whatever_is_made_is_the_groups_whatever_the_umask(night: Configured) -> None:
    with conductor_of(BOB) as process:
        client = await client_of(night.folder, process)
        await until_read(client)
        assert (await client.request(Open)).refused == ""
        await until(client, lambda message: isinstance(message, NewEvent))
        made = [night.folder.parent, night.folder, *night.folder.rglob("*")]
        await client.close()
    assert len(made) > 10
    for path in made:
        state = path.lstat() if path.exists() else None
        if state is not None:
            mode = 0o2770 if path.is_dir() else 0o660
            assert (stat.S_IMODE(state.st_mode), state.st_gid) == (mode, TEAM), path


async def test_the_log_is_the_groups_too_though_the_command_line_opens_it(night: Configured) -> None:
    with paths.masked(0o077):
        client = await attach(NAME, "console")
    await client.close()
    log = (night.folder / "conductor.log").stat()
    night.kill()
    assert (stat.S_IMODE(log.st_mode), log.st_gid) == (0o660, TEAM)


async def test_who_is_not_in_the_group_cannot_even_begin(night: Configured) -> None:
    refused = await asyncio.to_thread(run_as, CAROL, CONDUCT, NAME, imports=IMPORTS)
    assert refused.returncode == 10
    assert f"is closed to you: you are not in the group {TEAM}" in refused.stderr
