"""The folders of a pair's runs: `runs/<id>/` with `journal.jsonl`, `head`, `plan.md` and `logs/`."""

from datetime import datetime
from pathlib import Path

import msgspec

from skytui.conductor.journal import Contents, read_journal
from skytui.errors import StateError
from skytui.runbook.machine import fold
from skytui.runbook.model import Run

JOURNAL = "journal.jsonl"


class StoredRun(msgspec.Struct, frozen=True):
    """A run as its folder has it."""

    folder: Path
    contents: Contents
    run: Run


def new_run_id(pair_folder: Path, wall: datetime) -> str:
    """An id for a run that starts now; it sorts by time and is the name of its folder."""
    stem = wall.strftime("%Y%m%d-%H%M%S")
    taken = {folder.name for folder in (pair_folder / "runs").glob(f"{stem}*")}
    return next(name for n in range(1, 100) if (name := stem if n == 1 else f"{stem}-{n}") not in taken)


def stored_runs(pair_folder: Path) -> list[Path]:
    """The folders of all runs of a pair, oldest first."""
    return sorted(path.parent for path in (pair_folder / "runs").glob(f"*/{JOURNAL}"))


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


def open_run(pair_folder: Path) -> StoredRun | None:
    """The run of this pair that has not ended, if there is one: it can only be the newest.

    A folder whose journal holds no event is what a crash leaves before the run was open; it is passed over.
    Raises StateError when the newest journal cannot be trusted.
    """
    for folder in reversed(stored_runs(pair_folder)):
        if never_begun(folder):
            continue
        if read_journal(folder / JOURNAL).events:
            stored = load_run(folder)
            return None if stored.run.over else stored
    return None
