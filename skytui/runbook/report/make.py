"""Fills a report from the events of a run's journal, and what earlier runs and the logs have to add."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from skytui.pair.logline import LogLine
from skytui.pair.vocabulary import Job
from skytui.runbook.endings import DONE, NOT_CLEAN, exit_code
from skytui.runbook.events import Finished, HandedOver, Intended, Recorded, Resumed
from skytui.runbook.history import PastRun, Usual, usual_spans, usual_steps
from skytui.runbook.machine import fold
from skytui.runbook.model import Ended, Run
from skytui.runbook.report.excerpts import excerpts_of
from skytui.runbook.report.model import ActionReport, Entry, JobReport, Report, SpanReport, StepReport
from skytui.runbook.report.telling import UNCLEAN, Part, tell
from skytui.runbook.spans import spans_of
from skytui.runbook.spent import Spent, spent_by_step, spent_in_all
from skytui.runbook.steps import STEPS


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is made of beside the journal.

    `past` are the earlier runs of the pair; `lines` what was logged during the run; `notes` say what could
    not be taken into account.
    """

    past: tuple[PastRun, ...] = ()
    lines: tuple[LogLine, ...] = ()
    notes: tuple[str, ...] = ()


def make_report(events: Sequence[Recorded], sources: Sources | None = None) -> Report:
    """The report of the run that these events make, as far as it has got.

    Raises ValueError when there is no run in them.
    """
    run = fold(events)
    if run is None:
        raise ValueError("a report needs a run")
    sources = sources or Sources()
    # Ids sort by the time of their start: a report that is made later says what it said then.
    past = tuple(other for other in sources.past if other.id < run.id)
    spent = spent_by_step(events)
    whole = spent_in_all(spent.values())
    told = [(event, tell(event)) for event in events]
    parts: dict[Part, list[Entry]] = {part: [] for part in Part}
    timeline: list[Entry] = []
    for event, words in told:
        entry = Entry(
            wall=event.wall,
            says=words.says,
            step=words.step,
            who=words.who,
            reason=words.reason,
            details=words.details,
        )
        timeline.append(entry)
        if words.part is not None:
            parts[words.part].append(entry)
    actions = _actions(events)
    code = exit_code(run)
    unclean = _unclean(parts)
    if code == DONE and unclean:
        code = NOT_CLEAN
    return Report(
        pair=run.pair,
        run=run.id,
        kind=run.kind,
        old=run.old,
        new=run.new,
        who=run.who,
        host=run.host,
        operators=_operators(run, events),
        why=run.why,
        ticket=run.ticket,
        began=run.began,
        ended=run.stage_wall if run.over else None,
        ending=_ending(run, code),
        exit_code=code,
        clean=code == DONE,
        unclean=unclean,
        took=whole.total,
        person=whole.person,
        machine=whole.machine,
        earlier=sum(other.kind == run.kind for other in past),
        spans=_spans(run, events, usual_spans(past, run.kind)),
        steps=_steps(run, spent, usual_steps(past, run.kind)),
        actions=actions,
        waivers=tuple(parts[Part.WAIVERS]),
        attestations=tuple(parts[Part.ATTESTATIONS]),
        skips=tuple(parts[Part.SKIPS]),
        decisions=tuple(parts[Part.DECISIONS]),
        reconcile=_reconcile(run),
        late=_late(run),
        people=tuple(parts[Part.PEOPLE]),
        hooks=tuple(parts[Part.HOOKS]),
        owed=tuple(
            f"{debt.what} on {debt.server}" + (f": {', '.join(debt.names)}" if debt.names else "")
            for debt in run.ledger
        ),
        timeline=tuple(timeline),
        excerpts=excerpts_of(sources.lines, actions),
        notes=sources.notes,
    )


def _unclean(parts: dict[Part, list[Entry]]) -> tuple[str, ...]:
    found: list[str] = []
    for part in UNCLEAN:
        one = part.value.removesuffix("s")
        for entry in parts[part]:
            by = f" by {entry.who}" if entry.who else ""
            reason = f": {entry.reason}" if entry.reason else ""
            found.append(f"{one}{f' at {entry.step}' if entry.step else ''}{by}{reason}")
    return tuple(found)


def _ending(run: Run, code: int) -> str:
    if isinstance(run.stage, Ended):
        return "done, but not clean" if code == NOT_CLEAN else run.stage.ending.value
    return "open"


def _operators(run: Run, events: Sequence[Recorded]) -> tuple[str, ...]:
    """Who operated it, in turn, each once."""
    names = [run.who]
    for event in events:
        if isinstance(event, HandedOver):
            names.append(event.to)
        elif isinstance(event, Resumed) and event.after:
            names.append(event.who)
    return tuple(dict.fromkeys(names))


def _spans(run: Run, events: Sequence[Recorded], usual: Usual) -> tuple[SpanReport, ...]:
    return tuple(
        SpanReport(
            id=span.id,
            title=span.title,
            seconds=span.seconds,
            since=span.since,
            until=span.until,
            usual=usual.get(span.id),
        )
        for span in spans_of(run, events)
    )


def _steps(run: Run, spent: dict[str, Spent], usual: Usual) -> tuple[StepReport, ...]:
    return tuple(_step(run, step, spent.get(step, Spent()), usual) for step in run.plan)


def _step(run: Run, id: str, spent: Spent, usual: Usual) -> StepReport:  # noqa: A002 - as the struct's key
    step, record = STEPS[id], run.record(id)
    here = run.step is not None and run.step.id == id
    state = "open" if here else "not reached"
    if record is not None:
        state = "waived" if record.waived else "passed"
    return StepReport(
        id=id,
        title=step.title,
        phase=step.phase.value,
        state=state,
        attempts=run.attempts.get(id, 0),
        began=record.began if record else (run.step_began if here else None),
        ended=record.ended if record else None,
        person=spent.person,
        machine=spent.machine,
        usual=usual.get(id),
        evidence=record.proofs if record and not record.waived else (),
    )


def _actions(events: Sequence[Recorded]) -> tuple[ActionReport, ...]:
    """Every action, in order; the last thing known of each."""
    actions: dict[str, ActionReport] = {}
    for event in events:
        if isinstance(event, Intended):
            actions[event.token] = ActionReport(
                step=event.step,
                token=event.token,
                action=event.action.value,
                server=event.server,
                began=event.wall,
                proofs=event.proofs,
            )
        elif isinstance(event, Finished) and event.token in actions:
            outcome = event.outcome
            actions[event.token] = msgspec.structs.replace(
                actions[event.token],
                ended=event.wall,
                result=outcome.result.value,
                says=outcome.says,
                code=outcome.code,
                tail=outcome.tail,
            )
    return tuple(actions.values())


def _reconcile(run: Run) -> tuple[JobReport, ...]:
    """The jobs that were running when the baseline was recorded: did each of them end, and was that heard?"""
    running = run.baseline.running if run.baseline else ()
    return tuple(_job(job, job.since, "was running when the baseline was recorded") for job in running)


def _late(run: Run) -> tuple[JobReport, ...]:
    """The runs of the baseline that came due while the scheduler was dark."""
    if run.baseline is None or run.dark_since is None:
        return ()
    until = run.dark_until or run.stage_wall
    late: list[JobReport] = []
    for job in run.baseline.due:
        due = _moment(job.due)
        if due is not None and run.dark_since <= due <= until:
            late.append(_job(job, job.due, "came due while the scheduler was dark: late or missed"))
        elif due is None:
            late.append(_job(job, job.due, "was due; whether while the scheduler was dark cannot be said"))
    return tuple(late)


def _job(job: Job, when: str, says: str) -> JobReport:
    return JobReport(id=job.id, job=job.job, agent=job.agent, when=when, says=says)


def _moment(text: str) -> datetime | None:
    """A time as a server wrote it; None where it cannot be read or does not say in which zone it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
