"""The last log lines, in memory. The whole stream is on disk; a panel is a window on it."""

from collections import deque
from collections.abc import Iterable

from skytui.pair.logline import LogLine

KEPT = 5000
"""How many lines a console keeps."""


class LogRing:
    """The last lines, oldest first. `total` counts all that ever came; by it a reader sees that more did."""

    def __init__(self, kept: int = KEPT) -> None:
        self._lines: deque[LogLine] = deque(maxlen=kept)
        self.total = 0

    def extend(self, lines: Iterable[LogLine]) -> None:
        """Take in lines, oldest first; what no longer fits is let go."""
        fresh = tuple(lines)
        self._lines.extend(fresh)
        self.total += len(fresh)

    def replace(self, lines: Iterable[LogLine]) -> None:
        """Take these lines in place of all that are kept."""
        self._lines.clear()
        self.extend(lines)

    def lines(self) -> tuple[LogLine, ...]:
        """All lines that are kept."""
        return tuple(self._lines)
