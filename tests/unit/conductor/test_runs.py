"""The runs of a pair, as their folders have them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from skytui.conductor.journal import Journal
from skytui.conductor.runs import JOURNAL, load_run, new_run_id, open_run, stored_runs
from skytui.errors import StateError
from skytui.runbook.events import Recorded
from tests.support.users import BOB, needs_root, place_for_all, run_as
from tests.support.walk import Walk

WALL = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def events() -> list[Recorded]:
    return Walk().to_end().events


def stored(pair: Path, run: str, events: list[Recorded]) -> Path:
    journal = Journal.create(pair / "runs" / run / JOURNAL, run)
    for event in events:
        journal.append(event)
    journal.close()
    return pair / "runs" / run


def test_a_new_id_is_the_time_and_never_one_that_is_taken(tmp_path: Path) -> None:
    assert new_run_id(tmp_path, WALL) == "20260301-020000"
    (tmp_path / "runs" / "20260301-020000").mkdir(parents=True)
    assert new_run_id(tmp_path, WALL) == "20260301-020000-2"


def test_a_pair_without_runs_has_none_open(tmp_path: Path) -> None:
    assert stored_runs(tmp_path) == []
    assert open_run(tmp_path) is None


def test_a_run_that_was_left_is_found(tmp_path: Path, events: list[Recorded]) -> None:
    stored(tmp_path, "20260101-000000", events)
    folder = stored(tmp_path, "20260301-020000", events[:7])
    left = open_run(tmp_path)
    assert left is not None
    assert left.folder == folder
    assert left.contents.events == tuple(events[:7])


def test_a_run_that_ended_is_not_open(tmp_path: Path, events: list[Recorded]) -> None:
    folder = stored(tmp_path, "20260301-020000", events)
    assert open_run(tmp_path) is None
    assert load_run(folder).run.over


def test_an_open_run_is_found_after_the_clock_stepped_back(tmp_path: Path, events: list[Recorded]) -> None:
    stored(tmp_path, "20260301-020000", events[:7])
    stored(tmp_path, "20260302-020000", events)
    left = open_run(tmp_path)
    assert left is not None
    assert left.folder.name == "20260301-020000"


def test_two_open_runs_are_both_named_and_none_is_gone_on_with(
    tmp_path: Path, events: list[Recorded]
) -> None:
    for run in ("20260301-020000", "20260302-020000"):
        stored(tmp_path, run, events[:7])
    with pytest.raises(StateError, match=r"20260301-020000 and .*20260302-020000"):
        open_run(tmp_path)


def test_an_ended_run_of_another_schema_does_not_stand_in_the_way(
    tmp_path: Path, events: list[Recorded]
) -> None:
    old = stored(tmp_path, "20250301-020000", events) / JOURNAL
    old.write_bytes(old.read_bytes().replace(b'"schema":1', b'"schema":0', 1))
    assert open_run(tmp_path) is None
    stored(tmp_path, "20260301-020000", events[:7])
    assert open_run(tmp_path) is not None


def test_an_open_run_of_another_schema_names_the_version_to_run(
    tmp_path: Path, events: list[Recorded]
) -> None:
    journal = stored(tmp_path, "20260301-020000", events[:7]) / JOURNAL
    journal.write_bytes(journal.read_bytes().replace(b'"schema":1', b'"schema":0', 1))
    with pytest.raises(StateError, match="schema 0"):
        open_run(tmp_path)


def test_a_run_whose_end_was_torn_off_is_not_taken_for_ended(tmp_path: Path, events: list[Recorded]) -> None:
    journal = stored(tmp_path, "20260301-020000", events) / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-5])
    with pytest.raises(StateError, match="were written"):
        open_run(tmp_path)


@pytest.mark.parametrize("left", [b"", b'{"schema":1,"sky'])
def test_what_a_crash_leaves_before_a_run_was_open_is_passed_over(
    tmp_path: Path, events: list[Recorded], left: bytes
) -> None:
    stored(tmp_path, "20260301-020000", events[:7])
    torn = tmp_path / "runs" / "20260302-020000"
    torn.mkdir()
    (torn / JOURNAL).write_bytes(left)
    stored(tmp_path, "20260303-020000", [])
    found = open_run(tmp_path)
    assert found is not None
    assert found.run.id == "20260301-020000"


def test_a_journal_that_was_emptied_is_not_passed_over(tmp_path: Path, events: list[Recorded]) -> None:
    folder = stored(tmp_path, "20260301-020000", events[:7])
    (folder / JOURNAL).write_bytes(b"")
    with pytest.raises(StateError):
        open_run(tmp_path)


def test_a_journal_without_a_run_says_what_to_do(tmp_path: Path) -> None:
    folder = stored(tmp_path, "20260301-020000", [])
    with pytest.raises(StateError, match="has no run in it; remove the folder"):
        load_run(folder)


@needs_root
def test_a_run_that_may_not_be_looked_into_is_not_passed_over(events: list[Recorded]) -> None:
    with place_for_all() as place:
        folder = stored(place, "20260301-020000", events[:7])
        (place / "runs").chmod(0o755)
        folder.chmod(0o700)
        code = "try:\n    print(open_run(Path(sys.argv[1])))\nexcept StateError as error:\n    print(error)"
        imports = """\
from pathlib import Path
from skytui.conductor.runs import open_run
from skytui.errors import StateError
"""
        said = run_as(BOB, code, str(place), imports=imports).stdout
        assert said.startswith(f"The runs of {place} cannot be looked into: ")
        assert "Permission denied" in said
