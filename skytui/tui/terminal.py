"""What must be so before textual is imported. Imports no textual itself."""

import os
import sys
import termios


def terminal_problem() -> str:
    """Why the console cannot be shown on this terminal, as a sentence; empty when it can."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return (
            "The console needs a terminal, and standard input or output is not one:"
            " use `skytui swap --headless` or `skytui status`."
        )
    kind = os.environ.get("TERM", "")
    if kind in ("", "dumb", "unknown"):
        return (
            f"The console needs a terminal that can move its cursor, and TERM is {kind or 'not set'!r}:"
            " set TERM to what your terminal is (often xterm-256color), or use `skytui swap --headless`."
        )
    return ""


def terminal_is_gone() -> bool:
    """Whether the terminal was closed under us: the kernel then answers every question about it with EIO."""
    try:
        termios.tcgetattr(sys.__stdin__.fileno() if sys.__stdin__ else 0)
    except (termios.error, ValueError):
        return True
    return False


def prepare(*, slow_link: bool) -> None:
    """Set what textual reads once, when it is imported: no animation, and few frames on a slow link."""
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    if slow_link:
        os.environ["TEXTUAL_FPS"] = "10"
