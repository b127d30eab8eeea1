"""Hosts behind jump hosts: one connection to each, shared, kept alive and rebuilt."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skytui.clock import SystemClock
from skytui.config.pairs import SshConfig
from skytui.config.secrets import Secret
from skytui.errors import RefusedError, RemoteError, UnreachableError
from skytui.remote.credentials import Credentials
from skytui.remote.network import KEEPALIVE_COUNT, KEEPALIVE_SECONDS, Network
from skytui.remote.ssh import Host
from tests.unit.remote.conftest import SshServer

SECONDS = 60.0


@pytest.fixture
async def jump(tmp_path: Path) -> AsyncIterator[SshServer]:
    server = SshServer(tmp_path / "jump")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def second(tmp_path: Path) -> AsyncIterator[SshServer]:
    server = SshServer(tmp_path / "second")
    await server.start()
    yield server
    await server.stop()


def block(name: str, server: SshServer, more: str = "") -> str:
    return (
        f"Host {name}\n HostName 127.0.0.1\n Port {server.port}\n User sky\n IdentitiesOnly yes\n"
        f" IdentityFile {server.folder}/key\n UserKnownHostsFile {server.known_hosts}\n{more}"
    )


def table(tmp_path: Path, *blocks: str, host: str) -> SshConfig:
    (tmp_path / "config").write_text("".join(blocks))
    return SshConfig(host=host, config=str(tmp_path / "config"))


async def answers(host: Host) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                assert (await host.run("echo in", deadline=SECONDS)).stdout == b"in\n"
                return
            except UnreachableError:
                await asyncio.sleep(0.05)


async def test_a_jump_host_is_passed_once_for_all_behind_it(
    sshd: SshServer, second: SshServer, jump: SshServer, tmp_path: Path
) -> None:
    blocks = (
        block("jump", jump),
        block("a", sshd, " ProxyJump jump\n"),
        block("b", second, " ProxyJump jump\n"),
    )
    network = Network(SystemClock(), Credentials(""))
    config = table(tmp_path, *blocks, host="a")
    a = Host("sky-a", config, SystemClock(), network)
    b = Host("sky-b", table(tmp_path, *blocks, host="b"), SystemClock(), network)
    await asyncio.gather(*(answers(host) for host in (a, b) for _ in range(4)))
    assert sorted(jump.passed_on) == sorted([sshd.port, second.port])
    assert [len(server.connections) for server in (jump, sshd, second)] == [1, 1, 1]
    await jump.drop()
    await asyncio.gather(answers(a), answers(b))
    assert jump.attempts == 2
    await a.close()
    await answers(b)
    await b.close()
    async with asyncio.timeout(SECONDS):
        for connection in jump.connections:
            await connection.wait_closed()


async def test_several_hops(sshd: SshServer, second: SshServer, jump: SshServer, tmp_path: Path) -> None:
    blocks = (block("one", jump), block("two", second), block("a", sshd, " ProxyJump one,two\n"))
    host = Host("sky-a", table(tmp_path, *blocks, host="a"), SystemClock())
    await answers(host)
    assert (jump.passed_on, second.passed_on) == ([second.port], [sshd.port])
    await host.close()


async def test_hops_that_name_one_another(
    sshd: SshServer, second: SshServer, jump: SshServer, tmp_path: Path
) -> None:
    blocks = (
        block("one", jump),
        block("two", second, " ProxyJump one\n"),
        block("a", sshd, " ProxyJump two\n"),
    )
    host = Host("sky-a", table(tmp_path, *blocks, host="a"), SystemClock())
    await answers(host)
    assert (jump.passed_on, second.passed_on) == ([second.port], [sshd.port])
    await host.close()


async def test_a_circle_is_said(sshd: SshServer, jump: SshServer, tmp_path: Path) -> None:
    blocks = (block("jump", jump, " ProxyJump jump\n"), block("a", sshd, " ProxyJump jump\n"))
    host = Host("sky-a", table(tmp_path, *blocks, host="a"), SystemClock())
    with pytest.raises(RefusedError, match="the jump host jump is to be reached through itself"):
        await host.run("true", deadline=SECONDS)
    await host.close()
    assert jump.attempts == 0


async def test_what_is_wrong_with_a_jump_host_is_said_of_it(
    sshd: SshServer, jump: SshServer, tmp_path: Path
) -> None:
    config = table(tmp_path, block("jump", jump), block("a", sshd, " ProxyJump jump\n"), host="a")
    jump.known_hosts.write_text("")
    host = Host("sky-a", config, SystemClock())
    with pytest.raises(RefusedError, match=r"^sky-a: jump host jump: sky@127\.0\.0\.1:\d+ is not trusted"):
        await host.run("true", deadline=SECONDS)
    await host.close()
    await jump.stop()
    host = Host("sky-a", config, SystemClock())
    with pytest.raises(RemoteError, match=r"^sky-a: jump host jump: "):
        await host.run("true", deadline=SECONDS)
    await host.close()
    assert sshd.attempts == 0


async def test_a_host_that_its_jump_host_cannot_reach(
    sshd: SshServer, jump: SshServer, tmp_path: Path
) -> None:
    await sshd.stop()
    config = table(tmp_path, block("jump", jump), block("a", sshd, " ProxyJump jump\n"), host="a")
    host = Host("sky-a", config, SystemClock())
    with pytest.raises(UnreachableError, match="the jump host has no connection to sky@"):
        await host.run("true", deadline=SECONDS)
    await host.close()


async def test_a_code_for_the_jump_host_is_asked_for_once(
    sshd: SshServer, second: SshServer, jump: SshServer, tmp_path: Path
) -> None:
    jump.questions = [("Code: ", "1")]
    sshd_block, second_block = (
        block(name, server, " ProxyJump jump\n") for name, server in (("a", sshd), ("b", second))
    )
    blocks = (block("jump", jump), sshd_block, second_block)
    credentials = Credentials("")
    credentials.attached("")
    network = Network(SystemClock(), credentials)
    hosts = [
        Host(f"sky-{name}", table(tmp_path, *blocks, host=name), SystemClock(), network)
        for name in ("a", "b")
    ]
    for host in hosts:
        with pytest.raises(RefusedError, match=r"jump host jump: sky@127\.0\.0\.1:\d+ asks: Code"):
            await host.run("true", deadline=SECONDS)
    (name,) = credentials.wanted
    assert await credentials.give(name, Secret("1")) == ""
    for host in hosts:
        await answers(host)
        await host.close()
    assert (jump.heard, jump.attempts) == (["1"], 1)


async def test_a_proxy_command_is_gone_through(sshd: SshServer, tmp_path: Path) -> None:
    (tmp_path / "relay.py").write_text(RELAY)
    more = f" ProxyCommand python3 {tmp_path}/relay.py %h %p 2>{tmp_path}/err\n"
    host = Host("sky-a", table(tmp_path, block("a", sshd, more), host="a"), SystemClock())
    await answers(host)
    await host.close()
    assert (tmp_path / "err").read_text() == "relayed\n"


async def test_what_a_proxy_command_complains_of_is_said(sshd: SshServer, tmp_path: Path) -> None:
    more = " ProxyCommand echo 'no such\x1b[2J gate' >&2; exit 1\n"
    host = Host("sky-a", table(tmp_path, block("a", sshd, more), host="a"), SystemClock())
    with pytest.raises(UnreachableError, match=r"Its proxy command said: no such gate$"):
        await host.run("true", deadline=SECONDS)
    await host.close()


async def test_a_host_that_falls_silent_is_let_go_of(sshd: SshServer) -> None:
    """Alive is what answers: every connection asks, and gives up in time."""
    host = Host("sky-a", sshd.config, SystemClock())
    await answers(host)
    connection = host._line._connection
    assert connection is not None
    assert (connection._keepalive_interval, connection._keepalive_count_max) == (
        KEEPALIVE_SECONDS,
        KEEPALIVE_COUNT,
    )
    await host.close()


RELAY = """
import socket, sys, threading, os
sys.stderr.write("relayed\\n"); sys.stderr.flush()
peer = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def out():
    while data := peer.recv(65536):
        os.write(1, data)
    os._exit(0)
threading.Thread(target=out, daemon=True).start()
while data := os.read(0, 65536):
    peer.sendall(data)
"""
