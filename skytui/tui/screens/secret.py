"""Asks for a secret, masked; it is tried at once and never kept here."""

from collections.abc import Awaitable, Callable, Iterable

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from skytui.tui.arming import KeyTimes
from skytui.tui.screens.dialog import Dialog, line_input, paragraph

Give = Callable[[str, str], Awaitable[str]]


class SecretDialog(Dialog[bool]):
    """Asks until the secret is right or the operator cancels. Returns True when it was taken."""

    heading = "A secret is wanted"

    def __init__(self, times: KeyTimes, *, name: str, give: Give, refused: str = "") -> None:
        super().__init__(times)
        self._secret = name
        self._refused = refused
        self._give = give
        self._input = line_input("secret", "not shown, not stored", masked=True)

    @property
    def secret(self) -> str:
        """The name of what is asked for."""
        return self._secret

    def content(self) -> Iterable[Widget]:
        """Whose secret, what becomes of it, and why the one before was not taken."""
        if self._refused:
            yield paragraph(Content.styled(self._refused, "$attention"))
        yield paragraph(f"{self._secret}: tried at once, kept in the conductor's memory only.")
        yield self._input

    def first_focus(self) -> Widget | None:
        """The empty input."""
        return self._input

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Try it."""
        event.stop()
        value, self._input.value = event.value, ""
        if not value:
            self.complain("Nothing was typed.")
            return
        self._input.disabled = True
        self.run_worker(self._try(value), exclusive=True)

    async def _try(self, value: str) -> None:
        self._says.draw(Content("Trying it."))
        refused = await self._give(self._secret, value)
        if not refused:
            self.answer(True)
            return
        self.complain(f"Refused: {refused}")
        self._input.disabled = False
        self._input.focus()
