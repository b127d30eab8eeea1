"""The conductor's end of its socket: who calls, what they may, and what they are told."""

import asyncio
import logging
import os
import pwd
from collections.abc import Callable

import msgspec

from skytui import __version__
from skytui.conductor.conductor import Conductor
from skytui.errors import SkytuiError
from skytui.link.address import peer_uid
from skytui.link.wire import (
    PROTOCOL,
    Confirm,
    Denied,
    GiveSecret,
    Hello,
    HoldRun,
    Leave,
    Open,
    ReleaseRun,
    Reply,
    Request,
    Waive,
)

HELLO_SECONDS = 10.0
"""How long a caller may take to say who it is."""

_LOG = logging.getLogger(__name__)
_GARBAGE = (ValueError, RecursionError, asyncio.LimitOverrunError)
"""What reading a line raises that is no request: not JSON, not UTF-8, nested without end, too long."""
_REQUEST: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)


class Door:
    """Takes callers in, one task each. A caller that misbehaves is told why and loses its connection."""

    def __init__(self, conductor: Conductor, changed: Callable[[], None], leave: Callable[[], None]) -> None:
        self._conductor = conductor
        self._changed = changed
        self._leave = leave

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one caller until it hangs up."""
        hub = self._conductor.hub
        try:
            uid = peer_uid(writer.get_extra_info("socket"))
            hello = await self._hello(reader)
            if isinstance(hello, Denied):
                hub.tell(writer, hello)
                await writer.drain()
                return
            if uid not in (0, os.getuid()):
                hub.tell(writer, Denied(f"this conductor belongs to {name_of(os.getuid())}"))
                await writer.drain()
                return
            hub.tell(writer, self._conductor.welcome())
            hub.join(writer)
            self._changed()
            await self._serve(reader, writer, name_of(uid), watching=hello.client == "watch")
        except (OSError, asyncio.IncompleteReadError):
            return  # it hung up
        finally:
            hub.leave(writer)
            writer.close()
            self._changed()

    async def _hello(self, reader: asyncio.StreamReader) -> Hello | Denied:
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                hello = _REQUEST.decode(await reader.readuntil(b"\n"))
        except TimeoutError:
            return Denied("you did not say who you are")
        except _GARBAGE:
            return Denied("this is not how one speaks to a conductor")
        if not isinstance(hello, Hello):
            return Denied("say hello first")
        if hello.protocol != PROTOCOL:
            return Denied(
                f"it speaks protocol {PROTOCOL} (skytui {__version__}),"
                f" you speak {hello.protocol} ({hello.version})"
            )
        return hello

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, who: str, *, watching: bool
    ) -> None:
        while True:
            try:
                request = _REQUEST.decode(await reader.readuntil(b"\n"))
            except _GARBAGE:
                self._conductor.hub.tell(writer, Denied("this is not how one speaks to a conductor"))
                await writer.drain()
                return
            if isinstance(request, Hello):
                continue
            refused = "a watcher may only look" if watching else await self._answer(request, who)
            self._conductor.hub.tell(writer, Reply(request.number, refused))

    async def _answer(self, request: Request, who: str) -> str:
        """Why a request was refused, empty when it counted."""
        conductor = self._conductor
        try:
            match request:
                case Open():
                    return conductor.open(request, who)
                case Confirm():
                    return conductor.confirm(request, who)
                case Waive():
                    return conductor.waive(request, who)
                case HoldRun():
                    return conductor.hold(request, who)
                case ReleaseRun():
                    return conductor.release(request, who)
                case GiveSecret():
                    return await conductor.take_secret(request)
                case Leave():
                    if conductor.busy:
                        return "a run is open; it is not left alone"
                    self._leave()
                    return ""
                case Hello():
                    return ""
        except SkytuiError as error:
            return str(error)


def name_of(uid: int) -> str:
    """The login name of a user id, or the number where there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
