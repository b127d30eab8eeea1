"""Commands under `sudo -n`: with a sudo of the test's own, and with the system's where that may be used."""

import asyncio
import os
import pwd
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from skytui.clock import SystemClock
from skytui.config.secrets import Secret
from skytui.errors import RefusedError
from skytui.remote.durable import Command, Progress, State, follow, start
from skytui.remote.ssh import Completed, Host, sudo_refusal, sudo_words
from tests.support.openssh import SSHD, OpenSsh, openssh_server
from tests.unit.remote.conftest import SshServer

SECONDS = 60.0

# Runs what it is given, and tells of it; or says what sudo says, word for word (sudo 1.9).
OBEDIENT = """#!/bin/sh
printf '%s\\n' "$*" >>"$HOME/sudo.log"
while [ "$1" != -- ]; do shift; done
shift
exec "$@"
"""
ASKING = "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n"


@pytest.fixture
def hosts(sshd: SshServer) -> Callable[[str, bool | str], Host]:
    def made(script: str, sudo: bool | str) -> Host:
        folder = sshd.folder / "bin"
        folder.mkdir()
        (folder / "sudo").write_text(script)
        (folder / "sudo").chmod(0o755)
        sshd.environment["PATH"] = f"{folder}:{os.environ['PATH']}"
        return Host("sky-a", msgspec.structs.replace(sshd.config, sudo=sudo), SystemClock())

    return made


@pytest.mark.parametrize(
    ("sudo", "words"),
    [
        (False, []),
        (True, ["sudo", "-n", "-H", "--"]),
        ("sky", ["sudo", "-n", "-H", "-u", "sky", "--"]),
    ],
)
def test_what_is_put_before_a_command(sudo: bool | str, words: list[str]) -> None:
    assert sudo_words(sudo) == words


async def test_readings_and_commands_run_under_sudo(
    hosts: Callable[[str, bool | str], Host], sshd: SshServer
) -> None:
    host = hosts(OBEDIENT, "sky")
    done = await host.run("cat; echo 'it'\"'\"'s me'; exit 7", stdin=b"in\n", deadline=SECONDS)
    assert (done.code, done.stdout) == (7, b"in\nit's me\n")
    what = Command(
        token="t",
        check=["echo", "x"],
        expect="x",
        argv=["sh", "-c", "read a; echo ${#a}"],
        stdin=(Secret("abc"),),
    )
    await start(host, what)
    said: list[str] = []
    assert await follow(host, "t", said.append, SECONDS) == State(Progress.ENDED, 0)
    assert said == ["3"]
    calls = [line for line in (sshd.home / "sudo.log").read_text().splitlines() if line.startswith("-n")]
    assert len(calls) >= 3
    assert all(line.startswith("-n -H -u sky -- sh -c") for line in calls)
    assert all(command.startswith("sudo ") for command in sshd.commands)
    await host.close()


async def test_a_sudo_that_would_ask_for_a_password_starts_nothing_and_says_so(
    hosts: Callable[[str, bool | str], Host],
) -> None:
    host = hosts(ASKING, True)
    sentence = (
        r"sky-a: sudo does not run commands for sky@\S+ without a password: sudo: a password is required\."
    )
    with pytest.raises(RefusedError, match=sentence):
        await host.run("echo in", deadline=SECONDS)
    what = Command(token="t", check=["echo", "x"], expect="x", argv=["true"])
    with pytest.raises(RefusedError, match=sentence):
        await start(host, what)
    await host.close()


async def test_without_sudo_on_the_host_it_is_said(sshd: SshServer) -> None:
    sshd.environment["PATH"] = str(sshd.folder / "nothing")
    host = Host("sky-a", msgspec.structs.replace(sshd.config, sudo=True), SystemClock())
    with pytest.raises(RefusedError, match="sudo: not found"):
        await host.run("true", deadline=SECONDS)
    await host.close()


@pytest.mark.parametrize(
    ("code", "stdout", "stderr", "said"),
    [
        (1, b"", b"sudo: a password is required\n", "sudo: a password is required"),
        (1, b"", b"sudo: ein Passwort ist notwendig\n", "sudo: ein Passwort ist notwendig"),
        (1, b"", b"ann is not in the sudoers file.\n", "ann is not in the sudoers file"),
        (1, b"", b"Sorry, user ann is not allowed to execute '/bin/sh' as root on h.\n", "Sorry, user ann"),
        (127, b"", b"sh: 1: sudo: not found\n", "sh: 1: sudo: not found"),
        (127, b"", b"bash: line 1: sudo: command not found\n", "bash: line 1: sudo: command not found"),
        (1, b"out\n", b"sudo: a password is required\n", ""),
        (1, b"", b"no such file\nsudo: a password is required\n", ""),
        (0, b"", b"sudo: unable to resolve host h\n", ""),
        (1, b"", b"", ""),
        (7, b"", b"sudo: looks like it\n", ""),
    ],
)
def test_sudos_refusal_is_told_from_a_commands_end(
    code: int, stdout: bytes, stderr: bytes, said: str
) -> None:
    found = sudo_refusal(Completed(code, stdout, stderr))
    assert found.startswith(said)
    assert bool(found) == bool(said)


@pytest.mark.skipif(
    SSHD is None or shutil.which("sudo") is None, reason="openssh-server or sudo is not installed"
)
@pytest.mark.skipif(os.getuid() != 0, reason="who may use sudo without a password is not known here")
async def test_the_systems_own_sudo(tmp_path: Path) -> None:
    tried = await asyncio.create_subprocess_exec("sudo", "-n", "-u", "nobody", "true")
    if await tried.wait():
        pytest.skip("sudo does not let us run commands as nobody here")
    async with openssh_server(tmp_path) as server:
        config: OpenSsh = server
        host = Host("sky-a", msgspec.structs.replace(config.config, sudo="nobody"), SystemClock())
        done = await host.run("id -un; echo $HOME; printf '<%s>' \"a  b\" '$(id)'", deadline=SECONDS)
        await host.close()
    assert done.stdout.decode() == f"nobody\n{pwd.getpwnam('nobody').pw_dir}\n<a  b><$(id)>"
