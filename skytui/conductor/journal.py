"""The journal of a run: JSON Lines, on disk before the effect they announce.

The first line names schema, version and run. Every further line is a record: its number, the event, and the
hash of the line before and of the event's bytes, so that a changed byte shows. Beside it lies `head` (count
and hash, replaced atomically after each fsync): a journal that is shorter than `head`, or differs from it,
was tampered with or lost; a torn record after `head` is what a crash leaves, and is dropped.
"""

import contextlib
import hashlib
import os
from pathlib import Path
from typing import BinaryIO, Self

import msgspec

from skytui import __version__
from skytui.errors import StateError
from skytui.runbook.events import Recorded

SCHEMA = 1
"""The journal schema this version writes and resumes."""


class Heading(msgspec.Struct, frozen=True):
    """The first line."""

    schema: int
    skytui: str
    run: str


class Record(msgspec.Struct, frozen=True):
    """Every further line."""

    n: int
    hash: str
    event: msgspec.Raw


class Head(msgspec.Struct, frozen=True):
    """How many records are on disk for certain, and the hash of the last one."""

    count: int
    hash: str


class Contents(msgspec.Struct, frozen=True):
    """A journal that was read: its events, the last hash, how many bytes are sound, each record's hash."""

    heading: Heading
    events: tuple[Recorded, ...]
    hash: str
    sound: int
    hashes: tuple[str, ...] = ()


_EVENT: msgspec.json.Decoder[Recorded] = msgspec.json.Decoder(Recorded)
_RECORD = msgspec.json.Decoder(Record)


class Journal:
    """An open journal, to be appended to. One process at a time."""

    def __init__(self, file: BinaryIO, path: Path, count: int, last: str) -> None:
        self._file = file
        self._path = path
        self._count = count
        self._hash = last
        self._broken = ""

    @classmethod
    def create(cls, path: Path, run: str) -> Self:
        """A new journal.

        Raises StateError when the file cannot be made, or exists.
        """
        line = msgspec.json.encode(Heading(SCHEMA, __version__, run)) + b"\n"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)  # for whom, the conductor's umask says
            file = path.open("xb", buffering=0)
            try:
                _write(file, line)
                _sync_folder(path.parent)
            except OSError:
                file.close()
                raise
        except OSError as error:
            raise StateError(f"The journal {path} cannot be written: {error.strerror}.") from error
        return cls(file, path, 0, _hash("", line.rstrip(b"\n")))

    @classmethod
    def resume(cls, path: Path) -> tuple[Self, Contents]:
        """An existing journal, to be gone on with; a torn record at its end is cut off.

        Raises StateError when it is damaged, of another schema, or cannot be written.
        """
        contents = read_journal(path)
        try:
            file = path.open("r+b", buffering=0)
            try:
                file.truncate(contents.sound)
                file.seek(0, os.SEEK_END)
                os.fsync(file.fileno())
            except OSError:
                file.close()
                raise
        except OSError as error:
            raise StateError(f"The journal {path} cannot be written: {error.strerror}.") from error
        return cls(file, path, len(contents.events), contents.hash), contents

    @property
    def hash(self) -> str:
        """The hash of the last record that is on disk; of the heading before the first."""
        return self._hash

    def append(self, event: Recorded) -> None:
        """Write an event; when this returns, it is on disk.

        Raises StateError when it cannot be written; then it did not happen, and nothing may follow from it.
        """
        if self._broken:
            raise StateError(f"The journal {self._path} cannot be written: {self._broken}.")
        raw = msgspec.json.encode(event)
        digest = _hash(self._hash, raw)
        line = msgspec.json.encode(Record(self._count + 1, digest, msgspec.Raw(raw))) + b"\n"
        start = self._file.tell()
        try:
            _write(self._file, line)
        except OSError as error:
            self._take_back(start)
            raise StateError(
                f"The journal {self._path} cannot be written: {error.strerror}.",
                hint="Nothing was started; make room on that disk and confirm again.",
            ) from error
        self._count, self._hash = self._count + 1, digest
        self._write_head()

    def close(self) -> None:
        """Close the file; everything is on disk already."""
        self._file.close()

    def _take_back(self, start: int) -> None:
        """Cut off what a failed write left, so that the next record does not follow half a line."""
        try:
            self._file.truncate(start)
            self._file.seek(start)
        except OSError as error:
            self._broken = f"half a record could not be taken back ({error.strerror})"

    def _write_head(self) -> None:
        """Replace `head`. If that fails the journal itself is whole; `head` only lags behind it."""
        head = self._path.with_name("head")
        fresh = head.with_suffix(".new")
        with contextlib.suppress(OSError):
            with fresh.open("wb", buffering=0) as file:
                _write(file, msgspec.json.encode(Head(self._count, self._hash)))
            fresh.replace(head)
            _sync_folder(head.parent)


def read_journal(path: Path) -> Contents:
    """All events of a journal, checked against each other and against `head`.

    Raises StateError when it is missing, damaged before its end, shorter than `head`, or of another schema.
    """
    # In this order: a conductor that writes meanwhile only makes the journal longer than `head` says.
    head = _read_head(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StateError(f"The journal {path} cannot be read: {error.strerror}.") from error
    first, *rest = data.split(b"\n")
    heading = _heading(path, first)
    events: list[Recorded] = []
    hashes: list[str] = []
    last, sound = _hash("", first), len(first) + 1
    for place, line in enumerate(rest, start=1):
        # Only what ends with a line break was written whole.
        if place == len(rest):
            break
        event = _event(line, place, last)
        if event is None:
            if place <= head.count or place < len(rest) - 1:
                raise StateError(f"The journal {path} was changed at record {place}; it is not resumed.")
            break
        events.append(event)
        last, sound = _RECORD.decode(line).hash, sound + len(line) + 1
        hashes.append(last)
        if place == head.count and last != head.hash:
            raise StateError(f"The journal {path} was changed up to record {place}; it is not resumed.")
    if len(events) < head.count:
        raise StateError(
            f"The journal {path} has {len(events)} records, but {head.count} were written; it is not resumed."
        )
    return Contents(heading, tuple(events), last, sound, tuple(hashes))


def _heading(path: Path, line: bytes) -> Heading:
    try:
        heading = msgspec.json.decode(line, type=Heading)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StateError(f"The journal {path} has no heading; it is not resumed.") from error
    if heading.schema != SCHEMA:
        raise StateError(
            f"The journal {path} has schema {heading.schema}, this version knows {SCHEMA}.",
            hint=f"Run skytui {heading.skytui} to go on with it.",
        )
    return heading


def _event(line: bytes, place: int, last: str) -> Recorded | None:
    """The event of a line, or None when the line is not the record that belongs there."""
    try:
        record = _RECORD.decode(line)
        if record.n != place or record.hash != _hash(last, bytes(record.event)):
            return None
        return _EVENT.decode(record.event)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _read_head(path: Path) -> Head:
    """What `head` says; nothing for certain when it was never written.

    Raises StateError when it cannot be read or understood.
    """
    head = path.with_name("head")
    try:
        return msgspec.json.decode(head.read_bytes(), type=Head)
    except FileNotFoundError:
        return Head(0, "")
    except (OSError, msgspec.DecodeError) as error:
        raise StateError(f"{head} cannot be read; the journal beside it is not resumed.") from error


def _hash(last: str, line: bytes) -> str:
    return hashlib.sha256(last.encode() + line).hexdigest()


def _write(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
