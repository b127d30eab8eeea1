"""`python -m skytui.conductor PAIR`: the conductor process of a pair. Started by the command line, on demand.

It is a process of its own session with no terminal; its streams go to `conductor.log`. It ends by itself
when no run is open and nobody has been connected for a while.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from skytui import paths
from skytui.clock import SystemClock
from skytui.conductor import fixed
from skytui.conductor.conductor import Conductor
from skytui.conductor.lock import Lock, sole_owner
from skytui.conductor.runs import open_run
from skytui.conductor.socket import Door, name_of
from skytui.conductor.succession import SAME, succession
from skytui.config.inputs import Inputs, load
from skytui.config.pairs import PairConfig
from skytui.config.secrets import SecretStore
from skytui.config.state import made_folder
from skytui.drivers.build import open_drivers
from skytui.errors import ConfigError, SkytuiError
from skytui.link.address import SOCKET, listen_in
from skytui.link.wire import LINE_LIMIT
from skytui.remote.credentials import Credentials
from skytui.remote.remarks import Weight, remarks_on
from skytui.remote.sshconfig import Destination

IDLE_SECONDS = 15.0
"""How long it stays with neither run nor client."""

_LOG = logging.getLogger("skytui.conductor")


async def conduct(pair: str, folder: Path, lock: Lock, take_over: str) -> None:
    """Own a pair until there is nothing left to do for it.

    A run that was left goes on by its own copy of configuration and profile; without one, what is configured
    now counts. `take_over` is the reason to go on with another person's run, empty for none. Raises
    SkytuiError when the pair is not configured, its state cannot be used, or the run is not ours to take up.
    """
    owner, how = name_of(os.getuid()), SAME
    left = open_run(folder)
    loaded = fixed.loaded(left.folder, left.run) if left and left.run.fixed else load(pair)
    if left:
        how = succession(
            left.run, owner, silent=lock.silent, reason=take_over, operators=loaded.pair.operators
        )
    lock.claim()
    secrets = SecretStore(loaded.pair.secrets)
    secrets.resolve()
    clock, credentials = SystemClock(), Credentials()
    remarks = await asyncio.to_thread(_ssh_remarks, loaded.pair)
    changed, leave = asyncio.Event(), asyncio.Event()
    conductor = Conductor(
        loaded.pair,
        drivers=open_drivers(loaded.pair, clock, secrets, loaded.profile, credentials),
        secrets=secrets,
        credentials=credentials,
        remarks=remarks,
        clock=clock,
        folder=folder,
        owner=owner,
        inputs=loaded.inputs,
        outdated=lambda: why_outdated(pair, loaded.inputs, leave.set),
        how=how,
        polled=_Pulse(lock),
    )
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


def _ssh_remarks(pair: PairConfig) -> tuple[str, ...]:
    """What OpenSSH's files say and skytui does otherwise: all of it for the log, what matters for people."""
    tables = (server.ssh for server in pair.servers.values() if server.ssh is not None)
    found = remarks_on([Destination.of(table) for table in tables])
    for remark in found:
        _LOG.info("%s", remark.says)
    return tuple(remark.says for remark in found if remark.weight is Weight.OTHERWISE)


def why_outdated(pair: str, inputs: Inputs, end: Callable[[], None]) -> str:
    """Why no run may be opened by these inputs; empty while they are what is configured.

    Where they are not, `end` is called: the conductor that is started next goes by the new ones. A faulty
    configuration ends nothing, because no other conductor could start.
    """
    try:
        if load(pair).inputs == inputs:
            return ""
    except ConfigError as error:
        return f"the configuration was changed since this conductor started, and is faulty now: {error}"
    end()
    return (
        f"the configuration of {pair} was changed since this conductor started, which ends now;"
        " start the run again, by the new one"
    )


class _Pulse:
    """Gives a sign of life with every poll. Says it once when the file system takes none."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._troubled = False

    def __call__(self) -> None:
        try:
            self._lock.alive()
        except OSError as error:
            if not self._troubled:
                _LOG.warning("no sign of life can be given: %s", error.strerror)
            self._troubled = True
        else:
            self._troubled = False


async def _nothing_to_do(conductor: Conductor, changed: asyncio.Event, leave: asyncio.Event) -> None:
    """Return when asked to leave, or when there has been neither run nor client for a while."""
    while not leave.is_set():
        changed.clear()
        idle = not conductor.busy and not conductor.after.on and len(conductor.hub) == 0
        waits = [asyncio.create_task(leave.wait()), asyncio.create_task(changed.wait())]
        done, pending = await asyncio.wait(waits, timeout=IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        if idle and not done and not conductor.busy and not conductor.after.on:
            return


def main() -> int:
    """Run the conductor of the pair named on the command line; exit code as everywhere in skytui."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    parser = argparse.ArgumentParser(prog="skytui.conductor")
    parser.add_argument("pair")
    parser.add_argument("--take-over", metavar="REASON", default="", help="go on with another person's run")
    given = parser.parse_args()
    try:
        folder = made_folder(given.pair)
        os.umask(paths.mask_of(folder))
        with sole_owner(folder) as lock:
            asyncio.run(conduct(given.pair, folder, lock, given.take_over))
    except SkytuiError as error:
        _LOG.error("%s", error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
