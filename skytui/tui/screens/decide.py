"""Decides about the rows of a step's list: one at a time with a letter, or all the rest in one go."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.events import Key
from textual.widget import Widget
from textual.widgets import Button

from skytui.runbook.rows import Row
from skytui.tui import keys
from skytui.tui.arming import KeyTimes
from skytui.tui.glyphs import Look
from skytui.tui.screens.dialog import Choice, Dialog, paragraph
from skytui.tui.widgets.pane import Pane

SHOWN = 8
"""How many rows are on the screen at once."""


def letters(choices: Iterable[str]) -> dict[str, str]:
    """A letter for each decision: the first one of its name that no other has yet."""
    found: dict[str, str] = {}
    for choice in choices:
        found[next(letter for letter in choice if letter.isalpha() and letter not in found)] = choice
    return found


class DecideDialog(Dialog[dict[str, str]]):
    """Returns the decisions by row: those made here, no others. Starts on Cancel."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.DIALOG, *keys.DECIDE]
    hint = "up and down choose a row, a letter decides it, Esc cancels"

    def __init__(self, times: KeyTimes, look: Look, *, title: str, rows: Sequence[Row]) -> None:
        super().__init__(times)
        self.heading = title
        self._look = look
        self._rows = rows
        self._picked: dict[str, str] = {}
        self._at = next((place for place, row in enumerate(rows) if row.open), 0)
        self._list = Pane(classes="dialog-text", grows=True)
        self._letters = Pane(classes="dialog-text", grows=True)

    def content(self) -> Iterable[Widget]:
        """The rows, and what the letters mean for the one that is chosen."""
        left = sum(row.open for row in self._rows)
        yield paragraph(f"{len(self._rows)} listed, {left} to be decided.")
        self._draw()
        yield self._list
        yield self._letters

    def buttons(self) -> Iterable[Button]:
        """Cancel first; then the decisions that can be made for all the rest."""
        yield Choice("cancel", "Cancel")
        yield Choice("record", "Record")
        for choice in self._common():
            yield Choice(f"rest-{choice}", f"All the rest: {choice}")

    def pressed(self, which: str) -> None:
        """Record what was decided, or that and all the rest."""
        choice = which.removeprefix("rest-")
        if choice != which:
            rest = [row.id for row in self._rows if row.open and choice in row.choices]
            self.answer({**dict.fromkeys(rest, choice), **self._picked})
        elif self._picked:
            self.answer(self._picked)
        else:
            self.complain("Nothing was decided: a letter decides the row that is chosen.")

    def action_row(self, by: int) -> None:
        """Choose the row before, or the next one."""
        self._at = max(0, min(len(self._rows) - 1, self._at + by))
        self._draw()

    def on_key(self, event: Key) -> None:
        """A letter decides the chosen row, and the next one is chosen. No digit: torn keys hold some."""
        row = self._rows[self._at]
        decision = letters(row.choices).get(event.character or "")
        if decision:
            event.stop()
            self._picked[row.id] = decision
            self.action_row(1)

    def _common(self) -> list[str]:
        """The decisions that any row waits for, in their order."""
        return list(dict.fromkeys(choice for row in self._rows if row.open for choice in row.choices))

    def _draw(self) -> None:
        first = max(0, min(self._at - SHOWN // 2, len(self._rows) - SHOWN))
        lines = [self._line(place) for place in range(first, min(first + SHOWN, len(self._rows)))]
        hidden = len(self._rows) - len(lines)
        if hidden:
            lines.append(Content.styled(f"  {hidden} more", "$quiet"))
        self._list.draw(Content("\n").join(lines))
        choices = self._rows[self._at].choices
        offered = "   ".join(f"{letter} {choice}" for letter, choice in letters(choices).items())
        self._letters.draw(Content.styled(offered or "nothing to decide about this row", "bold"))

    def _line(self, place: int) -> Content:
        row, glyphs = self._rows[place], self._look.glyphs
        decided = self._picked.get(row.id) or (row.decision.decision if row.decision else "")
        sign = glyphs.done if decided else (glyphs.later if row.open else glyphs.dot)
        text = f"{glyphs.current if place == self._at else ' '} {sign} {row.says}"
        word = Content.styled(f"  {decided}", "bold $sky") if decided else Content("")
        return Content.styled(text, "bold" if place == self._at else "") + word
