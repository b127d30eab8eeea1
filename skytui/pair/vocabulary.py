"""The fixed vocabulary: everything that can be read from a server, and everything that can be done to one.

A profile says *how* each of these is asked or done on one kind of system; it cannot add to them. Each
reading has one type, given by `ServerReading`; each action has one meaning, given here.
"""

import enum
import functools
from datetime import datetime

import msgspec

from skytui.pair.reading import NEVER_ASKED, Known, Stale, Unknown

ACTIVE = "active"
"""How an agent that runs jobs reads; and how the standby status on the master begins (in any case)."""
ACTIVE_AND_CONNECTED = "active and connected"
"""How the standby's own page begins when it is connected to its master (in any case)."""


class Role(enum.StrEnum):
    """What a server is, as it says itself."""

    MASTER = "master"
    STANDBY = "standby"


class Action(enum.StrEnum):
    """Everything that can be done to a server; the value is its name in a profile."""

    LOCK_QUEUES = "lock_queues"
    UNLOCK_QUEUES = "unlock_queues"
    STOP_SCHEDULER = "stop_scheduler"
    START_SCHEDULER = "start_scheduler"
    SET_GUARD = "set_guard"
    CLEAR_GUARD = "clear_guard"
    SHUT_DOWN = "shut_down"
    FENCE = "fence"
    """Set the guard, then stop server and database, in whatever state they are."""
    START = "start"
    PROMOTE = "promote"
    RUN_NOW = "run_now"
    SALVAGE = "salvage"
    CONVERT = "convert"
    WRITE_MARKER = "write_marker"
    CLEAR_MARKER = "clear_marker"


class Identity(msgspec.Struct, frozen=True):
    """Who answered. `timeline` counts promotions of the database; `practice` marks a pair made for drills."""

    name: str
    timeline: int = 0
    system_identifier: str = ""
    practice: bool = False


class User(msgspec.Struct, frozen=True):
    """A logged-in user. `own` marks the session of this console itself."""

    user: str
    since: str = ""
    address: str = ""
    own: bool = False


class Queue(msgspec.Struct, frozen=True):
    """An agent job queue: locked or open, and how many jobs wait in it."""

    name: str
    locked: bool
    waiting: int = 0
    agent: str = ""


class Agent(msgspec.Struct, frozen=True):
    """An agent. `state` may be a replicated row; `connected`: it has a live connection to who answered."""

    name: str
    state: str
    connected: bool | None = None
    address: str = ""
    last_seen: str = ""


class Job(msgspec.Struct, frozen=True):
    """A run of a job: under way (`since`), or due (`due`)."""

    id: str = ""
    job: str = ""
    agent: str = ""
    queue: str = ""
    since: str = ""
    due: str = ""


class FinishedRun(msgspec.Struct, frozen=True):
    """A run that has ended."""

    id: str
    job: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    code: int | None = None


class Salvage(msgspec.Struct, frozen=True):
    """What was last saved on a host before its server was converted; `mark`: for which run, empty for none.

    `runs` names the first of the `counted` runs that only this host knew; `files` output files lie beside
    them in `folder`. `aside`: its whole data directory was kept there instead, and nothing was counted.
    """

    mark: str = ""
    folder: str = ""
    runs: list[FinishedRun] = []
    counted: int = 0
    files: int = 0
    aside: bool = False


class LateRun(msgspec.Struct, frozen=True):
    """A run that was due and did not start then. `state`: `missed` (it will not by itself), or `queued`."""

    id: str
    job: str
    due: datetime
    state: str
    reason: str = ""


class Scheduler(msgspec.Struct, frozen=True):
    """The Job Scheduler. `ticks` counts the turns of its loop since it was last started, in memory."""

    state: str
    ticks: int = 0
    last_tick: str = ""


class Link(msgspec.Struct, frozen=True):
    """Replication as one side sees it. `state` is `streaming` when it is alive."""

    state: str
    peer: str = ""
    last_seen: str = ""

    @property
    def alive(self) -> bool:
        """Whether data is flowing now."""
        return self.state == "streaming"


class Process(msgspec.Struct, frozen=True):
    """Something on the host that can act as master: the service, or its database."""

    name: str
    running: bool
    pid: int | None = None


class Port(msgspec.Struct, frozen=True):
    """A listening address, tried from here: `open`, `refused`, or `no answer` (which proves nothing)."""

    port: int
    state: str


class Control(msgspec.Struct, frozen=True):
    """What the database's own control data says; can be read while it is down."""

    state: str
    checkpoint: str
    timeline: int = 0

    @property
    def shut_down(self) -> bool:
        """Whether it was shut down in an orderly way, as a master."""
        return self.state == "shut down"


class Script(msgspec.Struct, frozen=True):
    """A script of the procedure on its host, under the account that would run it.

    `runs`: called in a form that does nothing, without a terminal, it ended well; None where no such form is
    known. `says` is what it said if it did not.
    """

    name: str
    present: bool
    executable: bool = False
    sha256: str = ""
    runs: bool | None = None
    says: str = ""


class ServerReading(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known about one server. The field names are the readings a profile may define."""

    identity: Known[Identity] | Stale[Identity] | Unknown = NEVER_ASKED
    role: Known[Role] | Stale[Role] | Unknown = NEVER_ASKED
    version: Known[str] | Stale[str] | Unknown = NEVER_ASKED
    clock: Known[datetime] | Stale[datetime] | Unknown = NEVER_ASKED
    address: Known[str] | Stale[str] | Unknown = NEVER_ASKED
    listen_port: Known[int] | Stale[int] | Unknown = NEVER_ASKED
    users: Known[list[User]] | Stale[list[User]] | Unknown = NEVER_ASKED
    running_jobs: Known[list[Job]] | Stale[list[Job]] | Unknown = NEVER_ASKED
    due_jobs: Known[list[Job]] | Stale[list[Job]] | Unknown = NEVER_ASKED
    next_start: Known[str] | Stale[str] | Unknown = NEVER_ASKED
    finished_runs: Known[list[FinishedRun]] | Stale[list[FinishedRun]] | Unknown = NEVER_ASKED
    late_runs: Known[list[LateRun]] | Stale[list[LateRun]] | Unknown = NEVER_ASKED
    queues: Known[list[Queue]] | Stale[list[Queue]] | Unknown = NEVER_ASKED
    agents: Known[list[Agent]] | Stale[list[Agent]] | Unknown = NEVER_ASKED
    scheduler: Known[Scheduler] | Stale[Scheduler] | Unknown = NEVER_ASKED
    replication_pending: Known[int] | Stale[int] | Unknown = NEVER_ASKED
    replication_link: Known[Link] | Stale[Link] | Unknown = NEVER_ASKED
    wal_position: Known[str] | Stale[str] | Unknown = NEVER_ASKED
    standby_status: Known[str] | Stale[str] | Unknown = NEVER_ASKED
    server_history: Known[list[FinishedRun]] | Stale[list[FinishedRun]] | Unknown = NEVER_ASKED
    database_bytes: Known[int] | Stale[int] | Unknown = NEVER_ASKED
    disk_free: Known[int] | Stale[int] | Unknown = NEVER_ASKED
    process: Known[list[Process]] | Stale[list[Process]] | Unknown = NEVER_ASKED
    ports: Known[list[Port]] | Stale[list[Port]] | Unknown = NEVER_ASKED
    control: Known[Control] | Stale[Control] | Unknown = NEVER_ASKED
    guard: Known[bool] | Stale[bool] | Unknown = NEVER_ASKED
    marker: Known[str] | Stale[str] | Unknown = NEVER_ASKED
    scripts: Known[list[Script]] | Stale[list[Script]] | Unknown = NEVER_ASKED
    reaches_peer: Known[list[Port]] | Stale[list[Port]] | Unknown = NEVER_ASKED
    run_mark: Known[str] | Stale[str] | Unknown = NEVER_ASKED
    last_boot: Known[datetime] | Stale[datetime] | Unknown = NEVER_ASKED
    salvage: Known[Salvage] | Stale[Salvage] | Unknown = NEVER_ASKED


READINGS = ServerReading.__struct_fields__
"""The names of all readings."""

SLOW = frozenset({"scripts", "reaches_peer", "run_mark", "last_boot"})
"""The readings that cost a host more than a glance: asked every `SLOW_SECONDS`, and whenever it matters."""

SLOW_SECONDS = 30.0


@functools.cache
def value_type(reading: str) -> object:
    """The type of a reading's value.

    Raises KeyError for a name that is no reading.
    """
    for field in msgspec.structs.fields(ServerReading):
        if field.name == reading:
            known = field.type.__args__[0]
            value: object = known.__args__[0]
            return value
    raise KeyError(reading)


OPTIONAL_STEPS = ("announce", "silence-monitoring", "repoint", "unsilence")
"""The steps a pair's configuration may add to the plan. All are done by hand, outside both servers."""
