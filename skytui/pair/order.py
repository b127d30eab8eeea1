"""An order: one action for one server, and what became of it.

The runbook writes orders, a driver carries them out. A driver decides nothing: it checks the expectation it
was given, where the effect happens, immediately before it.
"""

import enum

import msgspec

from skytui.pair.vocabulary import Action, Role


class Expectation(msgspec.Struct, frozen=True):
    """Who must answer, in which role, on which timeline; anything else is refused and nothing is changed.

    `timeline` 0 means that it is not known, or that the system has none.
    """

    name: str
    role: Role
    timeline: int = 0


class Order(msgspec.Struct, frozen=True):
    """One action for one server. The same `token` is never carried out twice.

    `queues` are the names an action is limited to, `runs` the ids of those it starts; `peer` is the other
    server, by its name; `mark` is what a marker says; `deadline` is how long a driver waits for the outcome,
    in seconds, before it is UNKNOWN.
    """

    token: str
    action: Action
    server: str
    expects: Expectation
    peer: str
    queues: tuple[str, ...] = ()
    mark: str = ""
    deadline: float = 60.0
    runs: tuple[str, ...] = ()


class Result(enum.StrEnum):
    """What became of an order."""

    DONE = "done"
    """It ran, and the system said that it succeeded. Whether it did is read back by the gate."""
    FAILED = "failed"
    """It ran, and the system said that it failed."""
    REFUSED = "refused"
    """The other side answered, and refused before anything was changed."""
    NOT_STARTED = "not started"
    """It never started, for certain: nobody could be reached, or a probe found no trace of it."""
    UNKNOWN = "unknown"
    """It may have run or not, or may still be running."""


class Outcome(msgspec.Struct, frozen=True):
    """The result of an order, in a sentence, with the exit code or HTTP status where there is one.

    `position` is where a written marker lies in the write-ahead log; `tail` are the last lines the command
    said.
    """

    result: Result
    says: str
    code: int | None = None
    position: str = ""
    tail: tuple[str, ...] = ()
