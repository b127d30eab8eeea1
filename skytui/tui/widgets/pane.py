"""A piece of text that is repainted only when it has changed."""

from textual.content import Content
from textual.widgets import Static


class Pane(Static):
    """A `Static` without markup, that leaves the terminal alone while its text stays the same."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - textual's
        super().__init__("", markup=False, id=id, classes=classes)
        self._drawn = Content("")

    def draw(self, content: Content) -> None:
        """Show this text."""
        if not content.is_same(self._drawn):
            self._drawn = content
            self.update(content)
