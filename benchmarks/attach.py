"""How long a console takes to be on the screen, attached to a run: against the smallest textual application.

    .venv/bin/python -m benchmarks.attach [RUNS]

Starts a practice pair of its own and opens a run on it. Then both programs are started in a terminal in turn,
and timed until their words are on it. What is to be quoted is the ratio.
"""

import asyncio
import os
import pty
import select
import signal
import statistics
import sys
import tempfile
import time

from skytui.commands import lab
from skytui.lab import pair
from skytui.link.client import Client
from skytui.link.start import attach
from skytui.link.wire import NewReading, Open

CONSOLE = [sys.executable, "-m", "skytui", "practice"]
WORDS = b"Record how things are"
SMALLEST = [
    sys.executable,
    "-c",
    "from textual.app import App\nfrom textual.widgets import Static\n"
    "class A(App):\n def compose(self):\n  yield Static('Smallest of all')\nA().run()",
]
SECONDS = 30.0


def until_painted(command: list[str], words: bytes) -> float:
    """Seconds from the start of a program to its words on the terminal."""
    began = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ |= {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "36"}
        os.execv(command[0], command)
    said = b""
    try:
        while words not in said:
            if not select.select([terminal], [], [], SECONDS)[0]:
                raise TimeoutError(f"{words!r} did not come within {SECONDS:.0f} s; it said {said[-300:]!r}")
            said += os.read(terminal, 65536)
        return time.perf_counter() - began
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


async def open_a_run() -> None:
    client: Client = await attach("practice", "headless")
    try:
        async for message in client:
            ready = isinstance(message, NewReading) and message.reading.master() and message.reading.standby()
            if ready:
                reply = await client.request(Open)
                if reply.refused:
                    raise RuntimeError(reply.refused)
                return
    finally:
        await client.close()


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"XDG_STATE_HOME": f"{folder}/state", "XDG_CONFIG_HOME": f"{folder}/config"}
        try:
            pair.up(lambda says: print(says, file=sys.stderr), fast=True)
            asyncio.run(open_a_run())
            pairs = [
                (until_painted(CONSOLE, WORDS), until_painted(SMALLEST, b"Smallest of all"))
                for _ in range(runs + 1)
            ][1:]
        finally:
            lab.down()
    ratios = sorted(console / smallest for console, smallest in pairs)
    seconds = statistics.median(console for console, _ in pairs)
    print(f"attached and painted, against the smallest textual application, {runs} pairs:")
    print(f"ratio  median {statistics.median(ratios):.2f}  min {ratios[0]:.2f}  max {ratios[-1]:.2f}")
    print(f"console, median: {seconds:.2f} s on this machine")


if __name__ == "__main__":
    main()
