"""`skytui drill` in a real terminal: typed and read as a person does. The console is killed in the middle."""

import signal
from collections.abc import Iterator

import pytest

from skytui import paths
from skytui.conductor.runs import load_run, stored_runs
from skytui.runbook.model import Ended, Ending
from tests.e2e.conftest import SHORT_JOBS, PairUp
from tests.e2e.terminal import STEPS, Terminal, command, confirm, console_process, press, start_swap, step_on

pytestmark = [pytest.mark.pair]

KILLED_AT = 6


@pytest.fixture
def terminal(pair_up: PairUp) -> Iterator[Terminal]:
    assert pair_up is not None  # it sets the folders, and cleans up whatever is left
    opened = Terminal()
    yield opened
    opened.close()


def drill_with_a_killed_console(terminal: Terminal) -> None:
    """From the idle screen to the end: swap, kill the console in the middle, attach, finish, pair down."""
    start_swap(terminal)
    for number in range(1, KILLED_AT):
        confirm(terminal, number)
    assert step_on(terminal.screen()) == KILLED_AT

    console_process(terminal).send_signal(signal.SIGKILL)
    terminal.until("left with 137")
    # Nobody gave the terminal back: it is raw, and shows the console's last picture.
    terminal.keys("C-j")
    terminal.type("stty sane; tput rmcup; clear")
    terminal.keys("C-j")
    terminal.until(lambda screen: not step_on(screen))
    terminal.line(command("drill"))
    terminal.until(lambda screen: step_on(screen) == KILLED_AT)
    for number in range(KILLED_AT, STEPS + 1):
        confirm(terminal, number)
    terminal.until("done: sky-b is the master now, sky-a its standby", seconds=30)

    (folder,) = stored_runs(paths.pair_state_dir(paths.PRACTICE))
    ended = load_run(folder).run
    assert isinstance(ended.stage, Ended)
    assert ended.stage.ending is Ending.DONE
    terminal.keys("q")
    terminal.until("▶ Stay")
    press(terminal, "Bring the pair down")
    terminal.until("left with 0", seconds=60)
    assert not paths.lab_dir().exists()


def test_a_swap_survives_its_console(pair_up: PairUp, terminal: Terminal) -> None:
    pair_up(SHORT_JOBS)
    terminal.line(command("drill"))
    drill_with_a_killed_console(terminal)


@pytest.mark.slow
def test_a_drill_from_nothing_survives_its_console(terminal: Terminal) -> None:
    terminal.line(command("drill"))
    terminal.until("starting hosts sky-a and sky-b", seconds=30)
    drill_with_a_killed_console(terminal)
