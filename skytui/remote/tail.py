"""A log on a host, followed over lost connections, rotation and truncation."""

import asyncio
import shlex
import uuid
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path

import asyncssh

from skytui.errors import UnreachableError
from skytui.remote.lines import LONGEST_LINE, LineSplitter
from skytui.remote.ssh import Host, LostError

_TAIL = (Path(__file__).parent / "tail.sh").read_text()

FIRST_LINES = 50
"""How many lines that are already there are shown at the start."""
_KEPT = 200  # as many as tail.sh sends
_RETRY_SECONDS = 1.0


async def follow_log(host: Host, file: str) -> AsyncIterator[str]:
    """The last lines of `file`, then each line as it is written. Ends only when it is closed.

    After a lost connection it goes on behind the last line that was seen; when more than 200 lines were
    written meanwhile, those before the last 200 are missing.
    Raises RefusedError when the host lets us not in.
    """
    seen: deque[bytes] = deque(maxlen=_KEPT)
    first = True
    while True:
        try:
            async with aclosing(_connection(host, file)) as chunks:
                snapshot = await anext(chunks)
                lines = snapshot[-FIRST_LINES:] if first else news(list(seen), snapshot)
                first = False
                seen.extend(lines)
                for line in _clean(lines):
                    yield line
                async for lines in chunks:
                    seen.extend(lines)
                    for line in _clean(lines):
                        yield line
        except UnreachableError:  # said by the readings of the same host; here it only means to try again
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


async def _connection(host: Host, file: str) -> AsyncGenerator[list[bytes]]:
    """One connection's worth: first what is there, then batches of new lines."""
    mark = uuid.uuid4().hex.encode()
    command = shlex.join(["sh", "-c", _TAIL, "skytui", file, mark.decode()])
    async with host.process(command) as process:
        process.stdin.write_eof()
        try:
            before, rest = b"", b""
            while True:
                chunk = await process.stdout.read(65536)
                if not chunk:
                    raise LostError(f"{host.name}: the log {file} is not followed any more.")
                before += chunk
                head, found, rest = before.partition(b"\n" + mark + b"\n")
                if found:
                    break
            *lines, partial = head.split(b"\n")
            yield lines
            rest = partial + rest
            while True:
                *lines, rest = rest.split(b"\n")
                if len(rest) > LONGEST_LINE:
                    lines, rest = [*lines, rest], b""
                if lines:
                    yield lines
                if not (chunk := await process.stdout.read(65536)):
                    raise LostError(f"{host.name}: the log {file} is not followed any more.")
                rest += chunk
        except (OSError, asyncssh.Error) as error:
            raise LostError(f"{host.name}: the connection was lost.") from error


def _clean(lines: Sequence[bytes]) -> list[str]:
    cleaned: list[str] = []
    splitter = LineSplitter(cleaned.append)
    for line in lines:
        splitter.feed(line + b"\n")
    return cleaned
