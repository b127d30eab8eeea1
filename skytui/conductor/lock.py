"""The lock of a pair's folder: one conductor a pair, and its sign of life."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from skytui.errors import StateError

LOCK = "conductor.lock"
LETTING_GO_SECONDS = 5.0
"""How long the conductor before may take to let go: one that ends logs out of its servers first."""
_PAUSE = 0.05


class Lock:
    """The lock, held. Its file names the process that owns the pair; its time is the sign of life of that."""

    def __init__(self, file: int) -> None:
        self._file = file

    @property
    def silent(self) -> float:
        """Seconds since the conductor before, or this one, last gave a sign of life, by this host's clock."""
        return max(0.0, time.time() - os.fstat(self._file).st_mtime)

    def claim(self) -> None:
        """Write down whose pair it is now.

        Raises StateError when that cannot be written.
        """
        said = f"{os.getpid()}\n".encode()
        try:
            os.pwrite(self._file, said, 0)
            os.ftruncate(self._file, len(said))
        except OSError as error:
            raise StateError(f"The lock {LOCK} cannot be written: {error.strerror}.") from error

    def alive(self) -> None:
        """Give a sign of life.

        Raises OSError when the file system takes none.
        """
        os.utime(self._file)


@contextlib.contextmanager
def sole_owner(folder: Path, seconds: float = LETTING_GO_SECONDS) -> Iterator[Lock]:
    """Hold the lock of a pair's folder; another one's is waited for that long. Claim it before acting.

    Raises StateError when another process has it, or it cannot be made.
    """
    try:
        file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise StateError(f"The lock {folder / LOCK} cannot be opened: {error.strerror}.") from error
    try:
        deadline = time.monotonic() + seconds
        while not _locked(file):
            if time.monotonic() > deadline:
                raise StateError(f"Another conductor owns {folder}.")
            time.sleep(_PAUSE)
        yield Lock(file)
    finally:
        os.close(file)


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
