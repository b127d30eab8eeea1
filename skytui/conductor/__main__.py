"""`python -m skytui.conductor PAIR`: the conductor process of a pair. Started by the command line, on demand.

It is a process of its own session with no terminal; its streams go to `conductor.log`. It ends by itself
when no run is open and nobody has been connected for a while.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from skytui import paths
from skytui.clock import SystemClock
from skytui.conductor.conductor import Conductor
from skytui.conductor.socket import Door, name_of
from skytui.config.pairs import load_pair
from skytui.config.secrets import SecretStore
from skytui.drivers.build import open_drivers
from skytui.errors import SkytuiError, StateError
from skytui.link.address import SOCKET, listen_in
from skytui.link.wire import LINE_LIMIT

IDLE_SECONDS = 15.0
"""How long it stays with neither run nor client."""

_LOG = logging.getLogger("skytui.conductor")


async def conduct(pair: str, folder: Path) -> None:
    """Own a pair until there is nothing left to do for it.

    Raises SkytuiError when the pair is not configured, or its state cannot be used.
    """
    config = load_pair(pair)
    secrets = SecretStore(config.secrets)
    secrets.resolve()
    clock = SystemClock()
    drivers = open_drivers(config, clock, secrets)
    conductor = Conductor(
        config, drivers=drivers, secrets=secrets, clock=clock, folder=folder, owner=name_of(os.getuid())
    )
    changed, leave = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leave.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    listener = listen_in(folder)
    door = Door(conductor, changed.set, leave.set)
    server = await asyncio.start_unix_server(door, sock=listener, limit=LINE_LIMIT)
    _LOG.info("owns %s as pid %d", pair, os.getpid())
    work = asyncio.create_task(conductor.serve())
    over = asyncio.create_task(_nothing_to_do(conductor, changed, leave))
    try:
        await asyncio.wait({work, over}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.close()
        (folder / SOCKET).unlink(missing_ok=True)
        over.cancel()
        work.cancel()
        await asyncio.gather(over, return_exceptions=True)
        with contextlib.suppress(asyncio.CancelledError):
            await work
    _LOG.info("has nothing left to do")


async def _nothing_to_do(conductor: Conductor, changed: asyncio.Event, leave: asyncio.Event) -> None:
    """Return when asked to leave, or when there has been neither run nor client for a while."""
    while not leave.is_set():
        changed.clear()
        idle = not conductor.busy and len(conductor.hub) == 0
        waits = [asyncio.create_task(leave.wait()), asyncio.create_task(changed.wait())]
        done, pending = await asyncio.wait(waits, timeout=IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        if idle and not done and not conductor.busy:
            return


@contextlib.contextmanager
def sole_owner(folder: Path) -> Iterator[None]:
    """Hold the lock of a pair's folder: one conductor a pair.

    Raises StateError when another process has it.
    """
    with (folder / "conductor.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StateError(f"Another conductor owns {folder}.") from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def main() -> int:
    """Run the conductor of the pair named on the command line; exit code as everywhere in skytui."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    pair = sys.argv[1]
    folder = paths.private(paths.pair_state_dir(pair))
    try:
        with sole_owner(folder):
            asyncio.run(conduct(pair, folder))
    except SkytuiError as error:
        _LOG.error("%s", error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
