"""The slow readings of a server: asked beside the polls, so that no poll waits for a host."""

import asyncio
from collections.abc import Awaitable, Callable

from skytui.clock import Clock, Instant
from skytui.drivers.asking import Answer, Request
from skytui.pair.reading import Unknown
from skytui.pair.vocabulary import SLOW_SECONDS

Answers = dict[Request, Answer | Unknown]


class Unhurried:
    """Asks `requests` through `ask` every `SLOW_SECONDS`. Each request bounds itself: a round ends."""

    def __init__(
        self,
        requests: frozenset[Request],
        ask: Callable[[frozenset[Request]], Awaitable[Answers]],
        clock: Clock,
    ) -> None:
        self._requests = requests
        self._ask = ask
        self._clock = clock
        self._answers: Answers = {}
        self._begun: Instant | None = None
        self._round: asyncio.Task[Answers] | None = None

    def again(self) -> None:
        """What was asked before now is not enough: ask again at the next `answers`."""
        self._begun = None

    async def answers(self) -> Answers:
        """What came back last. Waits for an answer only while there has been none at all."""
        if self._round is not None and self._round.done():
            self._answers, self._round = self._round.result(), None
        if self._round is None and self._due():
            self._begun = self._clock.instant()
            self._round = asyncio.create_task(self._ask_all())
        if not self._answers and self._round is not None:
            self._answers = await self._round
            self._round = None
        return self._answers

    async def close(self) -> None:
        """Wait for nothing any more."""
        if self._round is not None:
            self._round.cancel()
            await asyncio.gather(self._round, return_exceptions=True)

    async def _ask_all(self) -> Answers:
        return await self._ask(self._requests)

    def _due(self) -> bool:
        """A round is due, unless there is nothing to ask for."""
        if not self._requests:
            return False
        return self._begun is None or self._clock.instant().since(self._begun) >= SLOW_SECONDS
