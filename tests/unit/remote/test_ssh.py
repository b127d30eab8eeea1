import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncssh
import pytest

from skytui.clock import SystemClock
from skytui.errors import RefusedError, RemoteError, UnreachableError
from skytui.remote.ssh import Completed, Host, LostError
from tests.unit.remote.conftest import SshServer


async def answered(host: Host, command: str) -> Completed:
    """The answer, as soon as the client has noticed that its old connection is gone."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await host.run(command, deadline=10)
            except UnreachableError:
                await asyncio.sleep(0.05)


async def test_a_command_gives_its_code_and_both_streams(host: Host) -> None:
    done = await host.run("cat; echo out; echo err >&2; exit 7", stdin=b"in\n", deadline=10)
    assert (done.code, done.stdout, done.stderr) == (7, b"in\nout\n", b"err\n")
    assert done.complaint == "err"


async def test_all_commands_share_one_connection(host: Host, sshd: SshServer) -> None:
    done = await asyncio.gather(*(host.run(f"echo {n}", deadline=10) for n in range(8)))
    assert [one.stdout for one in done] == [b"%d\n" % n for n in range(8)]
    assert len(sshd.connections) == 1


async def test_standard_input_is_at_its_end(host: Host) -> None:
    done = await host.run("read -r line || echo nothing came", deadline=10)
    assert done.stdout == b"nothing came\n"


async def test_a_command_that_ends_before_its_standard_input_came_has_an_answer(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy jump host the channel may be closed by the other side before anything was written."""
    at_once = host.process

    @asynccontextmanager
    async def late(command: str, deadline: float) -> AsyncIterator[asyncssh.SSHClientProcess[bytes]]:
        async with at_once(command, deadline) as process:
            async with asyncio.timeout(deadline):
                while not process.stdin.is_closing():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            yield process

    monkeypatch.setattr(host, "process", late)
    done = await host.run("echo out; exit 7", stdin=b"in\n", deadline=10)
    assert (done.code, done.stdout) == (7, b"out\n")


async def test_it_connects_again_after_a_drop(host: Host, sshd: SshServer) -> None:
    await host.run("true", deadline=10)
    await sshd.drop()
    assert (await host.run("echo back", deadline=10)).stdout == b"back\n"


async def test_a_drop_in_the_middle_is_a_lost_outcome(host: Host, sshd: SshServer) -> None:
    running = asyncio.create_task(host.run("sleep 30", deadline=30))
    while not sshd.commands:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await sshd.drop()
    with pytest.raises(LostError, match="sky-a: the SSH connection was lost"):
        await running


async def test_no_answer_in_time_is_a_lost_outcome(host: Host) -> None:
    await host.run("true", deadline=10)
    with pytest.raises(LostError, match=r"no answer over SSH within 0\.3 s"):
        await host.run("sleep 30", deadline=0.3)


async def test_a_key_that_is_not_accepted_is_refused(sshd: SshServer) -> None:
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(sshd.folder / "key")
    host = Host("sky-a", sshd.config, SystemClock())
    with pytest.raises(RefusedError, match="did not accept our SSH key"):
        await host.run("true", deadline=10)


@pytest.mark.parametrize(
    "text", ["garbage", "host", "[127.0.0.1]:PORT ssh-ed25519 AAAA", "|1|x|y ssh-rsa z", "\0"]
)
async def test_a_known_hosts_file_that_makes_no_sense_is_refused(sshd: SshServer, text: str) -> None:
    sshd.known_hosts.write_text(text.replace("PORT", str(sshd.port)) + "\n")
    with pytest.raises(RefusedError):
        await Host("sky-a", sshd.config, SystemClock()).run("true", deadline=10)
    assert sshd.commands == []


async def test_an_answer_without_end_is_no_answer(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skytui.remote.ssh.OUTPUT_LIMIT", 1000)
    with pytest.raises(RemoteError, match="more than 1000 bytes of output"):
        await host.run("yes", deadline=10)


async def test_nobody_there_is_unreachable_and_not_tried_again_at_once(sshd: SshServer) -> None:
    await sshd.stop()
    host = Host("sky-a", sshd.config, SystemClock())
    with pytest.raises(UnreachableError, match=r"no SSH connection to sky@127\.0\.0\.1") as first:
        await host.run("true", deadline=10)
    assert not isinstance(first.value, LostError)
    with pytest.raises(UnreachableError) as second:
        await host.run("true", deadline=10)
    assert second.value is first.value
    await sshd.start()
    await answered(host, "true")
    await host.close()
