"""`skytui [PAIR]`: the console, on the conductor of a pair."""

import asyncio
import sys

from skytui.clock import SystemClock
from skytui.config.pairs import load_pair, pair_names
from skytui.errors import UsageError
from skytui.link.start import attach
from skytui.tui.app import run_console
from skytui.tui.leaving import Leaving
from skytui.tui.link_session import LinkSession
from skytui.tui.terminal import terminal_problem


def chosen_pair(given: str | None) -> str:
    """The pair that is meant: the one given, else the only one there is.

    Raises UsageError when that is not clear, ConfigError when there is no such pair.
    """
    if given:
        return load_pair(given).name
    names = pair_names()
    if len(names) == 1:
        return names[0]
    if not names:
        raise UsageError("No pair is configured.", hint="Try it on a practice pair first: skytui drill")
    raise UsageError(
        f"Which pair? Configured are {', '.join(names)}.", hint=f"For example: skytui {names[0]}"
    )


def require_terminal() -> None:
    """Raises UsageError where no console can be shown."""
    problem = terminal_problem()
    if problem:
        raise UsageError(problem)


def open_console(pair: str, *, slow_link: bool, ascii_only: bool, drill: bool) -> Leaving:
    """Show the console of a pair until the operator leaves it. The conductor goes on by itself.

    Raises StateError when the conductor does not start.
    """
    return asyncio.run(_show(pair, slow_link=slow_link, ascii_only=ascii_only, drill=drill))


async def _show(pair: str, *, slow_link: bool, ascii_only: bool, drill: bool) -> Leaving:
    session = LinkSession(await attach(pair, "console"), lambda: attach(pair, "console"), SystemClock())
    listening = asyncio.create_task(session.run())
    try:
        return await run_console(session, slow_link=slow_link, ascii_only=ascii_only, drill=drill)
    finally:
        listening.cancel()
        (ended,) = await asyncio.gather(listening, return_exceptions=True)
        if isinstance(ended, Exception):
            # A defect of ours: the panels went grey, and nobody could have known why.
            raise ended


def console(pair: str | None, *, slow_link: bool, ascii_only: bool) -> int:
    """Open the console on a pair; returns the exit code."""
    require_terminal()
    name = chosen_pair(pair)
    leaving = open_console(name, slow_link=slow_link, ascii_only=ascii_only, drill=False)
    sys.stderr.write(f"{leaving.says}\n")
    return 0
