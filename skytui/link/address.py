"""Where a conductor's socket is, and how one gets onto it.

The socket lies in the pair's state folder, never under XDG_RUNTIME_DIR (logind removes that at logout). A
socket address holds about 100 bytes only (unix(7)); a longer path is reached through an open handle of its
folder, /proc/self/fd/N, which Linux resolves like any other path.
"""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from skytui.errors import StateError

SOCKET = "conductor.sock"
_ROOM = 100
_SO_PEERGROUPS = 59
"""Linux 4.13, asm-generic/socket.h; Python's `socket` does not name it."""


def listen_in(folder: Path) -> socket.socket:
    """A listening socket in `folder`, open to its owner alone (and its group, where the folder has one).

    Raises StateError when it cannot be made.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short(folder) as short:
            (folder / SOCKET).unlink(missing_ok=True)
            listener.bind(f"{short}/{SOCKET}")
            (folder / SOCKET).chmod(0o660 if folder.stat().st_mode & 0o020 else 0o600)
        listener.listen(64)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise StateError(f"The socket {folder / SOCKET} cannot be made: {error.strerror}.") from error
    return listener


def connect_in(folder: Path) -> socket.socket:
    """A socket connected to the conductor of `folder`.

    Raises OSError (ConnectionRefusedError, FileNotFoundError) when no conductor listens there.
    """
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short(folder) as short:
            client.connect(f"{short}/{SOCKET}")
        client.setblocking(False)
    except OSError:
        client.close()
        raise
    return client


class Peer(msgspec.Struct, frozen=True):
    """The process at the other end of a socket, when it connected.

    `groups` are those it has beside `gid`; None where this system does not tell.
    """

    pid: int
    uid: int
    gid: int
    groups: tuple[int, ...] | None = None


def peer_of(connection: socket.socket) -> Peer:
    """Who is at the other end, as the kernel says (SO_PEERCRED, SO_PEERGROUPS; see unix(7))."""
    form = "iII"
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize(form))
    pid, uid, gid = struct.unpack(form, credentials)
    return Peer(pid, uid, gid, _groups(connection))


def _groups(connection: socket.socket) -> tuple[int, ...] | None:
    try:
        listed = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, 1024)
    except OSError:  # an older kernel, or more groups than one may ask for here
        return None
    return tuple(number for (number,) in struct.iter_unpack("I", listed))


@contextmanager
def _short(folder: Path) -> Iterator[str]:
    """A name for `folder` that leaves room for the socket's name."""
    if len(os.fsencode(folder / SOCKET)) < _ROOM:
        yield str(folder)
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}"
    finally:
        os.close(handle)
