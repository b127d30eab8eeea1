"""Reads both servers, again and again: one poll asks everything of both, at the same time."""

import asyncio
from collections.abc import Callable, Mapping

import msgspec

from skytui.clock import Clock, Instant
from skytui.conductor.surroundings import FactFinder
from skytui.drivers.driver import Driver
from skytui.pair.facts import Facts
from skytui.pair.pair import PairReading, Sample
from skytui.pair.reading import Known, Stale, Unknown, after
from skytui.pair.vocabulary import READINGS, ServerReading

NO_FACTS = Facts()
"""What a poller knows of the jump host when nobody looks around there."""

TRAIL_SECONDS = 60.0
"""How long counts of File Replication Requests are kept, for rate, ETA and gate."""


class Poller:
    """Polls until it is cancelled, and hands every reading on.

    Each driver bounds its own requests, so that a poll ends; a driver that raises is a defect, and ends the
    poller with it.
    """

    def __init__(
        self,
        drivers: Mapping[str, Driver],
        clock: Clock,
        pause: float,
        found: Callable[[PairReading], None],
        surroundings: FactFinder | None = None,
    ) -> None:
        self._drivers = drivers
        self._clock = clock
        self._pause = pause
        self._found = found
        self._surroundings = surroundings
        self._look = asyncio.Event()
        self._servers = {name: ServerReading() for name in drivers}
        self._trail: tuple[Sample, ...] = ()
        self._polls = 0

    def look(self, everything: bool = False) -> None:
        """Start the next poll at once, or as soon as the one under way has ended.

        `everything`: ask also for what is not asked at every poll.
        """
        if everything:
            if self._surroundings is not None:
                self._surroundings.look_again()
            for driver in self._drivers.values():
                driver.look_again()
        self._look.set()

    async def run(self) -> None:
        """Poll for ever."""
        while True:
            self._look.clear()
            self._found(await self.poll())
            try:
                # Not wait_for: in Python 3.11 it loses a cancellation that comes together with the look.
                async with asyncio.timeout(self._pause):
                    await self._look.wait()
            except TimeoutError:
                continue

    async def poll(self) -> PairReading:
        """Ask both servers for everything, once."""
        began = self._clock.instant()
        facts = await self._surroundings.facts() if self._surroundings else NO_FACTS
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(driver.read()) for name, driver in self._drivers.items()}
        self._servers = {name: merge(self._servers[name], task.result()) for name, task in tasks.items()}
        self._polls += 1
        now = self._clock.instant()
        self._trail = _trail(self._trail, self._servers, began, now)
        return PairReading(began, now, self._clock.now(), self._servers, self._trail, self._polls, facts)


def merge(before: ServerReading, now: ServerReading) -> ServerReading:
    """The readings of a poll, with the last value kept, as stale, where this poll got none."""
    changed: dict[str, Known[object] | Stale[object] | Unknown] = {}
    for name in READINGS:
        fresh = getattr(now, name)
        if not isinstance(fresh, Known):
            changed[name] = after(getattr(before, name), fresh)
    return msgspec.structs.replace(now, **changed)


def _trail(
    before: tuple[Sample, ...], servers: dict[str, ServerReading], began: Instant, now: Instant
) -> tuple[Sample, ...]:
    """The trail with this poll's counts (or that there was none) added, and what is too old dropped."""
    kept = [sample for sample in before if now.since(sample.at) <= TRAIL_SECONDS]
    return (*kept, *(_sample(name, server, began) for name, server in servers.items()))


def _sample(name: str, server: ServerReading, began: Instant) -> Sample:
    """What this poll counted; no number where it got none."""
    reading = server.replication_pending
    if isinstance(reading, Known) and not began.later_than(reading.at):
        return Sample(reading.at, name, reading.value)
    return Sample(began, name, None)
