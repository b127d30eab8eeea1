"""The lists of a step: one row each for a person to decide on. Pure; shown by a card, asked of by a gate."""

from collections.abc import Iterable

import msgspec

from skytui.pair.pair import PairReading
from skytui.pair.reading import shown
from skytui.pair.vocabulary import FinishedRun, Job, LateRun
from skytui.runbook.model import Decision, Run

NEXT_START = "next-start"
"""The row of `first-job` that stands for the next start time."""
ACCEPT, RUN_NOW, LEAVE = "accept", "run-now", "leave"


class Row(msgspec.Struct, frozen=True):
    """One row. `choices` are the decisions it takes; `wanted`: the step waits for one of them."""

    id: str
    says: str
    choices: tuple[str, ...]
    wanted: bool = True
    decision: Decision | None = None

    @property
    def open(self) -> bool:
        """Whether the step still waits for a decision on it."""
        return self.wanted and self.decision is None


def rows(run: Run, reading: PairReading | None) -> tuple[Row, ...]:
    """The rows of the current step's list, by what was read last. Empty for a step that has none."""
    step = run.step
    if step is None or reading is None:
        return ()
    old, new = reading.server(run.old), reading.server(run.new)
    match step.id:
        case "drain-jobs":
            return running(run, shown(old.running_jobs) or ())
        case "first-job":
            return (*next_start(run, shown(new.next_start) or ""), *late(run, shown(new.late_runs) or ()))
        case "server-history":
            return completions(run, shown(new.server_history) or (), shown(new.finished_runs) or ())
        case _:
            return ()


def running(run: Run, jobs: Iterable[Job]) -> tuple[Row, ...]:
    """The jobs that run on the master."""
    return tuple(
        Row(
            row := job.id or f"{job.job} on {job.agent}",
            f"{job.job or job.id} on {job.agent}" + (f", since {job.since}" if job.since else ""),
            (ACCEPT,),
            decision=run.decided("drain-jobs", row),
        )
        for job in jobs
    )


def next_start(run: Run, at: str) -> tuple[Row, ...]:
    """The next start time, which may be accepted instead of waiting for a run."""
    if not at:
        return ()
    decision = run.decided("first-job", NEXT_START)
    return (Row(NEXT_START, f"the next job starts at {at}", (ACCEPT,), wanted=False, decision=decision),)


def late(run: Run, runs: Iterable[LateRun]) -> tuple[Row, ...]:
    """The runs that were due while no scheduler ran or the queues were locked, earliest first.

    Where this run did not stop the scheduler (the master was lost) all the new master tells of are listed.
    """
    begin = run.stopped_at
    mine = sorted(
        (each for each in runs if begin is None or each.due >= begin or each.state == "queued"),
        key=lambda each: each.due,
    )
    return tuple(
        Row(
            each.id,
            f"{each.job} was due at {each.due:%H:%M:%S} UTC: {_late_words(each)}",
            (RUN_NOW, LEAVE) if each.state == "missed" else (),
            wanted=each.state == "missed",
            decision=run.decided("first-job", each.id),
        )
        for each in mine
    )


def chosen(run: Run) -> tuple[str, ...]:
    """The missed runs that were decided to run now, by what was decided last about each."""
    about = dict.fromkeys(each.row for each in run.decisions if each.step == "first-job")
    last = (run.decided("first-job", row) for row in about)
    return tuple(each.row for each in last if each is not None and each.decision == RUN_NOW)


def _late_words(each: LateRun) -> str:
    if each.state == "queued":
        return "queued late, it starts by itself"
    return f"missed ({each.reason})" if each.reason else "missed"


def completions(
    run: Run, unrecognised: Iterable[FinishedRun], finished: Iterable[FinishedRun]
) -> tuple[Row, ...]:
    """Completions the master did not recognise, what was saved, and accepted jobs whose end is not known."""
    before = set(run.baseline.unrecognised) if run.baseline else set()
    then = {job.id for job in run.baseline.running} if run.baseline else set()
    told: dict[str, str] = {}
    for each in unrecognised:
        if each.id not in before:
            ran = ", it ran before the swap" if each.id in then else ""
            told[each.id] = f"{each.id} ended{_how(each)}, not recognised{ran}"
    for each in run.salvage.runs if run.salvage else ():
        said = told.get(
            each.id, f"{each.id}: {f'ended{_how(each)}' if each.ended_at else 'started, no end known'}"
        )
        told[each.id] = f"{said}, saved from {run.old}"
    recorded = {each.id for each in finished}
    for decision in run.decisions:
        accepted = (decision.step, decision.decision) == ("drain-jobs", ACCEPT)
        if accepted and decision.row not in recorded and decision.row not in told:
            told[decision.row] = (
                f"{decision.row}: accepted while it ran, its end is not among the latest runs"
            )
    choices = ("recorded", "rerun", "ignored")
    return tuple(
        Row(row, says, choices, decision=run.decided("server-history", row)) for row, says in told.items()
    )


def _how(run: FinishedRun) -> str:
    at = f" at {run.ended_at:%H:%M:%S} UTC" if run.ended_at else ""
    return at + (f" with code {run.code}" if run.code is not None else "")
