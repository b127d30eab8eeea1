"""What a gate may look at: the *fresh evidence* rule in one place.

A reading counts only if its request started after the thing it has to prove, and not longer ago than the
run's limit. Whatever does not count raises `Missing` with the reason, which the gate turns into a finding;
so a missing reading can never be taken for a value.
"""

from typing import TypeVar

import msgspec

from skytui.clock import Instant
from skytui.pair.pair import PairReading, Sample
from skytui.pair.reading import Known, Stale, Unknown, shown
from skytui.pair.vocabulary import ServerReading

T = TypeVar("T")


class Missing(Exception):  # noqa: N818 - no error: the ordinary answer of a server that is down
    """A reading that does not count, and why."""


class TooEarly(Missing):
    """A reading that was asked for before the thing it has to prove; the next one counts."""


class Sight(msgspec.Struct, frozen=True):
    """A pair's readings, through which only fresh evidence can be seen.

    `since` is the thing to be proven; None when only the age counts (for what a card shows).
    """

    reading: PairReading
    limit: float
    since: Instant | None = None

    def server(self, name: str) -> ServerReading:
        """The readings of a server, to be passed to `take`.

        Raises `Missing` when who answers at its address gives another name: then nothing it says counts.
        """
        server = self.reading.server(name)
        identity = shown(server.identity)
        if identity is not None and identity.name != name:
            raise Missing(
                f"who answers as {name} is {identity.name}: check the addresses in the configuration"
            )
        return server

    def take(self, what: str, reading: Known[T] | Stale[T] | Unknown, *, limit: float | None = None) -> T:
        """The value of a reading that counts. `limit` is how old it may be, in place of the run's limit.

        Raises `Missing` for one that is unknown, stale, too old, or was asked for too early.
        """
        limit = self.limit if limit is None else limit
        if isinstance(reading, Unknown):
            raise Missing(f"{what} is not known: {reading.reason}")
        if isinstance(reading, Stale):
            raise Missing(f"{what} is not known now: {reading.reason}")
        age = self.reading.now.since(reading.at)
        if age > limit:
            raise Missing(f"{what} was read {_seconds(age)} ago; only {limit:.0f} s count")
        if not self.counts(reading.at):
            raise TooEarly(f"{what}: asked for before this; the next reading counts")
        return reading.value

    def counts(self, at: Instant) -> bool:
        """Whether something asked for at this moment proves what has to be proven."""
        return self.since is None or at.later_than(self.since)

    def samples(self, server: str) -> tuple[Sample, ...]:
        """The File Replication Requests of a server that count, oldest first."""
        return tuple(
            sample for sample in self.reading.trail if sample.server == server and self.counts(sample.at)
        )


def _seconds(age: float) -> str:
    return "in an earlier session" if age == float("inf") else f"{age:.0f} s"
