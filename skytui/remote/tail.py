"""A log on a host, followed over lost connections, rotation and truncation."""

import asyncio
import re
import uuid
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

import asyncssh
import msgspec

from skytui.errors import RemoteError
from skytui.remote import quoting
from skytui.remote.lines import LONGEST_LINE, LineSplitter
from skytui.remote.ssh import Host, LostError

_TAIL = (Path(__file__).parent / "tail.sh").read_text()

FIRST_LINES = 50
"""How many lines that are already there are shown at the start."""
_KEPT = 200  # as many as tail.sh sends
_RETRY_SECONDS = 1.0


class Batch(msgspec.Struct, frozen=True):
    """Whole lines, as bytes. A snapshot also says which file they are the end of, and where it ends."""

    lines: list[bytes]
    inode: int = 0
    end: int = 0


class Seen:
    """What was seen of a log, to find out after a reconnect what is new."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque(maxlen=_KEPT)
        self._inode = 0
        self._end = 0
        self._first = True

    def add(self, lines: Sequence[bytes]) -> None:
        """More lines of the same connection."""
        self._lines.extend(lines)
        self._end += _length(lines)

    def join(self, snapshot: Batch) -> Sequence[bytes]:
        """The lines of a new connection's snapshot that were not seen yet."""
        lines: Sequence[bytes] = snapshot.lines
        if self._first:
            lines = lines[-FIRST_LINES:]
        elif (rest := self._by_place(snapshot)) is not None:
            lines = rest
        else:
            lines = news(list(self._lines), lines)
        self._first = False
        self._lines.extend(lines)
        self._inode, self._end = snapshot.inode, snapshot.end
        return lines

    def _by_place(self, snapshot: Batch) -> Sequence[bytes] | None:
        """What stands behind the last byte seen, if it is the same file; None when that cannot be said."""
        if snapshot.inode != self._inode or not self._lines:
            return None
        behind = list(snapshot.lines)
        place = snapshot.end - _length(behind)
        for number, line in enumerate(behind):
            if place == self._end:
                before = behind[number - 1] if number else self._lines[-1]
                return behind[number:] if before == self._lines[-1] else None
            place += len(line) + 1
        return [] if place == self._end and behind and behind[-1] == self._lines[-1] else None


def _length(lines: Sequence[bytes]) -> int:
    return sum(len(line) + 1 for line in lines)


async def follow_log(host: Host, file: str) -> AsyncGenerator[str]:
    """The last lines of `file`, then each line as it is written. Ends only when it is closed.

    After a lost connection it goes on behind the last line that was seen; when more than 200 lines were
    written meanwhile, those before the last 200 are missing.
    A host that lets us not in, or not yet, is asked again.
    """
    seen = Seen()
    while True:
        try:
            async with aclosing(_connection(host, file)) as batches:
                for line in _clean(seen.join(await anext(batches))):
                    yield line
                async for batch in batches:
                    seen.add(batch.lines)
                    for line in _clean(batch.lines):
                        yield line
        except RemoteError:  # said by the readings of the same host; here it only means to try again
            pass
        await asyncio.sleep(_RETRY_SECONDS)


def news(seen: Sequence[bytes], snapshot: Sequence[bytes]) -> Sequence[bytes]:
    """The part of `snapshot` that comes behind what was `seen`; all of it where the two do not meet.

    They meet where the longest end of `seen` lies in `snapshot`, the last such place if there are several.
    """
    if not seen:
        return snapshot
    for end in range(len(snapshot), 0, -1):
        length = min(end, len(seen))
        if list(snapshot[end - length : end]) == list(seen[-length:]):
            return snapshot[end:]
    return snapshot


async def _connection(host: Host, file: str) -> AsyncGenerator[Batch]:
    """One connection's worth: first what is there, then batches of new lines."""
    mark = uuid.uuid4().hex
    marked = re.compile(rb"\n" + mark.encode() + rb" (\d+) (\d+)\n")
    async with host.process(quoting.posix(["sh", "-c", _TAIL, "skytui", file, mark])) as process:
        process.stdin.write_eof()
        try:
            data = b""
            while (found := marked.search(data)) is None:
                data += await _more(process, host, file)
            *lines, rest = data[: found.start()].split(b"\n")
            yield Batch(lines, int(found[1]), int(found[2]) - len(rest))
            rest += data[found.end() :]
            while True:
                *lines, rest = rest.split(b"\n")
                if len(rest) > LONGEST_LINE:
                    lines, rest = [*lines, rest], b""
                if lines:
                    yield Batch(lines)
                rest += await _more(process, host, file)
        except (OSError, asyncssh.Error) as error:
            raise LostError(f"{host.name}: the connection was lost.") from error


async def _more(process: asyncssh.SSHClientProcess[bytes], host: Host, file: str) -> bytes:
    chunk = await process.stdout.read(65536)
    if not chunk:
        raise LostError(f"{host.name}: the log {file} is not followed any more.")
    return chunk


def _clean(lines: Sequence[bytes]) -> list[str]:
    cleaned: list[str] = []
    splitter = LineSplitter(cleaned.append)
    for line in lines:
        splitter.feed(line + b"\n")
    return cleaned
