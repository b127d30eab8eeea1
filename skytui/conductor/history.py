"""The earlier runs of a pair, from their journals. Each is read once: what has ended never changes."""

import logging
from pathlib import Path

import msgspec

from skytui.conductor.runs import has_ended, load_run, stored_runs
from skytui.errors import StateError
from skytui.runbook.history import PastRun, past_run

_LOG = logging.getLogger(__name__)


class History:
    """The earlier runs in a pair's folder. `troubles` says which of them could not be taken into account."""

    def __init__(self, pair_folder: Path) -> None:
        self._folder = pair_folder
        self._read: dict[str, PastRun | None] = {}
        self._unreadable: dict[str, str] = {}
        self._looked_at: set[str] = set()
        self._blind = ""

    @property
    def troubles(self) -> tuple[str, ...]:
        """A sentence for each run that could not be read."""
        blind = (self._blind,) if self._blind else ()
        return (*blind, *self._unreadable.values())

    def past(self) -> tuple[PastRun, ...]:
        """Every run that ended with a swap, oldest first; what has come since the last time is read."""
        for folder in self._folders():
            if folder.name not in self._read:
                self._take_in(folder)
        found = (run for run in self._read.values() if run is not None)
        return tuple(sorted(found, key=lambda run: run.ended))

    def take_in_one(self) -> bool:
        """Read one run that was not looked at yet. False when there is none left."""
        seen = self._read.keys() | self._looked_at
        fresh = next((folder for folder in self._folders() if folder.name not in seen), None)
        if fresh is None:
            return False
        self._looked_at.add(fresh.name)
        self._take_in(fresh)
        return True

    def _folders(self) -> list[Path]:
        try:
            folders = stored_runs(self._folder)
        except StateError as error:
            self._blind = str(error)
            return []
        self._blind = ""
        return folders

    def _take_in(self, folder: Path) -> None:
        """One run. An open one, or one that cannot be read, is looked at again the next time."""
        try:
            if not has_ended(folder):
                return
            stored = load_run(folder)
            self._read[folder.name] = past_run(stored.run, stored.contents.events)
            self._unreadable.pop(folder.name, None)
        except (StateError, ValueError, KeyError, msgspec.MsgspecError) as error:
            # KeyError: a step that this version does not know any more.
            says = f"run {folder.name} is not counted in the usual times: {error}"
            if self._unreadable.get(folder.name) != says:
                _LOG.warning("%s", says)
            self._unreadable[folder.name] = says
