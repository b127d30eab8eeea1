"""What a fault is."""

from collections.abc import Callable
from dataclasses import dataclass

from skytui.lab.places import Places


@dataclass(frozen=True)
class Fault:
    """A fault: its name, what it does and what undoing it does, in words for `--list`.

    `needs_host`: which host is the operator's choice. `undo` is None where there is nothing to undo.
    `breaks` and `hides` are the checks (`skytui check`) that do not pass under it, and that cannot tell.
    """

    name: str
    does: str
    undoing: str
    needs_host: bool
    inject: Callable[[Places, str], None]
    undo: Callable[[Places, str], None] | None
    breaks: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
