"""Results on their way to the master: on disk until it has taken them."""

import asyncio
import base64
import logging
import os
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import msgspec

from skytui.lab.agent.commands import Command
from skytui.lab.agent.master import Master, NoMasterError, RejectedError
from skytui.lab.jobset import file_name

_RETRY_SECONDS = 0.3


class Parcel(msgspec.Struct, frozen=True):
    """How a run has ended. Its output, where `sha256` is set, lies in the run's folder."""

    run: str
    code: int
    ended_at: datetime
    started_at: datetime | None
    sha256: str | None


class Outbox:
    """Delivers parcels, oldest first, until each is taken. What was put in here survives the agent."""

    def __init__(self, folder: Path, runs: Path, agent: str, master: Master, log: logging.Logger) -> None:
        self._folder = folder
        self._runs = runs
        self._agent = agent
        self._master = master
        self._log = log
        self._work = asyncio.Event()
        self._started: dict[str, datetime] = {}
        self._taken: dict[str, asyncio.Event] = {}
        self._said = ""
        folder.mkdir(parents=True, exist_ok=True)
        self._waiting = {parcel.run: parcel for parcel in self._kept()}

    @property
    def waiting(self) -> list[str]:
        """The runs whose end has not been taken yet."""
        return list(self._waiting)

    def find(self, run: str) -> Parcel | None:
        """The waiting parcel of `run`."""
        return self._waiting.get(run)

    def announce(self, run: str, at: datetime) -> None:
        """Tell the master that `run` has started. Kept in memory alone: the parcel says it again."""
        self._started[run] = at
        self._work.set()

    def put(self, parcel: Parcel) -> None:
        """Keep a parcel on the disk, to be delivered."""
        final = self._folder / f"{file_name(parcel.run)}.json"
        part = final.with_suffix(".part")
        with part.open("wb") as file:
            file.write(msgspec.json.encode(parcel))
            file.flush()
            os.fsync(file.fileno())
        part.replace(final)
        self._waiting[parcel.run] = parcel
        self._started.pop(parcel.run, None)
        self._work.set()

    async def delivered(self, run: str) -> None:
        """Wait until the parcel of `run` has been taken."""
        if run in self._waiting:
            await self._taken.setdefault(run, asyncio.Event()).wait()

    async def deliver(self) -> None:
        """Deliver for ever."""
        while True:
            await self._work.wait()
            self._work.clear()
            try:
                await self._announce_started()
                for parcel in list(self._waiting.values()):
                    await self._hand_over(parcel)
                self._said = ""
            except NoMasterError as error:
                if str(error) != self._said:
                    self._said = str(error)
                    self._log.warning("%d results wait: %s", len(self._waiting), error)
                await asyncio.sleep(_RETRY_SECONDS)
                self._work.set()

    async def _announce_started(self) -> None:
        for run, at in list(self._started.items()):
            try:
                await self._master.post(
                    f"/api/v1/runs/{quote(run, safe='')}/started", {"agent": self._agent, "at": at}
                )
            except RejectedError as error:
                self._log.info("start of %s not taken: %s", run, error)
            self._started.pop(run, None)

    async def _hand_over(self, parcel: Parcel) -> None:
        content = {"agent": self._agent, **msgspec.to_builtins(parcel)}
        run = content.pop("run")
        if parcel.sha256 is not None:
            content["output_base64"] = base64.b64encode(Command(self._runs, run).output()).decode()
        try:
            await self._master.post(f"/api/v1/runs/{quote(run, safe='')}/result", content)
            self._log.info("delivered %s, code %d", run, parcel.code)
        except RejectedError as error:
            # Kept aside for whoever looks into it; trying again would not change the answer.
            self._log.error("the end of %s was refused: %s", run, error)
            refused = self._folder / "refused"
            refused.mkdir(exist_ok=True)
            (refused / f"{file_name(run)}.json").write_bytes(msgspec.json.encode(parcel))
        (self._folder / f"{file_name(run)}.json").unlink(missing_ok=True)
        self._waiting.pop(run, None)
        if run in self._taken:
            self._taken.pop(run).set()

    def _kept(self) -> list[Parcel]:
        parcels = []
        for file in self._folder.glob("*.json"):
            parcels.append(msgspec.json.decode(file.read_bytes(), type=Parcel))
        if parcels:
            self._work.set()
        return sorted(parcels, key=lambda parcel: parcel.ended_at)
