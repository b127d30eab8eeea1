"""A document as Markdown (CommonMark, with the tables of GitHub's)."""

import re
from collections.abc import Iterable, Sequence

from skytui.plaintext import plain
from skytui.runbook.report.document import Block, Document, Heading, Lines, Paragraph, Table

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&])")
_AT_LINE_START = re.compile(r"^(\s*)([-+=#]|(?:\d+)(?=[.)]))")
_RUN = re.compile(r"`+")


def to_markdown(document: Document) -> str:
    """The whole text, with one line break at its end."""
    lines = [f"# {_text(document.title)}", ""]
    for block in document.blocks:
        lines += [*_block(block), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _block(block: Block) -> Iterable[str]:
    match block:
        case Heading(text=text):
            yield f"## {_text(text)}"
        case Paragraph(text=text, strong=strong):
            yield f"**{_text(text)}**" if strong else _line(text)
        case Table(caption=caption, columns=columns, rows=rows):
            yield f"*{_text(caption)}*"
            yield ""
            yield _row(columns)
            yield _row(["---"] * len(columns), escaped=True)
            for row in rows:
                yield _row(row)
        case Lines(caption=caption, lines=lines):
            yield f"*{_text(caption)}*"
            yield ""
            yield from _fenced(lines)


def _row(cells: Sequence[str], *, escaped: bool = False) -> str:
    return f"| {' | '.join(cell if escaped else _text(cell) for cell in cells)} |"


def _fenced(lines: Sequence[str]) -> Iterable[str]:
    """The lines between two fences longer than any run of backticks in them."""
    clean = [plain(line) for line in lines]
    longest = max((len(run) for line in clean for run in _RUN.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}text"
    yield from clean
    yield fence


def _text(text: str) -> str:
    """Text of one line in which nothing is taken for markup."""
    return _SPECIAL.sub(r"\\\1", plain(text.replace("\n", " ")))


def _line(text: str) -> str:
    """The same, at the start of a line: there a dash would begin a list, and a number with a dot too."""
    return _AT_LINE_START.sub(_escaped_start, _text(text))


def _escaped_start(match: re.Match[str]) -> str:
    space, sign = match.groups()
    return f"{space}{sign}\\" if sign.isdigit() else f"{space}\\{sign}"
