"""The way into the console. Imports textual only after the terminal was prepared for it."""

from collections.abc import Mapping

from skytui.clock import SystemClock
from skytui.errors import StateError, UsageError
from skytui.tui.leaving import Leaving
from skytui.tui.session import Session
from skytui.tui.terminal import prepare, terminal_problem


async def run_console(
    session: Session,
    *,
    slow_link: bool = False,
    ascii_only: bool = False,
    drill: bool = False,
    keys: Mapping[str, object] | None = None,
) -> Leaving:
    """Show the console until the operator leaves it; how they left is returned.

    `drill`: leaving asks what becomes of the practice pair. `keys`: which binding is on which key, where that
    is not its usual one. The session is not closed.
    Raises UsageError when this is no terminal the console can be shown on, StateError when it broke.
    """
    problem = terminal_problem()
    if problem:
        raise UsageError(problem)
    prepare(slow_link=slow_link)
    # Textual reads its settings from the environment when it is imported, so not before.
    from skytui.tui.console import Console  # noqa: PLC0415
    from skytui.tui.glyphs import local_look  # noqa: PLC0415

    console = Console(
        session,
        clock=SystemClock(),
        look=local_look(ascii_only=ascii_only, keys=keys),
        drill=drill,
        ansi=slow_link,
    )
    # The mouse stays off: a connection that breaks would leave the terminal reporting it.
    leaving = await console.run_async(mouse=False)
    if leaving is None:
        raise StateError(
            "The console ended by a fault of its own; the run, if there is one, goes on to its next gate.",
            hint="Start the console again to attach to it.",
        )
    return leaving
