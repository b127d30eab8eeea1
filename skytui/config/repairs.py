"""Which repairs apply to a server now: none to one that reads master, or that may be one."""

from skytui.config.profile import Profile
from skytui.pair.pair import PairReading
from skytui.pair.reading import Known
from skytui.pair.vocabulary import READINGS, Role

_IN_RECOVERY = ("in archive recovery", "shut down in recovery")
"""What the control data of a database says that follows a master. Source: PostgreSQL, *pg_controldata*."""


def applicable(profile: Profile, pair: PairReading, server: str) -> list[str]:
    """The names of the repairs that apply to `server`, by what both servers read in the latest poll.

    Only what was read counts: nothing stale, and of the conditions every one.
    """
    if not proven_no_master(pair, server):
        return []
    reading = pair.server(server)
    return [
        name
        for name, repair in profile.repairs.items()
        if repair.when
        and all(
            key in READINGS and condition.holds(getattr(reading, key))
            for key, condition in repair.when.items()
        )
    ]


def proven_no_master(pair: PairReading, server: str) -> bool:
    """Whether it is proven now that `server` is no master.

    It reads standby; or it says nothing of its role, the other one reads master, and either its database is
    in recovery, by its own control data, or the master streams to it by name. That it was a standby when it
    last answered proves nothing.
    """
    if server not in pair.servers:
        return False
    own, master = pair.server(server), pair.master()
    if isinstance(own.role, Known):
        return own.role.value is Role.STANDBY
    if master is None or master == server:
        return False
    control, link = own.control, pair.server(master).replication_link
    in_recovery = isinstance(control, Known) and control.value.state in _IN_RECOVERY
    streams = isinstance(link, Known) and link.value.alive and link.value.peer == server
    return in_recovery or streams
