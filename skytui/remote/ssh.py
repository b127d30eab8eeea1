"""A host: commands over its one SSH connection, which everything that is asked of it shares."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncssh
import msgspec

from skytui.clock import Clock
from skytui.config.pairs import SshConfig
from skytui.errors import RefusedError, RemoteError, UnreachableError
from skytui.plaintext import plain, plain_bytes
from skytui.remote import quoting
from skytui.remote.network import LOGIN_SECONDS, Network, why
from skytui.remote.sshconfig import Destination

OUTPUT_LIMIT = 4 * 1024 * 1024

# sudo's own messages; a shell that finds no sudo says so with its name before it.
_SUDO_SAYS = re.compile(r"^sudo: |: sudo: .*not found|^Sorry, user | is not in the sudoers file")


class Completed(msgspec.Struct, frozen=True):
    """A command that ended. `code` is -1 when a signal or the other side's death ended it."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def complaint(self) -> str:
        """The last line it wrote to standard error, or else to standard output; made harmless."""
        for stream in (self.stderr, self.stdout):
            lines = [plain_bytes(line) for line in stream.splitlines() if line.strip()]
            if lines:
                return lines[-1]
        return "it said nothing"


class LostError(UnreachableError):
    """The connection was lost after a command may have been sent: it may have run or not."""


class _ClosedBeforeError(UnreachableError):
    """The connection turned out to be closed before a channel was open: no command was sent."""


class Host:
    """A host, reached over one connection.

    Without a `network` it has one of its own.
    """

    def __init__(self, name: str, config: SshConfig, clock: Clock, network: Network | None = None) -> None:
        self.name = name
        self._line = (network or Network(clock)).line(name, Destination.of(config))
        self._sudo = sudo_words(config.sudo)

    @property
    def where(self) -> str:
        """User, host and port, for people."""
        return self._line.where

    @property
    def shown_key(self) -> str:
        """The fingerprint of the key the host has shown; empty while there is no connection."""
        return self._line.shown_key

    async def run(self, command: str, *, stdin: bytes = b"", deadline: float) -> Completed:
        """Run `command` to its end; standard input is `stdin`, then its end.

        Raises UnreachableError when nobody answered, LostError when it may have run, RefusedError when the
        host let us not in.
        """
        end = asyncio.get_running_loop().time() + deadline
        async with self.process(command, deadline) as process:
            try:
                async with asyncio.timeout_at(end):
                    # The command may have ended by now without reading anything: it has an answer all the
                    # same. A connection that was lost meanwhile shows below.
                    with contextlib.suppress(BrokenPipeError):
                        process.stdin.write(stdin)
                        process.stdin.write_eof()
                    out, err = await asyncio.gather(
                        _read(process.stdout, "output"), _read(process.stderr, "error output")
                    )
                    done = await process.wait()
            except TimeoutError:
                raise LostError(
                    f"{self.name}: no answer over SSH within {deadline:g} s; what was asked may still run."
                ) from None
            except (OSError, asyncssh.Error) as error:
                raise LostError(f"{self.name}: the SSH connection was lost: {why(error)}.") from error
        if done.returncode is None or (done.exit_status is None and done.exit_signal is None):
            raise LostError(f"{self.name}: the SSH connection was lost before the command ended.")
        completed = Completed(done.returncode if done.returncode >= 0 else -1, out, err)
        if self._sudo and (said := sudo_refusal(completed)):
            raise RefusedError(
                f"{self.name}: sudo does not run commands for {self.where} without a password: {said}.",
                hint="Allow it on the host (NOPASSWD, for sh), or leave `sudo` out.",
            )
        return completed

    @asynccontextmanager
    async def process(
        self, command: str, deadline: float = LOGIN_SECONDS
    ) -> AsyncIterator[asyncssh.SSHClientProcess[bytes]]:
        """A command with its streams; it is let go of when the block ends.

        Raises as `run` does.
        """
        end = asyncio.get_running_loop().time() + deadline
        try:
            process = await self._open(command, end)
        except _ClosedBeforeError:  # nothing of the command was sent, so a new connection may be
            process = await self._open(command, end)
        try:
            yield process
        finally:
            process.close()

    async def _open(self, command: str, end: float) -> asyncssh.SSHClientProcess[bytes]:
        connection = await self._line.connected(end)
        try:
            async with asyncio.timeout_at(end):
                return await connection.create_process(self._as_sudo(command), encoding=None)
        except TimeoutError:
            self._line.drop(connection)
            raise LostError(f"{self.name}: no answer over SSH in time.") from None
        except asyncssh.ChannelOpenError as error:
            if error.code == asyncssh.OPEN_CONNECT_FAILED:
                self._line.drop(connection)
                raise _ClosedBeforeError(f"{self.name}: the SSH connection was lost.") from error
            raise RefusedError(f"{self.name}: the host runs no commands for us: {why(error)}.") from error
        except (OSError, asyncssh.Error) as error:
            raise LostError(f"{self.name}: the SSH connection was lost: {why(error)}.") from error

    def _as_sudo(self, command: str) -> str:
        return quoting.posix([*self._sudo, "sh", "-c", command]) if self._sudo else command

    async def close(self) -> None:
        """End the connection; nothing can be asked afterwards."""
        await self._line.close()


def sudo_words(sudo: bool | str) -> list[str]:
    """What is put before a command that is to run as somebody else; nothing where it is not.

    `-n` never asks for a password, `-H` sets the home of whom it runs as.
    """
    if not sudo:
        return []
    return ["sudo", "-n", "-H", *(["-u", sudo] if isinstance(sudo, str) else []), "--"]


def sudo_refusal(completed: Completed) -> str:
    """What sudo said when it started nothing; empty where the command itself has ended."""
    lines = completed.stderr.decode("utf-8", "replace").strip().splitlines()
    if completed.stdout or completed.code not in (1, 126, 127) or not lines:
        return ""
    return plain(lines[-1]).rstrip(".") if all(map(_SUDO_SAYS.search, lines)) else ""


async def _read(stream: asyncssh.SSHReader[bytes], what: str) -> bytes:
    """Everything until the end; what is over the limit is an error, never cut off silently."""
    chunks, size = [], 0
    while chunk := await stream.read(65536):
        chunks.append(chunk)
        size += len(chunk)
        if size > OUTPUT_LIMIT:
            raise RemoteError(f"more than {OUTPUT_LIMIT} bytes of {what} came; that is no answer.")
    return b"".join(chunks)
