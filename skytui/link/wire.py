"""What conductor and clients say to each other: one JSON object a line, tagged by `type`.

The first message of a client is `Hello`; the conductor's first is `Welcome` (version, capabilities and the
whole state) or `Denied`. Then requests go one way, and readings, events and log lines the other. A request
carries a number; its `Reply` carries the same one. Secrets travel in `GiveSecret` only, which is never
recorded.
"""

from datetime import datetime

import msgspec

from skytui.pair.logline import LogLine
from skytui.pair.pair import PairReading
from skytui.runbook.cadence import Cadence
from skytui.runbook.events import Recorded
from skytui.runbook.history import UsualTime
from skytui.runbook.model import Run
from skytui.runbook.progress import Progress
from skytui.runbook.steps import Kind
from skytui.runbook.watch import Watch

PROTOCOL = 1
"""The version of this protocol. A conductor turns away a client that speaks another one."""

LINE_LIMIT = 4 * 1024 * 1024
"""The longest line either side takes, in bytes."""


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """Who is calling: `console`, `headless`, `watch` or `glance`.

    The last two may only look; a `glance` is over in a moment, and nobody is told of it. `agent` is the
    socket of the caller's SSH agent (`SSH_AUTH_SOCK`), empty for none.
    """

    protocol: int
    version: str
    client: str
    agent: str = ""


class Open(msgspec.Struct, frozen=True, tag="open"):
    """Start a run.

    `take_over` is the reason for which the mark of another jump host's dead run is replaced, if there is one.
    `promote_before` is the latest time for `promote`, past which an abort is proposed; `why` and `ticket` are
    what stands in the report as the run's occasion, both may be empty.
    """

    number: int
    kind: Kind = Kind.PLANNED
    take_over: str = ""
    promote_before: datetime | None = None
    why: str = ""
    ticket: str = ""


class Confirm(msgspec.Struct, frozen=True, tag="confirm"):
    """Go on with this step: the one whose card was up when the key was read."""

    number: int
    run: str
    step: str
    phrase: str = ""


class Waive(msgspec.Struct, frozen=True, tag="waive"):
    """Let the gate of this step pass unproven, for a reason; of `preflight` only the one `check`."""

    number: int
    run: str
    step: str
    reason: str
    check: str = ""


class Decide(msgspec.Struct, frozen=True, tag="decide"):
    """Decide about rows of the step's list: a decision by row."""

    number: int
    run: str
    step: str
    decisions: dict[str, str]
    reason: str = ""


class AbortRun(msgspec.Struct, frozen=True, tag="abort"):
    """Take the run back, for a reason: everything it changed is undone. Not after the point of no return."""

    number: int
    run: str
    reason: str


class State(msgspec.Struct, frozen=True, tag="state"):
    """State, in the run's own words, that the original master is powered off."""

    number: int
    run: str
    step: str
    words: str


class TurnRun(msgspec.Struct, frozen=True, tag="turn"):
    """Make an unplanned swap of a planned one whose master is lost, for a reason."""

    number: int
    run: str
    reason: str


class Postpone(msgspec.Struct, frozen=True, tag="postpone"):
    """Leave the conversion for a run of its own, for a reason; this run ends."""

    number: int
    run: str
    reason: str


class HoldRun(msgspec.Struct, frozen=True, tag="hold"):
    """Stop the run at its next gate."""

    number: int
    reason: str


class ReleaseRun(msgspec.Struct, frozen=True, tag="release"):
    """Lift the hold."""

    number: int


class Take(msgspec.Struct, frozen=True, tag="take"):
    """Operate the run from this client.

    For a reason, where somebody else operates it or another client does; the operator's own seat, when nobody
    sits on it, needs none.
    """

    number: int
    run: str
    reason: str


class HandOver(msgspec.Struct, frozen=True, tag="hand over"):
    """Pass the run on to another user, who operates it from then on."""

    number: int
    run: str
    to: str


class GiveSecret(msgspec.Struct, frozen=True, tag="secret"):
    """A secret, by name, to be tried at once and kept in memory only. Never recorded, never shown."""

    number: int
    name: str
    value: str

    def __repr__(self) -> str:
        return f"GiveSecret(number={self.number}, name={self.name!r})"


class Unwatch(msgspec.Struct, frozen=True, tag="unwatch"):
    """End the watch after a run before its time."""

    number: int
    reason: str


class TrySecrets(msgspec.Struct, frozen=True, tag="try secrets"):
    """Fetch the secrets that are wanted from their files, variables and commands again, and try them."""

    number: int


class Leave(msgspec.Struct, frozen=True, tag="leave"):
    """End the conductor, if no run is open."""

    number: int


Request = (
    Hello
    | Open
    | Confirm
    | Waive
    | Decide
    | AbortRun
    | State
    | TurnRun
    | Postpone
    | HoldRun
    | ReleaseRun
    | Take
    | HandOver
    | GiveSecret
    | Unwatch
    | TrySecrets
    | Leave
)


class Seat(msgspec.Struct, frozen=True):
    """A client that is connected: whose it is and its process, as the kernel says, and since when (UTC).

    `number` tells the clients of one conductor apart.
    """

    number: int
    who: str
    client: str
    pid: int
    since: datetime

    @property
    def words(self) -> str:
        """Who it is and where to find it."""
        return f"{self.who} ({self.client}, process {self.pid}, here since {self.since:%H:%M:%S} UTC)"


class ServerFacts(msgspec.Struct, frozen=True):
    """What a screen has to know of a server beside its readings.

    `unverified`: nobody makes sure who answers at its address over HTTPS.
    """

    name: str
    address: str
    logs: tuple[str, ...]
    unverified: bool = False


class Present(msgspec.Struct, frozen=True, tag="present"):
    """Who is here. `operator` is the client whose confirmations count; None while the operator has none."""

    operator: Seat | None = None
    others: tuple[Seat, ...] = ()


class NewProgress(msgspec.Struct, frozen=True, tag="progress"):
    """How far the command that is under way has got; None when none is."""

    progress: Progress | None


class Past(msgspec.Struct, frozen=True, tag="past"):
    """What earlier runs say. `usual` is how long each step takes, by the kind of run and the step's id;
    `folder` is where the runs lie, each in a folder of its own with its report.
    """

    usual: dict[str, dict[str, UsualTime]] = {}
    cadence: Cadence = Cadence()
    folder: str = ""

    def usual_of(self, run: Run) -> dict[str, UsualTime]:
        """The usual times of the steps of this run."""
        return self.usual.get(run.kind, {})


class Alarm(msgspec.Struct, frozen=True):
    """What the watch after a run found, when (UTC), and when it was over; None while it is so.

    `serious`: somebody has to be called; otherwise only nothing could be seen.
    """

    about: str
    says: str
    since: datetime
    over: datetime | None = None
    serious: bool = True


class Watched(msgspec.Struct, frozen=True, tag="watched"):
    """The watch after a run and what it found. `ended` says why it is over; empty while it goes on."""

    watch: Watch
    alarms: tuple[Alarm, ...] = ()
    ended: str = ""

    @property
    def open(self) -> tuple[Alarm, ...]:
        """What is so now."""
        return () if self.ended else tuple(alarm for alarm in self.alarms if alarm.over is None)


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """The whole state. `you` is this client, `may` what it can ask for.

    `keys_of` is whose keys the conductor uses; `secrets_wanted` are still to be given, and `secrets_refused`
    says of some of them why what was known was not taken; `hosts_ask` is what hosts ask before they let us
    in, which no run waits for. `run` is the open run,
    else the last one that ended while this conductor lives. `previews` are, by step, what each action would
    run where. `optional` are the steps the configuration adds to a plan; `progress` is how far the command
    under way has got; `past` is None until it has been read.
    """

    protocol: int
    version: str
    pair: str
    practice: bool
    keys_of: str
    you: Seat
    may: tuple[str, ...]
    present: Present
    servers: tuple[ServerFacts, ...]
    secrets_wanted: tuple[str, ...]
    reading: PairReading | None
    run: Run | None
    events: tuple[Recorded, ...]
    lines: tuple[LogLine, ...]
    previews: dict[str, str] = {}
    optional: tuple[str, ...] = ()
    progress: Progress | None = None
    past: Past | None = None
    watched: Watched | None = None
    secrets_refused: dict[str, str] = {}
    hosts_ask: tuple[str, ...] = ()


class Denied(msgspec.Struct, frozen=True, tag="denied"):
    """The conductor does not talk to this client, and why. The connection ends."""

    reason: str


class Reply(msgspec.Struct, frozen=True, tag="reply"):
    """The answer to the request with this number: empty `refused` means that it counted."""

    number: int
    refused: str = ""


class NewReading(msgspec.Struct, frozen=True, tag="reading"):
    """A poll came back."""

    reading: PairReading


class NewEvent(msgspec.Struct, frozen=True, tag="event"):
    """Something happened in the run, recorded already. `run` is the run after it."""

    event: Recorded
    run: Run


class NewLines(msgspec.Struct, frozen=True, tag="lines"):
    """Log lines and command output, oldest first."""

    lines: tuple[LogLine, ...]


class SecretsWanted(msgspec.Struct, frozen=True, tag="secrets"):
    """The names of secrets still to be given; of those that were known and refused, who said what.

    `hosts_ask` is what hosts ask before they let us in.
    """

    names: tuple[str, ...]
    refused: dict[str, str] = {}
    hosts_ask: tuple[str, ...] = ()


class Previews(msgspec.Struct, frozen=True, tag="previews"):
    """What each action of the run would run where, by step."""

    previews: dict[str, str]


class Notice(msgspec.Struct, frozen=True, tag="notice"):
    """A sentence for the person at the screen."""

    at: datetime
    says: str


Message = (
    Welcome
    | Denied
    | Reply
    | NewReading
    | NewEvent
    | NewLines
    | NewProgress
    | Past
    | SecretsWanted
    | Previews
    | Present
    | Notice
    | Watched
)
