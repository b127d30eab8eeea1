"""What the console shows, and what it can ask for.

The console knows nothing but a `Session`: one immutable `Shown` at any moment, a ring of log lines, and a few
requests that answer with a sentence when they are refused. Over a socket it is `LinkSession`; tests and
screenshots use one that is played from a script.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from skytui.link.wire import Notice, Past, Present, Seat, ServerFacts, Watched
from skytui.pair.pair import PairReading
from skytui.runbook.events import Recorded
from skytui.runbook.model import Run
from skytui.runbook.progress import Progress
from skytui.runbook.steps import Kind
from skytui.tui.logring import LogRing

NOTICES_KEPT = 20


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known at one moment.

    `received` is when `reading` came in, in seconds of the console's own monotonic clock. `lost` says why
    there is no connection to the conductor; empty while there is one. `you` is this console among the clients
    that are `present`, and `may` names the requests it can make. `progress` is how far the command
    under way has got; `past` what earlier runs say, None until they have been read. `notices` are the latest
    sentences for the person at the screen, `noticed` counts all there ever were. `watched` is the watch after
    the last run.
    `secrets_refused` says of wanted secrets that were known before why they were not taken.
    """

    pair: str
    practice: bool
    keys_of: str
    servers: tuple[ServerFacts, ...]
    you: Seat | None = None
    may: tuple[str, ...] = ()
    present: Present = Present()
    secrets_wanted: tuple[str, ...] = ()
    secrets_refused: dict[str, str] = {}
    hosts_ask: tuple[str, ...] = ()
    reading: PairReading | None = None
    received: float = 0.0
    run: Run | None = None
    events: tuple[Recorded, ...] = ()
    previews: dict[str, str] = {}
    progress: Progress | None = None
    past: Past | None = None
    lost: str = ""
    notices: tuple[Notice, ...] = ()
    noticed: int = 0
    watched: Watched | None = None

    @property
    def asked(self) -> tuple[str, ...]:
        """All a person is asked for: secrets that runs need, and what hosts ask before they let us in."""
        return (*self.secrets_wanted, *self.hosts_ask)


class Session(Protocol):
    """Where the console gets what it shows, and sends what its operator wants.

    Every request returns why it was refused, as a sentence; the empty string means that it counted. None of
    them raises for a lost connection: that is a refusal, too.
    """

    @property
    def shown(self) -> Shown:
        """What is known now."""

    @property
    def log(self) -> LogRing:
        """The last log lines."""

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed`, in the event loop, each time `shown` is another."""

    async def open_run(self, kind: Kind, why: str = "", ticket: str = "") -> str:
        """Start a run of this kind; its occasion, and its ticket, may be empty."""

    async def state(self, run: str, step: str, words: str) -> str:
        """State that the original master is powered off."""

    async def turn(self, run: str, reason: str) -> str:
        """Make an unplanned swap of a planned one."""

    async def postpone(self, run: str, reason: str) -> str:
        """Leave the conversion for a run of its own."""

    async def confirm(self, run: str, step: str, phrase: str) -> str:
        """Go on with this step of this run."""

    async def waive(self, run: str, step: str, reason: str, check: str = "") -> str:
        """Let the gate of this step pass unproven; of `preflight` only the one check."""

    async def decide(self, run: str, step: str, decisions: Mapping[str, str]) -> str:
        """Decide about rows of this step's list: a decision by row."""

    async def abort(self, run: str, reason: str) -> str:
        """Take the run back."""

    async def hold(self, reason: str) -> str:
        """Stop the run at its next gate."""

    async def release(self) -> str:
        """Lift the hold."""

    async def take(self, run: str, reason: str) -> str:
        """Operate the run from here; for a reason, where anybody else or another client does."""

    async def hand_over(self, run: str, to: str) -> str:
        """Pass the run on to another user."""

    async def give_secret(self, name: str, value: str) -> str:
        """Hand over a secret, to be tried at once."""

    async def try_secrets(self) -> str:
        """Have the secrets that are wanted fetched from where they come from, and tried."""
