"""A person at a terminal: tmux types and reads the screen. Nothing here looks behind it."""

import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable

import psutil
import pytest

from skytui.runbook.steps import PLANNED
from tests.e2e.walk import DECISIONS

TMUX = shutil.which("tmux")
STEPS = len(PLANNED)
TYPE_NAME = re.compile(r"Type (sky-[ab]) and press Enter")


class Terminal:
    """A terminal of its own, on a tmux server of its own."""

    def __init__(self, columns: int = 120, rows: int = 36) -> None:
        if TMUX is None and "CI" not in os.environ:
            pytest.skip("tmux is not installed (Debian package tmux)")
        assert TMUX is not None, "tmux is not installed (Debian package tmux)"
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
        """Press keys, by tmux's names."""
        self._tmux("send-keys", *names)

    def type(self, text: str) -> None:
        """Type text, without Enter."""
        self._tmux("send-keys", "-l", text)

    def line(self, command: str) -> None:
        """Give a command to the shell."""
        self.type(command)
        self.keys("Enter")

    def screen(self) -> str:
        """What is on the screen."""
        return self._tmux("capture-pane", "-p")

    def cursor(self) -> str:
        """Where the cursor is: an input that has the focus has it."""
        return self._tmux("display-message", "-p", "#{cursor_x},#{cursor_y}").strip()

    @property
    def shell(self) -> int:
        """The process id of the shell."""
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    def until(self, what: str | Callable[[str], object], seconds: float = 60.0) -> str:
        """Wait until the screen shows `what`."""
        holds = what if callable(what) else lambda screen: what in screen
        deadline = time.monotonic() + seconds
        while not holds(screen := self.screen()):
            assert time.monotonic() < deadline, f"{what!r} is not on the screen:\n{screen}"
            time.sleep(0.1)
        return screen

    def run(self, command: str, seconds: float = 10.0) -> str:
        """What a command of the shell prints."""
        begin, end = (f"{word}-{uuid.uuid4().hex[:6]}" for word in ("begin", "end"))
        # Split, so that the echo of the command line itself is not taken for its output.
        self.line(f"clear; echo {begin[:3]}''{begin[3:]}; {command}; echo {end[:3]}''{end[3:]}")
        screen = self.until(end, seconds)
        return screen.partition(begin)[2].partition(end)[0].strip()

    def close(self) -> None:
        """End the tmux server, and with it the shell."""
        self._tmux("kill-server")


def command(*words: str) -> str:
    """A skytui command line on this test's own folders; the shell then prints its exit code."""
    exported = " ".join(f"{name}={os.environ[name]}" for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"))
    return f"env {exported} {sys.executable} -m skytui {' '.join(words)}; echo left with $?"


def console_process(terminal: Terminal) -> psutil.Process:
    """The console that runs in the terminal: the shell's child."""
    (found,) = psutil.Process(terminal.shell).children()
    assert "skytui" in found.cmdline(), found
    return found


TO_DECIDE = re.compile(r"\d rows? to be decided: d shows")
"""On a card with a list, such as that of `first-job`: a run was missed while there was no scheduler."""


def step_on(screen: str) -> int:
    """The number of the step whose card is shown; 0 when there is none."""
    found = re.search(rf"step (\d+) of {STEPS}", screen)
    return int(found[1]) if found else 0


def press(terminal: Terminal, button: str) -> None:
    """Tab to a button until the sign for what Enter presses stands before it; press it.

    Each Tab is seen to have its effect before the next: one too many would take the focus off the button.
    """
    deadline = time.monotonic() + 60
    while f"▶ {button}" not in terminal.screen():
        before = _focused(terminal)
        terminal.keys("Tab")
        while _focused(terminal) == before:
            assert time.monotonic() < deadline, terminal.screen()
            time.sleep(0.05)
    terminal.keys("Enter")


def _focused(terminal: Terminal) -> tuple[str, list[str]]:
    """Where the focus is: the sign is before a button, the cursor in an input."""
    return terminal.cursor(), re.findall(r"▶ \w+", terminal.screen())


def start_swap(terminal: Terminal) -> None:
    """Start the planned swap, from the idle screen."""
    terminal.until("s starts the ", seconds=90)
    terminal.keys("s")
    terminal.until("▶ Cancel")
    press(terminal, "Start")
    terminal.until(lambda screen: step_on(screen) == 1)


def confirm(terminal: Terminal, number: int, seconds: float = 120) -> None:
    """Confirm step `number`, as its card says, and see the next one, or the end, on the screen.

    What its list asks is decided; running jobs are waited for.
    """
    decision = DECISIONS.get(PLANNED[number - 1].id)
    deadline = time.monotonic() + seconds
    while step_on(screen := terminal.screen()) == number:
        assert time.monotonic() < deadline, screen
        name = TYPE_NAME.search(screen)
        if name:
            _type_name(terminal, name[1])
        elif decision and TO_DECIDE.search(screen):
            terminal.keys("d")
            terminal.until("▶ Cancel")
            press(terminal, f"All the rest: {decision}")
            terminal.until(lambda screen: not TO_DECIDE.search(screen), seconds=30)
        elif "▶ Enter" in screen:
            terminal.keys("Enter")
            _changed(terminal, screen)
        else:
            _changed(terminal, screen)


def _type_name(terminal: Terminal, name: str) -> None:
    """Type the host's name, look that it stands there, and press Enter."""
    terminal.type(name)
    terminal.until(re.compile(rf"│ +{name} +│").search, seconds=10)
    terminal.keys("Enter")
    terminal.until(lambda screen: not TYPE_NAME.search(screen), seconds=10)


def _changed(terminal: Terminal, before: str, seconds: float = 1.0) -> None:
    """Wait until what can be acted on looks different, for at most as long as a person would."""
    deadline = time.monotonic() + seconds
    while _acted_on(terminal.screen()) == _acted_on(before) and time.monotonic() < deadline:
        time.sleep(0.05)


def _acted_on(screen: str) -> tuple[object, ...]:
    return (
        step_on(screen),
        "▶ Enter" in screen,
        TYPE_NAME.search(screen) is None,
        re.findall(r"▶ \w+", screen),
    )
