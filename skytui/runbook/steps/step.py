"""What a step of a run is."""

import enum

import msgspec

from skytui.pair.vocabulary import Action, Role


class Kind(enum.StrEnum):
    """What sort of run it is."""

    PLANNED = "planned"
    UNPLANNED = "unplanned"
    CONVERT = "convert"
    """The conversion alone, after an unplanned swap that left it for later."""


class Phase(enum.StrEnum):
    """The parts of a swap; the value is the heading on the screen."""

    PREPARE = "Prepare"
    FENCE = "Fence the original master"
    SHUT_DOWN = "Shut down your master server"
    ACTIVATE = "Activate your standby server"
    CONVERT = "Convert the original master"
    ABORT = "Abort: back to how things were"


class Side(enum.StrEnum):
    """Which server a step acts on: by what it was when the run started, not by what it is now."""

    OLD = "original master"
    NEW = "original standby"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the plan.

    `typed`: the operator types the host's name, because a server goes down or changes its role.
    `only_if_needed`: where its gate is open already when it is confirmed, the action is not carried out.
    `words`: what the operator types to confirm it, where that is not the host's name.
    `waivable`: the procedure lets the gate be waived, with a reason.
    `repeatable`: carrying the action out a second time changes nothing more than the first did.
    `manual`: a person does it, outside both servers, and says so with its `words`; nothing is read.
    `decisions`: what may be decided about each row of its list.
    `readback`: when the outcome is lost, the gate alone proves that the action worked.
    `no_way_back`: its intent is the point of no return. Before that `undo` takes back what the action did.
    `deadline`: seconds until the wait for outcome and gate is called overdue.
    """

    id: str
    phase: Phase
    title: str
    why: str
    does: str
    waits_for: str
    side: Side
    action: Action | None = None
    role: Role = Role.MASTER
    undo: Action | None = None
    only_if_needed: bool = False
    typed: bool = False
    words: str = ""
    waivable: bool = False
    repeatable: bool = True
    manual: bool = False
    decisions: tuple[str, ...] = ()
    readback: bool = True
    no_way_back: bool = False
    deadline: float = 60.0
