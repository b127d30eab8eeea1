"""When a pair was last swapped, when the next swap is due, and when that disturbs nobody. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from skytui.pair.quiet import QuietWindow, next_due
from skytui.runbook.history import PastRun
from skytui.runbook.steps import Kind


class Timing(msgspec.Struct, frozen=True):
    """How often a pair is to be swapped, and its quiet window; None where nothing is said of it."""

    every: timedelta | None = None
    quiet: QuietWindow | None = None


class LastSwap(msgspec.Struct, frozen=True):
    """The latest run that ended with a swap."""

    run: str
    ended: datetime
    master: str
    clean: bool


class Cadence(msgspec.Struct, frozen=True):
    """Where a pair stands between two swaps. Times are UTC.

    `due` needs both a last swap and a number of days; it lies in the quiet window where there is one.
    `quiet` is the window as written; `opens` and `closes` are those of the one that is open, else the next.
    """

    last: LastSwap | None = None
    every_days: float | None = None
    due: datetime | None = None
    quiet: str = ""
    opens: datetime | None = None
    closes: datetime | None = None

    def outdated(self, now: datetime) -> bool:
        """Whether the window has closed, so that another one is the next."""
        return self.closes is not None and now >= self.closes


def cadence_of(past: Sequence[PastRun], timing: Timing, now: datetime) -> Cadence:
    """The cadence of a pair with these earlier runs. A conversion alone is no swap."""
    latest = max((run for run in past if run.kind != Kind.CONVERT), key=lambda run: run.ended, default=None)
    last = LastSwap(latest.id, latest.ended, latest.new, latest.clean) if latest else None
    due = next_due(last.ended, timing.every, timing.quiet) if last and timing.every else None
    days = timing.every / timedelta(days=1) if timing.every else None
    if timing.quiet is None:
        return Cadence(last, days, due)
    opens, closes = timing.quiet.opening(now)
    return Cadence(last, days, due, timing.quiet.words, opens, closes)


def cadence_words(cadence: Cadence, now: datetime) -> tuple[str, ...]:
    """Last swap, next due and quiet window, a sentence each; nothing of what nothing is known."""
    return tuple(filter(None, (_last(cadence, now), _due(cadence, now), _quiet(cadence, now))))


def _last(cadence: Cadence, now: datetime) -> str:
    last = cadence.last
    if last is None:
        return "no swap by skytui is recorded here"
    unclean = "" if last.clean else ", not clean"
    return (
        f"last swap {last.ended:%Y-%m-%d %H:%M} UTC, {_distance(now - last.ended)} ago"
        f" (run {last.run}{unclean}; {last.master} became the master)"
    )


def _due(cadence: Cadence, now: datetime) -> str:
    if cadence.every_days is None:
        return ""
    every = f"every {cadence.every_days:g} days"
    if cadence.due is None:
        return f"next swap due: not known before the first one ({every})"
    when = f"{cadence.due:%Y-%m-%d %H:%M} UTC"
    if cadence.due <= now:
        return f"next swap OVERDUE: it was due {when}, {_distance(now - cadence.due)} ago ({every})"
    return f"next swap due {when}, in {_distance(cadence.due - now)} ({every})"


def _quiet(cadence: Cadence, now: datetime) -> str:
    if not cadence.quiet or cadence.opens is None or cadence.closes is None:
        return ""
    if cadence.opens <= now < cadence.closes:
        return f"quiet window {cadence.quiet}: open now, until {cadence.closes:%H:%M} UTC"
    return (
        f"quiet window {cadence.quiet}: next {cadence.opens:%Y-%m-%d %H:%M} UTC,"
        f" in {_distance(cadence.opens - now)}"
    )


def _distance(between: timedelta) -> str:
    seconds = max(0.0, between.total_seconds())
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.0f} days"
