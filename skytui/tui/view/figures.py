"""Numbers as people read them."""

import math
from collections.abc import Sequence

import msgspec

from skytui.pair.pair import Sample


def short_time(seconds: float) -> str:
    """A duration as `0:41`, `12:05` or `1:02:03`."""
    if not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def ago(seconds: float) -> str:
    """An age in words, as `3 s ago`."""
    if not math.isfinite(seconds):
        return "in an earlier session"
    return f"{seconds:.0f} s ago" if seconds < 120 else f"{seconds / 60:.0f} min ago"


def size(count: int) -> str:
    """A number of bytes, as `3.2 GB` (powers of 1000)."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def plural(count: int, one: str, many: str = "") -> str:
    """A counted noun, as `1 file` or `3 files`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def sparkline(values: Sequence[int], signs: str, width: int) -> str:
    """The last `width` values as a row of signs, scaled from 0 to the highest."""
    window = values[-width:] if width > 0 else ()
    highest = max(window, default=0)
    if not highest:
        return signs[0] * len(window)
    top = len(signs) - 1
    return "".join(signs[min(top, round(value * top / highest))] for value in window)


class Pace(msgspec.Struct, frozen=True):
    """How File Replication Requests change. `rate` is files a second, positive while they fall."""

    pending: int
    rate: float
    values: tuple[int, ...]

    @property
    def eta(self) -> float | None:
        """Seconds until 0 at this pace; None when they do not fall, or are there."""
        return self.pending / self.rate if self.rate > 0.05 and self.pending else None


WINDOW = 15.0
"""Over how many seconds the pace is measured."""


def pace_of(trail: Sequence[Sample], server: str) -> Pace | None:
    """The pace of the requests counted on `server`; None when there was no count."""
    counts = [(s.pending, s.at) for s in trail if s.server == server and s.pending is not None]
    if not counts:
        return None
    last, now = counts[-1]
    recent = [(pending, at) for pending, at in counts if now.since(at) <= WINDOW]
    # From the highest count on: before it, files were still being added.
    top, began = max(recent, key=lambda count: (count[0], count[1].seconds))
    passed = now.since(began)
    rate = (top - last) / passed if passed > 0 else 0.0
    return Pace(last, rate, tuple(pending for pending, _ in counts))
