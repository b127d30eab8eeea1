"""Get onto a pair's conductor; start it, as a process of its own, where there is none."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

from skytui import paths
from skytui.config.state import made_folder, pair_folder
from skytui.errors import StateError, UnreachableError
from skytui.link.address import connect_in
from skytui.link.client import Client

START_SECONDS = 20.0
"""How long a conductor may take from its start to its first word."""
_PAUSE = 0.05


async def attach(pair: str, client: str, take_over: str = "") -> Client:
    """A connection to the conductor of `pair`, started if there is none.

    One that is started goes on with another person's run only where `take_over` says for which reason. Raises
    StateError when it cannot be started (with its last words), or turns us away.
    """
    try:
        return await Client.connect(pair_folder(pair), client)
    except UnreachableError:
        return await _start(pair, made_folder(pair), client, take_over)


def conductor_listens(pair: str) -> bool:
    """Whether a conductor of this pair can be called now.

    Raises StateError when the pair's folder cannot be used.
    """
    folder = pair_folder(pair)
    try:
        connect_in(folder).close()
    except OSError:
        return False
    return True


async def _start(pair: str, folder: Path, client: str, take_over: str) -> Client:
    log = folder / "conductor.log"
    began = log.stat().st_size if log.exists() else 0
    process = _spawn(pair, log, take_over)
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            connected = await Client.connect(folder, client)
        except UnreachableError:
            ended = process.poll()
        else:
            # It outlives us on purpose: nobody waits for it any more.
            process.returncode = 0
            return connected
        if ended is not None and not await _other_listens(folder):
            raise StateError(f"The conductor of {pair} did not start: {_last_words(log, began)}")
        if time.monotonic() > deadline:
            raise StateError(
                f"The conductor of {pair} (pid {process.pid}) does not answer after {START_SECONDS:.0f} s.",
                hint=f"See {log}.",
            )
        await asyncio.sleep(_PAUSE)


def _spawn(pair: str, log: Path, take_over: str) -> "subprocess.Popen[bytes]":
    """A conductor in a session of its own, without a terminal, its streams in the log.

    Raises StateError when the log cannot be opened.
    """
    reason = [f"--take-over={take_over}"] if take_over else []
    try:
        with paths.masked(paths.mask_of(log.parent)):
            streams = log.open("ab")
    except OSError as error:
        raise StateError(f"The log {log} cannot be opened: {error.strerror}.") from error
    with streams:
        return subprocess.Popen(
            [sys.executable, "-m", "skytui.conductor", *reason, "--", pair],
            stdin=subprocess.DEVNULL,
            stdout=streams,
            stderr=streams,
            start_new_session=True,
            cwd="/",
        )


async def _other_listens(folder: Path) -> bool:
    """Ours may have ended because another one was faster; give that one a moment."""
    for _ in range(40):
        try:
            await (await Client.connect(folder, "glance")).close()
        except UnreachableError:
            await asyncio.sleep(_PAUSE)
        else:
            return True
    return False


def _last_words(log: Path, began: int) -> str:
    with log.open("rb") as file:
        file.seek(began)
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"it said nothing; see {log}"
