"""When a pair should be swapped: its cadence, and the window in which that disturbs nobody. Pure."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""As `date.weekday` counts them."""

_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)
_AHEAD = 15
"""Days that are looked at for the next window: one of them may fall into the hour that a clock skips."""


class QuietWindow:
    """A weekly time by the clock on a wall in `zone`: it opens at `start` on each of `days` (0 is Monday).

    It closes at `end`, on the next day where that is not later than `start`. Where the clock is put forward
    over one of them, the moment of that counts; where it is put back, the window lasts from the first time
    the clock shows `start` to the last time it shows `end`. `words` is how it was written.
    """

    def __init__(self, words: str, days: frozenset[int], start: time, end: time, zone: tzinfo) -> None:
        self.words = words
        self.days, self.start, self.end, self.zone = days, start, end, zone

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QuietWindow) and other.words == self.words

    def __hash__(self) -> int:
        return hash(self.words)

    def __repr__(self) -> str:
        return f"QuietWindow({self.words!r})"

    def contains(self, wall: datetime) -> bool:
        """Whether it is open at that time."""
        opens, closes = self.opening(wall)
        return opens <= wall < closes

    def opening(self, wall: datetime) -> tuple[datetime, datetime]:
        """When it opens and closes, in UTC: the window that is open at that time, else the next one.

        Raises ValueError when the clock of the zone skips all of it for weeks, which no clock does.
        """
        first = wall.astimezone(self.zone).date() - 2 * _DAY
        for ahead in range(_AHEAD + 2):
            day = first + ahead * _DAY
            if day.weekday() in self.days:
                opens, closes = self._on(day)
                if opens < closes and wall < closes:
                    return opens, closes
        raise ValueError(f"{self.words} never opens")

    def _on(self, day: date) -> tuple[datetime, datetime]:
        closing = day + _DAY if self.end <= self.start else day
        opens = _moment(datetime.combine(day, self.start), self.zone, last=False)
        return opens, _moment(datetime.combine(closing, self.end), self.zone, last=True)


def next_due(last: datetime, every: timedelta, quiet: QuietWindow | None) -> datetime:
    """When the swap after one that ended at `last` is due: `every` later, in the next quiet window."""
    due = last + every
    return max(due, quiet.opening(due)[0]) if quiet else due


def _moment(shown: datetime, zone: tzinfo, *, last: bool) -> datetime:
    """When the clock in `zone` shows this, in UTC; where it never does, when it skips it."""
    moment = shown.replace(tzinfo=zone, fold=int(last)).astimezone(UTC)
    if _clock(moment, zone) == shown:
        return moment
    # In a gap `fold=1` gives a moment before it: from there on, until the clock has gone past.
    moment = shown.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while _clock(moment, zone) < shown:
        moment += _MINUTE
    return moment


def _clock(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)
