"""Exit codes: how a run ended, or where it stands, as a number. See README, *Exit codes*."""

from skytui.runbook.model import Doubtful, Ended, Ending, Run

DONE, REFUSED, ROLLED_BACK, HALF_WAY, UNSURE, NOT_CLEAN = 0, 10, 11, 12, 13, 14

CODES = {Ending.DONE: DONE, Ending.NOT_CLEAN: NOT_CLEAN, Ending.ROLLED_BACK: ROLLED_BACK}
"""Of runs that have ended."""


def exit_code(run: Run) -> int:
    """The exit code of a run; of one that is open, the one for stopping here."""
    if isinstance(run.stage, Ended):
        return CODES[run.stage.ending]
    if isinstance(run.stage, Doubtful):
        return UNSURE
    return HALF_WAY if run.attempts else REFUSED
