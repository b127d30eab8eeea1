"""The report of a run, made from the events of its journal. Pure.

`model` is what it holds, `make` fills it, `telling` has the words for each event; `document` lays it out, and
`markdown` and `page` render that. As JSON it is the struct itself.
"""

from skytui.runbook.report.make import Sources, make_report
from skytui.runbook.report.model import Report
from skytui.runbook.report.render import FORMATS, Format, render, schema

__all__ = ["FORMATS", "Format", "Report", "Sources", "make_report", "render", "schema"]
