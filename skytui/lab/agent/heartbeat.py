"""The agent's second hand: it says what is under way, and answers what the master asks."""

import asyncio
import logging
import os
from typing import Any

import msgspec

from skytui.lab.agent.master import Master, NoMasterError, RejectedError
from skytui.lab.agent.runner import Runner

_EVERY = 1.0


class _Reply(msgspec.Struct):
    asks: list[str]


class _Wanted(msgspec.Struct):
    wanted: list[str]


class Heartbeat:
    """One line of talk a second with the master, and a reconciliation with each new one."""

    def __init__(self, name: str, runner: Runner, log: logging.Logger) -> None:
        self._name = name
        self._runner = runner
        self._log = log
        self._unknown: list[str] = []
        self._reconciled = (0, "")
        self._heard = True

    async def beat(self, master: Master) -> None:
        """Beat for ever."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _EVERY
            try:
                await self._once(master)
                self._say(True, "a master hears us")
            except (NoMasterError, RejectedError) as error:
                self._say(False, f"no master hears us: {error}")
            except msgspec.MsgspecError as error:
                self._say(False, f"the master's answer cannot be read: {error}")
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def _once(self, master: Master) -> None:
        # A run may have been taken since it was asked about.
        unknown = [run for run in self._unknown if not self._runner.knows(run)]
        said: dict[str, Any] = {"runs": self._runner.under_way(), "pid": os.getpid(), "unknown": unknown}
        path = f"/api/v1/agents/{self._name}"
        asks = msgspec.convert(await master.post(f"{path}/heartbeat", said), _Reply).asks
        self._unknown = []
        for run in asks:
            if self._runner.knows(run):
                self._runner.deliver_again(run)
            else:
                self._unknown.append(run)
        # A master, or a timeline, not met before may lack ends its predecessor had.
        if master.heard != self._reconciled:
            meeting = master.heard
            ended = {"ended": self._runner.last_ended()}
            wanted = msgspec.convert(await master.post(f"{path}/reconcile", ended), _Wanted).wanted
            self._reconciled = meeting
            for run in wanted:
                self._runner.deliver_again(run)
            if wanted:
                self._log.info("%d ends are delivered again", len(wanted))

    def _say(self, heard: bool, text: str) -> None:
        if heard != self._heard:
            self._heard = heard
            self._log.log(logging.INFO if heard else logging.WARNING, "%s", text)
