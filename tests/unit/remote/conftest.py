"""A real SSH server on a free loopback port, running real commands with the system's sh."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import asyncssh
import pytest
from asyncssh.auth import _ServerPublicKeyAuth

from skytui.clock import SystemClock
from skytui.config.pairs import SshConfig
from skytui.remote.ssh import Host


class SshServer:
    """The server and what tests do to it.

    `questions` are asked after the key was accepted, each with the only right answer; `attempts` counts
    logins, `heard` is everything that was answered, `passed_on` the ports that were connected on to.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.questions: list[tuple[str, str]] = []
        self.instructions = ""
        self.attempts = 0
        self.heard: list[str] = []
        self.passed_on: list[int] = []
        self.home = folder / "home"
        self.home.mkdir()
        self.connections: list[asyncssh.SSHServerConnection] = []
        self.commands: list[str] = []
        self.known_hosts = folder / "known_hosts"
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.home)}
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self.port = 0
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        user_key = asyncssh.generate_private_key("ssh-ed25519")
        user_key.write_private_key(folder / "key")
        user_key.write_public_key(folder / "authorized")

    async def start(self) -> None:
        self._acceptor = await asyncssh.listen(
            "127.0.0.1",
            self.port,
            server_factory=lambda: Door(self),
            server_host_keys=[self._host_key],
            authorized_client_keys=str(self.folder / "authorized"),
            process_factory=self._accept,
            encoding=None,
            reuse_address=True,
        )
        self.port = self._acceptor.get_port()
        known = self._host_key.export_public_key().decode().strip()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {known}\n")

    async def stop(self) -> None:
        if self._acceptor is not None:
            self._acceptor.close()
            await self._acceptor.wait_closed()
        await self.drop()
        await asyncio.gather(*self._serving)

    async def drop(self) -> None:
        """Cut every connection."""
        connections, self.connections = self.connections, []
        for connection in connections:
            connection.abort()
        for connection in connections:
            with contextlib.suppress(asyncssh.Error, OSError):
                await connection.wait_closed()

    @property
    def config(self) -> SshConfig:
        return SshConfig(
            host="127.0.0.1",
            port=self.port,
            user="sky",
            key=self.folder / "key",
            known_hosts=self.known_hosts,
            config=False,
        )

    @property
    def host_key(self) -> asyncssh.SSHKey:
        return self._host_key

    def renew_host_key(self) -> None:
        """Another host key from the next start on."""
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")

    def _accept(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        """Serve in a task of our own: asyncssh cancels its own when the connection goes."""
        task = asyncio.create_task(self._serve(process))
        self._serving.add(task)

    async def _serve(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        command = process.command or ""
        self.commands.append(command)
        child = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.home,
            env=self.environment,
            start_new_session=True,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        pump_in = asyncio.create_task(_pump_in(process.stdin, child.stdin))
        outputs = [
            asyncio.create_task(_pump_out(child.stdout, process.stdout)),
            asyncio.create_task(_pump_out(child.stderr, process.stderr)),
        ]
        gone = asyncio.create_task(process.channel.wait_closed())
        ended = asyncio.create_task(_ended(outputs))
        await asyncio.wait({gone, ended}, return_when=asyncio.FIRST_COMPLETED)
        # Pumps that found the channel closed have ended before it is seen here to be gone; a command whose
        # output nobody takes any more would never end.
        if not (ended.done() and all(pump.result() for pump in outputs)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, 9)
            await asyncio.wait({ended})
            # A process has ended, for asyncio, when its output is read to the end; nobody else reads it now.
            await asyncio.gather(_drain(child.stdout), _drain(child.stderr))
        code = await child.wait()
        tasks = (pump_in, *outputs, gone, ended)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        child.stdin.close()
        child._transport.close()  # type: ignore[attr-defined]  # what was never read of its output
        process.exit(code if code >= 0 else 128 - code)


Challenge = bool | tuple[str, str, str, list[tuple[str, bool]]]


class Door(asyncssh.SSHServer):
    """One connection: a key, then questions (`AuthenticationMethods publickey,keyboard-interactive`)."""

    def __init__(self, server: SshServer) -> None:
        self._server = server
        self._asked = 0
        self.key_accepted = False

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._server.connections.append(conn)

    def connection_requested(self, dest_host: str, dest_port: int, *_: object) -> bool:
        self._server.passed_on.append(dest_port)
        return True

    def begin_auth(self, username: str) -> bool:
        self._server.attempts += 1
        return True

    @property
    def asks(self) -> bool:
        return bool(self._server.questions)

    def public_key_auth_supported(self) -> bool:
        return not self.key_accepted

    def password_auth_supported(self) -> bool:
        return False

    def kbdint_auth_supported(self) -> bool:
        return self.key_accepted

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Challenge:
        self._asked = 0
        return "", self._server.instructions, "", [(self._server.questions[0][0], False)]

    def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> Challenge:
        self._server.heard += responses
        if list(responses) != [self._server.questions[self._asked][1]]:
            return False
        self._asked += 1
        if self._asked == len(self._server.questions):
            return True
        return "", "", "", [(self._server.questions[self._asked][0], False)]


@pytest.fixture(autouse=True)
def keys_and_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """asyncssh's server knows no second factor: after an accepted key it says *partial success* here."""
    accept = _ServerPublicKeyAuth.send_success

    async def accepted(self: _ServerPublicKeyAuth) -> None:
        door = self._conn.get_owner()
        if isinstance(door, Door) and door.asks:
            door.key_accepted = True
            self._conn.send_userauth_failure(True)
        else:
            await accept(self)

    monkeypatch.setattr(_ServerPublicKeyAuth, "send_success", accepted)


async def _ended(pumps: list[asyncio.Task[bool]]) -> None:
    await asyncio.wait(pumps)


async def _drain(source: asyncio.StreamReader) -> None:
    while await source.read(65536):
        pass


async def _pump_in(source: asyncssh.SSHReader[bytes], sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncssh.Error, OSError):
        while chunk := await source.read(65536):
            sink.write(chunk)
            await sink.drain()
        sink.close()


async def _pump_out(source: asyncio.StreamReader, sink: asyncssh.SSHWriter[bytes]) -> bool:
    """Whether all there was went over: not so when the channel was closed before the end."""
    with contextlib.suppress(asyncssh.Error, OSError):
        while chunk := await source.read(65536):
            sink.write(chunk)
            await sink.drain()
        return True
    return False


@pytest.fixture
async def sshd(tmp_path: Path) -> AsyncIterator[SshServer]:
    server = SshServer(tmp_path)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def host(sshd: SshServer) -> AsyncIterator[Host]:
    host = Host("sky-a", sshd.config, SystemClock())
    yield host
    await host.close()
