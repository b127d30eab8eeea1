"""The folders of a pair's runs: `runs/<id>/` has `journal.jsonl`, `head`, `fixed/`, `plan.md`, `logs/`."""

import contextlib
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from skytui.conductor.journal import Contents, read_journal
from skytui.errors import StateError
from skytui.pair.mark import Mark
from skytui.runbook.events import Opened
from skytui.runbook.machine import fold
from skytui.runbook.model import Run

JOURNAL, PLAN = "journal.jsonl", "plan.md"

_LOG = logging.getLogger(__name__)


class StoredRun(msgspec.Struct, frozen=True):
    """A run as its folder has it."""

    folder: Path
    contents: Contents
    run: Run


class _Event(msgspec.Struct, frozen=True):
    type: str


class _Last(msgspec.Struct, frozen=True):
    event: _Event


def new_run_id(pair_folder: Path, wall: datetime) -> str:
    """An id for a run that starts now; it sorts by time and is the name of its folder."""
    stem = wall.strftime("%Y%m%d-%H%M%S")
    taken = {folder.name for folder in (pair_folder / "runs").glob(f"{stem}*")}
    return next(name for n in range(1, 100) if (name := stem if n == 1 else f"{stem}-{n}") not in taken)


@contextlib.contextmanager
def nothing_half_made(folder: Path, half: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Take the folder of a run away again when the run could not be opened in it.

    `half` says whether that is so: a run whose first record is on disk is one, whatever went wrong then.
    """
    try:
        yield
    except BaseException:  # whatever it was
        if not half():
            raise
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            pass  # not even that was made
        except OSError as error:
            _LOG.warning("%s, where no run was opened, cannot be removed: %s", folder, error.strerror)
        raise


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file: on disk whole when this returns, and never seen half-written.

    Raises OSError.
    """
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def stored_runs(pair_folder: Path) -> list[Path]:
    """The folders of all runs of a pair, oldest first.

    Raises StateError when one cannot be looked into: the run in it may be open.
    """
    try:
        return sorted(folder for folder in (pair_folder / "runs").iterdir() if _has_journal(folder))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StateError(f"The runs of {pair_folder} cannot be looked into: {error}.") from error


def _has_journal(folder: Path) -> bool:
    # Not exists(): what may not be looked into would not be there.
    try:
        (folder / JOURNAL).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def load_run(folder: Path) -> StoredRun:
    """The run of a folder.

    Raises StateError when its journal cannot be trusted.
    """
    contents = read_journal(folder / JOURNAL)
    run = fold(contents.events)
    if run is None:
        raise StateError(f"The journal in {folder} has no run in it; remove the folder.")
    return StoredRun(folder, contents, run)


def never_begun(folder: Path) -> bool:
    """Whether a crash came before even the heading of this journal was whole: then there was no run.

    A journal with a `head` beside it was longer once, and is not passed over.
    """
    try:
        return b"\n" not in (folder / JOURNAL).read_bytes() and not (folder / "head").exists()
    except OSError as error:
        raise StateError(f"The journal in {folder} cannot be read: {error.strerror}.") from error


def has_ended(folder: Path) -> bool:
    """Whether the journal's last whole record ends the run, whatever version of skytui wrote it.

    This is how a run of long ago is passed over without reading all of it; a journal that was cut short or
    torn does not end like this. Raises StateError when the file cannot be read.
    """
    try:
        lines = (folder / JOURNAL).read_bytes().split(b"\n")
    except OSError as error:
        raise StateError(f"The journal in {folder} cannot be read: {error.strerror}.") from error
    try:
        return len(lines) > 2 and msgspec.json.decode(lines[-2], type=_Last).event.type == "closed"
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def ended_here(pair_folder: Path, mark: Mark) -> bool:
    """Whether a mark is of a run of this folder that has ended: left behind when it could not be cleared."""
    folders = {folder.name: folder for folder in stored_runs(pair_folder)}
    folder = folders.get(mark.run)
    try:
        if folder is None or not has_ended(folder):
            return False
        first = read_journal(folder / JOURNAL).events[0]
    except StateError:  # then it cannot be said
        return False
    return isinstance(first, Opened) and first.at.boot == mark.key


def left_over(pair_folder: Path) -> Run | None:
    """The last run of this pair, if it left its conversion for later; what it owes is taken over.

    Raises StateError when its journal cannot be trusted.
    """
    ended = [folder for folder in stored_runs(pair_folder) if has_ended(folder)]
    last = load_run(ended[-1]).run if ended else None
    return last if last is not None and last.postponed else None


def open_run(pair_folder: Path) -> StoredRun | None:
    """The run of this pair that has not ended, if there is one.

    All folders are looked at: their names go by the wall clock, which may have stepped back since. A folder
    whose journal holds no event is what a crash leaves before the run was open; it is passed over.
    Raises StateError when a journal that has not ended cannot be trusted, or more than one has not.
    """
    left: list[StoredRun] = []
    for folder in stored_runs(pair_folder):
        if has_ended(folder) or never_begun(folder):
            continue
        if read_journal(folder / JOURNAL).events:
            stored = load_run(folder)
            left += [] if stored.run.over else [stored]
    if len(left) > 1:
        raise StateError(
            f"More than one run of this pair is open: {' and '.join(str(stored.folder) for stored in left)}.",
            hint="Only one of them can be gone on with: move the folder of the other one away.",
        )
    return left[0] if left else None
