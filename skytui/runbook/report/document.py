"""A report laid out: headings, paragraphs, tables and lines, to be rendered as Markdown or HTML."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from skytui.runbook.history import UsualTime, seconds_words, usual_words
from skytui.runbook.report.model import Entry, JobReport, Report
from skytui.runbook.steps import Kind


class Heading(msgspec.Struct, frozen=True, tag="heading"):
    """The heading of a part."""

    text: str


class Paragraph(msgspec.Struct, frozen=True, tag="paragraph"):
    """Some text. `strong`: it is what is to be read first."""

    text: str
    strong: bool = False


class Table(msgspec.Struct, frozen=True, tag="table"):
    """A table: what it is, its columns, and rows of as many cells. The first cell heads its row."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Lines(msgspec.Struct, frozen=True, tag="lines"):
    """Lines as they came, and what they are."""

    caption: str
    lines: tuple[str, ...]


Block = Heading | Paragraph | Table | Lines


class Document(msgspec.Struct, frozen=True):
    """A report to be rendered: its title, and what stands under it."""

    title: str
    blocks: tuple[Block, ...]


def lay_out(report: Report) -> Document:
    """The document of a report. A part of which there is nothing says so in a sentence."""
    title = f"{report.kind.capitalize()} swap of {report.pair}: run {report.run}"
    blocks: list[Block] = [*_summary(report), *_times(report), *_unclean(report), *_steps(report)]
    blocks += _actions(report)
    blocks += _evidence(report)
    blocks += _entries("Decisions", report.decisions, "No decision was asked for.")
    blocks += _jobs(report)
    blocks += _entries("People, holds and marks", report.people, "One operator, no hold, no hand-over.")
    blocks += _entries("Hooks", report.hooks, "") if report.hooks else []
    blocks += _timeline(report)
    blocks += _excerpts(report)
    if report.notes:
        blocks += [Heading("Not taken into account"), *(Paragraph(note) for note in report.notes)]
    return Document(title, tuple(blocks))


def _summary(report: Report) -> Iterable[Block]:
    yield Paragraph(_verdict(report), strong=True)
    ended = _at(report.ended) if report.ended else "still open"
    rows = [
        ("Pair", f"{report.pair}: {report.old} (master before) and {report.new} (standby before)"),
        ("Why", report.why or "not given"),
        ("Ticket", report.ticket or "not given"),
        ("Started by", report.who + (f", on {report.host}" if report.host else "")),
        ("Operated by", ", ".join(report.operators)),
        ("Began", _at(report.began)),
        ("Ended", ended),
        ("Ending", f"{report.ending} (exit code {report.exit_code})"),
        ("Still owed", "; ".join(report.owed) or "nothing"),
    ]
    yield Table("The run", ("What", "Value"), tuple(rows))


def _verdict(report: Report) -> str:
    if report.ended is None:
        return "This run is open: the report shows how far it has got."
    if report.clean:
        return f"Done and clean: {report.new} is the master, {report.old} its standby; each gate was proven."
    if report.unclean and report.ending.startswith("done"):
        standby = f"{report.old} is still to be converted" if report.skips else f"{report.old} its standby"
        unclean = "; ".join(report.unclean)
        return f"Done, but not clean: {report.new} is the master, {standby}; {unclean}."
    return f"The run ended: {report.ending}."


def _times(report: Report) -> Iterable[Block]:
    yield Heading("Times")
    rows = [
        ("In all", seconds_words(report.took), ""),
        ("A person was waited for", seconds_words(report.person), ""),
        ("The machine acted or waited for a gate", seconds_words(report.machine), ""),
    ]
    for span in report.spans:
        if span.seconds is None:
            rows.append((span.title, "not at all", _usual(span.usual)))
            continue
        never = "" if span.until else " (not over when it was last seen)"
        rows.append((span.title, seconds_words(span.seconds) + never, _usual(span.usual)))
    yield Table("How long it took", ("Measure", "This run", "Usually"), tuple(rows))
    if report.kind != Kind.PLANNED:
        yield Paragraph(
            "What was missing before this run was opened is counted from there; since when is not known."
        )
    if not report.earlier:
        yield Paragraph("This is the first run of its kind here: there are no usual times yet.")


def _unclean(report: Report) -> Iterable[Block]:
    yield from _entries("Waivers", report.waivers, "No gate was waived.")
    yield from _entries("Attestations", report.attestations, "Nothing stands on a person's word alone.")
    yield from _entries("Skips", report.skips, "No step was skipped.")


def _steps(report: Report) -> Iterable[Block]:
    yield Heading("Steps")
    rows = tuple(
        (
            f"{number}. {step.title}",
            step.phase,
            step.state + (f", {step.attempts} attempts" if step.attempts > 1 else ""),
            _at(step.ended) if step.ended else "",
            seconds_words(step.person) if step.state != "not reached" else "",
            seconds_words(step.machine) if step.state != "not reached" else "",
            _usual(step.usual),
        )
        for number, step in enumerate(report.steps, start=1)
    )
    columns = ("Step", "Part", "State", "Ended", "A person", "The machine", "The machine, usually")
    yield Table("Each step, and how long it took", columns, rows)


def _evidence(report: Report) -> Iterable[Block]:
    rows = [(step.title, sentence) for step in report.steps for sentence in step.evidence]
    yield Heading("Checks and their evidence")
    if rows:
        yield Table("What each step passed on", ("Step", "Evidence"), tuple(rows))
    else:
        yield Paragraph("No step has passed on evidence.")


def _actions(report: Report) -> Iterable[Block]:
    yield Heading("Actions")
    if not report.actions:
        yield Paragraph("Nothing was done to any server.")
        return
    rows = tuple(
        (
            action.action.replace("_", " "),
            action.server,
            action.step,
            _at(action.began),
            _took(action.began, action.ended),
            action.result,
            "" if action.code is None else str(action.code),
            action.says,
        )
        for action in report.actions
    )
    columns = ("Action", "Server", "Step", "Began", "Took", "Result", "Code", "What was said")
    yield Table("Everything that was done to a server", columns, rows)
    for action in report.actions:
        if action.tail:
            yield Lines(f"{action.token} on {action.server}: its last lines", action.tail)


def _jobs(report: Report) -> Iterable[Block]:
    yield Heading("Jobs to look after")
    columns = ("Job", "Run", "Agent", "When", "Why it is listed")
    if report.reconcile:
        yield Table("Running jobs to be reconciled", columns, _job_rows(report.reconcile))
    else:
        yield Paragraph("No job was running when the baseline was recorded.")
    if report.late:
        yield Table("Late and missed runs", columns, _job_rows(report.late))
    else:
        yield Paragraph("No run that was known of came due while the scheduler was dark.")


def _job_rows(jobs: Sequence[JobReport]) -> tuple[tuple[str, ...], ...]:
    return tuple((job.job or job.id, job.id, job.agent, job.when, job.says) for job in jobs)


def _entries(heading: str, entries: Sequence[Entry], none: str) -> Iterable[Block]:
    yield Heading(heading)
    if not entries:
        yield Paragraph(none)
        return
    rows = tuple(
        (_at(entry.wall), entry.step, entry.who, _sentence(entry), entry.reason) for entry in entries
    )
    yield Table(heading, ("When", "Step", "Who", "What", "Reason"), rows)


def _timeline(report: Report) -> Iterable[Block]:
    yield Heading("Timeline")
    one_day = len({entry.wall.date() for entry in report.timeline}) == 1
    form = "%H:%M:%S" if one_day else "%Y-%m-%d %H:%M:%S"
    rows = tuple(
        (
            f"{entry.wall.strftime(form)}.{entry.wall.microsecond // 1000:03}",
            entry.step,
            entry.who,
            _what(entry),
        )
        for entry in report.timeline
    )
    yield Table("Everything that is in the journal", ("When (UTC)", "Step", "Who", "What"), rows)


def _excerpts(report: Report) -> Iterable[Block]:
    yield Heading("Logs")
    if not report.excerpts:
        yield Paragraph("No log lines were kept of this run.")
    for excerpt in report.excerpts:
        yield Lines(excerpt.title, excerpt.lines)


def _what(entry: Entry) -> str:
    return f"{_sentence(entry)} – {entry.reason}" if entry.reason else _sentence(entry)


def _sentence(entry: Entry) -> str:
    return f"{entry.says}: {'; '.join(entry.details)}" if entry.details else entry.says


def _usual(usual: UsualTime | None) -> str:
    return usual_words(usual) if usual else "–"


def _took(began: datetime, ended: datetime | None) -> str:
    return seconds_words(max(0.0, (ended - began).total_seconds())) if ended else ""


def _at(wall: datetime) -> str:
    return f"{wall:%Y-%m-%d %H:%M:%S} UTC"
