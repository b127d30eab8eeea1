"""From what came back to a value: text, CSV, JSON, almost-JSON, HTML around words, a system's own words.

Every text is made harmless before anything is looked for in it, and again after HTML entities were resolved.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from html.parser import HTMLParser

import msgspec
import pyjson5

from skytui.clock import Instant
from skytui.config.reading_spec import ReadingSpec, SplitSpec
from skytui.drivers.http import clean
from skytui.plaintext import plain, plain_bytes


class UnusableError(ValueError):
    """An answer that is not what the profile expects."""


class Answer:
    """What came back. `code` is an exit code or an HTTP status, `complaint` what the other side says of it.

    `body` is there where something else than bytes came: the states of ports, or the items of all pages.
    """

    def __init__(
        self,
        at: Instant,
        *,
        code: int = 0,
        content: bytes = b"",
        errors: bytes = b"",
        complaint: str = "",
        body: object = None,
    ) -> None:
        self.at = at
        self.code = code
        self.content = content
        self.errors = errors
        self.complaint = complaint
        self.body = body

    @cached_property
    def json(self) -> object:
        """The reply as JSON, made harmless. Raises UnusableError."""
        return tree(self.content, "json")

    @cached_property
    def json5(self) -> object:
        """The reply as almost-JSON, made harmless. Raises UnusableError."""
        return tree(self.content, "json5")

    def text(self, *, errors: bool = False) -> str:
        """The reply as harmless lines; where asked for, with what was written to standard error after it."""
        content = self.content
        if errors and self.errors:
            content += b"" if not content or content.endswith(b"\n") else b"\n"
            content += self.errors
        return "\n".join(plain_bytes(line) for line in content.split(b"\n")).strip()


def tree(content: bytes, reply: str) -> object:
    """JSON, or almost-JSON where `reply` is `json5`, with all its text made harmless.

    Raises UnusableError.
    """
    try:
        if reply == "json5":
            return clean(pyjson5.decode(content.decode("utf-8", "replace")))
        return clean(msgspec.json.decode(content))
    except pyjson5.Json5DecoderException as error:
        raise UnusableError(
            f"it is not JSON5: {plain(str(error.args[0] if error.args else error))}"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnusableError(f"it is not JSON: {plain(str(error))}") from error


def found_in(spec: ReadingSpec, answer: Answer) -> object:
    """What the reply holds, before `pick`: a tree, rows, a table of groups, or a text. None for nothing.

    Raises UnusableError.
    """
    found: object
    if answer.body is not None:
        found = answer.body
    elif spec.reply == "json":
        found = answer.json
    elif spec.reply == "json5":
        found = answer.json5
    else:
        text = answer.text(errors=spec.stderr)
        if spec.reply == "csv":
            found = _csv_rows(text, spec.split or SplitSpec())
        elif spec.split is not None:
            found = _rows(spec, text, spec.split)
        else:
            found = _groups(spec.regex.compiled.search(text)) if spec.regex is not None else text
    return without_tags(found) if spec.html else found


# -- text and CSV


def _rows(spec: ReadingSpec, text: str, split: SplitSpec) -> list[object]:
    lines = [(number, line) for number, line in _lines(text, split) if line.strip()]
    if spec.regex is not None:
        matches = [(number, spec.regex.compiled.search(line)) for number, line in lines]
        for number, match in matches:
            if match is None:
                raise UnusableError(f"line {number} is not as `regex` says")
        return [_groups(match) for _, match in matches]
    rows = [
        (number, [cell.strip() for cell in (line.split(split.columns) if split.columns else line.split())])
        for number, line in lines
    ]
    return _named(rows, split.header or False)


def _csv_rows(text: str, split: SplitSpec) -> list[object]:
    lines = [line for _, line in _lines(text, split)]
    # A quoted cell goes over several lines, so rows are counted and not lines.
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=split.columns or ",", strict=True)
    try:
        rows = [
            (number, [plain(cell.strip()) for cell in row]) for number, row in enumerate(reader, 1) if row
        ]
    except csv.Error as error:
        raise UnusableError(f"it is not CSV: {error}") from error
    return _named(rows, True if split.header is None else split.header)


def _lines(text: str, split: SplitSpec) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if number > split.skip and not (split.ignore is not None and split.ignore.compiled.search(line)):
            yield number, line


def _named(rows: list[tuple[int, list[str]]], header: bool | list[str]) -> list[object]:
    """Rows as tables where the columns have names. A row of another width is an error."""
    if header is False:
        return [row for _, row in rows]
    if header is True:
        if not rows:
            raise UnusableError("it has no row that names the columns")
        names, rows = rows[0][1], rows[1:]
    else:
        names = header
    tables: list[object] = []
    for number, row in rows:
        if len(row) != len(names):
            raise UnusableError(f"row {number} has {len(row)} columns where {len(names)} are named")
        tables.append(dict(zip(names, row, strict=True)))
    return tables


def _groups(match: re.Match[str] | None) -> object:
    if match is None:
        return None
    if match.re.groupindex:
        return match.groupdict()
    return match[1] if match.re.groups else match[0]


# -- HTML around words


class _Words(HTMLParser):
    """Keeps the text between tags; what scripts and styles hold is no text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in ("script", "style")))

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def words_of(text: str) -> str:
    """The words of a piece of HTML: no tags, entities resolved, blanks as one; made harmless."""
    parser = _Words()
    parser.feed(text)
    parser.close()
    return plain(" ".join("".join(parser.words).split()))


def without_tags(value: object) -> object:
    """The same with every text in it as its words."""
    if isinstance(value, str):
        return words_of(value)
    if isinstance(value, list):
        return [without_tags(item) for item in value]
    if isinstance(value, dict):
        return {key: without_tags(item) for key, item in value.items()}
    return value


# -- words of a system's own


def glob(pattern: str, text: str) -> bool:
    """Whether a text matches: `*` stands for any text, `?` for one character, everything else for itself."""
    parts = (".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def left_out(item: object, rules: Iterable[dict[str, str]]) -> bool:
    """Whether every field that one of the rules names matches."""
    return isinstance(item, dict) and any(
        all(
            item.get(field) is not None and glob(pattern, _word(item[field]))
            for field, pattern in rule.items()
        )
        for rule in rules
    )


def translated(value: object, table: dict[str, object]) -> object:
    """`value` in the words used here. A word of a system is looked up whole first, then by pattern, in order.

    Raises UnusableError for one that nothing matches.
    """
    if value is None:
        return None
    word = _word(value)
    if word in table:
        return table[word]
    for pattern, ours in table.items():
        if glob(pattern, word):
            return ours
    raise UnusableError(f"`{word}` is no word that the profile knows")


def mapped(value: object, table: dict[str, object]) -> object:
    """`value` with its words translated; by field where the table is one of tables. Raises UnusableError."""
    if not any(isinstance(inner, dict) for inner in table.values()):
        return translated(value, table)
    if isinstance(value, list):
        return [mapped(item, table) for item in value]
    if not isinstance(value, dict):
        raise UnusableError("it has no fields")
    changed = dict(value)
    for field, words in table.items():
        if field in changed and isinstance(words, dict):
            changed[field] = translated(changed[field], words)
    return changed


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value).strip()
