"""`skytui drill`: a practice pair, and the console (or a headless run) on it."""

import asyncio
import sys

from skytui import paths
from skytui.commands import lab
from skytui.commands.answers import Answers
from skytui.commands.console import open_console, require_terminal
from skytui.commands.headless import DONE, swap
from skytui.errors import UsageError
from skytui.tui.leaving import DrillEnding

PRACTICE_DECISIONS = {"first-job": "leave", "server-history": "recorded"}
"""What a headless drill decides: the practice pair's jobs come again within a minute."""


def console(*, slow_link: bool, ascii_only: bool) -> int:
    """Bring the pair up if it is not, open the console on it; returns the exit code.

    Interrupted before the console has opened, everything that was started is stopped.
    """
    require_terminal()
    lab.up(fast=False, jobs=None)  # interrupted, it stops what it has started by itself
    leaving = open_console(paths.PRACTICE, slow_link=slow_link, ascii_only=ascii_only, drill=True)
    if leaving.ending is DrillEnding.BRING_DOWN:
        lab.down()
    else:
        lab.say(f"{leaving.says}\n`skytui drill` attaches again; `skytui lab down` ends everything.")
    return 0


def headless(*, yes: bool) -> int:
    """Pair up, swap, swap back, pair down; the exit code of the first swap that is not simply done."""
    if not yes:
        raise UsageError("A headless drill needs --yes: nobody is there to confirm.")
    answers = Answers(yes=True, practice=True, decide=PRACTICE_DECISIONS)
    try:
        lab.up(fast=True, jobs=None)
        for turn in ("swap", "swap back"):
            lab.say(f"-- {turn}")
            code = asyncio.run(swap(paths.PRACTICE, answers, sys.stdout, lab.say))
            if code != DONE:
                return code
        return DONE
    finally:
        lab.down()
