"""What can happen in a run.

The journal is a list of these; a run is their fold. `Observed` alone is never recorded: what a gate took
from it stands in `Passed`.
"""

from datetime import datetime

import msgspec

from skytui.clock import Instant
from skytui.pair.order import Expectation, Outcome
from skytui.pair.pair import PairReading
from skytui.pair.thresholds import Thresholds
from skytui.pair.vocabulary import Action, Salvage
from skytui.runbook.model import Baseline, Debt, Ending
from skytui.runbook.steps import Kind


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """When it happened: by the conductor's monotonic clock, and by the wall clock in UTC."""

    at: Instant
    wall: datetime


class Opened(Event, frozen=True, kw_only=True, tag="opened"):
    """The run was started, by whom, from which host, and between which servers in which roles.

    Whoever starts it operates it; it goes by the keys of `keys_of`, whose conductor it is. `fixed` is the
    hash of what the run goes by to its end: steps, thresholds, configuration and profile, as they lie beside
    the journal. `deadlines` are in seconds, by step, in place of the procedure's own; `hooks` are
    those that are configured (`before shut-down`). `owed` is what an earlier run left to this one.
    `why` and `ticket` are what whoever started it gave as its occasion.
    `unverified` are the servers that need not prove over HTTPS who they are.
    `instructions` are, by step, what the configuration says is done by hand; `promote_before` is the latest
    time for `promote`, if one was given.
    """

    run: str
    pair: str
    kind: Kind
    old: str
    new: str
    who: str
    host: str = ""
    plan: tuple[str, ...]
    thresholds: Thresholds
    keys_of: str = ""
    fixed: str = ""
    owed: tuple[Debt, ...] = ()
    deadlines: dict[str, float] = {}
    instructions: dict[str, str] = {}
    promote_before: datetime | None = None
    hooks: tuple[str, ...] = ()
    why: str = ""
    ticket: str = ""
    unverified: tuple[str, ...] = ()


class Confirmed(Event, frozen=True, kw_only=True, tag="confirmed"):
    """A person said go on: for the step whose card was up when the key was read."""

    run: str
    step: str
    who: str
    phrase: str = ""


class Balked(Event, frozen=True, kw_only=True, tag="balked"):
    """What must hold immediately before the action did not. Nothing was done."""

    step: str
    reasons: tuple[str, ...]


class Intended(Event, frozen=True, kw_only=True, tag="intended"):
    """An action is about to start. On disk before it does."""

    step: str
    token: str
    action: Action
    server: str
    expects: Expectation
    proofs: tuple[str, ...] = ()


class Finished(Event, frozen=True, kw_only=True, tag="finished"):
    """What became of the action, as far as is known."""

    step: str
    token: str
    outcome: Outcome


class Baselined(Event, frozen=True, kw_only=True, tag="baselined"):
    """How things were."""

    baseline: Baseline


class Passed(Event, frozen=True, kw_only=True, tag="passed"):
    """The gate of a step passed, on these proofs. `clock` is the acting server's own clock then.

    `checkpoint`, of `last-byte`: the stopped master's last one, which the standby is past.
    """

    step: str
    proofs: tuple[str, ...]
    clock: datetime | None = None
    checkpoint: str = ""


class Salvaged(Event, frozen=True, kw_only=True, tag="salvaged"):
    """What was saved of the former master before its conversion."""

    salvage: Salvage


class Waived(Event, frozen=True, kw_only=True, tag="waived"):
    """A person let the gate pass unproven, for a reason; of `preflight` only the one `check`."""

    step: str
    who: str
    reason: str
    unproven: tuple[str, ...] = ()
    check: str = ""


class Decided(Event, frozen=True, kw_only=True, tag="decided"):
    """A person decided about one row of the step's list; `says` is the row as it was shown."""

    run: str
    step: str
    row: str
    decision: str
    who: str
    reason: str = ""
    says: str = ""


class Held(Event, frozen=True, kw_only=True, tag="held"):
    """Somebody stopped the run at its next gate."""

    who: str
    reason: str


class Released(Event, frozen=True, kw_only=True, tag="released"):
    """The hold was lifted."""

    who: str


class Aborted(Event, frozen=True, kw_only=True, tag="aborted"):
    """The operator takes the run back. `plan` are the steps that do it; each begins by itself."""

    run: str
    who: str
    reason: str
    plan: tuple[str, ...]


class Stated(Event, frozen=True, kw_only=True, tag="stated"):
    """The operator states, in these words, that the original master is powered off."""

    run: str
    step: str
    who: str
    words: str


class Refuted(Event, frozen=True, kw_only=True, tag="refuted"):
    """Something was read of the original master that a statement had called powered off."""

    says: str


class Turned(Event, frozen=True, kw_only=True, tag="turned"):
    """The operator makes an unplanned run of a planned one, whose master is lost. `plan` is what is left."""

    run: str
    who: str
    reason: str
    plan: tuple[str, ...]


class Postponed(Event, frozen=True, kw_only=True, tag="postponed"):
    """The operator leaves the conversion for a run of its own."""

    run: str
    who: str
    reason: str


class HandedOver(Event, frozen=True, kw_only=True, tag="handed over"):
    """`to` operates the run from here on: the operator passed it on, or `to` took it, for a reason."""

    to: str
    by: str
    reason: str = ""


class Hooked(Event, frozen=True, kw_only=True, tag="hooked"):
    """What came of a hook. `when` is `before` or `after` its `phase`."""

    phase: str
    when: str
    ok: bool
    says: str = ""

    @property
    def hook(self) -> str:
        """Its name."""
        return f"{self.when} {self.phase}"


class HookWaived(Event, frozen=True, kw_only=True, tag="hook waived"):
    """The operator goes on without a hook that failed, for a reason."""

    hook: str
    who: str
    reason: str


class Marked(Event, frozen=True, kw_only=True, tag="marked"):
    """A server carries this run's mark, which keeps other jump hosts out; or not, and `missing` says why.

    Where the mark of a dead run was replaced, `after` says whose it was, `silent` how many seconds its
    heartbeat was old, and `reason` why it was taken over.
    """

    server: str
    missing: str = ""
    after: str = ""
    silent: float = 0.0
    reason: str = ""


class Resumed(Event, frozen=True, kw_only=True, tag="resumed"):
    """Another conductor took the journal up, after the one before it died.

    Where it is another person's, `after` says whose run it was, `silent` how many seconds the dead one's
    heartbeat was old, and `reason` why it was taken over; `who` operates it from here on.
    """

    who: str
    host: str = ""
    after: str = ""
    silent: float = 0.0
    reason: str = ""


class Closed(Event, frozen=True, kw_only=True, tag="closed"):
    """The run is over."""

    ending: Ending


class Observed(Event, frozen=True, kw_only=True, tag="observed"):
    """A poll came back. Never recorded."""

    reading: PairReading


Recorded = (
    Opened
    | Confirmed
    | Balked
    | Intended
    | Finished
    | Baselined
    | Passed
    | Salvaged
    | Waived
    | Decided
    | Held
    | Released
    | Aborted
    | Stated
    | Refuted
    | Turned
    | Postponed
    | HandedOver
    | Hooked
    | HookWaived
    | Marked
    | Resumed
    | Closed
)
"""Every event that stands in the journal."""
