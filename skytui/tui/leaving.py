"""How an operator leaves the console."""

import enum

import msgspec


class DrillEnding(enum.StrEnum):
    """What becomes of a practice pair when its console is left."""

    BRING_DOWN = "bring the pair down"
    LEAVE_RUNNING = "leave it running"


class Leaving(msgspec.Struct, frozen=True):
    """How the console was left. `ending` is None outside a drill; `says` is printed afterwards."""

    says: str
    ending: DrillEnding | None = None
