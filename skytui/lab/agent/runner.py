"""What an agent does with a run: never start it twice, never lose its end."""

import asyncio
import hashlib
import logging
from collections.abc import Coroutine
from pathlib import Path

from skytui.clock import Clock
from skytui.lab.agent.commands import Command, Order
from skytui.lab.agent.outbox import Outbox, Parcel
from skytui.lab.ledger import LOST, Ledger

AT_ONCE = 4
KEPT = 500
"""How many ended runs keep their folder, so that a master that lost their end can have it again."""


class Runner:
    """The runs of this agent. Independent of any worker or database connection."""

    def __init__(self, ledger: Ledger, outbox: Outbox, runs: Path, clock: Clock, log: logging.Logger) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._runs = runs
        self._clock = clock
        self._log = log
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def under_way(self) -> list[str]:
        """Runs taken whose end the master has not taken yet."""
        return sorted({*self._tasks, *self._outbox.waiting})

    def knows(self, run: str) -> bool:
        """Whether this agent has taken `run`, now or ever."""
        return run in self._tasks or self._ledger.knows(run)

    def last_ended(self) -> list[str]:
        """The ended runs whose results can still be delivered again."""
        return self._ledger.last_ended(KEPT)

    async def take(self, order: Order) -> None:
        """Run `order` unless the ledger knows it; returns when the master has its end.

        Cancelling this changes nothing about the run: whoever fetched it is gone, the run goes on.
        """
        if order.run not in self._tasks and self._ledger.knows(order.run):
            self._log.info("%s was fetched again; its kept end is delivered", order.run)
            self.deliver_again(order.run)
            await self._outbox.delivered(order.run)
            return
        if order.run not in self._tasks:
            self._go(order.run, self._perform(order))
        # Without a shield, cancelling the worker's job would cancel the run.
        await asyncio.shield(self._tasks[order.run])

    def deliver_again(self, run: str) -> None:
        """Put the kept end of `run` into the outbox once more."""
        entry = self._ledger.ended(run)
        if entry is not None and entry.code is not None and self._outbox.find(run) is None:
            self._outbox.put(Parcel(run, entry.code, entry.at, self._ledger.started_at(run), entry.sha256))

    def recover(self) -> None:
        """Take up what an earlier process of this agent left open. Once, before anything is taken."""
        for run in self._ledger.open_runs():
            self._go(run, self._recover(run))

    async def close(self) -> None:
        """Let go of all runs; their commands go on."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _go(self, run: str, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work, name=run)
        self._tasks[run] = task
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task.get_name(), None)
        if not task.cancelled() and task.exception() is not None:
            self._log.error("%s went wrong", task.get_name(), exc_info=task.exception())

    async def _perform(self, order: Order) -> None:
        async with self._slots:
            command = Command(self._runs, order.run)
            command.prepare(order)
            self._ledger.start(order.run, self._clock.now())
            self._log.info("started %s", order.run)
            self._outbox.announce(order.run, self._clock.now())
            await command.run(order)
            self._finish(order.run, command)
        await self._outbox.delivered(order.run)

    async def _recover(self, run: str) -> None:
        command = Command(self._runs, run)
        parcel = self._outbox.find(run)
        if parcel is not None:
            self._ledger.end(run, parcel.ended_at, parcel.code, parcel.sha256)
        else:
            if await command.adopt():
                self._log.info("%s outlived the agent", run)
            self._finish(run, command)
        await self._outbox.delivered(run)

    def _finish(self, run: str, command: Command) -> None:
        found = command.code()
        code, at = found if found is not None else (LOST, self._clock.now())
        order = command.order()
        sha256 = hashlib.sha256(command.output()).hexdigest() if order is not None and order.output else None
        if found is None:
            self._log.error("%s was lost with the agent", run)
        # The parcel first: after a crash in between, the ledger is completed from it.
        self._outbox.put(Parcel(run, code, at, self._ledger.started_at(run), sha256))
        self._ledger.end(run, at, code, sha256)
        oldest = self._ledger.last_ended(KEPT + 1)
        if len(oldest) > KEPT and self._outbox.find(oldest[0]) is None:
            Command(self._runs, oldest[0]).forget()
