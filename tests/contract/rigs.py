"""What the contract tests run on: a pair in memory, or a practice pair."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from skytui.clock import Clock, ManualClock, SystemClock
from skytui.config.pairs import load_pair
from skytui.config.secrets import SecretStore
from skytui.drivers.build import open_drivers
from skytui.drivers.driver import Driver
from skytui.drivers.scripted import ScriptedDriver
from skytui.drivers.scripted_world import ScriptedPair
from skytui.pair.vocabulary import Action


class Rig(Protocol):
    """A pair, and what really happened to it."""

    clock: Clock
    secret: str

    def open(self) -> dict[str, Driver]:
        """Drivers that know nothing of those opened before, as in another process."""

    def ran(self, server: str, action: Action) -> int:
        """How often an action on the host really ran."""

    def silence(self, server: str, seconds: int) -> None:
        """The heartbeat of the mark that a host carries was so long ago."""


class ScriptedRig:
    def __init__(self) -> None:
        self.clock: Clock = ManualClock(datetime(2026, 11, 22, 12, tzinfo=UTC))
        self.secret = "no secret here"
        self._pair = ScriptedPair(self.clock)

    def open(self) -> dict[str, Driver]:
        return {name: ScriptedDriver(self._pair, name) for name in self._pair.servers}

    def ran(self, server: str, action: Action) -> int:
        return self._pair.done.count((server, action))

    def silence(self, server: str, seconds: int) -> None:
        self._pair.servers[server].run_mark.silent = seconds


_SCRIPTS: dict[Action, Callable[[dict[str, object]], bool]] = {
    Action.SET_GUARD: lambda line: line["script"] == "setAutostart.sh" and line["args"] == ["no"],
    Action.PROMOTE: lambda line: line["script"] == "standbyToMaster.sh",
}


class PracticeRig:
    def __init__(self, lab: Path) -> None:
        self.clock: Clock = SystemClock()
        self.secret = (lab / "admin.password").read_text().strip()
        self._lab = lab

    def open(self) -> dict[str, Driver]:
        config = load_pair("practice")
        secrets = SecretStore(config.secrets)
        secrets.resolve()
        return open_drivers(config, self.clock, secrets)

    def ran(self, server: str, action: Action) -> int:
        """Counted in the invocation log that the practice scripts write themselves."""
        file = self._lab / "hosts" / server / "logs" / "invocations.jsonl"
        lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        return sum(_SCRIPTS[action](line) for line in lines if line["phase"] == "begin")

    def silence(self, server: str, seconds: int) -> None:
        (file,) = (self._lab / "hosts" / server).rglob("marks/*/held/mark")
        identity, _, what = file.read_text().splitlines()
        file.write_text(f"{identity}\n{int(time.time()) - seconds}\n{what}\n")
