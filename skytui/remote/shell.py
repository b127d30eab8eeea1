"""Argument lists as the text a remote sh is given: each reaches the program literally."""

import shlex
from collections.abc import Sequence


def command_line(words: Sequence[str]) -> str:
    """`words` quoted for a POSIX sh."""
    return shlex.join(words)
