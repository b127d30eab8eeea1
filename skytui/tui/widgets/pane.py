"""A piece of text that is repainted only when it has changed."""

from textual.content import Content
from textual.widgets import Static

from skytui.plaintext import plain


def harmless(content: Content) -> Content:
    """The text as it is, unless it holds what could drive the terminal; then cleaned, without styles.

    What servers say was cleaned where it came in. This is the last door before the terminal.
    """
    lines = content.plain.split("\n")
    clean = [plain(line) for line in lines]
    return content if clean == lines else Content("\n".join(clean))


class Pane(Static):
    """A `Static` without markup, that leaves the terminal alone while its text stays the same.

    `grows`: its height follows its text, so that a change may move what is below it.
    """

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002 - textual's
        classes: str | None = None,
        grows: bool = False,
    ) -> None:
        super().__init__("", markup=False, id=id, classes=classes)
        self._grows = grows
        self._drawn = Content("")

    def draw(self, content: Content) -> None:
        """Show this text."""
        content = harmless(content)
        if not content.is_same(self._drawn):
            self._drawn = content
            self.update(content, layout=self._grows)
