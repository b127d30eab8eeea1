"""Asks for a reason: to waive a gate, or to hold the run."""

from collections.abc import Iterable

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from skytui.tui.arming import KeyTimes
from skytui.tui.glyphs import Look
from skytui.tui.screens.dialog import Dialog, line_input, paragraph


class ReasonDialog(Dialog[str]):
    """Returns the reason that was typed."""

    def __init__(
        self, times: KeyTimes, look: Look, *, title: str, text: str, unproven: tuple[str, ...] = ()
    ) -> None:
        super().__init__(times)
        self.heading = title
        self._look = look
        self._about = text
        self._unproven = unproven
        self._input = line_input("reason", "the reason, for the journal")

    def content(self) -> Iterable[Widget]:
        """What is left unproven, and the question."""
        yield paragraph(self._about)
        for sentence in self._unproven:
            yield paragraph(Content.styled(f"{self._look.glyphs.bad} {sentence}", "$alarm"))
        yield self._input

    def first_focus(self) -> Widget | None:
        """The empty input."""
        return self._input

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """A reason is some text."""
        event.stop()
        if event.value.strip():
            self.answer(event.value.strip())
        else:
            self.complain("It needs a reason: type one, or press Esc.")
