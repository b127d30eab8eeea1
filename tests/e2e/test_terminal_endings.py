"""How a drill in a real terminal can end before its time: Ctrl+C, signals, `lab down` from elsewhere."""

import re
import signal
from collections.abc import Iterator

import psutil
import pytest

from skytui import paths
from skytui.conductor.runs import stored_runs
from skytui.lab import processes
from skytui.lab.places import Places
from skytui.link.start import conductor_listens
from tests.e2e.conftest import SHORT_JOBS, PairUp
from tests.e2e.terminal import STEPS, Terminal, command, confirm, console_process, press, start_swap, step_on

pytestmark = [pytest.mark.pair]


@pytest.fixture
def terminal(pair_up: PairUp) -> Iterator[Terminal]:
    assert pair_up is not None  # it sets the folders, and cleans up whatever is left
    opened = Terminal()
    yield opened
    opened.close()


def conductor_pid() -> int:
    lock = paths.pair_state_dir(paths.PRACTICE) / "conductor.lock"
    return int(lock.read_text())


@pytest.mark.parametrize("moment", ["starting hosts", "making the database", "starting server"])
def test_ctrl_c_while_the_pair_starts_stops_all_of_it(terminal: Terminal, moment: str) -> None:
    before = terminal.run("stty -a")
    terminal.line(command("drill"))
    terminal.until(moment, seconds=30)
    places = Places.of()
    assert places.lab.exists()
    terminal.keys("C-c")
    screen = terminal.until(re.compile(r"left with \d").search, seconds=30)
    assert "left with 130" in screen
    assert "Traceback" not in screen
    assert processes.find(places) == []
    assert not places.lab.exists()
    assert not places.shelf.exists()
    assert not conductor_listens(paths.PRACTICE)
    assert terminal.run("stty -a") == before


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_leaves_the_run_waiting_and_the_terminal_as_it_was(
    pair_up: PairUp, terminal: Terminal, number: signal.Signals
) -> None:
    pair_up(SHORT_JOBS)
    before = terminal.run("stty -a")
    terminal.line(command("drill"))
    start_swap(terminal)
    for step in (1, 2):
        confirm(terminal, step)
    conductor = conductor_pid()

    console_process(terminal).send_signal(number)
    said = " ".join(terminal.until(re.compile(r"left with \d").search).split())
    assert "left with 0" in said
    where = f"it is at step 3 of {STEPS}, users-out."
    assert f"The run goes on to its next gate and waits there; {where}" in said
    assert terminal.run("stty -a") == before

    assert psutil.pid_exists(conductor)
    terminal.line(command())
    terminal.until(lambda screen: step_on(screen) == 3)
    assert conductor_pid() == conductor
    confirm(terminal, 3)
    terminal.keys("q")
    terminal.until("left with 0")


def test_ctrl_c_leaves_the_run_waiting_and_the_terminal_as_it_was(
    pair_up: PairUp, terminal: Terminal
) -> None:
    pair_up(SHORT_JOBS)
    before = terminal.run("stty -a")
    terminal.line(command(paths.PRACTICE))
    start_swap(terminal)
    confirm(terminal, 1)
    conductor = conductor_pid()
    terminal.keys("C-c")
    said = " ".join(terminal.until(re.compile(r"left with \d").search).split())
    assert "left with 0" in said
    assert f"it is at step 2 of {STEPS}, baseline. `skytui practice` attaches again." in said
    assert terminal.run("stty -a") == before
    assert psutil.pid_exists(conductor)


def test_lab_down_ends_a_run_and_the_next_drill_starts_afresh(pair_up: PairUp, terminal: Terminal) -> None:
    practice = pair_up(SHORT_JOBS)
    terminal.line(command("drill"))
    start_swap(terminal)
    for step in (1, 2, 3):
        confirm(terminal, step)
    conductor = conductor_pid()
    places = Places.of()

    done = practice.skytui("lab", "down")
    assert done.returncode == 0, done.stderr
    assert processes.find(places) == []
    assert not places.lab.exists()
    assert not processes.alive(conductor)
    terminal.until("NOT CONNECTED")
    terminal.keys("q")
    terminal.until("▶ Leave it running")
    press(terminal, "Bring the pair down")
    terminal.until("left with 0")

    terminal.line("clear; " + command("drill"))
    screen = terminal.until("s starts the planned swap from sky-a to sky-b", seconds=90)
    assert "no run is open" in screen
    assert stored_runs(paths.pair_state_dir(paths.PRACTICE)) == []
