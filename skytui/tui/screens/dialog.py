"""What every dialog has in common.

It starts on Cancel or in an empty input; keys typed before it was painted never reach it (the console drops
them, see `Console.on_event`); the screen behind it goes on being updated.
"""

from collections.abc import Iterable
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Button, Input

from skytui.tui import keys
from skytui.tui.arming import Armed, KeyTimes
from skytui.tui.glyphs import ASCII, UNICODE
from skytui.tui.passing import Passing, never
from skytui.tui.widgets.pane import Pane

T = TypeVar("T")


class Dialog(ModalScreen[T | None], Generic[T]):
    """A dialog that returns a T, or None when it was cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.DIALOG]
    AUTO_FOCUS = ""
    heading = ""
    hint = "Esc cancels"

    def __init__(self, times: KeyTimes) -> None:
        super().__init__()
        self.passed_by: Passing = never
        self._times = times
        self._armed = Armed()
        self._answered = False
        self._says = Pane(classes="dialog-says", grows=True)

    def compose(self) -> ComposeResult:
        """Heading, content, what is wrong, buttons."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content(self.heading)
            box.border_subtitle = Content(self.hint)
            yield from self.content()
            yield self._says
            with Horizontal(classes="dialog-buttons"):
                yield from self.buttons()

    def content(self) -> Iterable[Widget]:
        """What stands between heading and buttons."""
        return ()

    def buttons(self) -> Iterable[Button]:
        """The buttons; the first one cancels."""
        yield Choice("cancel", "Cancel")

    def first_focus(self) -> Widget | None:
        """What the keys go to at first."""
        return self.query_one("#cancel", Button)

    def on_mount(self) -> None:
        """From the first paint on, keys count; its buttons tell of that."""
        self.set_focus(self.first_focus())
        self._armed.change("dialog")

    def painted(self) -> None:
        """What is on the screen now includes this dialog."""
        focus = self.first_focus()
        if focus is not None and focus.region:
            self._armed.painted("dialog", self._times.now())

    def admits(self, read: float) -> bool:
        """Whether a key read at this time was typed with the dialog on the screen."""
        return self._armed.admits(read, settle=0.0)

    def complain(self, sentence: str) -> None:
        """Say why it cannot go on."""
        self._says.draw(Content.styled(sentence, "bold $alarm"))

    def answer(self, answer: T | None) -> None:
        """Close with this answer; None when it was cancelled. Only the first answer counts.

        Two Enters read at once both reach the dialog, and dismissing twice would close what lies below it.
        """
        if not self._answered:
            self._answered = True
            self.dismiss(answer)

    def action_cancel(self) -> None:
        """Close; nothing is done."""
        self.answer(None)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Cancel, or what the dialog is for."""
        event.stop()
        if event.button.id == "cancel":
            self.action_cancel()
        else:
            self.pressed(event.button.id or "")

    def pressed(self, which: str) -> None:
        """Another button than Cancel was pressed."""


class Choice(Button):
    """A button of one line. A sign before its label says that Enter presses it; colour alone would not do."""

    def __init__(self, id: str, label: str) -> None:  # noqa: A002 - textual's
        self._word = label
        super().__init__(Content(f"   {label} "), id=id, compact=True)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The compositor paints it, and with it the dialog.

        Not call_after_refresh: that waits until nothing behind the dialog changes any more, which on a busy
        machine took seconds (seen in 8.2.8), and what was typed until then was lost.
        """
        if isinstance(self.screen, Dialog):
            self.screen.painted()
        return super().render_lines(crop)

    def watch_has_focus(self, _has_focus: bool) -> None:
        """The sign moves with the focus."""
        super().watch_has_focus(_has_focus)
        glyphs = ASCII if self.app.has_class("-ascii") else UNICODE
        self.label = Content(f" {glyphs.current if _has_focus else ' '} {self._word} ")


def line_input(id: str, placeholder: str, *, masked: bool = False) -> Input:  # noqa: A002 - textual's
    """An input of one line. Its cursor stands still: a blinking one costs bytes on a slow link."""
    line = Input(id=id, placeholder=placeholder, password=masked)
    line.cursor_blink = False
    return line


def paragraph(text: Content | str, classes: str = "dialog-text") -> Pane:
    """A piece of text."""
    pane = Pane(classes=classes, grows=True)
    pane.draw(Content(text) if isinstance(text, str) else text)
    return pane
