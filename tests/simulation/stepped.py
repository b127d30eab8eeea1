"""Time that is moved by hand: an event loop that never waits, and the clock that goes with it.

All that a conductor awaits is a timer, or another of its tasks. So a run is a sequence of turns: the time is
moved on, and everything that is due by then is carried out, in the same order each time.
"""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple

from skytui.clock import Instant

START = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
TICK = 1e-4
"""Seconds between two looks at a clock: no two moments are the same, as on a real machine."""
RESTLESS = 20_000
"""After so many rounds of the loop without rest, something calls itself for ever."""

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


class Time:
    """Seconds since the simulation began, for the loop and every clock."""

    def __init__(self) -> None:
        self.seconds = 0.0


class SteppedClock:
    """The clock of one process."""

    def __init__(self, time: Time, boot: str) -> None:
        self._time = time
        self._born = time.seconds
        self._boot = boot

    def instant(self) -> Instant:
        """Now; a little later than at the last look."""
        self._time.seconds += TICK
        return Instant(self._boot, self._time.seconds - self._born)

    def now(self) -> datetime:
        """Now, in UTC."""
        return START + timedelta(seconds=self._time.seconds)


class SteppedLoop(asyncio.SelectorEventLoop):
    """An event loop on such a time."""

    def __init__(self, time: Time) -> None:
        self._stepped = time
        self._called = 0
        super().__init__()

    def time(self) -> float:
        """The time that is moved by hand."""
        return self._stepped.seconds

    def call_soon(
        self,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """As ever; and count it."""
        self._called += 1
        return super().call_soon(callback, *args, context=context)

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Arguments], T], *args: *Arguments
    ) -> "asyncio.Future[T]":
        """At once, in this thread: another one would end whenever it likes."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whatever it raised is raised where it is awaited
            future.set_exception(error)
        return future

    def settle(self) -> None:
        """Carry out what is due, and what follows from it, until everything waits for the time to pass."""
        for _ in range(RESTLESS):
            before = self._called
            # Once round: `stop` before `run_forever` is the documented way to that.
            self.stop()
            self.run_forever()
            if self._called == before:
                return
        raise AssertionError("the loop never comes to rest")

    def move(self, seconds: float) -> None:
        """Let time pass, at once, and carry out what is due then."""
        self._stepped.seconds += seconds
        self.settle()

    def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of something that needs no time to pass."""
        task = self.create_task(work)
        self.settle()
        assert task.done(), f"{work} waits for something"
        return task.result()
