"""A pair comes up, goes down without a trace, and recovers from whatever an earlier one left behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from skytui.errors import LabError
from skytui.lab import pair, processes
from skytui.lab.places import HOSTS, Places

pytestmark = [pytest.mark.pair, pytest.mark.slow]

SECONDS = 60.0


def nothing_left(places: Places) -> bool:
    return not processes.find(places) and not places.lab.exists() and not places.shelf.exists()


def shared_memory(places: Places) -> set[str]:
    """The System V segments the pair's databases name as theirs and which exist."""
    files = [places.shelf / host / "data" / "postmaster.pid" for host in HOSTS]
    named = {file.read_text().splitlines()[6].split()[1] for file in files if file.exists()}
    return named & {line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()}


def kill(found: list[processes.Found]) -> None:
    processes.kill(found)


def test_up_twice_then_down(places: Places, saved_database: Path) -> None:
    said: list[str] = []
    pair.up(said.append, fast=True, saved=saved_database)
    assert said[-1] == "the practice pair is up: sky-a is master, sky-b standby"
    seen = pair.status()
    assert (seen.ready, seen.lacking, seen.master, seen.standby) == (True, "", "sky-a", "sky-b")
    assert all(part.pid for part in seen.parts)
    assert len(seen.parts) == 9

    again: list[str] = []
    pair.up(again.append)
    assert again == ["the practice pair is up already"]
    assert pair.status().parts == seen.parts

    pair.down(said.append)
    assert nothing_left(places)
    assert not pair.status().exists
    pair.down(said.append)
    assert said[-1] == "there is no practice pair"


def test_up_without_a_saved_database(places: Places) -> None:
    pair.up(print)
    assert pair.status().ready


@pytest.mark.parametrize("victims", ["everything", "hosts", "databases", "agents"])
def test_up_recovers_from_what_kill_9_left(places: Places, saved_database: Path, victims: str) -> None:
    pair.up(print, fast=True, saved=saved_database)
    found = processes.find(places)
    segments = shared_memory(places)
    assert segments
    chosen = {
        "everything": found,
        "hosts": [each for each in found if "skytui.lab.host" in each.command],
        "databases": [each for each in found if each.database],
        "agents": [each for each in found if "skytui.lab.agent" in each.command],
    }[victims]
    assert chosen
    kill(chosen)
    places.lab_json.unlink()
    earlier = {each.process.pid for each in found}

    said: list[str] = []
    pair.up(said.append, fast=True, saved=saved_database)
    assert "of an earlier practice pair" in said[0]
    assert pair.status().ready
    assert not segments & shared_memory(places)
    assert not earlier & {each.process.pid for each in processes.find(places)}


def test_down_ends_processes_that_hang_and_nothing_else(places: Places, saved_database: Path) -> None:
    pair.up(print, fast=True, saved=saved_database)
    for each in processes.find(places):
        each.process.send_signal(signal.SIGSTOP)
    bystander = subprocess.Popen(["sleep", "60"], cwd=places.lab)
    try:
        pair.down(print)
        assert nothing_left(places)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@contextmanager
def coming_up(line: str) -> "Iterator[subprocess.Popen[str]]":
    """`lab up` as a process of its own, which has said `line`.

    It minds Ctrl+C as it would on a terminal, also where whoever runs the tests ignores it (a job in the
    background of a shell without job control does).
    """
    with subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-m", "skytui.lab", "up"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        for said in process.stderr:
            if line in said:
                break
        yield process


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (signal.SIGINT, "making the database"),
        (signal.SIGTERM, "starting server, standby and agents"),
        (signal.SIGHUP, "waiting until"),
    ],
)
def test_ctrl_c_stops_all_that_was_started(places: Places, number: signal.Signals, line: str) -> None:
    with coming_up(line) as process:
        os.killpg(process.pid, number)
        assert process.wait(SECONDS) == 130
    assert nothing_left(places)


def test_up_that_was_killed_is_cleared_up(places: Places) -> None:
    with coming_up("starting server, standby and agents") as process:
        process.kill()
        process.wait(SECONDS)
    assert not nothing_left(places)
    pair.down(print)
    assert nothing_left(places)


def test_a_second_up_at_the_same_time_is_refused(places: Places) -> None:
    with coming_up("making the database") as process:
        with pytest.raises(LabError, match="under way"):
            pair.up(print)
        with pytest.raises(LabError, match="under way"):
            pair.down(print)
        process.terminate()
        assert process.wait(SECONDS) == 130


def test_up_can_be_called_off(places: Places, saved_database: Path) -> None:
    cancel = threading.Event()

    def report(line: str) -> None:
        if line.startswith("starting server"):
            cancel.set()

    with pytest.raises(LabError, match="called off"):
        pair.up(report, saved=saved_database, cancel=cancel)
    assert nothing_left(places)


def test_a_job_set_that_is_wrong_starts_nothing(places: Places, tmp_path: Path) -> None:
    jobs = tmp_path / "jobs.toml"
    jobs.write_text("[[agent]]\nname = 1\n")
    with pytest.raises(Exception, match=r"jobs\.toml"):
        pair.up(print, jobs=jobs)
    assert nothing_left(places)
