"""What a report holds. Its JSON schema is generated from these types. Times are UTC, durations seconds."""

from datetime import datetime

import msgspec

from skytui.runbook.history import UsualTime

SCHEMA = 1
"""Grows when a key is renamed or removed; keys may be added without."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened: when, at which step, by whom where it was a person, and what.

    `reason` is what that person gave for it; `details` are further sentences, as what was left unproven.
    """

    wall: datetime
    says: str
    step: str = ""
    who: str = ""
    reason: str = ""
    details: tuple[str, ...] = ()


class SpanReport(msgspec.Struct, frozen=True, kw_only=True):
    """For how long something was missing. `seconds` is null where it never was; `until` where it still is,
    or ended in another way than it is measured by.
    """

    id: str
    title: str
    seconds: float | None = None
    since: datetime | None = None
    until: datetime | None = None
    usual: UsualTime | None = None


class StepReport(msgspec.Struct, frozen=True, kw_only=True):
    """A step. `state` is `passed`, `waived`, `open` (where the run stands) or `not reached`.

    `person` and `machine` are the seconds a person was waited for, and those from the confirmation until the
    gate had passed; `usual` is the latter in earlier runs. `evidence` are the sentences its gate passed on.
    """

    id: str
    title: str
    phase: str
    state: str
    attempts: int = 0
    began: datetime | None = None
    ended: datetime | None = None
    person: float = 0.0
    machine: float = 0.0
    usual: UsualTime | None = None
    evidence: tuple[str, ...] = ()


class ActionReport(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done to a server, once: what came of it, its exit code or HTTP status if it has
    one, and the last lines it said. `result` is `under way` where nothing has come of it yet.
    """

    step: str
    token: str
    action: str
    server: str
    began: datetime
    ended: datetime | None = None
    result: str = "under way"
    says: str = ""
    code: int | None = None
    proofs: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()


class JobReport(msgspec.Struct, frozen=True, kw_only=True):
    """A job of the baseline that the run may have touched, and how."""

    id: str
    job: str
    agent: str
    when: str
    says: str


class Excerpt(msgspec.Struct, frozen=True):
    """Some lines of a log, and why they are here."""

    title: str
    lines: tuple[str, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A run, for people who were not there.

    `clean` is whether it ended with a swap in which every gate passed on proof; `unclean` says what keeps it
    from that. `exit_code` is the one of the README; of an open run, the one for stopping here. `earlier` is
    how many earlier runs of this kind there are to hold it against.
    """

    schema: int = SCHEMA
    pair: str
    run: str
    kind: str
    old: str
    new: str
    who: str
    host: str
    operators: tuple[str, ...]
    why: str
    ticket: str
    began: datetime
    ended: datetime | None
    ending: str
    exit_code: int
    clean: bool
    unclean: tuple[str, ...]
    took: float
    person: float
    machine: float
    earlier: int
    spans: tuple[SpanReport, ...]
    steps: tuple[StepReport, ...]
    actions: tuple[ActionReport, ...]
    waivers: tuple[Entry, ...]
    attestations: tuple[Entry, ...]
    skips: tuple[Entry, ...]
    decisions: tuple[Entry, ...]
    reconcile: tuple[JobReport, ...]
    late: tuple[JobReport, ...]
    people: tuple[Entry, ...]
    hooks: tuple[Entry, ...]
    owed: tuple[str, ...]
    timeline: tuple[Entry, ...]
    excerpts: tuple[Excerpt, ...]
    notes: tuple[str, ...]
