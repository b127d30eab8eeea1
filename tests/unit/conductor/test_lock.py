"""The lock of a pair's folder."""

import os
import threading
from pathlib import Path

import pytest

from skytui.conductor.lock import LOCK, sole_owner
from skytui.errors import StateError


def test_one_conductor_a_pair(tmp_path: Path) -> None:
    with sole_owner(tmp_path) as lock:
        lock.claim()
        assert (tmp_path / LOCK).read_text() == f"{os.getpid()}\n"
        with pytest.raises(StateError, match="Another conductor owns"), sole_owner(tmp_path, 0.1):
            raise AssertionError("two owners")
    with sole_owner(tmp_path, 0.1):
        assert (tmp_path / LOCK).read_text() == f"{os.getpid()}\n", "only claiming writes"


def test_a_shorter_process_number_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text("9999999999\n")
    with sole_owner(tmp_path) as lock:
        lock.claim()
    assert (tmp_path / LOCK).read_text() == f"{os.getpid()}\n"


def test_one_that_is_letting_go_is_waited_for(tmp_path: Path) -> None:
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with sole_owner(tmp_path):
            held.set()
            let_go.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    timer = threading.Timer(0.2, let_go.set)
    timer.start()
    with sole_owner(tmp_path, 10) as lock:
        assert let_go.is_set()
        lock.claim()
    thread.join()
    timer.join()


def test_looking_is_no_sign_of_life(tmp_path: Path) -> None:
    with sole_owner(tmp_path) as lock:
        lock.claim()
        os.utime(tmp_path / LOCK, (0, 0))
    with sole_owner(tmp_path) as lock:
        assert lock.silent > 1_000_000
        lock.alive()
        assert lock.silent < 60


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot be opened: No such file"), sole_owner(tmp_path / "none"):
        raise AssertionError("nothing to own")
