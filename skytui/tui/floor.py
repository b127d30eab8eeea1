"""What the console offers to its operator's desk."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from skytui.tui.leaving import DrillEnding
from skytui.tui.scene import Scene
from skytui.tui.screens.dialog import Dialog

T = TypeVar("T")


class Floor(Protocol):
    """The console, as its operator's desk sees it."""

    @property
    def scene(self) -> Scene:
        """The moment that is shown."""

    @property
    def key_read(self) -> float:
        """When the key that is being handled was read from the terminal."""

    def ask(self, dialog: Dialog[T], answered: Callable[[T], None]) -> None:
        """Show a dialog; `answered` is called with its answer, unless it was cancelled."""

    def send(self, request: Awaitable[str], done: Callable[[str], None]) -> None:
        """Await a request beside the screen; `done` is called with why it was refused."""

    def say(self, sentence: str, *, bad: bool) -> None:
        """A short notice."""

    def go(self, ending: DrillEnding | None) -> None:
        """Leave the console."""
