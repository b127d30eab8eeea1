"""What a conductor keeps of runs that are over: their reports, and what they say of the next one."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from skytui.clock import Clock
from skytui.conductor.history import History
from skytui.conductor.reporting import has_report, report_of, write_reports
from skytui.conductor.runs import has_ended, stored_runs
from skytui.errors import StateError
from skytui.link.wire import Past
from skytui.runbook.cadence import Timing, cadence_of
from skytui.runbook.history import UsualTime, usual_steps
from skytui.runbook.model import Run

_LOG = logging.getLogger(__name__)


class Archive:
    """The runs of a pair that are over. `send` is told what they say, `trouble` what could not be done.

    `past` is None until they have been read, one after the other beside everything else.
    """

    def __init__(
        self,
        pair_folder: Path,
        timing: Timing,
        clock: Clock,
        *,
        send: Callable[[Past], None],
        trouble: Callable[[str], None],
    ) -> None:
        self._folder = pair_folder
        self._timing = timing
        self._clock = clock
        self._send = send
        self._trouble = trouble
        self._history = History(pair_folder)
        self.past: Past | None = None

    async def read(self) -> None:
        """Read every run; write the report that a conductor's death kept the last one from."""
        for _ in iter(self._history.take_in_one, False):
            await asyncio.sleep(0)  # others have their turn between two journals
        self._tell()
        try:
            last = next(reversed(stored_runs(self._folder)), None)
            if last is not None and has_ended(last) and not has_report(last):
                self._write(last)
        except StateError as error:  # what can be done about it is said by whoever opens a run
            _LOG.warning("%s", error)

    def usual_of(self, run: Run) -> dict[str, UsualTime]:
        """How long the steps of this run usually take; nothing while that has not been read."""
        return self.past.usual_of(run) if self.past else {}

    def look(self) -> None:
        """Tell anew what has changed by itself: the quiet window, when it has closed."""
        if self.past is not None and self.past.cadence.outdated(self._clock.now()):
            self._tell()

    def report(self, run: Run) -> None:
        """Write the report of a run that has just ended."""
        self._write(self._folder / "runs" / run.id)

    def ended(self) -> None:
        """A run has ended: what the next one is held against is another."""
        self._tell()

    def _tell(self) -> None:
        runs = self._history.past()
        self.past = Past(
            usual={kind: usual_steps(runs, kind) for kind in sorted({run.kind for run in runs})},
            cadence=cadence_of(runs, self._timing, self._clock.now()),
            folder=str(self._folder / "runs"),
        )
        self._send(self.past)

    def _write(self, folder: Path) -> None:
        try:
            refused = write_reports(folder, report_of(folder, self._history))
        except StateError as error:
            refused = str(error)
        if refused:
            again = f"skytui report {folder.name} makes it again"
            self._trouble(f"The report of run {folder.name} was not written ({refused}); {again}.")
