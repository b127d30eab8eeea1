"""An agent's own account of what it ran, outside both databases: JSON Lines, on the disk before they count.

    {"run":"stock-sync@2026-11-22T12:00:05Z","event":"started","at":"…"}
    {"run":"stock-sync@2026-11-22T12:00:05Z","event":"ended","at":"…","code":0,"sha256":"…"}

`started` is written before the command is started, so an id in the ledger may have run and must never be
started again. `code` is the command's exit code, -1 when the command was lost with its agent, -N when signal
N ended it.
"""

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from skytui.errors import LabError

LOST = -1


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line. `code` and `sha256` (of the output file, where there is one) come with `ended`."""

    run: str
    event: Literal["started", "ended"]
    at: datetime
    code: int | None = None
    sha256: str | None = None


def read_ledger(file: Path) -> list[Entry]:
    """All entries of a ledger but a torn last line. Raises `LabError` for any other broken line."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return []
    return list(_entries(content[: content.rfind(b"\n") + 1], file))


def _entries(content: bytes, file: Path) -> Iterable[Entry]:
    decoder = msgspec.json.Decoder(Entry)
    for number, line in enumerate(content.splitlines(), 1):
        try:
            yield decoder.decode(line)
        except msgspec.MsgspecError as error:
            raise LabError(f"Line {number} of the ledger {file} cannot be read: {error}.") from error


class Ledger:
    """The ledger of a living agent. One process writes it."""

    def __init__(self, file: Path) -> None:
        entries = read_ledger(file)
        self._started = {entry.run: entry for entry in entries if entry.event == "started"}
        self._ended = {entry.run: entry for entry in entries if entry.event == "ended"}
        self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        # A torn line was never acknowledged: what it announces has not happened.
        content = file.read_bytes()
        os.ftruncate(self._descriptor, content.rfind(b"\n") + 1)
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def knows(self, run: str) -> bool:
        """Whether `run` was ever started."""
        return run in self._started

    def started_at(self, run: str) -> datetime | None:
        """When `run` was started, if it was."""
        entry = self._started.get(run)
        return entry.at if entry else None

    def ended(self, run: str) -> Entry | None:
        """How `run` ended, if it has."""
        return self._ended.get(run)

    def open_runs(self) -> list[str]:
        """Runs that were started and have not ended."""
        return [run for run in self._started if run not in self._ended]

    def last_ended(self, most: int) -> list[str]:
        """The runs that ended last, at most `most`, oldest first."""
        return list(self._ended)[-most:]

    def start(self, run: str, at: datetime) -> Entry:
        """Write that `run` is about to start. Raises `LabError` when it was started before."""
        if self.knows(run):
            raise LabError(f"{run} is in this agent's ledger; it is never started again.")
        entry = Entry(run, "started", at)
        self._write(entry)
        self._started[run] = entry
        return entry

    def end(self, run: str, at: datetime, code: int, sha256: str | None) -> Entry:
        """Write how `run` has ended. Raises `LabError` when it was not under way."""
        if not self.knows(run) or run in self._ended:
            raise LabError(f"{run} is not under way in this agent's ledger; it cannot end.")
        entry = Entry(run, "ended", at, code, sha256)
        self._write(entry)
        self._ended[run] = entry
        return entry

    def _write(self, entry: Entry) -> None:
        line = msgspec.json.encode(entry) + b"\n"
        written = os.write(self._descriptor, line)
        if written != len(line):
            raise LabError(f"The ledger took {written} of {len(line)} bytes: is the disk full?")
        os.fsync(self._descriptor)
