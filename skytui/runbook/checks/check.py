"""What a check is, and what it found."""

import enum
from typing import Protocol, TypeVar

import msgspec

from skytui.clock import Instant
from skytui.pair.pair import PairReading, Sample
from skytui.pair.reading import Cause, Known, Stale, Unknown
from skytui.pair.vocabulary import SLOW_SECONDS, ServerReading
from skytui.runbook.sight import Missing, Sight, TooEarly

T = TypeVar("T")


class Verdict(enum.StrEnum):
    """What a check found."""

    OK = "ok"
    WARN = "warn"
    """A swap can be made; the operator should know."""
    BLOCK = "block"
    """No swap must begin like this."""
    NOT_APPLICABLE = "not applicable"
    """There is nothing to check here."""
    UNKNOWN = "unknown"
    """What it needs was not read. Where the check can block, this blocks too."""


class Group(enum.StrEnum):
    """What a check is about; the value is its heading."""

    PAIR = "The pair"
    REACH = "Reached from here, and from each other"
    SCRIPTS = "Scripts"
    REPLICATION = "Replication"
    WORK = "Scheduler, agents, jobs"
    HOSTS = "Hosts"
    RUNS = "Earlier runs, calendar"
    CONSOLE = "This console"


class NotApplicable(Exception):  # noqa: N818 - no error: an ordinary answer
    """There is nothing to check, and why."""


Said = tuple[Verdict, str]
"""The verdict, and the evidence in a sentence."""


class View:
    """What a check may look at. Fresh evidence only; it notes when the oldest thing it took was asked for.

    `own_run` is the run that is open, of which marks and locks are no surprise.
    """

    def __init__(self, sight: Sight, own_run: str = "") -> None:
        self._sight = sight
        self.own_run = own_run
        self.oldest: Instant | None = None

    @property
    def reading(self) -> PairReading:
        """The pair's readings, for what is no evidence: names, and the time."""
        return self._sight.reading

    @property
    def names(self) -> tuple[str, ...]:
        """Both servers."""
        return tuple(self.reading.servers)

    @property
    def master(self) -> str:
        """The one server that reads master. Raises `Missing` when that is not clear."""
        return self._one(self.reading.master(), "master")

    @property
    def standby(self) -> str:
        """The one server that reads standby. Raises `Missing` when that is not clear."""
        return self._one(self.reading.standby(), "standby")

    def server(self, name: str) -> ServerReading:
        """The readings of a server. Raises `Missing` when who answers at its address is another."""
        return self._sight.server(name)

    def take(
        self,
        what: str,
        found: Known[T] | Stale[T] | Unknown,
        *,
        slow: bool = False,
        needed: bool = False,
    ) -> T:
        """The value of a reading; `slow` for one that is not asked at every poll, and for a fact.

        Raises `NotApplicable` where this kind of system has none (unless it is `needed`) or a person looks at
        it, `Missing` where it was not read.
        """
        if isinstance(found, Unknown):
            none = found.cause is Cause.NO_SUCH_THING and not needed
            if none or found.cause is Cause.BY_HAND:
                raise NotApplicable(f"{what}: {found.reason}")
        value = self._sight.take(what, found, limit=self._sight.limit + SLOW_SECONDS if slow else None)
        if not isinstance(found, Unknown) and (self.oldest is None or self.oldest.later_than(found.at)):
            self.oldest = found.at
        return value

    def samples(self, server: str) -> tuple[Sample, ...]:
        """The File Replication Requests of a server in the last minute, oldest first."""
        return tuple(sample for sample in self.reading.trail if sample.server == server)

    def _one(self, name: str | None, role: str) -> str:
        if name is None:
            raise Missing(f"which server is {role} is not clear")
        return name


class Look(Protocol):
    """How a check looks."""

    def __call__(self, view: View) -> Said:
        """What it found. Raises `Missing` for what was not read, `NotApplicable` where there is nothing."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check.

    `proves` is what *ok* says for certain, `hint` how to mend what it finds. `blocks`: whether it can block,
    and then so does *unknown*. `waivable`: whether the operator may let a swap begin all the same, for a
    reason; the run is then not clean.
    """

    id: str
    group: Group
    title: str
    proves: str
    hint: str
    look: Look
    blocks: bool = True
    waivable: bool = False


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found.

    `age` is how old the oldest thing it went by is, in seconds; None where it went by nothing. `blocks`:
    whether no swap may begin like this. `early`: only because the next reading has not come in yet.
    """

    id: str
    group: Group
    title: str
    proves: str
    verdict: Verdict
    evidence: str
    age: float | None
    hint: str
    blocks: bool
    waivable: bool
    early: bool = False

    @property
    def says(self) -> str:
        """One line of it, as it is journalled."""
        return f"{self.id}: {self.verdict}: {self.evidence}"


def carry_out(check: Check, sight: Sight, own_run: str = "") -> Checked:
    """What a check finds."""
    view, early = View(sight, own_run), False
    try:
        verdict, evidence = check.look(view)
    except NotApplicable as nothing:
        verdict, evidence = Verdict.NOT_APPLICABLE, str(nothing)
    except Missing as missing:
        verdict, evidence, early = Verdict.UNKNOWN, str(missing), isinstance(missing, TooEarly)
    if verdict is Verdict.OK and view.oldest is None:
        verdict, evidence = Verdict.UNKNOWN, "it looked at nothing"  # no pass without evidence
    return Checked(
        id=check.id,
        group=check.group,
        title=check.title,
        proves=check.proves,
        verdict=verdict,
        evidence=evidence,
        age=None if view.oldest is None else sight.reading.now.since(view.oldest),
        hint="" if verdict in (Verdict.OK, Verdict.NOT_APPLICABLE) else check.hint,
        blocks=verdict is Verdict.BLOCK or (verdict is Verdict.UNKNOWN and check.blocks),
        waivable=check.waivable,
        early=early,
    )
