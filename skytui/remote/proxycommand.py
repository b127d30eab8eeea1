"""A `ProxyCommand`: a program of the person's that carries the connection over its standard streams."""

import asyncio
import contextlib
import os
import signal
import socket

from skytui.plaintext import plain_bytes

_END_SECONDS = 5.0


class ProxyCommand:
    """The program, run by sh as ssh(1) does; `socket` is our end of its streams.

    Its standard error is kept apart from the connection: its last line says why there is none.
    """

    def __init__(self, process: asyncio.subprocess.Process, ours: socket.socket) -> None:
        self.socket = ours
        self._process = process
        self._said = b""
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, command: str) -> "ProxyCommand":
        """Start it. Raises OSError when there is no sh."""
        ours, its = socket.socketpair()
        try:
            process = await asyncio.create_subprocess_exec(
                "sh",
                "-c",
                f"exec {command}",
                stdin=its.fileno(),
                stdout=its.fileno(),
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            its.close()
        return cls(process, ours)

    async def close(self) -> str:
        """End it, with all it started. Returns the last line it said, made harmless."""
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(_END_SECONDS):
                await self._process.wait()
                await self._listening
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._listening.cancel()
        self.socket.close()
        lines = [plain_bytes(line) for line in self._said.splitlines() if line.strip()]
        return lines[-1] if lines else ""

    async def _listen(self) -> None:
        stderr = self._process.stderr
        while stderr is not None and (chunk := await stderr.read(4096)):
            self._said = (self._said + chunk)[-4096:]
