"""A login form for people, found in a page: where it is sent to, and its hidden fields."""

from collections.abc import Collection
from html.parser import HTMLParser

import httpx
import msgspec


class Form(msgspec.Struct, frozen=True):
    """A form: the method and place it is sent to as they are written, its hidden fields, all its names."""

    method: str
    action: str
    hidden: dict[str, str]
    names: frozenset[str]


class _Forms(HTMLParser):
    """Collects the forms of a page. Made of what browsers make something of, it never fails."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a form, or a field of the one that is open."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._end()
            self._open = Form(given.get("method", "get").lower(), given.get("action", ""), {}, frozenset())
        elif tag == "input" and self._open is not None and (name := given.get("name", "")):
            hidden = dict(self._open.hidden)
            if given.get("type", "").lower() == "hidden":
                hidden[name] = given.get("value", "")
            names = self._open.names | {name}
            self._open = msgspec.structs.replace(self._open, hidden=hidden, names=names)

    def handle_endtag(self, tag: str) -> None:
        """Close the form."""
        if tag == "form":
            self._end()

    def _end(self) -> None:
        if self._open is not None:
            self.forms.append(self._open)
        self._open = None

    def close(self) -> None:
        """A form that the page does not close ends with it."""
        super().close()
        self._end()


def login_form(response: httpx.Response, fields: Collection[str]) -> Form | None:
    """The form of the page that has all these fields; None when it has none, or is no page."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("text/html", "application/xhtml+xml"):
        return None
    parser = _Forms()
    parser.feed(response.text)
    parser.close()
    return next((form for form in parser.forms if form.names.issuperset(fields)), None)
