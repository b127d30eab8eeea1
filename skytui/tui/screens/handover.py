"""Pass the run on to another user."""

from collections.abc import Iterable

from textual.widget import Widget
from textual.widgets import Input

from skytui.tui.arming import KeyTimes
from skytui.tui.screens.dialog import Dialog, line_input, paragraph


class HandOverDialog(Dialog[str]):
    """Asks for a user's login name; returns it. `here` are the users who are connected."""

    heading = "Hand the run over?"

    def __init__(self, times: KeyTimes, *, you: str, here: str) -> None:
        super().__init__(times)
        self._you = you
        self._here = here
        self._input = line_input("login", "the login name")

    def content(self) -> Iterable[Widget]:
        """What it means, who is here, and the question."""
        yield paragraph(
            "From then on only the other one's confirmations count, and you look on. Nothing is confirmed"
            " by it, and what is under way goes on. It stands in the journal."
        )
        here = (
            f"Here now: {self._here}."
            if self._here
            else "Nobody else is here; the run waits for whom you name."
        )
        yield paragraph(f"{here} Type a login name and press Enter.")
        yield self._input

    def first_focus(self) -> Widget | None:
        """The empty input."""
        return self._input

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """A name, and not your own."""
        event.stop()
        name = event.value.strip()
        if not name:
            self.complain("Nothing was typed: the run stays yours.")
        elif name == self._you:
            self.complain(f"{name} is you: you operate this run already.")
        else:
            self.answer(name)
