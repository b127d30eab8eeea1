"""All checks, kept current while they are looked at."""

from collections.abc import Iterable
from typing import Protocol

from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Button

from skytui.tui.arming import KeyTimes
from skytui.tui.glyphs import Look
from skytui.tui.scene import Scene
from skytui.tui.screens.dialog import Choice, Dialog, paragraph
from skytui.tui.view.checks import checks_list

WIDTH = 70
REFRESH_SECONDS = 1.0


class _Floor(Protocol):
    @property
    def scene(self) -> Scene: ...


class ChecksDialog(Dialog[bool]):
    """What every check finds, group by group. Only to look at."""

    heading = "Checks"
    hint = "q or Esc closes"

    def __init__(self, times: KeyTimes, look: Look, floor: _Floor) -> None:
        super().__init__(times)
        self._look = look
        self._floor = floor
        self._text = paragraph(checks_list(floor.scene, look, WIDTH))

    def content(self) -> Iterable[Widget]:
        """The list."""
        yield VerticalScroll(self._text, id="help-text", can_focus=True)

    def buttons(self) -> Iterable[Button]:
        """Only to close."""
        yield Choice("cancel", "Close")

    def first_focus(self) -> Widget | None:
        """The list, so that arrow keys scroll it."""
        return self.query_one("#help-text")

    def on_mount(self) -> None:
        """The conductor goes on looking."""
        super().on_mount()
        self.set_interval(REFRESH_SECONDS, self._refresh)

    def _refresh(self) -> None:
        self._text.draw(checks_list(self._floor.scene, self._look, WIDTH))

    def key_q(self) -> None:
        """Close, without the wait that Esc brings."""
        self.answer(None)
