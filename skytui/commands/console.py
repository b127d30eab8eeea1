"""`skytui [PAIR]` and `skytui watch PAIR`: the console, on the conductor of a pair."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from skytui.clock import SystemClock
from skytui.commands.keys import keys_for
from skytui.conductor.runs import open_run
from skytui.config.pairs import load_pair, pair_names
from skytui.config.state import pair_folder
from skytui.errors import ConfigError, StateError, UsageError
from skytui.link.client import Client
from skytui.link.start import attach, conductor_listens
from skytui.tui.app import run_console
from skytui.tui.leaving import Leaving
from skytui.tui.link_session import LinkSession
from skytui.tui.terminal import terminal_problem


def chosen_pair(given: str | None) -> str:
    """The pair that is meant: the one given, else the only one there is.

    Raises UsageError when that is not clear, ConfigError when there is no such pair.
    """
    if given:
        return known_pair(given)
    names = pair_names()
    if len(names) == 1:
        return names[0]
    if not names:
        raise UsageError("No pair is configured.", hint="Try it on a practice pair first: skytui drill")
    raise UsageError(
        f"Which pair? Configured are {', '.join(names)}.", hint=f"For example: skytui {names[0]}"
    )


def known_pair(name: str) -> str:
    """The name, if that pair can be worked with: soundly configured, or in the middle of a run.

    A run goes by its own copy of the configuration, and is not to be out of reach while somebody edits it.
    Raises ConfigError when there is no such pair, or its configuration is faulty and no run is open.
    """
    try:
        return load_pair(name).name
    except ConfigError:
        if conductor_listens(name) or open_run(pair_folder(name)) is not None:
            return name
        raise


def require_terminal() -> None:
    """Raises UsageError where no console can be shown."""
    problem = terminal_problem()
    if problem:
        raise UsageError(problem)


def open_console(pair: str, *, slow_link: bool, ascii_only: bool, drill: bool) -> Leaving:
    """Show the console of a pair until the operator leaves it. The conductor goes on by itself.

    Raises StateError when the conductor does not start.
    """

    keys = keys_for(pair)

    async def show() -> Leaving:
        client = await attach(pair, "console")
        return await _show(
            client,
            lambda: attach(pair, "console"),
            slow_link=slow_link,
            ascii_only=ascii_only,
            drill=drill,
            keys=keys,
        )

    return asyncio.run(show())


async def _show(
    client: Client,
    again: Callable[[], Awaitable[Client]],
    *,
    slow_link: bool,
    ascii_only: bool,
    drill: bool = False,
    keys: dict[str, object],
) -> Leaving:
    session = LinkSession(client, again, SystemClock())
    listening = asyncio.create_task(session.run())
    try:
        return await run_console(session, slow_link=slow_link, ascii_only=ascii_only, drill=drill, keys=keys)
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


def watch(pair: str, *, slow_link: bool, ascii_only: bool) -> int:
    """Open the console on a pair as one that may only look; returns the exit code."""
    require_terminal()
    leaving = asyncio.run(_watch(known_pair(pair), slow_link=slow_link, ascii_only=ascii_only))
    sys.stderr.write(f"{leaving.says}\n")
    return 0


async def _watch(pair: str, *, slow_link: bool, ascii_only: bool) -> Leaving:
    """A watcher starts a conductor only where it would find nothing to carry on, and never another one.

    A conductor takes up a run that it finds open; that is for somebody who may act on it.
    """
    folder = pair_folder(pair)
    if not conductor_listens(pair) and open_run(folder) is not None:
        raise StateError(
            f"A run of {pair} is open, and its conductor is gone; a watcher does not take it up.",
            hint=f"See where it stands with: skytui plan {pair}. Take it up with: skytui {pair}",
        )
    keys = keys_for(pair)
    client = await attach(pair, "watch")
    return await _show(
        client, lambda: Client.connect(folder, "watch"), slow_link=slow_link, ascii_only=ascii_only, keys=keys
    )
