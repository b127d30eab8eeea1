"""The client's end of a conductor's socket."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Self

import msgspec

from skytui import __version__
from skytui.errors import StateError, UnreachableError
from skytui.link.address import connect_in
from skytui.link.wire import LINE_LIMIT, PROTOCOL, Denied, Hello, Message, Reply, Request, Welcome

REPLY_SECONDS = 20.0
"""How long a request waits for its answer. It comes at once, except to a secret, which is tried first."""

_GARBAGE = (ValueError, RecursionError, asyncio.LimitOverrunError)
"""What reading a line raises that is no message of a conductor."""
_MESSAGE = msgspec.json.Decoder(Message)


class Client:
    """A connection to a conductor. Iterate over it for what comes; ask with `request`.

    The iteration ends when the connection does; `why_lost` then says why.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, welcome: Welcome) -> None:
        self.welcome = welcome
        self.why_lost = ""
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue()
        self._receiver = asyncio.get_running_loop().create_task(self._receive())

    @classmethod
    async def connect(cls, folder: Path, client: str, seconds: float = 10.0) -> Self:
        """Connect to the conductor whose state folder this is, as `client` (console, headless or watch).

        Raises UnreachableError when none listens or answers, StateError when it turns us away.
        """
        try:
            reader, writer = await asyncio.open_unix_connection(sock=connect_in(folder), limit=LINE_LIMIT)
        except OSError as error:
            raise UnreachableError(f"No conductor listens in {folder} ({error.strerror}).") from error
        hello = Hello(PROTOCOL, __version__, client, os.environ.get("SSH_AUTH_SOCK", ""))
        try:
            writer.write(msgspec.json.encode(hello) + b"\n")
            async with asyncio.timeout(seconds):
                first = _MESSAGE.decode(await reader.readuntil(b"\n"))
        except (OSError, TimeoutError, asyncio.IncompleteReadError, *_GARBAGE) as error:
            writer.close()
            raise UnreachableError(f"The conductor in {folder} did not answer ({error}).") from error
        if isinstance(first, Welcome):
            return cls(reader, writer, first)
        writer.close()
        reason = first.reason if isinstance(first, Denied) else "it answered out of turn"
        raise StateError(f"The conductor in {folder} turned us away: {reason}.")

    async def request(self, make: Callable[[int], Request]) -> Reply:
        """Ask for something: `make` gets the request's number. Refusals come back in the reply.

        Raises UnreachableError when the connection is lost before the answer, or it does not come in time;
        whether the request counted is then seen in the run itself.
        """
        if self.why_lost:
            raise UnreachableError(f"The conductor cannot be asked: {self.why_lost}.")
        number = next(self._numbers)
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            self._writer.write(msgspec.json.encode(make(number)) + b"\n")
            await self._writer.drain()
            async with asyncio.timeout(REPLY_SECONDS):
                return await future
        except TimeoutError as error:
            raise UnreachableError(f"The conductor did not answer within {REPLY_SECONDS:.0f} s.") from error
        except OSError as error:
            raise UnreachableError(f"The conductor was lost ({error}).") from error
        finally:
            del self._waiting[number]

    async def __aiter__(self) -> AsyncIterator[Message]:
        while (message := await self._messages.get()) is not None:
            yield message

    async def close(self) -> None:
        """Hang up. A run that is open goes on to its next gate."""
        self._receiver.cancel()
        await asyncio.gather(self._receiver, return_exceptions=True)
        self._lost("this side hung up")
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return  # the other side was faster

    async def _receive(self) -> None:
        try:
            while True:
                message = _MESSAGE.decode(await self._reader.readuntil(b"\n"))
                if isinstance(message, Reply):
                    waiting = self._waiting.get(message.number)
                    if waiting and not waiting.done():
                        waiting.set_result(message)
                else:
                    self._messages.put_nowait(message)
        except asyncio.IncompleteReadError:
            self._lost("the conductor has ended")
        except (OSError, *_GARBAGE) as error:
            self._lost(f"the connection to the conductor broke ({error})")

    def _lost(self, why: str) -> None:
        if self.why_lost:
            return
        self.why_lost = why
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(UnreachableError(f"The conductor was lost: {why}."))
        self._messages.put_nowait(None)
