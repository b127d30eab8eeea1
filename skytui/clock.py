"""Time, as something that is handed in.

Evidence is ordered by a monotonic clock (wall clocks jump); people are shown wall-clock time. A monotonic
clock means nothing in another process, so an `Instant` names the process it was taken in (`boot`).
"""

import time
import uuid
from datetime import UTC, datetime
from typing import Protocol

import msgspec


class Instant(msgspec.Struct, frozen=True):
    """A moment of one process's monotonic clock.

    `boot` names the process, `seconds` is its monotonic clock. Instants of different processes are never
    compared by their seconds.
    """

    boot: str
    seconds: float

    def since(self, earlier: "Instant") -> float:
        """Seconds from `earlier` to this moment; infinite when `earlier` is of another process."""
        return self.seconds - earlier.seconds if self.boot == earlier.boot else float("inf")

    def later_than(self, other: "Instant") -> bool:
        """Whether this moment, taken by the living process, came after `other`.

        An instant of another process can only be one that was recorded before the living one was started.
        """
        return self.boot != other.boot or self.seconds > other.seconds


class Clock(Protocol):
    """What tells the time. Tests hand in their own."""

    def instant(self) -> Instant:
        """Now, for ordering and durations."""

    def now(self) -> datetime:
        """Now, for people: wall-clock time in UTC."""


class SystemClock:
    """The clock of this process."""

    def __init__(self) -> None:
        self._boot = uuid.uuid4().hex[:12]

    def instant(self) -> Instant:
        """Now, by this process's monotonic clock."""
        return Instant(self._boot, time.monotonic())

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved. For tests, screenshots and the simulation."""

    def __init__(self, start: datetime, boot: str = "manual") -> None:
        self._start = start
        self._boot = boot
        self._seconds = 0.0

    def instant(self) -> Instant:
        """Now, in seconds since the clock was made."""
        return Instant(self._boot, self._seconds)

    def now(self) -> datetime:
        """The start moved on by the same seconds."""
        return datetime.fromtimestamp(self._start.timestamp() + self._seconds, UTC)

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        self._seconds += seconds
