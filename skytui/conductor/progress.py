"""Listens to the command that is under way: how far it has got, and whether it still gets on."""

from collections.abc import Callable, Mapping

from skytui.clock import Clock
from skytui.drivers.driver import Driver
from skytui.link.wire import NewProgress
from skytui.pair.order import Order
from skytui.runbook.model import Doubtful, Run, Running
from skytui.runbook.progress import Progress, begun, heard, stall_words


class Listener:
    """The progress of the one command a run has under way.

    What changes is sent on once a poll, so that a chatty command costs a slow link nothing. `stalled` is
    called once each time it has not got on for `stall_seconds`, with its server, its step and a sentence.
    """

    def __init__(
        self,
        drivers: Mapping[str, Driver],
        clock: Clock,
        stall_seconds: float,
        *,
        send: Callable[[NewProgress], None],
        stalled: Callable[[Progress, str], None],
    ) -> None:
        self._drivers = drivers
        self._clock = clock
        self._stall_seconds = stall_seconds
        self._send = send
        self._stalled = stalled
        self._sent: Progress | None = None
        self._told: Progress | None = None
        self.progress: Progress | None = None

    def follow(self, run: Run) -> None:
        """Something happened in the run: a command may have begun, or ended."""
        stage, step = run.stage, run.step
        if isinstance(stage, Running) and step is not None:
            if self.progress is None or self.progress.token != stage.token:
                server = run.name_of(step.side)
                self.progress = begun(stage.token, stage.step, server, self._clock.now())
        elif not isinstance(stage, Doubtful):
            self.progress = None

    def hear(self, order: Order, step: str, line: str) -> None:
        """A line of a command: of one that was taken up after a conductor's death too."""
        now = self._clock.now()
        if self.progress is None or self.progress.token != order.token:
            self.progress = begun(order.token, step, order.server, now)
        percent = self._drivers[order.server].percent(order, line)
        self.progress = heard(self.progress, line, percent, now)

    def look(self) -> None:
        """Send on what has changed; say it, once, when it no longer gets on."""
        progress, now = self.progress, self._clock.now()
        if progress != self._sent:
            self._sent = progress
            self._send(NewProgress(progress))
        if progress is None or progress.unmoved(now) < self._stall_seconds:
            return
        told = self._told
        if told is None or (told.token, told.moved) != (progress.token, progress.moved):
            self._told = progress
            self._stalled(progress, f"{progress.step} on {progress.server}: {stall_words(progress, now)}.")
