import asyncio
import os
import shlex
import shutil
import time
from pathlib import Path

import pytest

from skytui.config.secrets import Secret
from skytui.errors import RefusedError, UnreachableError
from skytui.remote.durable import CheckFailedError, Command, Progress, State, follow, look, start
from skytui.remote.ssh import Host, LostError
from tests.unit.remote.conftest import SshServer

ENDED = State(Progress.ENDED, 0)


def command(  # what a test says with sh; `token` is no secret
    text: str,
    *arguments: str,
    token: str = "run-1",  # noqa: S107
    stdin: tuple[str, ...] = (),
) -> Command:
    return Command(
        token=token,
        check=["echo", "sky-a master"],
        expect="sky-a master",
        argv=["sh", "-c", text, "test", *arguments],
        stdin=tuple(map(Secret, stdin)),
    )


async def ran(host: Host, what: Command) -> tuple[State, list[str]]:
    said: list[str] = []
    await start(host, what)
    return await follow(host, what.token, said.append, 20), said


async def test_output_comes_in_order_and_the_exit_code_with_it(host: Host) -> None:
    state, said = await ran(host, command("echo one; echo two >&2; echo three; exit 3"))
    assert state == State(Progress.ENDED, 3)
    assert said == ["one", "two", "three"]


async def test_arguments_reach_the_program_literally(host: Host) -> None:
    odd = ["a b", "$HOME", "`id`", "'", '"', "a\nb", "*", "", "\\", "-n"]
    what = Command(
        token="odd", check=["echo", "x"], expect="x", argv=["sh", "-c", 'printf "<%s>" "$@"', "test", *odd]
    )
    _, said = await ran(host, what)
    assert "\n".join(said) == "".join(f"<{one}>" for one in odd)


async def test_the_same_token_runs_once_also_when_starts_race(host: Host, sshd: SshServer) -> None:
    what = command("echo ran >>count; sleep 0.2")
    await asyncio.gather(*(start(host, what) for _ in range(6)))
    await start(host, what)
    assert await follow(host, what.token, lambda _: None, 20) == ENDED
    await start(host, what)
    assert (sshd.home / "count").read_text() == "ran\n"


async def test_a_host_that_says_something_else_starts_nothing(host: Host, sshd: SshServer) -> None:
    what = Command(token="t", check=["echo", "sky-a standby"], expect="sky-a master", argv=["touch", "ran"])
    with pytest.raises(CheckFailedError, match="says `sky-a standby` where `sky-a master` was expected"):
        await start(host, what)
    assert not (sshd.home / "ran").exists()
    assert (await look(host, "t"))[0] == State(Progress.ABSENT)


async def test_a_check_that_cannot_run_starts_nothing(host: Host, sshd: SshServer) -> None:
    what = Command(token="t", check=["/no/such/program"], expect="sky-a master", argv=["touch", "ran"])
    with pytest.raises(CheckFailedError, match="says nothing where"):
        await start(host, what)
    assert not (sshd.home / "ran").exists()


async def test_the_command_outlives_its_connection_and_no_line_is_lost_or_doubled(
    host: Host, sshd: SshServer
) -> None:
    what = command("for n in $(seq 200); do echo line $n; sleep 0.01; done")
    said: list[str] = []
    await start(host, what)
    following = asyncio.create_task(follow(host, what.token, said.append, 30))
    for goal in (20, 60, 120):
        async with asyncio.timeout(20):
            while len(said) < goal:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await sshd.drop()
    assert await following == ENDED
    assert said == [f"line {n}" for n in range(1, 201)]


async def test_secret_lines_arrive_and_stand_nowhere(host: Host, sshd: SshServer) -> None:
    text = "read -r a; read -r b; read -r c || echo no more; echo ${#a} $b; ps -eo args >args; env >env"
    state, said = await ran(host, command(text, stdin=("xyzzy-plugh", "10.0.0.1")))
    assert state == ENDED
    assert said == ["no more", "11 10.0.0.1"]
    for file in sshd.home.rglob("*"):
        if file.is_file():
            assert b"xyzzy-plugh" not in file.read_bytes(), file
    assert not any("xyzzy-plugh" in text for text in sshd.commands)


async def test_a_connection_cut_in_the_middle_of_a_secret_starts_nothing(host: Host, sshd: SshServer) -> None:
    await start(host, command("true", token="first", stdin=("a", "b")))
    text = next(text for text in sshd.commands if "first" in text).replace("first", "second")
    done = await host.run(text, stdin=b"a\nhalf a sec", deadline=10)
    assert done.stdout == b"cut\n"
    assert (await look(host, "second"))[0] == State(Progress.ABSENT)


async def test_a_command_that_waits_for_an_answer_ends_at_once(host: Host) -> None:
    state, said = await ran(host, command("read -r answer || { echo no answer; exit 9; }"))
    assert (state, said) == (State(Progress.ENDED, 9), ["no answer"])


async def test_without_setsid_nohup_does(host: Host, sshd: SshServer) -> None:
    tools = sshd.folder / "tools"
    tools.mkdir()
    names = "sh mkdir find rm head mv nohup sleep cat tr grep tail dd wc ps seq".split()  # noqa: SIM905
    for name in names:
        (tools / name).symlink_to(_which(name))
    sshd.environment["PATH"] = str(tools)
    state, said = await ran(host, command("echo hello; command -v setsid || echo no setsid"))
    assert (state, said) == (ENDED, ["hello", "no setsid"])


async def begun(host: Host, sshd: SshServer, text: str) -> int:
    """Start a command whose output is the pid of what must be killed last; the pid of its runner."""
    await start(host, command(text))
    await waited_for(sshd.home / ".skytui/commands/run-1/output")
    return int((sshd.home / ".skytui/commands/run-1/pid").read_text())


async def waited_for(file: Path) -> int:
    """The number in a file, as soon as it is there."""
    async with asyncio.timeout(10):
        while not (file.exists() and file.read_text().endswith("\n")):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return int(file.read_text())


async def test_a_killed_command_has_vanished(host: Host, sshd: SshServer) -> None:
    session = await begun(host, sshd, "echo $$; exec sleep 60")
    following = asyncio.create_task(follow(host, "run-1", lambda _: None, 20))
    os.killpg(session, 9)
    assert (await following).progress is Progress.VANISHED


@pytest.mark.parametrize("name", ["sleeper", "odd ) S 1 (1"])
async def test_what_outlives_its_killed_shell_is_an_orphan_until_it_ends_too(
    host: Host, sshd: SshServer, name: str
) -> None:
    (sshd.home / name).symlink_to(_which("sleep"))
    runner = await begun(host, sshd, f"echo $$; exec './{name}' 60")
    child = await waited_for(sshd.home / ".skytui/commands/run-1/output")
    os.kill(runner, 9)
    try:
        assert await follow(host, "run-1", lambda _: None, 20) == State(Progress.ORPHANED)
    finally:
        os.kill(child, 9)
    async with asyncio.timeout(10):
        while (state := (await look(host, "run-1"))[0]) != State(Progress.VANISHED):
            assert state == State(Progress.ORPHANED)


@pytest.mark.parametrize("gone", ["session", "boot"])
async def test_where_it_cannot_be_proven_that_it_is_gone_it_may_still_run(
    host: Host, sshd: SshServer, gone: str
) -> None:
    """Without setsid nothing tells its processes from others; only another boot proves that they are gone."""
    session = await begun(host, sshd, "echo $$; exec sleep 60")
    folder = sshd.home / ".skytui/commands/run-1"
    (folder / "session").unlink()
    os.killpg(session, 9)
    if gone == "boot":
        (folder / "boot").write_text("00000000-0000-0000-0000-000000000000\n")
    wanted = {"session": Progress.ORPHANED, "boot": Progress.VANISHED}[gone]
    assert await follow(host, "run-1", lambda _: None, 20) == State(wanted)


async def test_a_host_that_went_down_before_anything_was_seen_to_start_left_nothing(
    host: Host, sshd: SshServer
) -> None:
    folder = sshd.home / ".skytui/commands/run-1"
    folder.mkdir(parents=True)
    assert (await look(host, "run-1"))[0] == State(Progress.CLAIMED)
    (folder / "boot").write_text("00000000-0000-0000-0000-000000000000\n")
    assert (await look(host, "run-1"))[0] == State(Progress.VANISHED)


async def test_a_probe_uses_up_a_token_so_that_a_late_start_does_nothing(host: Host, sshd: SshServer) -> None:
    assert (await look(host, "run-1", void=True))[0] == State(Progress.VOID)
    await start(host, command("touch ran"))
    assert await follow(host, "run-1", lambda _: None, 10) == State(Progress.VOID)
    assert not (sshd.home / "ran").exists()


async def test_a_probe_leaves_a_used_token_alone(host: Host) -> None:
    await ran(host, command("exit 4"))
    assert (await look(host, "run-1", void=True))[0] == State(Progress.ENDED, 4)


async def test_when_the_wait_is_over_the_command_goes_on(host: Host) -> None:
    what = command("sleep 1.5; echo done")
    await start(host, what)
    assert (await follow(host, what.token, lambda _: None, 0.6)).progress is Progress.RUNNING
    said: list[str] = []
    assert await follow(host, what.token, said.append, 20) == ENDED
    assert said == ["done"]


async def test_much_output_comes_whole(host: Host) -> None:
    state, said = await ran(host, command("seq 100000"))
    assert state == ENDED
    assert said == [str(n) for n in range(1, 100001)]


async def test_old_folders_are_cleaned_up(host: Host, sshd: SshServer) -> None:
    await ran(host, command("true", token="old"))
    await ran(host, command("true", token="young"))
    week = time.time() - 9 * 86400
    os.utime(sshd.home / ".skytui/commands/old/code", (week, week))
    await ran(host, command("true", token="new"))
    assert sorted(f.name for f in (sshd.home / ".skytui/commands").iterdir()) == ["new", "young"]


async def test_a_folder_that_cannot_be_made_starts_nothing(host: Host, sshd: SshServer) -> None:
    (sshd.home / ".skytui").write_text("in the way")
    with pytest.raises(RefusedError, match=r"nothing was started: .* cannot be made"):
        await start(host, command("touch ran"))
    assert not (sshd.home / "ran").exists()


@pytest.mark.parametrize("token", ["", ".", "..", "a/b", "-x", "a b", "x" * 200, "$(id)"])
async def test_a_bad_token_is_refused(host: Host, token: str) -> None:
    with pytest.raises(RefusedError):
        await start(host, command("true", token=token))


@pytest.mark.parametrize("line", ["two\nlines", "nul\0", "x" * 5000])
async def test_a_bad_line_is_refused(host: Host, line: str) -> None:
    with pytest.raises(RefusedError) as refused:
        await start(host, command("true", stdin=(line,)))
    assert line not in str(refused.value)


async def test_following_a_host_that_is_gone_says_so(host: Host, sshd: SshServer) -> None:
    await start(host, command("sleep 1"))
    await sshd.stop()
    with pytest.raises(UnreachableError):
        await follow(host, "run-1", lambda _: None, 1)


async def test_a_start_that_is_cut_off_is_lost(host: Host, sshd: SshServer) -> None:
    slow = Command(token="slow", check=["sleep", "30"], expect="x", argv=["true"])
    with pytest.raises(LostError):
        await start(host, slow, deadline=0.5)


def _which(name: str) -> Path:
    found = shutil.which(name)
    assert found, shlex.quote(name)
    return Path(found)
