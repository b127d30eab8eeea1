"""A run: where it stands, what it found, what it still owes.

Only `machine.advance` makes a changed one.
"""

import enum
from datetime import datetime

import msgspec

from skytui.clock import Instant
from skytui.pair.order import Outcome
from skytui.pair.thresholds import Thresholds
from skytui.pair.vocabulary import Agent, Job, Queue, Salvage, User
from skytui.runbook.steps import STEPS, Kind, Side, Step


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """How things were before the run changed anything.

    `due` are the jobs that come due in the minutes ahead, when there may be no scheduler; `unrecognised` the
    completions the master did not recognise before this run, which it does not have to answer for.
    """

    agents: tuple[Agent, ...]
    queues: tuple[Queue, ...]
    running: tuple[Job, ...]
    due: tuple[Job, ...]
    users: tuple[User, ...]
    addresses: dict[str, str]
    database_bytes: int
    timeline: int
    unrecognised: tuple[str, ...] = ()
    next_start: str = ""
    system_identifier: str = ""
    scheduler: str = "running"

    def open_queues(self) -> tuple[str, ...]:
        """The queues that were open, and that this run therefore locks."""
        return tuple(queue.name for queue in self.queues if not queue.locked)

    def locked_queues(self) -> tuple[str, ...]:
        """The queues that were locked before, which this run never touches."""
        return tuple(queue.name for queue in self.queues if queue.locked)

    def active_agents(self) -> tuple[str, ...]:
        """The agents that must be back afterwards."""
        return tuple(
            agent.name for agent in self.agents if agent.state == "active" and agent.connected is not False
        )


class Debt(msgspec.Struct, frozen=True):
    """Something this run suppressed or changed for its own sake, and still owes."""

    what: str
    server: str
    names: tuple[str, ...] = ()


class Waiver(msgspec.Struct, frozen=True):
    """A gate that a person let pass unproven, and why; of `preflight` only the one `check`."""

    step: str
    reason: str
    who: str
    unproven: tuple[str, ...] = ()
    check: str = ""


class Decision(msgspec.Struct, frozen=True):
    """What a person decided about one row of a step's list. `says` is the row as it was shown then."""

    step: str
    row: str
    decision: str
    who: str
    reason: str = ""
    says: str = ""


class Hold(msgspec.Struct, frozen=True):
    """The run does not go past its next gate until it is released."""

    who: str
    reason: str


class Abort(msgspec.Struct, frozen=True):
    """The run goes backwards: what it changed is taken back. `step` is where it was when that was decided."""

    who: str
    reason: str
    step: str


class Statement(msgspec.Struct, frozen=True):
    """A person's word that the original master is powered off, where nothing could be read of it.

    `refuted` says what was read of it afterwards: from then on the statement counts no more.
    """

    step: str
    who: str
    words: str
    at: Instant
    refuted: str = ""


class Turn(msgspec.Struct, frozen=True):
    """A planned run became an unplanned one. `step` is where it was when that was decided.

    `doubtful`: what became of that step was not known then, and it must not be undone blindly.
    """

    who: str
    reason: str
    step: str
    doubtful: bool = False


class Postponement(msgspec.Struct, frozen=True):
    """The conversion was left for a run of its own."""

    who: str
    reason: str


class Ending(enum.StrEnum):
    """How a run ended."""

    DONE = "done"
    NOT_CLEAN = "done, but not clean"
    ROLLED_BACK = "rolled back"


class Waiting(msgspec.Struct, frozen=True, tag="waiting"):
    """The step's card is up; nothing has been done. `note` says why it is here again, if it is."""

    step: str
    note: str = ""


class Proving(msgspec.Struct, frozen=True, tag="proving"):
    """Confirmed. The first poll that starts after `since` decides whether the action may start."""

    step: str
    since: Instant


class Running(msgspec.Struct, frozen=True, tag="running"):
    """The intent is on disk; the action is under way."""

    step: str
    token: str
    since: Instant


class Doubtful(msgspec.Struct, frozen=True, tag="doubtful"):
    """The outcome was lost: the action may have run or not. The server is asked; nothing is repeated."""

    step: str
    token: str
    since: Instant
    says: str


class Checking(msgspec.Struct, frozen=True, tag="checking"):
    """The gate is read from the servers; only requests started after `since` count."""

    step: str
    since: Instant


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The action ended and failed, or was refused. The operator decides what next."""

    step: str
    outcome: Outcome


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The run is over."""

    ending: Ending


Stage = Waiting | Proving | Running | Doubtful | Checking | Failed | Ended


class HookRecord(msgspec.Struct, frozen=True):
    """What came of a hook, and what it said; `ok` is None while it runs. `waived`: gone on without it."""

    ok: bool | None = None
    says: str = ""
    waived: bool = False


class StepRecord(msgspec.Struct, frozen=True):
    """A step that is behind us. `proofs` are the sentences its gate passed on.

    `attested`: a person did it, outside both servers, and said so; nothing was read.
    """

    step: str
    began: datetime
    ended: datetime
    proofs: tuple[str, ...] = ()
    waived: bool = False
    attested: bool = False


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a run is, at one moment. A fold of its events.

    `who` started it, from `host`, for the reason `why` and by the ticket `ticket`, where they were given;
    `operator` confirms its steps; it goes by the keys of `keys_of`. `marks`
    says by server why it does not carry this run's mark, empty where it does. `attempts` counts the intents
    of a step; `half_way` are the steps an attempt at which began and has ended without what it was for (it
    failed, or its gate stayed shut past the deadline), so that its server may be neither as before nor as
    wanted. `accepted` is who accepted the loss of an unplanned swap. `unverified` are the servers that need
    not prove over HTTPS who they are.
    `last_checkpoint` is the one of the stopped master that the standby was proven to be past; `salvage` is
    what was saved of it before its conversion. `instructions` say, by step, what is done by hand;
    `said_done` names who said that it was. `stopped_at` and `unlocked_at` are by the servers' clocks.
    """

    id: str
    pair: str
    kind: Kind
    old: str
    new: str
    who: str
    host: str = ""
    operator: str
    keys_of: str = ""
    began: datetime
    plan: tuple[str, ...]
    thresholds: Thresholds
    deadlines: dict[str, float] = {}
    stage: Stage
    stage_wall: datetime
    stage_at: Instant
    step_began: datetime
    attempts: dict[str, int] = {}
    half_way: tuple[str, ...] = ()
    baseline: Baseline | None = None
    records: tuple[StepRecord, ...] = ()
    ledger: tuple[Debt, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    hold: Hold | None = None
    abort: Abort | None = None
    accepted: str = ""
    statements: tuple[Statement, ...] = ()
    turned: Turn | None = None
    postponed: Postponement | None = None
    fixed: str = ""
    why: str = ""
    ticket: str = ""
    unverified: tuple[str, ...] = ()
    marks: dict[str, str] = {}
    marker: str = ""
    last_checkpoint: str = ""
    salvage: Salvage | None = None
    decisions: tuple[Decision, ...] = ()
    instructions: dict[str, str] = {}
    said_done: dict[str, str] = {}
    promote_before: datetime | None = None
    stopped_at: datetime | None = None
    hooks: tuple[str, ...] = ()
    hooked: dict[str, HookRecord] = {}
    unlocked_at: datetime | None = None
    no_way_back: bool = False
    dark_since: datetime | None = None
    dark_until: datetime | None = None

    @property
    def step(self) -> Step | None:
        """The step whose card is up; None when the run has ended."""
        return None if isinstance(self.stage, Ended) else STEPS[self.stage.step]

    @property
    def over(self) -> bool:
        """Whether the run has ended."""
        return isinstance(self.stage, Ended)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of this run's plan, in order."""
        return tuple(STEPS[step] for step in self.plan)

    @property
    def complete(self) -> bool:
        """Whether no step is left to be done in this run; what is left then is to close it."""
        return self.postponed is not None or len(self.records) == len(self.plan)

    @property
    def clean(self) -> bool:
        """Whether everything was proven and done: nothing waived, attested, lost or left for later."""
        attested = any(record.attested for record in self.records)
        return not (attested or self.waivers or self.statements or self.accepted or self.postponed)

    def number(self, step: str) -> int:
        """The place of a step in the plan, counted from 1. One that an abort left out counts as the last."""
        behind = len(self.records)
        if step in self.plan[behind:]:
            return self.plan.index(step, behind) + 1
        return self.plan.index(step) + 1 if step in self.plan else len(self.plan)

    def name_of(self, side: Side) -> str:
        """The server's name on that side of the swap."""
        return self.old if side is Side.OLD else self.new

    def phrase(self, step: Step) -> str:
        """What the operator types to confirm `step`; empty when a key is enough."""
        return step.words or (self.name_of(step.side) if step.typed else "")

    @property
    def statement(self) -> Statement | None:
        """The statement that stands: the last one, unless it was refuted."""
        last = self.statements[-1] if self.statements else None
        return last if last and not last.refuted else None

    @property
    def statement_words(self) -> str:
        """What is typed to state that the original master is down, where nothing can be read of it."""
        return f"I confirm {self.old} is powered off"

    def decided(self, step: str, row: str) -> Decision | None:
        """What was decided last about a row of that step's list."""
        mine = (each for each in reversed(self.decisions) if (each.step, each.row) == (step, row))
        return next(mine, None)

    def too_late(self, wall: datetime) -> str:
        """That the latest time for `promote` has passed, while it can be heeded; empty when it has not."""
        if self.promote_before is None or self.no_way_back or self.abort or self.over:
            return ""
        if wall < self.promote_before:
            return ""
        latest = f"{self.promote_before:%Y-%m-%d %H:%M} UTC"
        return f"it is past {latest}, the latest time for promote: abort the run"

    def record(self, step: str) -> StepRecord | None:
        """How a step went, or None when it is not behind us."""
        return next((record for record in self.records if record.step == step), None)

    def deadline(self, step: Step) -> float:
        """How many seconds outcome and gate of `step` are waited for before it is overdue."""
        return self.deadlines.get(step.id, step.deadline)

    def overdue(self, wall: datetime) -> float:
        """By how many seconds the current step's deadline has passed at that time; 0 while it has not.

        By the wall clock, so that it goes on counting while no conductor lives.
        """
        step = self.step
        return max(0.0, (wall - self.stage_wall).total_seconds() - self.deadline(step)) if step else 0.0

    def owes(self, what: str) -> tuple[str, ...]:
        """The names owed under `what`."""
        return tuple(name for debt in self.ledger if debt.what == what for name in debt.names)
