"""Confirm with the host's name, where a server goes down or changes its role; and start a run."""

from collections.abc import Iterable

import msgspec
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input

from skytui.runbook.steps import Kind
from skytui.tui.arming import KeyTimes
from skytui.tui.screens.dialog import Choice, Dialog, line_input, paragraph


class ConfirmDialog(Dialog[str]):
    """Asks for `phrase`; returns it when it was typed."""

    def __init__(
        self, times: KeyTimes, *, title: str, does: str, runs: str, phrase: str, last: bool, late: str = ""
    ) -> None:
        super().__init__(times)
        self.heading = title
        self._does = does
        self._runs = runs
        self._phrase = phrase
        self._last = last
        self._late = late
        self._input = line_input("phrase", "exactly these words")

    def content(self) -> Iterable[Widget]:
        """What will happen, where, and the question."""
        yield paragraph(self._does)
        if self._runs:
            yield paragraph(self._runs, "dialog-command")
        if self._late:
            yield paragraph(Content.styled(f"Consider: {self._late}.", "bold $alarm"))
        if self._last:
            yield paragraph(Content.styled("After this there is no way back.", "bold $alarm"))
        yield paragraph(Content.assemble("Type ", (self._phrase, "bold $attention"), " and press Enter."))
        yield self._input

    def first_focus(self) -> Widget | None:
        """The empty input."""
        return self._input

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Only the exact name will do."""
        event.stop()
        if event.value.strip() == self._phrase:
            self.answer(self._phrase)
            return
        typed = event.value.strip()
        self.complain(
            f"{typed!r} is not {self._phrase}: nothing was done." if typed else "Nothing was typed."
        )
        self._input.value = ""


_HEADINGS = {
    Kind.PLANNED: "Start the planned swap?",
    Kind.UNPLANNED: "Start an unplanned swap?",
    Kind.CONVERT: "Start the conversion?",
}


class Occasion(msgspec.Struct, frozen=True):
    """Why a run is started, and by which ticket; both may be empty."""

    why: str = ""
    ticket: str = ""


class StartDialog(Dialog[Occasion]):
    """Asks whether a run of this kind is to be started, and on what occasion. Starts on Cancel."""

    hint = "Tab: next field. Esc cancels"

    def __init__(self, times: KeyTimes, *, kind: Kind, old: str, new: str) -> None:
        super().__init__(times)
        self.heading = _HEADINGS[kind]
        self._kind = kind
        self._old = old
        self._new = new
        self._why = line_input("why", "why, for the report (may be left out)")
        self._ticket = line_input("ticket", "ticket (may be left out)")

    def content(self) -> Iterable[Widget]:
        """What starting does, and what it does not."""
        yield paragraph(Content.styled(self._roles, "bold"))
        yield paragraph("Opening the run changes nothing on either server; its first step waits for you.")
        yield self._why
        yield self._ticket

    @property
    def _roles(self) -> str:
        match self._kind:
            case Kind.PLANNED:
                return f"{self._new} is to become the master, {self._old} its standby."
            case Kind.UNPLANNED:
                return f"{self._old} is lost: {self._new} is to become the master without it."
            case Kind.CONVERT:
                return f"{self._new} is the master; {self._old} is to become its standby."

    def buttons(self) -> Iterable[Button]:
        """Cancel first."""
        yield Choice("cancel", "Cancel")
        yield Choice("start", "Start")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on to the next field, and from the last one to Cancel: it starts nothing by itself."""
        event.stop()
        self.focus_next()

    def pressed(self, which: str) -> None:
        """Start."""
        self.answer(Occasion(self._why.value.strip(), self._ticket.value.strip()))
