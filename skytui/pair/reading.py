"""A reading: one value asked of one server, with the moment it was asked and where it came from.

`Unknown` is a value. It never compares equal to anything a gate looks for, and it carries the reason. A
`Stale` reading is the last value known, kept for the screen after a later attempt failed; no gate takes it.
"""

import enum
from typing import Generic, TypeVar

import msgspec

from skytui.clock import Instant

T_co = TypeVar("T_co", covariant=True)


class Silence(enum.StrEnum):
    """What kind of reason it is that a reading gives no value."""

    NO_ANSWER = "no answer"
    """Nobody answered, or not in time: this says nothing about the other side."""
    REFUSED = "refused"
    """The other side answered, and would not say."""
    UNUSABLE = "unusable"
    """It answered with something that is not what it was asked for."""
    NOT_ASKED = "not asked"
    """Nobody asked: not yet, or because only a server in the other role is asked."""
    NO_SUCH_THING = "no such thing"
    """This kind of system has no such thing, or its profile does not say how it is read."""
    BY_HAND = "by hand"
    """A person looks at it."""


class Known(msgspec.Struct, Generic[T_co], frozen=True, tag="known"):
    """A value that a server gave.

    `at` is when its request *started*, by the conductor's monotonic clock: a value can only prove what
    happened before it was asked for.
    """

    value: T_co
    at: Instant
    source: str = ""


class Stale(msgspec.Struct, Generic[T_co], frozen=True, tag="stale"):
    """The last value known; what was asked since then failed, for `reason`."""

    value: T_co
    at: Instant
    reason: str
    source: str = ""
    silence: Silence = Silence.NO_ANSWER


class Unknown(msgspec.Struct, frozen=True, tag="unknown"):
    """Nothing is known, for `reason`, which is of the kind `silence`.

    `at` is when the failed request started; absent if none was made.
    """

    reason: str
    at: Instant | None = None
    source: str = ""
    silence: Silence = Silence.NO_ANSWER


NEVER_ASKED = Unknown("not asked yet", silence=Silence.NOT_ASKED)
"""What every reading is before the first poll."""


def shown(reading: Known[T_co] | Stale[T_co] | Unknown) -> T_co | None:
    """The value a screen may show (the last one known), or None."""
    return None if isinstance(reading, Unknown) else reading.value


def after(
    before: Known[T_co] | Stale[T_co] | Unknown, now: Known[T_co] | Unknown
) -> Known[T_co] | Stale[T_co] | Unknown:
    """What is known when `now` was read after `before`: a failure keeps the last value, as stale."""
    if isinstance(now, Known) or isinstance(before, Unknown):
        return now
    return Stale(before.value, before.at, now.reason, before.source, now.silence)
