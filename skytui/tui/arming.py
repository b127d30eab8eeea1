"""When a key counts.

Keys are typed ahead, held down, pasted, and queue up while a program is busy. A confirming key counts only
when it was *read* from the terminal at least `SETTLE` seconds after the card it confirms was painted; so the
card that was on the screen when the key was read is always the one that is confirmed, and a burst of Enters
confirms at most one step.
"""

import time
from collections.abc import Hashable
from typing import Protocol

from textual.message import Message

SETTLE = 0.7
"""How long a card must have been on the screen before it can be confirmed, in seconds."""


class KeyTimes(Protocol):
    """A monotonic clock, and when a key was read by it."""

    def now(self) -> float:
        """Now, in seconds."""

    def read(self, key: Message) -> float:
        """When the key was read from the terminal, in seconds of the same clock."""


class TerminalTimes:
    """The real one: textual stamps each event with `time.monotonic` in the thread that reads the terminal."""

    def now(self) -> float:
        """Now."""
        return time.monotonic()

    def read(self, key: Message) -> float:
        """When the reading thread made this event."""
        return key.time


class Armed:
    """Which card is on the screen, and since when."""

    def __init__(self) -> None:
        self._card: Hashable = None
        self._painted: float | None = None

    @property
    def card(self) -> Hashable:
        """The card that is being shown."""
        return self._card

    def change(self, card: Hashable) -> None:
        """Another card is about to be painted; until it is, nothing counts."""
        self._card = card
        self._painted = None

    def painted(self, card: Hashable, now: float) -> None:
        """`card` is on the screen. A paint that was overtaken by another card does not count."""
        if card == self._card and self._painted is None:
            self._painted = now

    def admits(self, read: float, settle: float = SETTLE) -> bool:
        """Whether a key read at this time was meant for the card that is on the screen."""
        return self._painted is not None and read >= self._painted + settle
