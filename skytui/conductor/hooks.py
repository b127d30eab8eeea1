"""Runs the operators' own commands before and after a phase, on this machine, and says what came of them."""

from collections.abc import Callable

from skytui.conductor.local import environment, run_here
from skytui.config.pairs import PairConfig
from skytui.runbook.model import Run

Said = Callable[[str, str], None]
"""Takes a hook's name and a line that it printed."""


class HookRunner:
    """The hooks of a pair. `said` is told every line they print."""

    def __init__(self, config: PairConfig, said: Said) -> None:
        self._config = config
        self._said = said

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are configured."""
        hooks = self._config.hooks
        keys = [key for key in hooks.__struct_fields__ if key != "deadline" and getattr(hooks, key)]
        return tuple(" ".join(key.replace("_", "-").split("-", 1)) for key in keys)

    async def run(self, name: str, run: Run) -> tuple[bool, str]:
        """Whether the hook succeeded, and what became of it. Never raises for what the command does."""
        when, _, phase = name.partition(" ")
        command = self._config.hooks.command(when, phase)
        if command is None:
            return False, "it is not configured any more"
        environ = environment(
            self._config,
            SKYTUI_RUN=run.id,
            SKYTUI_PAIR=run.pair,
            SKYTUI_PHASE=phase,
            SKYTUI_WHEN=when,
            SKYTUI_OLD=run.old,
            SKYTUI_NEW=run.new,
        )
        deadline = float(self._config.hooks.deadline)
        return await run_here(command, environ, deadline, lambda line: self._said(name, line))
