"""The console on a real terminal: a burst of keys, and being ended from outside."""

import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

import pytest

from skytui.tui.arming import SETTLE
from skytui.tui.terminal import prepare, terminal_problem

SECONDS = 60.0
ALTERNATE_SCREEN_LEFT = b"\x1b[?1049l"
CURSOR_SHOWN = b"\x1b[?25h"


class Terminal:
    """The near end of a pty, with everything that was written to it."""

    def __init__(self, process: "subprocess.Popen[bytes]", end: int) -> None:
        self.process = process
        self._end = end
        self.written = b""

    def type(self, keys: bytes) -> None:
        os.write(self._end, keys)

    def hang_up(self) -> None:
        """Close the near end: the terminal is gone."""
        if self._end >= 0:
            os.close(self._end)
        self._end = -1

    def read_until(self, wanted: bytes = b"", *, ended: bool = False, seconds: float = SECONDS) -> None:
        """Until `wanted` was written; or the process has ended; or, with neither, for that many seconds."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if wanted and wanted in self.written:
                return
            if select.select([self._end], [], [], 0.05)[0]:
                try:
                    self.written += os.read(self._end, 65536)
                except OSError:  # the far end is closed
                    return
            elif ended and self.process.poll() is not None:
                return
        assert not wanted, f"{wanted!r} was never written"
        assert not ended, "it never ended"


@contextmanager
def console_on_a_terminal(result: Path) -> Iterator[Terminal]:
    near, far = pty.openpty()
    ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.tui.terminal_console", str(result)],
        stdin=far,
        stdout=far,
        stderr=far,
        start_new_session=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "TERM": "xterm-256color"},
    )
    os.close(far)
    terminal = Terminal(process, near)
    try:
        yield terminal
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(SECONDS)
        terminal.hang_up()


def test_ten_enters_in_one_write_confirm_one_step(tmp_path: Path) -> None:
    result = tmp_path / "result"
    with console_on_a_terminal(result) as terminal:
        terminal.read_until(b"Enter goes on")
        terminal.read_until(seconds=SETTLE + 0.8)
        terminal.type(b"\r" * 10)
        terminal.read_until(seconds=1.0)
        terminal.type(b"q")
        terminal.read_until(ended=True)
    assert result.read_text(encoding="utf-8").splitlines()[0] == "[('confirm', 'preflight', '')]"


def test_enters_typed_before_anything_was_painted_confirm_nothing(tmp_path: Path) -> None:
    result = tmp_path / "result"
    with console_on_a_terminal(result) as terminal:
        terminal.type(b"\r" * 10)
        terminal.read_until(b"Enter goes on")
        terminal.type(b"\r" * 10)
        terminal.read_until(seconds=1.0)
        terminal.type(b"q")
        terminal.read_until(ended=True)
    assert result.read_text(encoding="utf-8").splitlines()[0] == "[]"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_terminal_back(tmp_path: Path, number: signal.Signals) -> None:
    result = tmp_path / "result"
    with console_on_a_terminal(result) as terminal:
        terminal.read_until(b"Enter goes on")
        terminal.process.send_signal(number)
        terminal.read_until(ended=True)
        assert terminal.process.wait(SECONDS) == 0
    assert ALTERNATE_SCREEN_LEFT in terminal.written
    assert CURSOR_SHOWN in terminal.written
    assert "The run goes on to its next gate" in result.read_text(encoding="utf-8")


def test_a_terminal_that_was_closed_ends_the_console(tmp_path: Path) -> None:
    with console_on_a_terminal(tmp_path / "result") as terminal:
        terminal.read_until(b"Enter goes on")
        terminal.hang_up()
        assert terminal.process.wait(SECONDS) == 128 + signal.SIGHUP


def test_the_mouse_is_left_alone(tmp_path: Path) -> None:
    with console_on_a_terminal(tmp_path / "result") as terminal:
        terminal.read_until(b"Enter goes on")
        assert b"\x1b[?1000h" not in terminal.written
        terminal.type(b"q")
        terminal.read_until(ended=True)


def test_no_terminal_is_refused_with_a_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.tui.terminal_console", "/nowhere"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        timeout=SECONDS,
    )
    assert done.returncode != 0
    assert "The console needs a terminal" in done.stderr


def test_a_dumb_terminal_is_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    assert "TERM is 'dumb'" in terminal_problem()
    monkeypatch.setenv("TERM", "xterm")
    assert terminal_problem() == ""


def test_a_slow_link_has_few_frames_and_no_animation(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TEXTUAL_FPS", "TEXTUAL_ANIMATIONS"):
        monkeypatch.setenv(name, "")
    prepare(slow_link=True)
    assert os.environ["TEXTUAL_FPS"] == "10"
    assert os.environ["TEXTUAL_ANIMATIONS"] == "none"


def test_the_check_and_the_settings_import_no_textual() -> None:
    program = (
        "import sys; import skytui.tui.app, skytui.tui.terminal, skytui.tui.session;"
        " print(any(name.split('.')[0] in ('textual', 'rich') for name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=SECONDS
    )
    assert done.stdout.strip() == "False"
