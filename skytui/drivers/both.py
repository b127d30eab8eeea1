"""Values that take both servers: a difference of two positions."""

from typing import Any

from skytui.config.profile_rules import OPERAND
from skytui.config.reading_spec import ReadingSpec
from skytui.pair.position import parse_position
from skytui.pair.reading import Cause, Known, Unknown
from skytui.pair.vocabulary import Link, Role

Found = dict[str, Known[Any] | Unknown]
"""What was read of one server in one poll, by reading."""


def operands(spec: ReadingSpec) -> set[str]:
    """The readings a difference takes: its sides, and those that say whether they can be compared."""
    sides = [match[2] for side in spec.difference or () if (match := OPERAND.fullmatch(side))]
    return {*sides, "role", "identity", "replication_link"} if sides else set()


def difference(spec: ReadingSpec, one: Found, other: Found) -> Known[object] | Unknown:
    """The first side minus the second, in the order the profile states. As old as the older of the two.

    A number, or the bytes between two positions of the write-ahead log. Not comparable, so unknown: without
    one master and one standby, over a link that is not alive, on two timelines.
    """
    roles = {_value(found.get("role")): found for found in (one, other)}
    if set(roles) != {Role.MASTER, Role.STANDBY}:
        return Unknown("not comparable: it takes one master and one standby", cause=Cause.NOT_ASKED)
    if why := _dead(one, other) or _apart(roles[Role.MASTER], roles[Role.STANDBY]):
        return Unknown(f"not comparable: {why}")
    sides: list[tuple[str, Known[Any], int]] = []
    for match in filter(None, map(OPERAND.fullmatch, spec.difference or ())):
        reading = roles[Role(match[1])].get(match[2])
        if not isinstance(reading, Known):
            why = reading.reason if reading is not None else "it is not asked"
            return Unknown(f"not comparable: {match[2]} of the {match[1]} is unknown: {why}")
        number = _number(reading.value)
        if number is None:
            return Unknown(f"not comparable: {match[2]} of the {match[1]} is no number: `{reading.value}`")
        sides.append((match[0], reading, number))
    (first, a, left), (second, b, right) = sides
    if ("/" in str(a.value)) is not ("/" in str(b.value)):
        return Unknown(f"not comparable: `{a.value}` and `{b.value}` are not counted alike")
    at = b.at if a.at.later_than(b.at) else a.at
    return Known(left - right, at, f"{first.strip('{}')} - {second.strip('{}')}")


def _value(reading: Known[Any] | Unknown | None) -> object:
    return reading.value if isinstance(reading, Known) else None


def _number(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = value.strip()
        return int(text) if text.isascii() and text.isdecimal() else parse_position(text)
    return None


def _dead(one: Found, other: Found) -> str:
    """Why replication is not known to be alive; empty when each server that says anything says so."""
    links = [_value(found.get("replication_link")) for found in (one, other)]
    known = [link for link in links if isinstance(link, Link)]
    if not known:
        return "the replication link is unknown"
    dead = next((link for link in known if not link.alive), None)
    return f"the replication link is down ({dead.state or 'not connected'})" if dead is not None else ""


def _apart(master: Found, standby: Found) -> str:
    first, second = (getattr(_value(found.get("identity")), "timeline", 0) for found in (master, standby))
    return f"timelines {first} and {second}" if first and second and first != second else ""
