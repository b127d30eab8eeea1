"""Both servers together, as one poll saw them."""

from datetime import datetime

import msgspec

from skytui.clock import Instant
from skytui.pair.facts import Facts
from skytui.pair.reading import Known, Unknown
from skytui.pair.vocabulary import Role, ServerReading


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One reading of File Replication Requests: when it was asked, of which server, and the number.

    `pending` is None where the poll got no number: nobody knows what it was then.
    """

    at: Instant
    server: str
    pending: int | None


class PairReading(msgspec.Struct, frozen=True):
    """What is known about the pair at `now`, after a poll that began at `began`.

    `trail` holds the File Replication Requests read in the last minute, oldest first; rate, ETA and the
    gate of `replication-zero` are computed from it. `facts` are those of the jump host.
    """

    began: Instant
    now: Instant
    wall: datetime
    servers: dict[str, ServerReading]
    trail: tuple[Sample, ...] = ()
    poll: int = 0
    facts: Facts = Facts()

    def server(self, name: str) -> ServerReading:
        """What is known about the server `name`; nothing at all when it is not of this pair."""
        return self.servers.get(name) or ServerReading()

    def role(self, name: str) -> Role | None:
        """The role the server `name` gave itself in its latest reading, or None."""
        reading = self.server(name).role
        return reading.value if isinstance(reading, Known) else None

    def masters(self) -> tuple[str, ...]:
        """Every server that reads master now."""
        return tuple(name for name in self.servers if self.role(name) is Role.MASTER)

    def master(self) -> str | None:
        """The one server that reads master, or None when there is none or more than one."""
        masters = self.masters()
        return masters[0] if len(masters) == 1 else None

    def standby(self) -> str | None:
        """The one server that reads standby, or None when there is none or more than one."""
        standbys = [name for name in self.servers if self.role(name) is Role.STANDBY]
        return standbys[0] if len(standbys) == 1 else None

    def peer(self, name: str) -> str:
        """The other server of the pair.

        Raises KeyError when `name` is not of this pair.
        """
        if name not in self.servers:
            raise KeyError(name)
        return next(other for other in self.servers if other != name)


def why_unknown(reading: object) -> str:
    """The reason a reading gives no value now, or the empty string when it does."""
    if isinstance(reading, Known):
        return ""
    if isinstance(reading, Unknown):
        return reading.reason
    return str(getattr(reading, "reason", "not read"))
