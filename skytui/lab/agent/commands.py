"""Commands as processes of their own: they outlive the worker, and the agent too.

Each run has a folder with `order.json`, `pid`, `output` and, once it has ended, `code`. So an agent that is
started again can tell a command that still runs from one that has ended meanwhile and from one that was lost.
"""

import asyncio
import contextlib
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil

from skytui.lab.jobset import file_name

# $1 is the run's folder, $2 the command. The code appears in one step, when everything else is there.
_WRAPPER = """
cd "$1" && echo $$ >pid && { /bin/sh -c "$2" >output 2>&1 </dev/null; echo $? >code.part; mv code.part code; }
"""


class Order(msgspec.Struct, frozen=True):
    """What an agent was told to run."""

    run: str
    job: str
    command: str
    output: bool


class Command:
    """The process of one run, and its folder."""

    def __init__(self, runs: Path, run: str) -> None:
        self.folder = runs / file_name(run)

    def prepare(self, order: Order) -> None:
        """Make the folder: before the ledger knows the run, so that its order is there when it does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "order.json").write_bytes(msgspec.json.encode(order))

    def order(self) -> Order | None:
        """The order this folder was made for."""
        try:
            return msgspec.json.decode((self.folder / "order.json").read_bytes(), type=Order)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    async def run(self, order: Order) -> None:
        """Start the command and wait until it has ended. When this is cancelled the command goes on."""
        environment = {**os.environ, "SKYTUI_RUN": order.run}
        process = subprocess.Popen(  # noqa: ASYNC220 - asyncio would kill it with the loop
            ["/bin/sh", "-c", _WRAPPER, "sh", str(self.folder), order.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        await _wait(process.wait)

    async def adopt(self) -> bool:
        """Wait for a command an earlier agent process started; False when none is running."""
        process = self._process()
        if process is None:
            return False
        await _wait(process.wait)
        return True

    def code(self) -> tuple[int, datetime] | None:
        """The exit code and when it was written; None while there is none."""
        file = self.folder / "code"
        try:
            text, at = file.read_text("ascii"), datetime.fromtimestamp(file.stat().st_mtime, UTC)
            code = int(text)
        except (FileNotFoundError, ValueError):
            return None
        # The shell's way to say "ended by signal N".
        return (-(code - 128) if code > 128 else code), at

    def output(self) -> bytes:
        """What the command printed."""
        try:
            return (self.folder / "output").read_bytes()
        except FileNotFoundError:
            return b""

    def forget(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(int((self.folder / "pid").read_text("ascii")))
            # A pid is used again sooner or later; the folder in its arguments is this run's alone.
            return process if str(self.folder) in process.cmdline() else None
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return None


async def _wait(blocking: Callable[[], object]) -> None:
    # A daemon thread, because neither asyncio's own children (killed with the loop) nor its thread pool
    # (waited for at the end) let a command outlive the agent.
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def wait() -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            blocking()
        with contextlib.suppress(RuntimeError):  # the loop is closed: the agent has ended
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait, daemon=True).start()
    await ended.wait()
