"""One moment on the screen: what is known, with its readings aged to now.

A poll that is not followed by another grows old by itself. The scene carries the reading as it is *now*, so
that panels, card and prospect all judge the same age, and the gate on the screen is the gate of the run.
"""

from datetime import datetime, timedelta

import msgspec

from skytui.clock import Clock, Instant
from skytui.link.wire import ServerFacts
from skytui.pair.pair import PairReading
from skytui.pair.thresholds import Thresholds
from skytui.pair.vocabulary import ServerReading
from skytui.runbook.model import Run
from skytui.runbook.prospect import Prospect, Turn, prospect
from skytui.tui.session import Shown
from skytui.tui.standing import Standing, standing_of


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """A moment: what is known, the readings aged to it, the wall-clock time (UTC), and whose turn it is."""

    shown: Shown
    reading: PairReading | None
    wall: datetime
    prospect: Prospect

    @property
    def run(self) -> Run | None:
        """The open run, or the last one that ended."""
        return self.shown.run

    @property
    def standing(self) -> Standing:
        """What this console is to the run."""
        return standing_of(self.shown)

    @property
    def operates(self) -> bool:
        """Whether a confirmation from here would count."""
        return self.standing is Standing.OPERATOR

    @property
    def names(self) -> tuple[str, ...]:
        """The servers, in their fixed order."""
        return tuple(facts.name for facts in self.shown.servers)

    def facts(self, name: str) -> tuple[ServerFacts, ...]:
        """What is known of the server `name` beside its readings; nothing when it is not of this pair."""
        return tuple(facts for facts in self.shown.servers if facts.name == name)

    @property
    def limit(self) -> float:
        """How old a reading may be to count, in seconds."""
        return (self.run.thresholds if self.run else Thresholds()).fresh_seconds

    def server(self, name: str) -> ServerReading:
        """What is known about a server."""
        return self.reading.server(name) if self.reading else ServerReading()

    def age(self, at: Instant) -> float:
        """How long ago, in seconds, something was asked for."""
        return self.reading.now.since(at) if self.reading else float("inf")


def scene_of(shown: Shown, clock: Clock) -> Scene:
    """The scene at this moment."""
    reading, wall = shown.reading, clock.now()
    if reading is not None:
        passed = max(0.0, clock.instant().seconds - shown.received)
        now = Instant(reading.now.boot, reading.now.seconds + passed)
        wall = reading.wall + timedelta(seconds=passed)
        reading = msgspec.structs.replace(reading, now=now, wall=wall)
    turn = Prospect(Turn.NOBODY) if shown.run is None else prospect(shown.run, reading)
    return Scene(shown=shown, reading=reading, wall=wall, prospect=turn)
