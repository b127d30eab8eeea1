"""The pair's alarm command: run on this machine when somebody has to be called."""

import asyncio
from collections.abc import Callable

from skytui.conductor.local import environment, run_here
from skytui.config.pairs import PairConfig
from skytui.runbook.model import Run

SECONDS = 60.0
"""How long the alarm command may take."""


class Bell:
    """Rings for one pair. `trouble` is told when the command fails, `said` every line it prints."""

    def __init__(
        self, config: PairConfig, *, trouble: Callable[[str], None], said: Callable[[str], None]
    ) -> None:
        self._config = config
        self._trouble = trouble
        self._said = said
        self._tasks: set[asyncio.Task[None]] = set()

    def ring(self, says: str, run: Run | None) -> None:
        """Run the alarm command, if there is one, beside everything else."""
        if self._config.alarm is None:
            return
        task = asyncio.get_running_loop().create_task(self._ring(self._config.alarm, says, run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait for the commands under way; each has a deadline of its own."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _ring(self, command: list[str], says: str, run: Run | None) -> None:
        about = {"SKYTUI_PAIR": self._config.name, "SKYTUI_ALARM": says, "SKYTUI_RUN": run.id if run else ""}
        ok, became = await run_here(command, environment(self._config, **about), SECONDS, self._said)
        if not ok:
            self._trouble(f"The alarm command {command[0]} failed: {became}. It was to say: {says}")
