"""When a pair is to be swapped, as it is written: `60d`, `Sun 02:00-05:00 Europe/Berlin`."""

import re
from datetime import time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from skytui.config.nearest import nearest
from skytui.pair.quiet import DAYS, QuietWindow

_PERIOD = re.compile(r"(\d{1,4})\s*([dw])", re.ASCII)
_QUIET = re.compile(r"(?:(?P<days>[A-Za-z,-]+) +)?(?P<start>\S+?) *- *(?P<end>\S+) +(?P<zone>\S+)")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)

_FORM = "write it as `Sun 02:00-05:00 Europe/Berlin`; days may be `Mon,Thu` or `Mon-Fri`, or left out"


class Period(timedelta):
    """A number of days, written `60d` or `8w`."""

    @classmethod
    def parse(cls, raw: object) -> "Period":
        """Raises ValueError when `raw` is not a number of days or weeks, at most ten years."""
        match = _PERIOD.fullmatch(raw.strip()) if isinstance(raw, str) else None
        if match is None:
            raise ValueError(f"{raw!r} is no number of days; write it as `60d` or `8w`")
        days = int(match[1]) * (7 if match[2] == "w" else 1)
        if not 0 < days <= 3650:
            raise ValueError(f"{raw!r} must be at least a day and at most ten years")
        return cls(days=days)


def parse_quiet(text: str) -> QuietWindow:
    """Raises ValueError when `text` is no weekly window, with what is wrong with it."""
    match = _QUIET.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no quiet window; {_FORM}")
    start, end = _clock(match["start"]), _clock(match["end"])
    if start == end:
        raise ValueError(f"{text!r} is empty: it ends when it starts")
    return QuietWindow(text.strip(), _days(match["days"]), start, end, _zone(match["zone"]))


def _clock(text: str) -> time:
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no time of day; {_FORM}")
    return time(int(match[1]), int(match[2]))


def _days(text: str | None) -> frozenset[int]:
    """The days of `Mon,Thu` or `Fri-Mon`; every day when there are none."""
    if text is None:
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        begin, end = _day(first), _day(last or first)
        days |= {day % 7 for day in range(begin, end + (8 if end < begin else 1))}
    return frozenset(days)


def _day(text: str) -> int:
    name = text[:1].upper() + text[1:].lower()
    if name not in DAYS:
        raise ValueError(f"{text!r} is no day; {nearest(name, DAYS)}")
    return DAYS.index(name)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = available_timezones()
        hint = nearest(name, known) if known else "this system has no time zones: install tzdata"
        raise ValueError(f"there is no time zone {name!r}; {hint or 'write it as `Europe/Berlin`'}") from None
