"""Reads an HTML page the way a strict reader, or one without styles, does."""

from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "img", "input", "link"}
"""Elements without an end tag. Source: HTML Living Standard, *Void elements*."""
BLOCKS = {"h1", "h2", "p", "li", "tr", "caption", "figcaption", "pre"}
"""What stands on a line of its own without any styles."""


class Page(HTMLParser):
    """Every element with its attributes, and the text a reader without styles sees, line by line.

    Raises AssertionError where an end tag is missing, doubled, or of another element than the last open one.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[tuple[str, tuple[str, ...]]] = []
        self.doctypes: list[str] = []
        self.lines: list[str] = [""]
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_decl(self, decl: str) -> None:
        self.doctypes.append(decl)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"{tag} has an attribute twice"
        self.elements.append((tag, dict(attrs)))
        self.inside.append((tag, tuple(self.open)))
        if tag in BLOCKS:
            self.lines.append("")
        if tag in ("td", "th") and self.lines[-1].strip():
            self.lines[-1] += " | "
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()
        if tag in BLOCKS:
            self.lines.append("")

    def handle_data(self, data: str) -> None:
        if "style" in self.open or "head" in self.open:
            return
        if "pre" in self.open:
            first, *rest = data.split("\n")
            self.lines[-1] += first
            self.lines += rest
        else:
            self.lines[-1] += " ".join(data.split())

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"unknown declaration {data}")

    @property
    def text(self) -> str:
        return "\n".join(line for line in self.lines if line.strip())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]
