"""The journal on disk: written, read back, torn, shortened, changed, of another schema, on a full disk."""

import errno
import os
import resource
from pathlib import Path
from typing import BinaryIO

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skytui.conductor import journal as module
from skytui.conductor.journal import SCHEMA, Heading, Journal, read_journal
from skytui.errors import StateError
from skytui.runbook.events import Recorded
from skytui.runbook.machine import fold
from tests.support.walk import Walk


@pytest.fixture(scope="module")
def events() -> list[Recorded]:
    return Walk().to_end().events


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "20260301-020000" / "journal.jsonl"


def written(path: Path, events: list[Recorded]) -> Path:
    journal = Journal.create(path, "20260301-020000")
    for event in events:
        journal.append(event)
    journal.close()
    return path


def test_what_is_written_is_read_back(path: Path, events: list[Recorded]) -> None:
    contents = read_journal(written(path, events))
    assert contents.events == tuple(events)
    assert contents.heading.run == "20260301-020000"
    assert contents.sound == path.stat().st_size
    assert fold(contents.events) == fold(events)


@pytest.mark.parametrize("before", [True, False], ids=["before its head is read", "after"])
def test_it_can_be_read_while_it_is_written(
    path: Path, events: list[Recorded], monkeypatch: pytest.MonkeyPatch, *, before: bool
) -> None:
    """A conductor appends a record in the middle of the reading."""
    journal = Journal.create(path, "r")
    journal.append(events[0])
    read_head = module._read_head

    def read_and_write(of: Path) -> module.Head:
        if before:
            journal.append(events[1])
        head = read_head(of)
        if not before:
            journal.append(events[1])
        return head

    with monkeypatch.context() as patch:
        patch.setattr(module, "_read_head", read_and_write)
        assert read_journal(path).events == tuple(events[:2])
    journal.close()


def test_an_event_is_on_disk_when_append_returns(path: Path, events: list[Recorded]) -> None:
    journal = Journal.create(path, "r")
    for count, event in enumerate(events[:4], start=1):
        journal.append(event)
        assert read_journal(path).events == tuple(events[:count])
        head = msgspec.json.decode((path.parent / "head").read_bytes())
        assert head["count"] == count
    journal.close()


def test_a_journal_is_not_written_over(path: Path, events: list[Recorded]) -> None:
    written(path, events[:2])
    with pytest.raises(StateError, match="cannot be written: File exists"):
        Journal.create(path, "r")
    assert len(read_journal(path).events) == 2


def test_it_is_gone_on_with_where_it_ended(path: Path, events: list[Recorded]) -> None:
    written(path, events[:5])
    journal, contents = Journal.resume(path)
    assert contents.events == tuple(events[:5])
    for event in events[5:]:
        journal.append(event)
    journal.close()
    assert read_journal(path).events == tuple(events)


def test_every_torn_last_record_is_dropped_and_gone_on_after(path: Path, events: list[Recorded]) -> None:
    written(path, events[:3])
    sound, head = path.read_bytes(), (path.parent / "head").read_bytes()
    journal, _ = Journal.resume(path)
    journal.append(events[3])
    journal.close()
    whole = path.read_bytes()
    for cut in range(len(sound), len(whole)):
        path.write_bytes(whole[:cut])
        (path.parent / "head").write_bytes(head)
        journal, contents = Journal.resume(path)
        assert contents.events == tuple(events[:3])
        journal.append(events[3])
        journal.close()
        assert path.read_bytes() == whole


def test_zeros_after_a_power_loss_are_a_torn_record(path: Path, events: list[Recorded]) -> None:
    written(path, events[:3])
    path.write_bytes(path.read_bytes() + b"\x00" * 512)
    journal, contents = Journal.resume(path)
    journal.close()
    assert contents.events == tuple(events[:3])


def test_a_head_that_lags_behind_is_fine(path: Path, events: list[Recorded]) -> None:
    written(path, events[:2])
    lagging = (path.parent / "head").read_bytes()
    journal, _ = Journal.resume(path)
    for event in events[2:6]:
        journal.append(event)
    journal.close()
    (path.parent / "head").write_bytes(lagging)
    assert read_journal(path).events == tuple(events[:6])


@pytest.mark.parametrize("missing", [1, 2, 5])
def test_a_journal_shorter_than_head_is_detected(path: Path, events: list[Recorded], missing: int) -> None:
    written(path, events[:6])
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-missing]))
    with pytest.raises(StateError, match=f"has {6 - missing} records, but 6 were written; it is not resumed"):
        Journal.resume(path)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, events: list[Recorded]) -> tuple[Path, bytes]:
    path = written(tmp_path_factory.mktemp("run") / "journal.jsonl", events)
    return path, path.read_bytes()


@given(place=st.integers(0), byte=st.integers(0, 255))
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_changed_byte_up_to_head_is_detected(sound: tuple[Path, bytes], place: int, byte: int) -> None:
    path, data = sound
    place %= len(data)
    changed = data[:place] + bytes([byte]) + data[place + 1 :]
    path.write_bytes(changed)
    if changed == data:
        read_journal(path)
        return
    with pytest.raises(StateError):
        read_journal(path)


@given(place=st.integers(0), count=st.integers(1, 2000))
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_anything_cut_out_up_to_head_is_detected(sound: tuple[Path, bytes], place: int, count: int) -> None:
    path, data = sound
    place %= len(data)
    path.write_bytes(data[:place] + data[place + count :])
    with pytest.raises(StateError):
        read_journal(path)


@pytest.mark.parametrize("head", [b"", b"{", b"\xff", b"[]", b'{"count": "6"}'])
def test_a_head_that_cannot_be_understood_is_not_passed_over(
    path: Path, events: list[Recorded], head: bytes
) -> None:
    written(path, events[:6])
    (path.parent / "head").write_bytes(head)
    with pytest.raises(StateError, match="head cannot be read"):
        read_journal(path)


def test_a_head_of_another_history_is_detected(path: Path, events: list[Recorded]) -> None:
    written(path, events[:6])
    head = msgspec.json.decode((path.parent / "head").read_bytes())
    (path.parent / "head").write_bytes(msgspec.json.encode(head | {"hash": "0" * 64}))
    with pytest.raises(StateError, match="was changed up to record 6"):
        read_journal(path)


def test_another_schema_is_refused_with_the_version_to_run(path: Path, events: list[Recorded]) -> None:
    written(path, events[:2])
    _, rest = path.read_bytes().split(b"\n", 1)
    path.write_bytes(msgspec.json.encode(Heading(SCHEMA + 1, "7.1.0", "r")) + b"\n" + rest)
    with pytest.raises(StateError, match=f"schema {SCHEMA + 1}.* Run skytui 7.1.0"):
        Journal.resume(path)


@pytest.mark.parametrize("data", [b"", b"\n", b"hello\n", b"\xff\xfe\n", b'{"schema": 1}\n'])
def test_what_is_no_journal_is_refused(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    with pytest.raises(StateError, match="has no heading"):
        read_journal(path)


def test_a_journal_that_is_not_there_is_refused(path: Path) -> None:
    with pytest.raises(StateError, match="cannot be read: No such file"):
        read_journal(path)


class Disk:
    """Stands in for `os.fsync` and the raw write: has room for so many bytes of a journal, and no more."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room: int | None = None
        self.syncs = True
        monkeypatch.setattr(module, "_write", self._write)

    def _write(self, file: BinaryIO, data: bytes) -> None:
        if self.room is not None and len(data) > self.room:
            file.write(data[: self.room])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        file.write(data)
        if not self.syncs:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        os.fsync(file.fileno())


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.mark.parametrize("room", [0, 1, 40, 150])
def test_a_full_disk_leaves_nothing_half_done(
    path: Path, events: list[Recorded], disk: Disk, room: int
) -> None:
    journal = Journal.create(path, "r")
    journal.append(events[0])
    before = path.read_bytes()
    disk.room = room
    for _ in range(2):
        with pytest.raises(StateError, match=r"No space left on device.*make room on that disk"):
            journal.append(events[1])
        assert path.read_bytes() == before
    disk.room = None
    journal.append(events[1])
    journal.close()
    assert read_journal(path).events == tuple(events[:2])


@pytest.mark.parametrize("room", [0, 1, 40, 150])
def test_a_write_the_system_cuts_short_is_taken_back(path: Path, events: list[Recorded], room: int) -> None:
    """The real write, cut short by the real system: a limit on the size of files."""
    journal = Journal.create(path, "r")
    for event in events[:5]:
        journal.append(event)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + room, hard))
    try:
        with pytest.raises(StateError, match="File too large"):
            journal.append(events[5])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    journal.append(events[5])
    journal.close()
    assert read_journal(path).events == tuple(events[:6])


def test_what_could_not_be_synced_is_taken_back(path: Path, events: list[Recorded], disk: Disk) -> None:
    journal = Journal.create(path, "r")
    journal.append(events[0])
    disk.syncs = False
    with pytest.raises(StateError, match="Input/output error"):
        journal.append(events[1])
    disk.syncs = True
    journal.append(events[2])
    journal.close()
    assert read_journal(path).events == (events[0], events[2])


def test_half_a_record_that_cannot_be_taken_back_ends_the_writing(
    path: Path, events: list[Recorded], disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal.create(path, "r")
    journal.append(events[0])
    disk.room = 30
    monkeypatch.setattr(Journal, "_take_back", lambda self, start: setattr(self, "_broken", "half a record"))
    with pytest.raises(StateError):
        journal.append(events[1])
    disk.room = None
    with pytest.raises(StateError, match="half a record"):
        journal.append(events[1])
    journal.close()
    assert read_journal(path).events == (events[0],)


def test_a_disk_that_is_full_from_the_start_is_said(path: Path, disk: Disk) -> None:
    disk.room = 10
    with pytest.raises(StateError, match="No space left on device"):
        Journal.create(path, "r")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file where a folder should be")
    with pytest.raises(StateError, match="cannot be written"):
        Journal.create(tmp_path / "runs" / "r" / "journal.jsonl", "r")
