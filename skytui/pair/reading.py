"""A reading: one value asked of one server, with the moment it was asked and where it came from.

`Unknown` is a value. It never compares equal to anything a gate looks for, and it carries the reason. A
`Stale` reading is the last value known, kept for the screen after a later attempt failed; no gate takes it.
"""

import enum
from typing import Generic, TypeVar

import msgspec

from skytui.clock import Instant

T_co = TypeVar("T_co", covariant=True)


class Cause(enum.StrEnum):
    """Why nothing is known, as profiles and repairs tell causes apart. One is never taken for another."""

    OTHER = "other"
    """Nothing that any of the others says."""
    NOT_ASKED = "not asked"
    """Nobody was asked: the profile, the configuration or the server's role says so."""
    STANDBY = "standby"
    """The server is a standby, and only a master has an answer."""
    GONE = "process gone"
    """The host answered that the process is not there."""
    CLOSED = "port closed"
    """The server's address refused the connection: nothing listens there."""
    SILENT = "does not answer"
    """No connection or no answer in time; it may be up or down."""
    HOST = "host not reached"
    """The host could not be reached over SSH: this says nothing about its server."""
    REFUSED = "refused"
    """The other side answered, and refused."""
    UNUSABLE = "unusable answer"
    """An answer came, and is not what the profile expects."""
    NO_SUCH_THING = "no such thing"
    """This kind of system has none, or its profile or configuration does not say how it is asked."""
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
    cause: Cause = Cause.OTHER


class Unknown(msgspec.Struct, frozen=True, tag="unknown"):
    """Nothing is known, for `reason`. `at` is when the failed request started; absent if none was made."""

    reason: str
    at: Instant | None = None
    source: str = ""
    cause: Cause = Cause.OTHER


NEVER_ASKED = Unknown("not asked yet", cause=Cause.NOT_ASKED)
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
    return Stale(before.value, before.at, now.reason, before.source, now.cause)
