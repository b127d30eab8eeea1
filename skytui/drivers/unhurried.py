"""The slow readings of a server: asked beside the polls, so that no poll waits for a host."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from skytui.clock import Clock, Instant
from skytui.pair.vocabulary import SLOW_SECONDS

T = TypeVar("T")


class Unhurried(Generic[T]):
    """Asks through `ask` every `SLOW_SECONDS`. Each request bounds itself, so that a round ends."""

    def __init__(self, ask: Callable[[], Awaitable[dict[str, T]]], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._answers: dict[str, T] = {}
        self._begun: Instant | None = None
        self._round: asyncio.Task[dict[str, T]] | None = None

    def again(self) -> None:
        """What was asked before now is not enough: ask again at the next `answers`."""
        self._begun = None

    async def answers(self) -> dict[str, T]:
        """What came back last. Waits for an answer only while there has been none at all."""
        if self._round is not None and self._round.done():
            self._answers, self._round = self._round.result(), None
        if self._round is None and self._due():
            self._begun = self._clock.instant()
            self._round = asyncio.create_task(self._once())
        if not self._answers and self._round is not None:
            self._answers = await self._round
            self._round = None
        return self._answers

    async def close(self) -> None:
        """Wait for nothing any more."""
        if self._round is not None:
            self._round.cancel()
            await asyncio.gather(self._round, return_exceptions=True)

    async def _once(self) -> dict[str, T]:
        return await self._ask()

    def _due(self) -> bool:
        return self._begun is None or self._clock.instant().since(self._begun) >= SLOW_SECONDS
