"""A report as text, in each of its formats; and the schema of its JSON."""

import enum
from typing import Any

import msgspec

from skytui.runbook.report.document import lay_out
from skytui.runbook.report.markdown import to_markdown
from skytui.runbook.report.model import Report
from skytui.runbook.report.page import to_html


class Format(enum.StrEnum):
    """A format; the value is the ending of its file."""

    MARKDOWN = "md"
    JSON = "json"
    HTML = "html"


FORMATS = tuple(Format)


def render(report: Report, form: Format) -> str:
    """The whole text, with a line break at its end."""
    match form:
        case Format.MARKDOWN:
            return to_markdown(lay_out(report))
        case Format.HTML:
            return to_html(lay_out(report))
        case Format.JSON:
            return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a report as JSON."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The report of a run of skytui",
        **msgspec.json.schema(Report),
    }
