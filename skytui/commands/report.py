"""`skytui report`: what happened in a run, for people who were not there."""

import json
from pathlib import Path

from skytui.commands.runs import find_run
from skytui.conductor.history import History
from skytui.conductor.reporting import report_of
from skytui.conductor.runs import write_whole
from skytui.errors import UsageError
from skytui.runbook.report import FORMATS, Format, render, schema


def report(words: list[str], form: str, output: Path | None) -> str:
    """The report of the run that `words` name, with its pair or without; where it is, when it was written.

    Raises UsageError for a run that is not there, or a file that cannot be written; StateError when the
    journal cannot be trusted.
    """
    if not 1 <= len(words) <= 2:
        raise UsageError(
            "Name the run, or its pair and the run.", hint="For example: skytui report night 2026…"
        )
    pair, run = ("", *words)[-2:]
    folder = find_run(run, pair)
    chosen = _format(form, output)
    text = render(report_of(folder, History(folder.parent.parent)), chosen)
    if output is None:
        return text.rstrip("\n")
    try:
        write_whole(output, text.encode())
    except OSError as error:
        raise UsageError(f"The report cannot be written to {output}: {error.strerror}.") from error
    return f"The report of run {run} lies in {output}."


def schema_text() -> str:
    """The JSON Schema of a report, as JSON."""
    return json.dumps(schema(), indent=2)


def _format(given: str, output: Path | None) -> Format:
    """The format that was asked for; else the one the file's name ends in; else Markdown."""
    known = [form.value for form in FORMATS]
    if given:
        if given not in known:
            raise UsageError(f"There is no format {given}.", hint=f"There are: {', '.join(known)}.")
        return Format(given)
    ending = output.suffix.removeprefix(".") if output else ""
    return Format(ending) if ending in known else Format.MARKDOWN
