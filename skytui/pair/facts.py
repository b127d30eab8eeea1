"""What is known on the jump host itself: the console's own folder and terminal, earlier runs, the calendar.

Facts are read like a server is: each with the moment it was looked up, and `Unknown` where it could not be.
"""

from datetime import datetime

import msgspec

from skytui.pair.reading import NEVER_ASKED, Known, Stale, Unknown


class Folder(msgspec.Struct, frozen=True):
    """The folder that keeps the pair's runs.

    `trouble` says why nothing can be written there; `free` is in bytes.
    """

    path: str
    free: int
    trouble: str = ""


class Logout(msgspec.Struct, frozen=True):
    """What becomes of the conductor when its user logs out.

    `kills`: systemd-logind ends a user's processes then (`KillUserProcesses` in logind.conf(5)); `lingers`:
    not those of this user (`loginctl enable-linger`).
    """

    user: str
    kills: bool
    lingers: bool


class Terminal(msgspec.Struct, frozen=True):
    """The terminal of whoever looks: its kind (`TERM`), its size in cells, and whether it takes UTF-8."""

    kind: str
    columns: int
    rows: int
    utf8: bool = True


class Past(msgspec.Struct, frozen=True):
    """The earlier runs of this pair that are kept here.

    `owed`: what ended runs still owe, a sentence each; `unreadable`: the runs that could not be read;
    `open_run`: the run that has not ended; `last_swap`: when the last one that swapped the pair ended.
    """

    owed: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    open_run: str = ""
    last_swap: datetime | None = None


class Calendar(msgspec.Struct, frozen=True):
    """When the pair should be swapped, as configured.

    `every` is in days, 0 for not configured; `due` is when the next swap is due, if that is known. `quiet` is
    the quiet window in the words it was configured in, empty for none; `opens` and `closes` are those of the
    next one, or of the one that is open.
    """

    every: int = 0
    due: datetime | None = None
    quiet: str = ""
    opens: datetime | None = None
    closes: datetime | None = None


class Remembered(msgspec.Struct, frozen=True):
    """What the last run whose preflight passed has seen; `run` is its id.

    `scripts`: by server, each script's SHA-256; `database`: the system identifier both servers had.
    """

    run: str = ""
    scripts: dict[str, dict[str, str]] = {}
    database: str = ""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known on the jump host. `addresses` are as configured, `address:port` by server.

    `terminal` is None where no terminal is in the game: the conductor has none.
    """

    addresses: dict[str, str] = {}
    folder: Known[Folder] | Stale[Folder] | Unknown = NEVER_ASKED
    logout: Known[Logout] | Stale[Logout] | Unknown = NEVER_ASKED
    past: Known[Past] | Stale[Past] | Unknown = NEVER_ASKED
    calendar: Known[Calendar] | Stale[Calendar] | Unknown = NEVER_ASKED
    remembered: Known[Remembered] | Stale[Remembered] | Unknown = NEVER_ASKED
    terminal: Known[Terminal] | Stale[Terminal] | Unknown | None = None
