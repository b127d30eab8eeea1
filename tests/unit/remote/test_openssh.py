"""The same promises against a real OpenSSH server, started here with a configuration and keys of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import asyncssh
import psutil
import pytest

from skytui.clock import SystemClock
from skytui.config.secrets import Secret
from skytui.errors import UnreachableError
from skytui.pair.mark import Carried, Foreign, Mark
from skytui.remote.durable import Command, Progress, State, follow, look, start
from skytui.remote.marking import clear_mark, set_mark
from skytui.remote.ssh import Host
from skytui.remote.tail import follow_log
from tests.support.openssh import SSHD, OpenSsh

pytestmark = pytest.mark.skipif(SSHD is None, reason="openssh-server is not installed")


@pytest.fixture
async def openssh(tmp_path: Path) -> AsyncIterator[OpenSsh]:
    server = OpenSsh(tmp_path)
    await server.start()
    yield server
    server.stop()


@pytest.fixture
async def host(openssh: OpenSsh) -> AsyncIterator[Host]:
    host = Host("sky-a", openssh.config, SystemClock())
    yield host
    await host.close()


def command(text: str, *stdin: str) -> Command:
    return Command(
        token="run-1",
        check=["echo", "sky-a master"],
        expect="sky-a master",
        argv=["sh", "-c", text],
        stdin=tuple(map(Secret, stdin)),
    )


async def test_a_command_outlives_its_connections(host: Host, openssh: OpenSsh) -> None:
    said: list[str] = []
    await start(host, command("for n in $(seq 100); do echo line $n; sleep 0.02; done; exit 5"))
    following = asyncio.create_task(follow(host, "run-1", said.append, 30))
    for goal in (10, 40, 70):
        async with asyncio.timeout(20):
            while len(said) < goal:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        openssh.drop()
    assert await following == State(Progress.ENDED, 5)
    assert said == [f"line {n}" for n in range(1, 101)]


async def test_starts_that_race_start_once(host: Host, openssh: OpenSsh) -> None:
    what = command("echo ran >>$HOME/count; sleep 0.2")
    await asyncio.gather(*(start(host, what) for _ in range(6)))
    assert await follow(host, "run-1", lambda _: None, 20) == State(Progress.ENDED, 0)
    assert (openssh.home / "count").read_text() == "ran\n"


async def test_of_those_who_claim_a_mark_at_once_one_wins_and_one_takes_it_over(
    host: Host, openssh: OpenSsh
) -> None:
    marks = [Mark(pair="night", run="r", key=f"k{n}") for n in range(5)]
    found = await asyncio.gather(*(set_mark(host, mark) for mark in marks))
    (winner,) = (mark for mark, one in zip(marks, found, strict=True) if isinstance(one, Carried))
    assert {one.mark for one in found if isinstance(one, Foreign)} == {winner}
    others = [mark for mark in marks if mark != winner]
    await asyncio.gather(*(set_mark(host, mark, take=winner, stale=0) for mark in others))
    found = await asyncio.gather(*(set_mark(host, mark) for mark in marks))
    (taker,) = (mark for mark, one in zip(marks, found, strict=True) if isinstance(one, Carried))
    assert taker != winner
    assert [path.name for path in (openssh.home / ".skytui/marks/night").iterdir()] == ["held"]
    assert await clear_mark(host, taker) == ""


async def test_secrets_arrive_and_a_prompt_ends_at_once(host: Host, openssh: OpenSsh) -> None:
    said: list[str] = []
    await start(host, command("read -r a; echo ${#a}; read -r b || echo no more", "xyzzy-plugh"))
    assert await follow(host, "run-1", said.append, 20) == State(Progress.ENDED, 0)
    assert said == ["11", "no more"]
    for file in openssh.home.rglob("*"):
        assert file.is_dir() or b"xyzzy" not in file.read_bytes()


async def test_a_connection_cut_in_the_middle_of_a_secret_starts_nothing(
    host: Host, openssh: OpenSsh
) -> None:
    """The launcher waits for its second line when the connection goes."""
    what = command("touch $HOME/ran", "first", "second")
    starting = asyncio.create_task(_start_with_half_a_secret(host, what))
    async with asyncio.timeout(10):
        while not _waits_for_a_line(openssh):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    openssh.drop()
    await starting
    async with asyncio.timeout(10):
        while True:
            try:
                state, _ = await look(host, "run-1")
                break
            except UnreachableError:
                await asyncio.sleep(0.05)
    assert state == State(Progress.ABSENT)
    assert not (openssh.home / "ran").exists()


async def _start_with_half_a_secret(host: Host, what: Command) -> None:
    from skytui.remote import durable  # noqa: PLC0415

    text = durable.sh(durable._START, what.token, 2, what.expect, "echo sky-a master", *what.argv)
    async with host.process(text) as process:
        process.stdin.write(b"first\nsec")
        with contextlib.suppress(asyncssh.Error, OSError):
            await process.wait()


def _waits_for_a_line(openssh: OpenSsh) -> bool:
    here = psutil.Process(openssh._process.pid).children(recursive=True)
    return any("skytui" in " ".join(_command_line(child)) for child in here)


def _command_line(process: psutil.Process) -> list[str]:
    """Empty for one that has ended since it was found."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


async def test_a_log_is_followed_over_a_drop(host: Host, openssh: OpenSsh) -> None:
    log = openssh.home / "server.log"
    log.write_text("one\n")
    async with aclosing(follow_log(host, str(log))) as lines, asyncio.timeout(20):
        assert await anext(lines) == "one"
        openssh.drop()
        with log.open("a") as opened:
            opened.write("two\n")
        assert await anext(lines) == "two"
