"""A line of a log, or of what a command says."""

from datetime import datetime

import msgspec


class LogLine(msgspec.Struct, frozen=True):
    """One line, made harmless. `wall` is when it reached us, in UTC; `log` its name in the profile."""

    server: str
    log: str
    text: str
    wall: datetime
