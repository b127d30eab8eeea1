"""The logs of both servers and what commands say: followed once, kept, written down during a run."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from skytui.drivers.driver import Driver
from skytui.pair.logline import LogLine

KEPT = 2000
"""How many lines a client that joins late is given."""
KEPT_CHARACTERS = 512 * 1024
"""And how much of their text: all a client is given at once must fit into one line of the link."""
LONGEST = 4096
"""How many characters of a line are kept; the server's own file has the rest."""
BATCH_SECONDS = 0.2
"""Lines are sent on at most five times a second: more repaints than that help nobody on a slow link."""

_LOG = logging.getLogger(__name__)


class Logs:
    """All lines, in the order in which they came."""

    def __init__(self, drivers: Mapping[str, Driver], send: Callable[[tuple[LogLine, ...]], None]) -> None:
        self._drivers = drivers
        self._send = send
        self._fresh: list[LogLine] = []
        self._fresh_characters = 0
        self._transcripts: Path | None = None
        self.kept: deque[LogLine] = deque(maxlen=KEPT)

    def add(self, line: LogLine) -> None:
        """One more line, from a log or from a command."""
        if len(line.text) > LONGEST:
            line = msgspec.structs.replace(
                line, text=f"{line.text[:LONGEST]} … ({len(line.text)} characters)"
            )
        self._fresh.append(line)
        self._fresh_characters += len(line.text)
        if self._fresh_characters > KEPT_CHARACTERS:
            self.flush()

    def transcribe(self, folder: Path | None) -> None:
        """From now on write every line down in `folder`, a file for each source; None: do not."""
        self._transcripts = folder

    async def run(self) -> None:
        """Follow every log of both servers for ever."""
        async with asyncio.TaskGroup() as group:
            for driver in self._drivers.values():
                for log in driver.logs:
                    group.create_task(self._follow(driver, log))
            group.create_task(self._flush())

    async def _follow(self, driver: Driver, log: str) -> None:
        async for line in driver.follow(log):
            self.add(line)

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(BATCH_SECONDS)
            self.flush()

    def flush(self) -> None:
        """Send on and write down what has come since the last time."""
        if not self._fresh:
            return
        lines, self._fresh = tuple(self._fresh), []
        self._fresh_characters = 0
        self._keep(lines)
        self._send(lines)
        if self._transcripts is not None:
            self._write(self._transcripts, lines)

    def _keep(self, lines: tuple[LogLine, ...]) -> None:
        self.kept.extend(lines)
        size = sum(len(line.text) for line in self.kept)
        while size > KEPT_CHARACTERS:
            size -= len(self.kept.popleft().text)

    def _write(self, folder: Path, lines: tuple[LogLine, ...]) -> None:
        by_file: dict[str, list[str]] = {}
        for line in lines:
            name = f"{line.server}-{line.log}.log".replace("/", "_")
            by_file.setdefault(name, []).append(f"{line.wall:%Y-%m-%dT%H:%M:%S.%f}Z {line.text}\n")
        try:
            folder.mkdir(parents=True, exist_ok=True)  # for whom, the conductor's umask says
            for name, texts in by_file.items():
                with (folder / name).open("a", encoding="utf-8") as file:
                    file.writelines(texts)
        except OSError as error:
            # The run does not stop for want of a transcript; the journal has what counts.
            _LOG.warning("the transcript in %s cannot be written: %s", folder, error.strerror)
