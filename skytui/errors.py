"""The errors skytui raises on purpose.

    SkytuiError                 what a person can read and act upon
    ├── UsageError              the command line asks for something that cannot be
    ├── ConfigError             a configuration or profile file is wrong
    ├── RemoteError             a server or host could not be asked, or said no
    │   ├── UnreachableError    nobody answered: this says nothing about the other side's state
    │   └── RefusedError        the other side answered, and refused
    ├── StateError              our own state folder, journal or socket is unusable
    ├── RunRefusedError         the run may not do this now
    └── LabError                the practice pair could not be built, started or stopped

Every message is one sentence that says what happened, to what, and what to do. Where `hint` is set it
is the *what to do* alone, for screens that show it apart.
"""


class SkytuiError(Exception):
    """What a person can read and act upon.

    `exit_code` is what the command line ends with when the error reaches it (see README, *Exit codes*).
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip() if hint else message)
        self.hint = hint


class UsageError(SkytuiError):
    """The command line asks for something that cannot be."""


class ConfigError(SkytuiError):
    """A configuration or profile file is wrong; nothing was started."""


class RemoteError(SkytuiError):
    """A server or host could not be asked, or said no."""

    exit_code = 13


class UnreachableError(RemoteError):
    """Nobody answered. This says nothing about the state of the other side."""


class RefusedError(RemoteError):
    """The other side answered, and refused; nothing was changed there."""

    exit_code = 10


class StateError(SkytuiError):
    """Our own state folder, journal or socket is unusable."""

    exit_code = 10


class RunRefusedError(SkytuiError):
    """The run may not do this now; nothing was changed."""

    exit_code = 10


class LabError(SkytuiError):
    """The practice pair could not be built, started or stopped."""
