"""The mark of a run on the hosts of its servers: it keeps other jump hosts out while the run is open."""

from datetime import datetime

import msgspec


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Whose run it is.

    `key` tells runs apart that two jump hosts opened in the same second; `host` is the jump host it is driven
    from; `hash` is that of the last event that was on disk there, empty before the first.
    """

    pair: str
    run: str
    key: str
    who: str = "somebody"
    host: str = "an unknown host"
    since: datetime | None = None
    hash: str = ""

    @property
    def identity(self) -> str:
        """What no other run has."""
        return f"{self.run}/{self.key}"

    @property
    def words(self) -> str:
        """Whose run it is, where it is driven from and since when."""
        since = f", since {self.since:%Y-%m-%d %H:%M} UTC" if self.since else ""
        return f"run {self.run} by {self.who} from {self.host}{since}"


class Carried(msgspec.Struct, frozen=True):
    """The server carries our mark. `before` stood there until then: ours, or the one that was replaced.

    `silent` is how old the heartbeat of `before` was, in seconds by the server's own clock.
    """

    before: Mark | None = None
    silent: float = 0.0


class Foreign(msgspec.Struct, frozen=True):
    """The server carries another run's mark, whose heartbeat is `silent` seconds old by the server's clock.

    Nothing was changed.
    """

    mark: Mark
    silent: float = 0.0


class Unmarked(msgspec.Struct, frozen=True):
    """Whether the server carries our mark is not known, and why: it was not reached, or cannot be marked."""

    reason: str


Marking = Carried | Foreign | Unmarked
"""What came of setting a mark."""
