"""One command that somebody runs on a host over SSH, as OpenSSH's server would run it.

The command gets its own session, the host's home, and an environment of the host's alone. The session ends
when the command has ended *and* everything it started has let go of its output: a program left behind with
the session's output keeps the session open, here as there. When the connection breaks, the command finds its
input at an end and its output closed, and nothing else happens to it.
"""

import asyncio
import os
import signal
from typing import Any, cast

import asyncssh

from skytui.lab import processes
from skytui.lab.node import SSH_USER, NodeConfig

_STDIN, _STDOUT, _STDERR = 0, 1, 2


def environment(node: NodeConfig) -> dict[str, str]:
    """What a login on this host gives: nothing comes from the client or from whoever started the host."""
    return {
        "HOME": str(node.home),
        "USER": SSH_USER,
        "LOGNAME": SSH_USER,
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "PATH": processes.CLEAN_PATH,
        processes.MARK: str(node.node.lab),
        processes.HOST_MARK: node.name,
    }


class CommandSession(asyncssh.SSHServerSession[bytes]):
    """The client's side: what it sends goes to the command, once that has been started."""

    def __init__(self, node: NodeConfig) -> None:
        self._node = node
        self._line: list[str] = []
        self._early: list[bytes | None] = []
        self._running: _Command | None = None
        self._lost = False
        self._starting: asyncio.Task[None] | None = None

    def connection_made(self, chan: "asyncssh.SSHServerChannel[bytes]") -> None:
        """A channel was opened."""
        self.channel = chan

    def exec_requested(self, command: str) -> bool:
        """The client names a command."""
        self._line = ["-c", command]
        return True

    def shell_requested(self) -> bool:
        """The client wants a shell; it reads commands from its input, there is no terminal."""
        return True

    def session_started(self) -> None:
        """Start the command."""
        self._starting = asyncio.create_task(self._start())

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        """Input for the command."""
        self._feed(data)

    def eof_received(self) -> bool:
        """The end of the input; the session goes on."""
        self._feed(None)
        return True

    def signal_received(self, signal: str) -> None:
        """A signal for the command and what it started."""
        if self._running is not None:
            self._running.signalled(signal)

    def break_received(self, msec: int) -> bool:
        """There is no terminal that a break could mean anything to."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone; the command is not."""
        self._lost = True
        if self._running is not None:
            self._running.let_go()

    def pause_writing(self) -> None:
        """The client reads too slowly."""
        if self._running is not None:
            self._running.pause_output()

    def resume_writing(self) -> None:
        """The client has caught up."""
        if self._running is not None:
            self._running.resume_output()

    def _feed(self, data: bytes | None) -> None:
        if self._running is None:
            self._early.append(data)
        else:
            self._running.feed(data)

    async def _start(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, command = await loop.subprocess_exec(
                lambda: _Command(self.channel), "/bin/sh", *self._line, cwd=self._node.home,
                env=environment(self._node), start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            self.channel.write_stderr(f"{self._node.name} cannot run a shell: {error.strerror}\n".encode())
            self.channel.exit(255)
            return
        for data in self._early:
            command.feed(data)
        self._running = command
        if self._lost:
            command.let_go()


class _Command(asyncio.SubprocessProtocol):
    """The command's side: what it prints goes to the client, and so does its end."""

    def __init__(self, channel: "asyncssh.SSHServerChannel[bytes]") -> None:
        self._channel = channel

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if not self._channel.is_closing():
            self._channel.write(data, asyncssh.EXTENDED_DATA_STDERR if fd == _STDERR else None)

    def process_exited(self) -> None:
        self._pipe(_STDIN).close()

    def connection_lost(self, exc: Exception | None) -> None:
        code = self._transport.get_returncode()
        self._transport.close()
        if self._channel.is_closing() or code is None:
            return
        if code >= 0:
            self._channel.exit(code)
        else:
            self._channel.exit_with_signal(signal.Signals(-code).name.removeprefix("SIG"))

    def pause_writing(self) -> None:
        self._channel.pause_reading()

    def resume_writing(self) -> None:
        self._channel.resume_reading()

    def feed(self, data: bytes | None) -> None:
        """Input, or None for its end. What has closed its input is not told more."""
        pipe = self._pipe(_STDIN)
        if pipe.is_closing():
            return
        if data is None:
            pipe.close()
        else:
            pipe.write(data)

    def signalled(self, name: str) -> None:
        number = getattr(signal, f"SIG{name}", None)
        if number is None or self._transport.get_returncode() is not None:
            return
        try:
            os.killpg(self._transport.get_pid(), number)
        except ProcessLookupError:
            return  # it ended by itself

    def pause_output(self) -> None:
        for fd in (_STDOUT, _STDERR):
            self._pipe(fd).pause_reading()

    def resume_output(self) -> None:
        for fd in (_STDOUT, _STDERR):
            self._pipe(fd).resume_reading()

    def let_go(self) -> None:
        # Its output first: a command that then finds its input at an end has nowhere to write any more.
        for fd in (_STDOUT, _STDERR, _STDIN):
            self._pipe(fd).close()

    def _pipe(self, fd: int) -> Any:
        # Typed as a transport that neither reads nor writes; each of the three does one of them.
        return self._transport.get_pipe_transport(fd)
