"""Values with a type of their own in configuration files: durations, times, patterns, expressions."""

import re
from pathlib import Path
from typing import Annotated, Any, Protocol

import jmespath
import jmespath.exceptions
import msgspec
from msgspec import Meta

from skytui.config.timing import Period, parse_quiet
from skytui.pair.quiet import QuietWindow

Command = Annotated[list[str], Meta(min_length=1)]
"""A program and its arguments; no shell looks at them."""

UrlPath = Annotated[str, Meta(pattern=r"^/[^\s]*$")]
Words = Annotated[list[str], Meta(min_length=1)]

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Duration(float):
    """A number of seconds, written `10m`, `1.5s`, `250ms`, `1h`, or as a bare number of seconds."""

    @classmethod
    def parse(cls, raw: object) -> "Duration":
        """Raises ValueError when `raw` is not a duration of at most a day."""
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            seconds = float(raw)
        elif isinstance(raw, str) and (match := _DURATION.fullmatch(raw.strip())):
            seconds = float(match[1]) * _UNITS[match[2]]
        else:
            raise ValueError(f"{raw!r} is not a duration; write it as `10m`, `1.5s` or `250ms`")
        if not 0 < seconds <= 86400:
            raise ValueError(f"{raw!r} must be more than nothing and at most a day")
        return cls(seconds)


def in_words(duration: float) -> str:
    """A number of seconds, as it is written in a profile."""
    for unit, size in (("h", 3600), ("m", 60)):
        if duration >= size and duration % size == 0:
            return f"{duration / size:g}{unit}"
    return f"{duration:g}s"


class Pick:
    """JMESPath, compiled: one expression, or a table of them, by field.

    Source of the language: https://jmespath.org/specification.html.
    """

    def __init__(self, written: str | dict[str, str]) -> None:
        self.written = written
        self._one = _compiled(written) if isinstance(written, str) else None
        self._fields = {} if isinstance(written, str) else {key: Pick(text) for key, text in written.items()}

    def search(self, data: object) -> object:
        """What the expression finds in `data`; for a table the table of what each finds, None if nothing.

        Raises ValueError when a function of it was given the wrong kind of value.
        """
        if self._one is None:
            found = {key: pick.search(data) for key, pick in self._fields.items()}
            return found if any(value is not None for value in found.values()) else None
        try:
            return self._one.search(data)
        except (jmespath.exceptions.JMESPathError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"`{self.written}` does not fit the reply: {str(error) or error!r}") from error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pick) and other.written == self.written

    def __hash__(self) -> int:
        return hash(repr(self.written))

    def __repr__(self) -> str:
        return f"Pick({self.written!r})"


class _Expression(Protocol):
    def search(self, data: object) -> object: ...


def _compiled(text: str) -> _Expression:
    try:
        compiled: _Expression = jmespath.compile(text)
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"is not JMESPath: {first}") from error
    return compiled


class Pattern:
    """A regular expression, compiled."""

    def __init__(self, text: str) -> None:
        try:
            self.compiled = re.compile(text)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"is not a regular expression: {error}") from error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and other.compiled == self.compiled

    def __hash__(self) -> int:
        return hash(self.compiled)

    def __repr__(self) -> str:
        return f"Pattern({self.compiled.pattern!r})"


def path_of(text: str) -> Path:
    """A path, `~` and `~user` filled in.

    Raises ValueError for what can be no path, and for a user there is none of.
    """
    if not text or "\0" in text:
        raise ValueError(f"{text!r} is no path")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{text!r}: there is no such home folder") from error


def _hook(kind: type, raw: object) -> object:
    if kind is Duration:
        return Duration.parse(raw)
    if kind is Pick and isinstance(raw, dict):
        if not raw or not all(isinstance(text, str) for text in raw.values()):
            raise ValueError("is one expression, or a table of expressions by field")
        return Pick(raw)
    if kind is Period:
        return Period.parse(raw)
    if not isinstance(raw, str):
        raise TypeError(f"Expected `str`, got `{type(raw).__name__}`")
    if kind is Path:
        return path_of(raw)
    if kind is QuietWindow:
        return parse_quiet(raw)
    if kind in {Pick, Pattern}:
        return kind(raw)
    raise NotImplementedError(f"no way to make a {kind.__name__} from configuration")


def decode(raw: object, kind: Any) -> object:
    """`raw` as a value of the type `kind`.

    Raises msgspec.ValidationError, whose text says what was expected.
    """
    return msgspec.convert(raw, kind, dec_hook=_hook)
