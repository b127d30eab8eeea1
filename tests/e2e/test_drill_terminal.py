"""`skytui drill` in a real terminal: tmux types and reads the screen. The console is killed in the middle."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator

import psutil
import pytest

from skytui import paths
from skytui.conductor.runs import load_run, stored_runs
from skytui.runbook.model import Ended, Ending
from tests.e2e.conftest import PairUp

pytestmark = [pytest.mark.pair]

TMUX = shutil.which("tmux")


class Terminal:
    """A terminal of its own, on a tmux server of its own."""

    def __init__(self, columns: int, rows: int) -> None:
        self._socket = f"skytui-{uuid.uuid4().hex[:8]}"
        self._tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), "/bin/sh")

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(TMUX), "-L", self._socket, "-f", "/dev/null", *arguments],
            env={**os.environ, "TERM": "xterm-256color"},
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def keys(self, *names: str) -> None:
        self._tmux("send-keys", *names)

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def has_focus(self, button: str) -> bool:
        """Whether this button, where it stands last on the screen, is written in black: on the bright ground."""
        before, _, _ = self._tmux("capture-pane", "-e", "-p").rpartition(button)
        return before[before.rfind("\x1b[") :].startswith("\x1b[38;5;16m")

    def until(self, what: str | Callable[[str], bool], seconds: float = 60.0) -> str:
        """Wait until the screen shows `what`."""
        holds = what if callable(what) else lambda screen: what in screen
        deadline = time.monotonic() + seconds
        while not holds(screen := self.screen()):
            assert time.monotonic() < deadline, f"{what!r} is not on the screen:\n{screen}"
            time.sleep(0.1)
        return screen

    def close(self) -> None:
        self._tmux("kill-server")


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    if TMUX is None:
        pytest.fail("tmux is not installed (Debian package tmux)")
    opened = Terminal(120, 36)
    yield opened
    opened.close()


def step_on(screen: str) -> int:
    found = re.search(r"step (\d+) of 16", screen)
    return int(found[1]) if found else 0


def confirm(terminal: Terminal, number: int) -> None:
    """Confirm step `number` and see the next one, or the end, on the screen."""
    deadline = time.monotonic() + 120
    while step_on(screen := terminal.screen()) == number:
        assert time.monotonic() < deadline, screen
        typed = re.search(r"Type (sky-[ab]) and press Enter", screen)
        if typed:
            terminal.type(typed[1])
        if typed or "▶ Enter" in screen:
            terminal.keys("Enter")
        time.sleep(0.5)


def focus(terminal: Terminal, button: str) -> None:
    """Press Tab until this button has the focus.

    Keys read before a dialog was painted are dropped, and the picture is on the screen a moment before that.
    """
    deadline = time.monotonic() + 30
    while not terminal.has_focus(button):
        assert time.monotonic() < deadline, terminal.screen()
        terminal.keys("Tab")
        time.sleep(0.3)


def console_process() -> psutil.Process:
    mine = os.environ["XDG_STATE_HOME"]
    (found,) = [
        process
        for process in psutil.process_iter()
        if process.cmdline()[-1:] == ["drill"] and process.environ().get("XDG_STATE_HOME") == mine
    ]
    return found


def test_a_drill_survives_its_console(pair_up: PairUp, terminal: Terminal) -> None:
    assert pair_up is not None  # it sets the folders, and cleans up whatever is left
    exported = " ".join(f"{name}={os.environ[name]}" for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"))
    drill = f"env {exported} {sys.executable} -m skytui drill; echo left with $?"
    terminal.type(drill)
    terminal.keys("Enter")
    terminal.until("starting", seconds=30)
    terminal.until("s starts the planned swap", seconds=90)
    terminal.keys("s")
    terminal.until("Start the planned swap?")
    focus(terminal, "  Start  ")
    terminal.keys("Enter")
    terminal.until(lambda screen: step_on(screen) == 1)
    for number in range(1, 6):
        confirm(terminal, number)
    assert step_on(terminal.screen()) == 6

    console_process().send_signal(signal.SIGKILL)
    terminal.until("left with 137")
    # Nobody gave the terminal back: it is raw, and shows the console's last picture.
    terminal.keys("C-j")
    terminal.type("stty sane; tput rmcup; clear")
    terminal.keys("C-j")
    terminal.until(lambda screen: not step_on(screen))
    terminal.type(drill)
    terminal.keys("Enter")
    terminal.until(lambda screen: step_on(screen) == 6, seconds=60)
    for number in range(6, 17):
        confirm(terminal, number)
    terminal.until("done", seconds=30)

    (folder,) = stored_runs(paths.pair_state_dir(paths.PRACTICE))
    ended = load_run(folder).run
    assert isinstance(ended.stage, Ended)
    assert ended.stage.ending is Ending.DONE
    terminal.keys("q")
    terminal.until("Bring the pair down")
    focus(terminal, "Bring the pair down")
    terminal.keys("Enter")
    terminal.until("left with 0", seconds=60)
    assert not paths.lab_dir().exists()
