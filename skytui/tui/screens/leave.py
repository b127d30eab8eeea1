"""Leaving a drill: what becomes of the practice pair."""

from collections.abc import Iterable

from textual.widget import Widget
from textual.widgets import Button

from skytui.tui.arming import KeyTimes
from skytui.tui.leaving import DrillEnding
from skytui.tui.screens.dialog import Choice, Dialog, paragraph


class LeaveDialog(Dialog[DrillEnding]):
    """Returns what becomes of the pair. Starts on leaving it running while a run is open, else on staying."""

    heading = "Leave the drill?"

    def __init__(self, times: KeyTimes, *, run_open: bool) -> None:
        super().__init__(times)
        self._run_open = run_open

    def content(self) -> Iterable[Widget]:
        """What each choice means."""
        if self._run_open:
            yield paragraph("A run is open. Left running, it goes on to its next gate and waits there.")
        yield paragraph(
            "Leave it running: pair and conductor stay; skytui drill attaches again.\n"
            "Bring it down: everything that was started is stopped; the run ends where it is."
            if self._run_open
            else "Leave it running: pair and conductor stay; skytui drill attaches again.\n"
            "Bring it down: everything that was started is stopped."
        )

    def buttons(self) -> Iterable[Button]:
        """Staying first."""
        yield Choice("cancel", "Stay")
        yield Choice("leave", "Leave it running")
        yield Choice("down", "Bring the pair down")

    def first_focus(self) -> Widget | None:
        """The harmless one."""
        return self.query_one("#leave" if self._run_open else "#cancel", Button)

    def pressed(self, which: str) -> None:
        """One of the two endings."""
        self.answer(DrillEnding.BRING_DOWN if which == "down" else DrillEnding.LEAVE_RUNNING)
