"""Practice pairs for the tests of this folder: each in a state folder of its own, gone afterwards."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from skytui.lab import pair
from skytui.lab.places import Places


@pytest.fixture(scope="session")
def saved_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pair.save(tmp_path_factory.mktemp("saved") / "database")


@pytest.fixture
def places() -> Iterator[Places]:
    """Where a pair of this test's own would lie; whatever is there in the end is taken down."""
    with _own_state() as found:
        yield found


@pytest.fixture
def lab(places: Places, saved_database: Path) -> Places:
    """A pair that is up, for a test that changes it."""
    return pair.up(_quiet, fast=True, saved=saved_database)


@pytest.fixture(scope="module")
def shared_lab(saved_database: Path) -> Iterator[Places]:
    """A pair that is up, for tests that leave it as they found it."""
    with _own_state():
        yield pair.up(_quiet, fast=True, saved=saved_database)


class _own_state:  # noqa: N801 (used like a function)
    def __enter__(self) -> Places:
        self._patch = pytest.MonkeyPatch()
        self._folder = tempfile.mkdtemp(prefix="sky-")
        self._patch.setenv("XDG_STATE_HOME", self._folder)
        return Places.of()

    def __exit__(self, *_: object) -> None:
        pair.down(_quiet)
        self._patch.undo()
        shutil.rmtree(self._folder)


def _quiet(_line: str) -> None:
    """Nobody reads along."""
