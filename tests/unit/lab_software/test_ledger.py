from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from skytui.errors import LabError
from skytui.lab.ledger import Ledger, read_ledger

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


def test_what_is_written_is_read_again_by_the_next_process(file: Path) -> None:
    with closing(Ledger(file)) as ledger:
        ledger.start("a", NOON)
        ledger.end("a", NOON, 3, "cafe")
        ledger.start("b", NOON)
    with closing(Ledger(file)) as again:
        ended = again.ended("a")
        assert ended is not None
        assert (ended.code, ended.sha256) == (3, "cafe")
        assert again.open_runs() == ["b"]
        assert again.started_at("b") == NOON


def test_a_run_is_never_started_twice_nor_ended_twice(file: Path) -> None:
    with closing(Ledger(file)) as ledger:
        ledger.start("a", NOON)
        with pytest.raises(LabError, match="never started again"):
            ledger.start("a", NOON)
        ledger.end("a", NOON, 0, None)
        with pytest.raises(LabError, match="cannot end"):
            ledger.end("a", NOON, 0, None)
        with pytest.raises(LabError, match="cannot end"):
            ledger.end("never", NOON, 0, None)
    with closing(Ledger(file)) as again, pytest.raises(LabError, match="never started again"):
        again.start("a", NOON)
    assert len(read_ledger(file)) == 2


def test_a_torn_last_line_is_left_out_and_written_over(file: Path) -> None:
    with closing(Ledger(file)) as ledger:
        ledger.start("a", NOON)
    with file.open("ab") as torn:
        torn.write(b'{"run":"b","event":"star')
    assert [entry.run for entry in read_ledger(file)] == ["a"]
    with closing(Ledger(file)) as again:
        assert not again.knows("b")
        again.start("c", NOON)
    assert [entry.run for entry in read_ledger(file)] == ["a", "c"]


def test_a_broken_line_before_the_last_is_an_error_that_names_it(file: Path) -> None:
    file.write_bytes(b'{"run":"a","event":"started","at":"2026-11-22T12:00:00Z"}\nnonsense\n')
    with pytest.raises(LabError, match="Line 2"):
        read_ledger(file)


def test_last_ended_is_in_order_and_bounded(file: Path) -> None:
    with closing(Ledger(file)) as ledger:
        for run in "abc":
            ledger.start(run, NOON)
        for run in "cab":
            ledger.end(run, NOON, 0, None)
        assert ledger.last_ended(2) == ["a", "b"]
