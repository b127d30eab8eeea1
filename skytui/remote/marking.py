"""Marks on a host: set, kept fresh, taken over, cleared. Needs a POSIX sh, and a `date` that knows `+%s`."""

import math
from pathlib import Path

import msgspec

from skytui.errors import RemoteError
from skytui.pair.mark import Carried, Foreign, Mark, Marking
from skytui.plaintext import plain, plain_bytes
from skytui.remote.durable import sh
from skytui.remote.ssh import Host

_MARK = (Path(__file__).parent / "mark.sh").read_text()

MARK_SECONDS = 5.0
"""How long a host may take to set or clear a mark."""


async def set_mark(host: Host, mark: Mark, *, take: Mark | None = None, stale: float = 0.0) -> Marking:
    """Set a mark, or refresh its heartbeat and content where the host carries it already.

    Another run's mark stays, unless it is `take` and its heartbeat at least `stale` seconds old.
    Raises RemoteError when the host was not reached (then it may carry the mark or not) or cannot do it.
    """
    what = msgspec.json.encode(mark).decode()
    script = sh(_MARK, "set", mark.pair, mark.identity, what, take.identity if take else "", math.ceil(stale))
    word, silent, found = await _ask(host, mark, script)
    match word:
        case "free":
            return Carried()
        case "kept" | "took":
            return Carried(found, silent)
        case _:
            return Foreign(found, silent)


async def clear_mark(host: Host, mark: Mark) -> str:
    """Remove a mark. Whose stands there instead; empty when none is left. Raises RemoteError."""
    word, _, found = await _ask(host, mark, sh(_MARK, "clear", mark.pair, mark.identity))
    return "" if word == "cleared" else f"{host.name} carries the mark of {found.words}."


async def _ask(host: Host, mark: Mark, script: str) -> tuple[str, float, Mark]:
    """What mark.sh found: its word, the age of the heartbeat, whose mark it was."""
    done = await host.run(script, deadline=MARK_SECONDS)
    first, _, what = done.stdout.partition(b"\n")
    word, _, rest = plain_bytes(first).partition(" ")
    if word == "failed":
        raise RemoteError(f"{host.name}: it cannot be marked: {rest}.")
    silent, _, identity = rest.partition(" ")
    if word not in ("free", "kept", "took", "other", "cleared") or not (silent or "0").isdecimal():
        raise RemoteError(f"{host.name}: sh could not look after its mark: {done.complaint}.")
    return word, float(silent or 0), _mark(mark.pair, identity, what)


def _mark(pair: str, identity: str, what: bytes) -> Mark:
    """The mark as it stands there, made harmless; as much as is known where another version wrote it."""
    run, _, key = identity.partition("/")
    try:
        said = msgspec.json.decode(what, type=Mark)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Mark(pair=pair, run=run, key=key)
    return Mark(
        pair=pair,
        run=run,
        key=key,
        who=plain(said.who),
        host=plain(said.host),
        since=said.since,
        hash=plain(said.hash),
    )
