"""The conductor's end of its socket: who calls, what they may, and what they are told."""

import asyncio
import grp
import logging
import os
import pwd
from collections.abc import Callable
from pathlib import Path

import msgspec

from skytui import __version__
from skytui.conductor.conductor import Conductor
from skytui.conductor.seats import CLIENTS, LOOKS
from skytui.errors import SkytuiError
from skytui.link.address import Peer, peer_of
from skytui.link.wire import (
    PROTOCOL,
    AbortRun,
    Confirm,
    Decide,
    Denied,
    GiveSecret,
    HandOver,
    Hello,
    HoldRun,
    Leave,
    Notice,
    Open,
    Postpone,
    ReleaseRun,
    Reply,
    Request,
    Seat,
    State,
    Take,
    TrySecrets,
    TurnRun,
    Unwatch,
    Waive,
)
from skytui.plaintext import plain

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
        hub, seats, seat = self._conductor.hub, self._conductor.seats, None
        try:
            peer = peer_of(writer.get_extra_info("socket"))
            hello = await self._hello(reader)
            if isinstance(hello, Hello) and (reason := why_not_in(peer, self._conductor.folder)):
                hello = Denied(reason)
            if isinstance(hello, Denied):
                hub.tell(writer, hello)
                await writer.drain()
                return
            seat = seats.join(name_of(peer.uid), hello.client, peer.pid, self._conductor.wall)
            # An agent opens itself to its own user alone; another member of the team keeps theirs.
            self._conductor.attached(seat, hello.agent if peer.uid == os.getuid() else "")
            hub.tell(writer, self._conductor.welcome(seat))
            hub.join(writer)
            for remark in self._conductor.remarks:
                hub.tell(writer, Notice(self._conductor.wall, remark))
            self._changed()
            await self._serve(reader, writer, seat)
        except (OSError, asyncio.IncompleteReadError):
            return  # it hung up
        finally:
            hub.leave(writer)
            if seat is not None:
                seats.leave(seat)
                self._conductor.left(seat)
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
        if hello.client not in CLIENTS:
            return Denied(f"there is no client of the kind {plain(hello.client)[:40]}")
        if hello.protocol != PROTOCOL:
            return Denied(
                f"it speaks protocol {PROTOCOL} (skytui {__version__}),"
                f" you speak {hello.protocol} ({hello.version})"
            )
        return hello

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seat: Seat) -> None:
        while True:
            try:
                request = _REQUEST.decode(await reader.readuntil(b"\n"))
            except _GARBAGE:
                self._conductor.hub.tell(writer, Denied("this is not how one speaks to a conductor"))
                await writer.drain()
                return
            if isinstance(request, Hello):
                continue
            refused = "a watcher may only look" if seat.client in LOOKS else await self._answer(request, seat)
            self._conductor.hub.tell(writer, Reply(request.number, refused))

    async def _answer(self, request: Request, seat: Seat) -> str:
        """Why a request was refused, empty when it counted."""
        conductor = self._conductor
        try:
            match request:
                case Open():
                    return await conductor.open(request, seat)
                case Confirm():
                    return conductor.desk.confirm(request, seat)
                case Waive():
                    return conductor.desk.waive(request, seat)
                case Decide():
                    return conductor.desk.decide(request, seat)
                case AbortRun():
                    return conductor.desk.abort(request, seat)
                case State():
                    return conductor.desk.state(request, seat)
                case TurnRun():
                    return conductor.desk.turn(request, seat)
                case Postpone():
                    return conductor.desk.postpone(request, seat)
                case HoldRun():
                    return conductor.desk.hold(request, seat)
                case ReleaseRun():
                    return conductor.desk.release(request, seat)
                case Take():
                    return conductor.desk.take(request, seat)
                case HandOver():
                    return conductor.desk.hand_over(request, seat)
                case GiveSecret() | TrySecrets():
                    return await conductor.secrets(request)
                case Unwatch():
                    return conductor.after.stop(seat.who, plain(request.reason))
                case Leave():
                    if conductor.after.on:
                        return "the pair is watched after a run; skytui unwatch ends that"
                    if conductor.busy:
                        return "a run is open; it is not left alone"
                    self._leave()
                    return ""
                case Hello():
                    return ""
        except SkytuiError as error:
            return str(error)


def why_not_in(peer: Peer, folder: Path) -> str:
    """Why this process may not be a client of the conductor in `folder`; empty when it may.

    Its owner and root may; where the folder is its group's to write in (a team's), so may its members.
    The socket's mode says the same; this holds on systems that do not mind it.
    """
    if peer.uid in (0, os.getuid()):
        return ""
    state = folder.stat()
    if not state.st_mode & 0o020:
        return f"this conductor belongs to {name_of(os.getuid())}"
    if state.st_gid in {peer.gid, *(_groups_of(peer.uid) if peer.groups is None else peer.groups)}:
        return ""
    return f"{name_of(peer.uid)} is not in the group {_group(state.st_gid)}, whose folder this is"


def _groups_of(uid: int) -> list[int]:
    """The groups of a user by the group database, where the kernel does not tell those of the process."""
    try:
        known = pwd.getpwuid(uid)
    except KeyError:
        return []
    return os.getgrouplist(known.pw_name, known.pw_gid)


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def name_of(uid: int) -> str:
    """The login name of a user id, or the number where there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
