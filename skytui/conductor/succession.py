"""Who may take up a run that a dead conductor left.

A run goes by somebody's keys. Its own person's next conductor takes it up without a word; another person's
does only when told to, for a reason that is journalled.
"""

from collections.abc import Collection

import msgspec

from skytui.errors import RunRefusedError
from skytui.plaintext import plain
from skytui.runbook.model import Run


class Succession(msgspec.Struct, frozen=True):
    """How a run is taken up: `after` whose death, `silent` for how many seconds then, and for which `reason`.

    Empty where it is the same person's.
    """

    after: str = ""
    silent: float = 0.0
    reason: str = ""


SAME = Succession()
"""The same person goes on."""


def succession(run: Run, heir: str, *, silent: float, reason: str, operators: Collection[str]) -> Succession:
    """How `heir` takes up `run`, whose conductor has given no sign of life for `silent` seconds.

    Raises RunRefusedError when the run is another person's and no reason is given, or `heir` is none of those
    who may operate it.
    """
    if run.keys_of == heir:
        return SAME
    left = (
        f"Run {run.id} of {run.pair} goes by the keys of {run.keys_of}, whose conductor has been dead for"
        f" {_age(silent)}"
    )
    if operators and heir not in operators:
        raise RunRefusedError(
            f"{left}; {heir} is none of this pair's operators ({', '.join(sorted(operators))})."
        )
    if not reason.strip():
        raise RunRefusedError(
            f"{left}; it is not gone on with just so.",
            hint=f"If {run.keys_of} does not: skytui take {run.pair} --reason '…'",
        )
    return Succession(run.keys_of, silent, plain(reason))


def _age(seconds: float) -> str:
    """A length of time in words: seconds, minutes, or hours and minutes."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
