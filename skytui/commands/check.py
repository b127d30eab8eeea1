"""`skytui check`: everything that is looked at before a swap begins. Changes nothing."""

import asyncio
import locale
import os
import sys
import textwrap
from datetime import datetime

import msgspec

from skytui.commands.look import Looked, look
from skytui.pair.facts import Terminal
from skytui.pair.pair import PairReading
from skytui.pair.reading import Known, Unknown
from skytui.pair.thresholds import Thresholds
from skytui.runbook.checks import Checked, Group, Verdict, check_now, counts, summary

SCHEMA = 1
"""Of the JSON that `--json` prints; described in docs/check.md and docs/check.schema.json."""
OK, BLOCKED, UNSURE = 0, 10, 13
WIDTH = 80
OLD_SECONDS = 5.0
"""From this age on it is said how old the evidence is."""

_GLYPHS = {
    Verdict.OK: ("✔", "\N{ESCAPE}[36m"),
    Verdict.WARN: ("!", "\N{ESCAPE}[33m"),
    Verdict.BLOCK: ("✖", "\N{ESCAPE}[31m"),
    Verdict.UNKNOWN: ("?", "\N{ESCAPE}[35m"),
    Verdict.NOT_APPLICABLE: ("·", "\N{ESCAPE}[2m"),
}
_WORDS = {Verdict.NOT_APPLICABLE: "n/a"}


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What `skytui check --json` prints.

    `conductor`: whether a running conductor answered; otherwise the pair was polled once. `at` is when that
    poll ended, in UTC. `counts` are the checks by verdict. `exit_code` is what the command ends with.
    """

    schema: int = SCHEMA
    pair: str
    practice: bool
    conductor: bool
    at: datetime
    exit_code: int
    counts: dict[str, int]
    checks: tuple[Checked, ...]


def check(pair: str, *, as_json: bool) -> tuple[str, int]:
    """What to print, and the exit code: 0 when nothing blocks, 10 when something does, 13 if unknown."""
    document = document_of(asyncio.run(look(pair)))
    if as_json:
        text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
    else:
        text = as_text(document, colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    return text, document.exit_code


def document_of(looked: Looked) -> Document:
    """Every check, by what was seen and by this terminal."""
    reading = looked.reading
    facts = msgspec.structs.replace(reading.facts, terminal=terminal_now(reading))
    reading = msgspec.structs.replace(reading, facts=facts)
    run = looked.run
    limit = (run.thresholds if run else Thresholds()).fresh_seconds
    own_run = run.id if run and not run.over else ""
    checks = check_now(reading, limit, own_run)
    return Document(
        pair=looked.pair,
        practice=looked.practice,
        conductor=looked.conductor,
        at=reading.wall,
        exit_code=exit_code(checks),
        counts=counts(checks),
        checks=checks,
    )


def exit_code(checks: tuple[Checked, ...]) -> int:
    """10 when a check blocks; 13 when one that could block is unknown; else 0."""
    if any(checked.verdict is Verdict.BLOCK for checked in checks):
        return BLOCKED
    return UNSURE if any(checked.blocks for checked in checks) else OK


def terminal_now(reading: PairReading) -> Known[Terminal] | Unknown:
    """The terminal of whoever calls."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return Unknown("standard input or output is no terminal", reading.now)
    size = os.get_terminal_size()
    utf8 = locale.getpreferredencoding(do_setlocale=False).casefold().replace("-", "") == "utf8"
    return Known(Terminal(os.environ.get("TERM", ""), size.columns, size.lines, utf8), reading.now)


def as_text(document: Document, *, colour: bool) -> str:
    """Group by group, at most 80 columns wide."""
    lines: list[str] = []
    wide = max(len(checked.id) for checked in document.checks)
    for group in Group:
        of_group = [checked for checked in document.checks if checked.group is group]
        if of_group:
            lines.append(group.value)
            for checked in of_group:
                lines += _lines(checked, wide, colour)
            lines.append("")
    return "\n".join([*lines, summary(document.checks)])


def _lines(checked: Checked, wide: int, colour: bool) -> list[str]:
    glyph, paint = _GLYPHS[checked.verdict]
    word = _WORDS.get(checked.verdict, checked.verdict.value)
    age = "" if checked.age is None or checked.age < OLD_SECONDS else f" ({checked.age:.0f} s ago)"
    head = f"  {glyph} {word:7} {checked.id:{wide}}  "
    says = f"{checked.evidence}{age}"
    room = WIDTH - len(head)
    found = textwrap.wrap(says, room) or [""]
    rest = [*found[1:], *(textwrap.wrap(f"→ {checked.hint}", room) if checked.hint else ())]
    if colour:
        head = f"  {paint}{glyph} {word:7}\N{ESCAPE}[0m {checked.id:{wide}}  "
    indent = " " * (WIDTH - room)
    return [head + found[0], *(indent + line for line in rest)]
