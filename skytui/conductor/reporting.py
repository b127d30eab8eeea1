"""The report of a run: made from its folder, and written beside its journal."""

import logging
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from skytui.conductor.history import History
from skytui.conductor.runs import load_run, write_whole
from skytui.errors import StateError
from skytui.pair.logline import LogLine
from skytui.plaintext import plain
from skytui.runbook.model import Run
from skytui.runbook.report import FORMATS, Report, Sources, make_report, render

NAME = "report"
"""The name of the files, before the ending of their format."""
LOGS = "logs"
TAIL_BYTES = 4 * 1024 * 1024
"""How much of each log is looked at, from its end."""
LINES_KEPT = 20_000
"""And how many of its lines."""

_LOG = logging.getLogger(__name__)


def has_report(folder: Path) -> bool:
    """Whether the report of the run in this folder was written, in every format."""
    return all((folder / f"{NAME}.{form}").is_file() for form in FORMATS)


def report_of(folder: Path, history: History) -> Report:
    """The report of the run in this folder, as far as it has got.

    Raises StateError when its journal cannot be trusted, or holds what this version does not know.
    """
    stored = load_run(folder)
    past = history.past()
    lines, notes = _transcripts(folder / LOGS, stored.run)
    sources = Sources(past=past, lines=lines, notes=(*history.troubles, *notes))
    try:
        return make_report(stored.contents.events, sources)
    except (ValueError, KeyError) as error:
        raise StateError(f"No report can be made of {folder}: {error}.") from error


def write_reports(folder: Path, report: Report) -> str:
    """Write the report beside the journal, in every format. Why not, empty when it was.

    No run stops for want of it: it can be made again from the journal at any time.
    """
    try:
        for form in FORMATS:
            write_whole(folder / f"{NAME}.{form}", render(report, form).encode())
    except OSError as error:
        says = f"the report in {folder} cannot be written: {error.strerror}"
        _LOG.warning("%s", says)
        return says
    return ""


def _transcripts(folder: Path, run: Run) -> tuple[tuple[LogLine, ...], tuple[str, ...]]:
    """The last lines of every log of the run, in the order of their times; and what could not be read."""
    lines: list[LogLine] = []
    notes: list[str] = []
    try:
        files = sorted(folder.glob("*.log"))
        for file in files:
            server, log = _named(file.stem, run)
            lines += _lines(server, log, _tail(file))
    except OSError as error:
        notes.append(f"the logs in {folder} cannot all be read: {error.strerror}")
    return tuple(sorted(lines, key=lambda line: line.wall)), tuple(notes)


def _named(stem: str, run: Run) -> tuple[str, str]:
    """Server and log of a transcript: its name has both, with a dash between."""
    for server in (run.old, run.new):
        if stem.startswith(f"{server}-"):
            return server, stem.removeprefix(f"{server}-")
    return stem, "log"


def _tail(file: Path) -> list[str]:
    with file.open("rb") as opened:
        size = opened.seek(0, 2)
        opened.seek(max(0, size - TAIL_BYTES))
        data = opened.read(TAIL_BYTES)
    lines = data.decode("utf-8", "replace").split("\n")
    return lines[1:] if size > TAIL_BYTES else lines


def _lines(server: str, log: str, texts: Iterable[str]) -> Iterable[LogLine]:
    kept: deque[LogLine] = deque(maxlen=LINES_KEPT)
    for text in texts:
        stamp, _, said = text.partition(" ")
        try:
            wall = datetime.fromisoformat(stamp)
        except ValueError:
            continue  # the half line a crash leaves
        if wall.tzinfo is not None:
            kept.append(LogLine(server, log, plain(said), wall))
    return kept
