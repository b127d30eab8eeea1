"""The SSH endpoint of a host behaves as a host's does: OpenSSH's rules, one user, keys only."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import asyncssh
import pytest

from skytui.lab import host, pki, processes
from skytui.lab.node import NodeConfig
from tests.unit.lab.nodes import make_node

SECONDS = 20.0
Connect = Callable[..., AbstractAsyncContextManager[asyncssh.SSHClientConnection]]


@pytest.fixture
def node(tmp_path: Path) -> NodeConfig:
    node = make_node(tmp_path)
    pki.make_ssh_key(node.ssh.host_key, "host")
    operator = pki.make_ssh_key(tmp_path / "operator", "operator")
    node.ssh.authorized_keys.write_text(f"{operator} operator\n")
    return node


@pytest.fixture
async def connect(node: NodeConfig, tmp_path: Path) -> AsyncIterator[Connect]:
    acceptor = await host.listen(node)
    port = acceptor.get_port()
    host_key = node.ssh.host_key.with_name("ssh_host_key.pub").read_text()
    (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}")
    usual = {
        "username": "sky",
        "client_keys": [str(tmp_path / "operator")],
        "known_hosts": str(tmp_path / "known_hosts"),
        "config": None,
        "agent_path": None,
    }
    yield lambda **more: asyncssh.connect("127.0.0.1", port, **(usual | more))
    acceptor.close()
    await acceptor.wait_closed()


async def test_a_command_runs_in_the_home_with_an_environment_of_the_host_s(
    node: NodeConfig, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "secret")
    async with connect(env={"LD_PRELOAD": "x", "FOO": "bar"}) as connection:
        done = await connection.run("pwd; env")
    where, *variables = str(done.stdout).splitlines()
    assert where == str(node.home)
    found = dict(line.split("=", 1) for line in variables)
    assert found["HOME"] == str(node.home)
    assert found["PATH"] == processes.CLEAN_PATH
    assert (found["SKYTUI_LAB"], found["SKYTUI_HOST"]) == (str(node.node.lab), "sky-a")
    assert not {"PGPASSWORD", "FOO", "LD_PRELOAD", "PYTHONPATH"} & set(found)


async def test_exit_code_output_and_errors_come_apart(connect: Connect) -> None:
    async with connect() as connection:
        done = await connection.run("echo out; echo err >&2; exit 7")
    assert (done.stdout, done.stderr, done.exit_status) == ("out\n", "err\n", 7)


async def test_input_comes_with_its_end(connect: Connect) -> None:
    text = "line\n" * 200_000
    async with connect() as connection:
        done = await connection.run("wc -c; echo over", input=text)
    assert str(done.stdout).split() == [str(len(text)), "over"]


async def test_a_shell_without_a_command_reads_commands(connect: Connect) -> None:
    async with connect() as connection:
        done = await connection.run(input="echo $((6 * 7))\nexit 3\n")
    assert (done.stdout, done.exit_status) == ("42\n", 3)


async def test_much_output_arrives_whole_through_a_slow_reader(connect: Connect) -> None:
    async with connect() as connection, connection.create_process("seq 1 300000", encoding=None) as process:
        await asyncio.sleep(0.2)  # let the output pile up until the host stops reading
        data = await asyncio.wait_for(process.stdout.read(), SECONDS)
    assert data.splitlines()[-1] == b"300000"
    assert len(data) == sum(len(str(number)) + 1 for number in range(1, 300001))


async def test_several_sessions_run_at_once_on_one_connection(connect: Connect) -> None:
    async with connect() as connection:
        waiting = await connection.create_process("read line; echo $line")
        meanwhile = await connection.run("echo meanwhile")
        waiting.stdin.write("now\n")
        done = await asyncio.wait_for(waiting.wait(), SECONDS)
    assert (meanwhile.stdout, done.stdout) == ("meanwhile\n", "now\n")


@pytest.mark.parametrize("ends_input_first", [False, True])
async def test_a_signal_reaches_the_command_and_how_it_ended_comes_back(
    connect: Connect, ends_input_first: bool
) -> None:
    async with connect() as connection, connection.create_process("echo ready; exec sleep 60") as process:
        assert await process.stdout.readline() == "ready\n"
        if ends_input_first:
            process.stdin.write_eof()
        process.send_signal("TERM")
        done = await asyncio.wait_for(process.wait(), SECONDS)
    assert done.exit_signal is not None
    assert done.exit_signal[0] == "TERM"


async def test_what_is_left_behind_with_the_output_keeps_the_session_open(connect: Connect) -> None:
    async with connect() as connection, connection.create_process("sleep 60 & echo $!") as process:
        pid = int(await process.stdout.readline())
        with pytest.raises(asyncio.TimeoutError):
            await process.wait(timeout=0.5)
        os.kill(pid, 9)
        done = await asyncio.wait_for(process.wait(), SECONDS)
    assert done.exit_status == 0


async def test_a_detached_command_outlives_its_connection(connect: Connect, node: NodeConfig) -> None:
    line = "setsid sh -c 'read go <run/go; echo done >run/done' </dev/null >/dev/null 2>&1 & echo $!"
    os.mkfifo(node.home / "run" / "go")
    async with connect() as connection:
        done = await connection.run(line)
    pid = int(str(done.stdout))
    assert processes.alive(pid)
    await asyncio.to_thread((node.home / "run" / "go").write_text, "go\n")
    assert await asyncio.to_thread(processes.wait_for, (node.home / "run" / "done").exists, SECONDS)


async def test_a_command_sees_that_its_client_is_gone(connect: Connect, node: NodeConfig) -> None:
    """Its input ends, and writing its output fails, as behind a real sshd; it is not killed."""
    line = "trap '' PIPE; read line; echo $? >run/read; echo lost; echo $? >run/wrote"
    async with connect() as connection:
        process = await connection.create_process(line)
        connection.abort()
        await process.wait_closed()
    wrote = node.home / "run" / "wrote"
    assert await asyncio.to_thread(
        processes.wait_for, lambda: wrote.exists() and bool(wrote.read_text()), SECONDS
    )
    assert (node.home / "run" / "read").read_text() == "1\n"
    assert wrote.read_text() != "0\n"


async def test_nobody_else_is_let_in(connect: Connect, tmp_path: Path) -> None:
    pki.make_ssh_key(tmp_path / "stranger", "stranger")
    refused: list[dict[str, object]] = [
        {"username": "root"},
        {"client_keys": [str(tmp_path / "stranger")]},
        {"client_keys": None, "password": "sky"},
    ]
    for how in refused:
        with pytest.raises(asyncssh.PermissionDenied):
            async with connect(**how):
                pass


async def test_there_is_no_terminal_no_forwarding_and_no_sftp(connect: Connect) -> None:
    async with connect() as connection:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.create_process("tty", term_type="xterm")
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_connection("127.0.0.1", 22)
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.start_sftp_client()
