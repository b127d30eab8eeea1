"""All keys, made from the bindings themselves."""

from collections.abc import Iterable

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button

from skytui.tui import keys
from skytui.tui.arming import KeyTimes
from skytui.tui.keyboard import USUAL, Keyboard, key_name
from skytui.tui.screens.dialog import Choice, Dialog, paragraph
from skytui.tui.view.wrap import hanging

WIDTH = 70
KEY_COLUMN = 10


def help_text(width: int = WIDTH, board: Keyboard = USUAL) -> Content:
    """One entry a key, wrapped."""
    entries = [
        hanging(
            Content.styled(key_name(binding), "bold $attention"), Content(binding.tooltip), width, KEY_COLUMN
        )
        for binding in (*board.main, *keys.APP)
    ]
    return Content("\n").join(entries)


class HelpDialog(Dialog[bool]):
    """The keys; and above them who is here, one line each, unless this console is alone."""

    heading = "Keys"
    hint = "q or Esc closes"

    def __init__(self, times: KeyTimes, people: tuple[str, ...] = (), board: Keyboard = USUAL) -> None:
        super().__init__(times)
        self._board = board
        self._people = people

    def content(self) -> Iterable[Widget]:
        """What each key does."""
        text = help_text(board=self._board)
        if len(self._people) > 1:
            here = (hanging(Content(""), Content(line), WIDTH, KEY_COLUMN) for line in self._people)
            text = Content("\n").join([Content.styled("Here", "bold"), *here, Content(""), text])
        yield VerticalScroll(paragraph(text), id="help-text", can_focus=True)

    def buttons(self) -> Iterable[Button]:
        """Only to close."""
        yield Choice("cancel", "Close")

    def first_focus(self) -> Widget | None:
        """The text, so that arrow keys scroll it."""
        return self.query_one("#help-text")

    def key_q(self) -> None:
        """Close, without the wait that Esc brings."""
        self.answer(None)
