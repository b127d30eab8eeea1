"""Looks up what is known on the jump host itself: the facts that go into every reading of the pair."""

import asyncio
import os
import pwd
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from skytui.clock import Clock, Instant
from skytui.conductor.runs import has_ended, load_run, never_begun, stored_runs, write_whole
from skytui.config.pairs import PairConfig
from skytui.errors import StateError
from skytui.pair.facts import Calendar, Facts, Folder, Logout, Past, Remembered
from skytui.pair.pair import PairReading
from skytui.pair.quiet import next_due
from skytui.pair.reading import Known, Unknown
from skytui.pair.vocabulary import SLOW_SECONDS
from skytui.runbook.model import Ended, Ending, Run

REMEMBERED = "remembered.json"
"""Beside the runs of a pair: what the last preflight that passed has seen."""
PROGRAM_SECONDS = 3.0
"""How long the system's own programs are waited for."""
_LOGIND = ("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager")

T = TypeVar("T")


class FactFinder(Protocol):
    """Where a poller gets the facts of the jump host."""

    async def facts(self) -> Facts:
        """What is known now, each with the time it was looked up. Never raises for what it finds."""

    def look_again(self) -> None:
        """What was looked up before now is not enough."""


class Surroundings:
    """The jump host around one pair. Looked at every `SLOW_SECONDS`, and when asked to.

    `folder` keeps the pair's runs, whether it is there yet or not; `root` is where the system's files lie.
    """

    def __init__(self, config: PairConfig, folder: Path, clock: Clock, root: Path = Path("/")) -> None:
        self._config = config
        self._folder = folder
        self._clock = clock
        self._root = root
        self._ended: dict[str, Run | StateError] = {}
        self._facts: Facts | None = None
        self._looked: Instant | None = None

    def look_again(self) -> None:
        """What was looked up before now is not enough."""
        self._looked = None

    async def facts(self) -> Facts:
        """What is known now."""
        now = self._clock.instant()
        if self._facts is None or self._looked is None or now.since(self._looked) >= SLOW_SECONDS:
            self._looked = now
            self._facts = await asyncio.to_thread(self._find, now, self._clock.now())
        return self._facts

    def _find(self, at: Instant, wall: datetime) -> Facts:
        past = _tried(self._past, at, "runs")
        return Facts(
            addresses={
                name: f"{server.address}:{server.listen_port}"
                for name, server in self._config.servers.items()
            },
            folder=_tried(lambda: _folder(self._folder), at, str(self._folder)),
            logout=_tried(self._logout, at, "logind"),
            past=past,
            calendar=_tried(
                lambda: _calendar(self._config, past.value if isinstance(past, Known) else Past(), wall),
                at,
                "configuration",
            ),
            remembered=_tried(lambda: _recall(self._folder), at, REMEMBERED),
        )

    def _past(self) -> Past:
        """Of the runs kept here: which is open, what the last one that ended owes, when the last swap was."""
        unreadable: list[str] = []
        open_run = ""
        last: Run | None = None
        for folder in reversed(stored_runs(self._folder)):
            if folder.name not in self._ended and not has_ended(folder):
                # It is not read: somebody may be writing it at this moment.
                open_run = open_run or ("" if never_begun(folder) else folder.name)
                continue
            run = self._run(folder)
            if isinstance(run, StateError):
                unreadable.append(folder.name)
                continue
            last = last or run
            if isinstance(run.stage, Ended) and run.stage.ending in (Ending.DONE, Ending.NOT_CLEAN):
                return Past(_owed(last), tuple(unreadable), open_run, run.stage_wall)
        return Past(_owed(last), tuple(unreadable), open_run)

    def _run(self, folder: Path) -> Run | StateError:
        """A run that has ended; read once. Or why it cannot be."""
        if folder.name not in self._ended:
            try:
                self._ended[folder.name] = load_run(folder).run
            except StateError as error:
                self._ended[folder.name] = error
        return self._ended[folder.name]

    def _logout(self) -> Logout:
        """As systemd-logind says it over D-Bus. A system without systemd ends nobody's processes."""
        user = _user()
        if not (self._root / "run/systemd/system").is_dir():
            return Logout(user, kills=False, lingers=False)
        said = _ask("busctl", "get-property", *_LOGIND, "KillUserProcesses")
        lingers = (self._root / "var/lib/systemd/linger" / user).exists()
        return Logout(user, kills=said.split()[-1:] == ["true"], lingers=lingers)


def remember(folder: Path, run: str, reading: PairReading) -> None:
    """Keep what a preflight that passed has seen, to hold the next one against.

    Raises StateError when it cannot be written.
    """
    scripts: dict[str, dict[str, str]] = {}
    database = ""
    for name, server in reading.servers.items():
        if isinstance(server.scripts, Known):
            scripts[name] = {script.name: script.sha256 for script in server.scripts.value if script.sha256}
        if isinstance(server.identity, Known):
            database = server.identity.value.system_identifier
    data = msgspec.json.format(msgspec.json.encode(Remembered(run, scripts, database)), indent=2)
    try:
        write_whole(folder / REMEMBERED, data + b"\n")
    except OSError as error:
        raise StateError(f"{folder / REMEMBERED} cannot be written: {error.strerror}.") from error


def _tried(find: Callable[[], T], at: Instant, source: str) -> Known[T] | Unknown:
    try:
        return Known(find(), at, source)
    except (OSError, StateError, ValueError, subprocess.SubprocessError) as error:
        return Unknown(str(error), at, source)


def _folder(folder: Path) -> Folder:
    """The folder, or the nearest one above it that is there: it is made when it is first needed."""
    runs = folder / "runs"
    place = runs
    while not place.exists():
        place = place.parent
    system = os.statvfs(place)
    trouble = ""
    if not place.is_dir():
        trouble = f"{place} is not a folder"
    elif system.f_flag & os.ST_RDONLY:
        trouble = "its file system is read-only"
    elif not os.access(place, os.W_OK | os.X_OK):
        trouble = f"{_user()} may not write in {place}"
    return Folder(str(folder), system.f_bavail * system.f_frsize, trouble)


def _recall(folder: Path) -> Remembered:
    try:
        return msgspec.json.decode((folder / REMEMBERED).read_bytes(), type=Remembered)
    except FileNotFoundError:
        return Remembered()


def _calendar(config: PairConfig, past: Past, wall: datetime) -> Calendar:
    every, quiet = config.every, config.quiet
    due = next_due(past.last_swap, every, quiet) if every and past.last_swap else None
    opens, closes = quiet.opening(wall) if quiet else (None, None)
    return Calendar(every.days if every else 0, due, quiet.words if quiet else "", opens, closes)


def _owed(run: Run | None) -> tuple[str, ...]:
    """What the last run that ended owes; what one before it owed, that one has found, or paid."""
    return (
        ()
        if run is None
        else tuple(
            f"run {run.id} owes {debt.what} on {debt.server}"
            + (f" ({', '.join(debt.names)})" if debt.names else "")
            for debt in run.ledger
        )
    )


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _ask(*command: str) -> str:
    """What a program of the system prints. Raises OSError, SubprocessError, and ValueError when it fails."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )
    if done.returncode:
        raise ValueError(f"{command[0]} failed: {done.stderr.strip() or done.returncode}")
    return done.stdout.strip()
