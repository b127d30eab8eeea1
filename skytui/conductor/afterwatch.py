"""The watch after a run: it is part of the run, and the conductor stays until it ends.

What it finds is said at once, and once; it stands in `watch.json` beside the journal, by which a conductor
that is started later goes on with it.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec

from skytui.conductor.runs import stored_runs, write_whole
from skytui.errors import StateError
from skytui.link.wire import Alarm, Watched
from skytui.pair.pair import PairReading
from skytui.runbook.model import Run
from skytui.runbook.watch import Finding, findings, watch_of

FILE = "watch.json"
BLIND_POLLS = 3
"""After so many polls one after the other in which nothing could be seen, that is said."""

_LOG = logging.getLogger(__name__)


class AfterWatch:
    """Watches the pair of one conductor. `hours` is for how long; `folder` is the pair's.

    `changed` is told what is watched, each time that changes; `called` each finding when
    it begins, and whether somebody has to be called for it.
    """

    def __init__(
        self,
        folder: Path,
        hours: float,
        *,
        changed: Callable[[Watched], None],
        called: Callable[[str, bool], None],
    ) -> None:
        self._folder = folder
        self._hours = hours
        self._changed = changed
        self._called = called
        self._due: Run | None = None
        self._blind = 0
        self.watched: Watched | None = None

    @property
    def on(self) -> bool:
        """Whether something is watched, or is about to be."""
        return self._due is not None or (self.watched is not None and not self.watched.ended)

    def ended(self, run: Run) -> None:
        """A run has ended: from the next poll on it is watched."""
        self._due = run

    def opened(self) -> None:
        """Another run is open: what comes after that one is watched then."""
        self._due = None
        if self.watched is not None and not self.watched.ended:
            self._end("another run was opened")

    def resume(self, wall: datetime) -> None:
        """Go on with the watch of the last run, if its time is not over."""
        try:
            folders = stored_runs(self._folder)
            text = (folders[-1] / FILE).read_bytes() if folders else b""
            watched = msgspec.json.decode(text, type=Watched) if text else None
        except FileNotFoundError:
            return
        except (OSError, msgspec.DecodeError, StateError) as error:
            _LOG.warning("the watch after the last run cannot be gone on with: %s", error)
            return
        if watched is not None and not watched.ended and wall < watched.watch.until:
            self.watched = watched

    def stop(self, who: str, reason: str) -> str:
        """End the watch before its time. Why that was refused; empty when it counted."""
        if not self.on:
            return "nothing is watched"
        self._due = None
        if self.watched is not None:
            self._end(f"{who}: {reason}" if reason else who)
        return ""

    def observe(self, reading: PairReading) -> None:
        """What a poll shows."""
        if self._due is not None:
            watch = watch_of(self._due, reading, self._hours)
            self._due = None
            if watch is not None:
                self._set(Watched(watch=watch))
        watched = self.watched
        if watched is None or watched.ended:
            return
        if reading.wall >= watched.watch.until:
            self._end("its time was over")
            return
        self._compare(watched, findings(watched.watch, reading), reading.wall)

    def _compare(self, watched: Watched, found: tuple[Finding, ...], wall: datetime) -> None:
        self._blind = self._blind + 1 if any(not finding.alarm for finding in found) else 0
        found = tuple(finding for finding in found if finding.alarm or self._blind >= BLIND_POLLS)
        known, now = {alarm.about for alarm in watched.open}, {finding.about for finding in found}
        # While nothing can be seen, or two masters hide the rest, what was found before is not over.
        over = set() if self._blind or "masters" in now else known - now
        new = [finding for finding in found if finding.about not in known]
        if not new and not over:
            return
        kept = tuple(
            msgspec.structs.replace(alarm, over=wall) if alarm.over is None and alarm.about in over else alarm
            for alarm in watched.alarms
        )
        added = tuple(Alarm(finding.about, finding.says, wall, serious=finding.alarm) for finding in new)
        self._set(msgspec.structs.replace(watched, alarms=(*kept, *added)))
        for finding in new:
            if finding.about != "masters":  # that is said at any time, not only after a run
                self._called(finding.says, finding.alarm)

    def _end(self, why: str) -> None:
        if self.watched is not None:
            self._set(msgspec.structs.replace(self.watched, ended=why))

    def _set(self, watched: Watched) -> None:
        self.watched = watched
        file = self._folder / "runs" / watched.watch.run / FILE
        try:
            write_whole(file, msgspec.json.encode(watched))
        except OSError as error:
            _LOG.warning("%s cannot be written: %s", file, error.strerror)
        self._changed(watched)
