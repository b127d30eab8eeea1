"""Commands of the operators' own that run on this machine before and after each phase of a swap."""

import msgspec

from skytui.config.values import Command, Duration


class Hooks(msgspec.Struct, frozen=True, kw_only=True):
    """What is run when. `deadline` is how long each may take; after that it is ended, and has failed."""

    before_prepare: Command | None = None
    after_prepare: Command | None = None
    before_shut_down: Command | None = None
    after_shut_down: Command | None = None
    before_activate: Command | None = None
    after_activate: Command | None = None
    before_convert: Command | None = None
    after_convert: Command | None = None
    deadline: Duration = Duration(60)

    def command(self, when: str, phase: str) -> list[str] | None:
        """The command for `before` or `after` a phase, None where there is none."""
        found: list[str] | None = getattr(self, f"{when}_{phase.replace('-', '_')}")
        return found
