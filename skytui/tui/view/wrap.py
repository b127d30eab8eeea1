"""Text made to fit: wrapped under a label, or cut."""

from textual.content import Content

from skytui.tui.glyphs import Glyphs

LABEL = 6
"""Width of the labels of the step card."""


def hanging(label: Content, text: Content, width: int, indent: int = LABEL) -> Content:
    """`text` wrapped to `width`, each line indented; the label stands before the first one."""
    room = max(8, width - indent)
    # Wrapped a line at a time: what a server says may be empty, and must not swallow its neighbours.
    lines = [part for line in text.split("\n", allow_blank=True) for part in (line.wrap(room) or [line])]
    head = label.pad_right(max(0, indent - label.cell_length))
    first, *rest = lines or [Content("")]
    blank = Content(" " * indent)
    return Content("\n").join([head + first, *(blank + line for line in rest)])


def labelled(label: str, text: Content | str, width: int) -> Content:
    """A paragraph of the card, under one of its labels."""
    return hanging(Content.styled(label, "$quiet"), Content(text) if isinstance(text, str) else text, width)


def cut(text: Content, width: int, glyphs: Glyphs) -> Content:
    """A line cut to `width`, with the sign that something is missing."""
    if text.cell_length <= width:
        return text
    return text.truncate(max(0, width - len(glyphs.ellipsis))) + glyphs.ellipsis
