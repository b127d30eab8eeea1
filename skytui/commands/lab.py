"""`skytui lab`: the practice pair, up, down, and broken on purpose."""

import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from skytui import paths
from skytui.errors import StateError, UsageError

LEAVE_SECONDS = 10.0
"""How long a conductor may take to end after it was asked to."""


def up(*, fast: bool, jobs: Path | None) -> None:
    """Start the practice pair, unless it is up already, or in the middle of a run."""
    from skytui.lab import pair  # noqa: PLC0415 - psycopg, asyncssh and uvicorn come with it

    found = pair.status()
    if found.exists and open_practice_run():
        say("the practice pair is in the middle of a run; `skytui drill` attaches, `skytui lab down` ends it")
        return
    if not found.ready:
        forget_practice()
    with progress() as report:
        pair.up(report, jobs=jobs, fast=fast)


def open_practice_run() -> bool:
    """Whether a run on the practice pair has begun and not ended: its servers are then left as they are.

    A journal that cannot be trusted is no reason to keep the pair.
    """
    from skytui.conductor.runs import open_run  # noqa: PLC0415

    try:
        return open_run(paths.pair_state_dir(paths.PRACTICE)) is not None
    except StateError as error:
        say(str(error))
        return False


def down() -> None:
    """Stop the practice pair and the conductor on it, and remove it. The journals of its runs are kept."""
    from skytui.lab import pair  # noqa: PLC0415

    forget_practice()
    with progress() as report:
        pair.down(report)


def status() -> int:
    """Say what runs; exit code 0 when the pair is whole, 1 when it is not."""
    from skytui.lab import pair  # noqa: PLC0415

    found = pair.status()
    for part in found.parts:
        sys.stdout.write(f"{part.name:10} {part.role:9} {part.pid or 'not running'}\n")
    sys.stdout.write(f"{'ready' if found.ready else found.lacking}\n")
    return 0 if found.ready else 1


def fault(name: str, target: str, *, listing: bool, undo: bool) -> None:
    """Break something, take it back, or list what can be broken."""
    from skytui.lab import faults  # noqa: PLC0415

    if listing or not name:
        for known in faults.FAULTS.values():
            sys.stdout.write(f"{known.name:20} {known.does}\n")
        return
    if name not in faults.FAULTS:
        raise UsageError(f"There is no fault {name}.", hint=f"There are: {', '.join(faults.FAULTS)}.")
    say(faults.undo(name, target) if undo else faults.inject(name, target))


def node(config: Path, *, boot: bool) -> None:
    """Become the host whose configuration this is. Raises UsageError when the file is not there."""
    if not config.is_file():
        raise UsageError(f"{config} is not a file.", hint="Name the conf/node.toml of a host.")
    command = [sys.executable, "-m", "skytui.lab.host", "--config", str(config)]
    os.execv(sys.executable, command if boot else [*command, "--no-boot"])  # noqa: S606 - no shell is meant


def forget_practice() -> None:
    """End the conductor of the practice pair, whatever it is at, and set its runs aside.

    The servers of those runs are about to be gone; a run on the next pair must not take them up. Raises
    StateError when the conductor does not end.
    """
    folder = paths.pair_state_dir(paths.PRACTICE)
    if not folder.is_dir():
        return
    _end_conductor(folder)
    runs = folder / "runs"
    if runs.is_dir() and any(runs.iterdir()):
        past = paths.private(folder / "past")
        for run in sorted(runs.iterdir()):
            run.rename(past / run.name)


def _end_conductor(folder: Path) -> None:
    lock = folder / "conductor.lock"
    if not lock.exists():
        return
    with lock.open("r+") as file:
        if _locked(file.fileno()):
            return
        pid = int(file.read().strip() or 0)
        if pid <= 1:
            raise StateError(f"A conductor owns {folder}, but {lock} does not say which process it is.")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + LEAVE_SECONDS
        while not _locked(file.fileno()):
            if time.monotonic() > deadline:
                raise StateError(f"The conductor of the practice pair (pid {pid}) does not end; kill it.")
            time.sleep(0.05)


def _locked(handle: int) -> bool:
    """Whether we got the lock: nobody owns the folder. The kernel lets go of it when the file is closed."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def say(text: str) -> None:
    """Narration, on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextlib.contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Say what is being done and how long it has taken so far."""
    began = time.monotonic()

    def report(text: str) -> None:
        say(f"{time.monotonic() - began:5.1f} s  {text}")

    yield report
