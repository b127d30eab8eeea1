"""What the person at this console is to the run: its operator, somebody who looks on, or a watcher.

The conductor decides who may do what, each time it is asked; this is the same told beforehand, so that a key
that would be refused says so when it is pressed.
"""

import enum

from skytui.tui.session import Shown


class Standing(enum.StrEnum):
    """What this console is to the run."""

    OPERATOR = "operator"
    """Its confirmations count; also when no run is open, and when the operator's own seat is free."""
    OBSERVER = "observer"
    """Somebody else operates, or another client of the same person."""
    WATCHER = "watcher"
    """It may ask for nothing at all."""


def standing_of(shown: Shown) -> Standing:
    """What this console is to the run that is shown."""
    you, run, operator = shown.you, shown.run, shown.present.operator
    if you is None or not shown.may:
        return Standing.WATCHER
    if run is None or run.over:
        return Standing.OPERATOR
    mine = run.operator == you.who if operator is None else operator.number == you.number
    return Standing.OPERATOR if mine else Standing.OBSERVER
