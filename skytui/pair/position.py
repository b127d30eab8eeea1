"""Write-ahead log positions.

A position is written `X/Y`, two hexadecimal numbers, the high and the low half of a byte count.
Source: PostgreSQL documentation, *pg_lsn Type*.
"""

import re

_POSITION = re.compile(r"([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})")


def parse_position(text: str) -> int | None:
    """The position as a number of bytes, or None when `text` is not one."""
    match = _POSITION.fullmatch(text.strip())
    return (int(match[1], 16) << 32) | int(match[2], 16) if match else None


def reached(position: str, target: str) -> bool:
    """Whether `position` is at `target` or past it; False when either cannot be read."""
    here, there = parse_position(position), parse_position(target)
    return here is not None and there is not None and here >= there


def past(position: str, target: str) -> bool:
    """Whether `position` lies beyond `target`; False when either cannot be read."""
    here, there = parse_position(position), parse_position(target)
    return here is not None and there is not None and here > there
