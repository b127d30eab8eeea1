"""One SSH connection per host, shared by everything that is asked of it, rebuilt after a drop.

Nothing is taken from the person's `~/.ssh/config`: what is used stands in the pair's configuration.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncssh
import msgspec

from skytui.clock import Clock, Instant
from skytui.config.pairs import SshConfig
from skytui.errors import RefusedError, RemoteError, UnreachableError
from skytui.plaintext import plain, plain_bytes

CONNECT_SECONDS = 5.0
LOGIN_SECONDS = 10.0
KEEPALIVE_SECONDS = 5.0
KEEPALIVE_COUNT = 3
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 5.0
OUTPUT_LIMIT = 4 * 1024 * 1024


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


class _Client(asyncssh.SSHClient):
    """Remembers the fingerprint of a host key that is not known, for the sentence about it."""

    def __init__(self) -> None:
        self.fingerprint = ""

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.fingerprint = key.get_fingerprint()
        return False


class Host:
    """A host, reached over one connection.

    A failed attempt to connect is not repeated before a pause has gone by; until then the same answer is
    given at once, so that polls do not pile up on a dead host.
    """

    def __init__(self, name: str, config: SshConfig, clock: Clock) -> None:
        self.name = name
        self._config = config
        self._clock = clock
        self._connection: asyncssh.SSHClientConnection | None = None
        self._lock = asyncio.Lock()
        self._failed: tuple[Instant, RemoteError] | None = None
        self._pause = 0.0
        self._closed = False

    @property
    def where(self) -> str:
        """User, host and port, for people."""
        return f"{self._config.user}@{self._config.host}:{self._config.port}"

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
                raise LostError(f"{self.name}: the SSH connection was lost: {_why(error)}.") from error
        if done.returncode is None or (done.exit_status is None and done.exit_signal is None):
            raise LostError(f"{self.name}: the SSH connection was lost before the command ended.")
        return Completed(done.returncode if done.returncode >= 0 else -1, out, err)

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
        connection = await self._connected(end)
        try:
            async with asyncio.timeout_at(end):
                return await connection.create_process(command, encoding=None)
        except TimeoutError:
            self._drop(connection)
            raise LostError(f"{self.name}: no answer over SSH in time.") from None
        except asyncssh.ChannelOpenError as error:
            if error.code == asyncssh.OPEN_CONNECT_FAILED:
                self._drop(connection)
                raise _ClosedBeforeError(f"{self.name}: the SSH connection was lost.") from error
            raise RefusedError(f"{self.name}: the host runs no commands for us: {_why(error)}.") from error
        except (OSError, asyncssh.Error) as error:
            raise LostError(f"{self.name}: the SSH connection was lost: {_why(error)}.") from error

    async def close(self) -> None:
        """End the connection; nothing can be asked afterwards."""
        self._closed = True
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
            await connection.wait_closed()

    def _drop(self, connection: asyncssh.SSHClientConnection) -> None:
        """A connection that does not answer is not asked again."""
        if self._connection is connection:
            self._connection = None
        connection.abort()

    async def _connected(self, end: float) -> asyncssh.SSHClientConnection:
        try:
            async with asyncio.timeout_at(end), self._lock:
                if self._closed:
                    raise UnreachableError(f"{self.name}: the connection was closed by us.")
                if self._connection is not None and not self._connection.is_closed():
                    return self._connection
                self._connection = None
                if self._failed is not None and self._clock.instant().since(self._failed[0]) < self._pause:
                    raise self._failed[1]
                try:
                    self._connection = await self._connect()
                except RemoteError as error:
                    self._pause = min(max(2 * self._pause, FIRST_PAUSE), LONGEST_PAUSE)
                    self._failed = (self._clock.instant(), error)
                    raise
                self._failed, self._pause = None, 0.0
                return self._connection
        except TimeoutError:
            raise UnreachableError(f"{self.name}: no SSH connection to {self.where} in time.") from None

    async def _connect(self) -> asyncssh.SSHClientConnection:
        config = self._config
        client = _Client()
        for what, file in (("known_hosts", config.known_hosts), ("key", config.key)):
            if file is not None and not os.access(file, os.R_OK):
                raise RefusedError(f"{self.name}: the SSH {what} file {file} cannot be read.")
        agent = os.environ.get("SSH_AUTH_SOCK") or None
        if config.key is None and agent is None:
            raise RefusedError(f"{self.name}: no SSH key.", hint="Attach with your SSH agent, or set `key`.")
        try:
            known_hosts = asyncssh.read_known_hosts(str(config.known_hosts))
            return await asyncssh.connect(
                config.host,
                config.port,
                username=config.user,
                client_factory=lambda: client,
                config=[],
                known_hosts=known_hosts,
                client_keys=None if config.key is None else [str(config.key)],
                agent_path=agent if config.key is None else None,
                preferred_auth="publickey",
                keepalive_interval=KEEPALIVE_SECONDS,
                keepalive_count_max=KEEPALIVE_COUNT,
                connect_timeout=CONNECT_SECONDS,
                login_timeout=LOGIN_SECONDS,
            )
        except asyncssh.HostKeyNotVerifiable as error:
            key = f"its key {client.fingerprint}" if client.fingerprint else "its key"
            raise RefusedError(
                f"{self.name}: {self.where} is not trusted: {key} is not in {config.known_hosts}.",
                hint="Compare it with the host's own, then add it.",
            ) from error
        except asyncssh.PermissionDenied as error:
            raise RefusedError(f"{self.name}: {self.where} did not accept our SSH key.") from error
        except (OSError, asyncssh.Error) as error:
            raise UnreachableError(
                f"{self.name}: no SSH connection to {self.where}: {_why(error)}."
            ) from error
        except ValueError as error:  # what asyncssh raises for keys and known_hosts it cannot read
            raise RefusedError(
                f"{self.name}: {config.key or 'key'} or {config.known_hosts} cannot be used: {_why(error)}."
            ) from error


async def _read(stream: asyncssh.SSHReader[bytes], what: str) -> bytes:
    """Everything until the end; what is over the limit is an error, never cut off silently."""
    chunks, size = [], 0
    while chunk := await stream.read(65536):
        chunks.append(chunk)
        size += len(chunk)
        if size > OUTPUT_LIMIT:
            raise RemoteError(f"more than {OUTPUT_LIMIT} bytes of {what} came; that is no answer.")
    return b"".join(chunks)


def _why(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, OSError) and error.strerror:
        return plain(error.strerror)
    text = plain(str(error)).rstrip(".") or type(error).__name__
    return text[0].lower() + text[1:] if text[:1].isupper() and text[1:2].islower() else text
