"""A TOML file read table by table, so that every fault is named at once, with its line.

msgspec stops at the first fault and names no line. Here each key is converted on its own, unknown keys are
answered with the nearest known one, and the line is found by a scan for the table's header and the key.
"""

import difflib
import functools
import re
import tomllib
import types
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar, cast

import msgspec

from skytui.config.values import decode
from skytui.errors import ConfigError
from skytui.plaintext import plain

T = TypeVar("T", bound=msgspec.Struct)
KeyPath = tuple[str, ...]

_HEADER = re.compile(r"\s*\[{1,2}\s*([^\]]+?)\s*\]{1,2}\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([A-Za-z0-9_-]+))\s*[.=]""")


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint naming the known name closest to `name`, or all known ones when they are few; may be empty."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean `{close[0]}`?"
    if 0 < len(names) <= 8:
        return f"known here: {', '.join(names)}"
    return ""


@functools.cache
def fields_of(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """The fields of a struct; found once, which takes milliseconds."""
    return msgspec.structs.fields(kind)


class Document:
    """One TOML file, and every fault found in it so far.

    Raises ConfigError when the file cannot be read or is not TOML.
    """

    def __init__(self, file: Path, text: str | None = None) -> None:
        self.file = file
        self._faults: list[tuple[int, str]] = []
        try:
            self._text = file.read_bytes().decode() if text is None else text
            self.data: dict[str, object] = tomllib.loads(self._text)
        except OSError as error:
            raise ConfigError(f"{file} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"{file} is not UTF-8 text (byte {error.start}).") from error
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise ConfigError(f"{file} is not TOML: {plain(str(error)) or 'nested too deeply'}.") from error

    @property
    def text(self) -> str:
        """The text that was read."""
        return self._text

    def fault(self, path: KeyPath, says: str) -> None:
        """Remember that what stands at `path` is wrong, and why."""
        line = self.line_of(path)
        table = f"[{'.'.join(path[:-1])}] " if len(path) > 1 else ""
        key = f"{path[-1]}: " if path else ""
        place = f"{self.file}:{line}" if line else str(self.file)
        self._faults.append((line, plain(f"{place}: {table}{key}{says}")))

    def check(self) -> None:
        """Raise a ConfigError that lists every fault remembered, or do nothing when there is none."""
        if self._faults:
            lines = [says for _, says in sorted(set(self._faults))]
            raise ConfigError("\n".join(lines))

    def table(self, holder: dict[str, object], key: str, path: KeyPath) -> dict[str, object]:
        """The table `key` of `holder`; empty when it is not there, a fault when it is no table."""
        value = holder.get(key, {})
        if isinstance(value, dict):
            return cast(dict[str, object], value)
        self.fault((*path, key), "must be a table")
        return {}

    def only(self, holder: dict[str, object], known: Iterable[str], path: KeyPath) -> None:
        """A fault for each key of `holder` that is not `known`."""
        names = list(known)
        for key in holder:
            if key not in names:
                self.fault((*path, key), f"is not known here; {nearest(key, names)}".rstrip("; "))

    def struct(self, kind: type[T], holder: dict[str, object], path: KeyPath, **given: object) -> T | None:
        """`holder` as `kind`, or None after its faults were remembered; `given` stands in no file."""
        before = len(self._faults)
        fields = {f.encode_name: f for f in fields_of(kind) if f.name not in given}
        self.only(holder, fields, path)
        values = dict(given)
        for key, field in fields.items():
            if key in holder:
                values[field.name] = self._value(field.type, holder[key], (*path, key))
            elif field.required:
                self.fault((*path, key), "is missing")
        return kind(**values) if len(self._faults) == before else None

    def _value(self, kind: object, raw: object, path: KeyPath) -> object:
        bare = typing.get_args(kind)[0] if typing.get_origin(kind) is typing.Annotated else kind
        struct = _struct_in(bare)
        if struct is not None and isinstance(raw, dict):
            return self.struct(struct, cast(dict[str, object], raw), path)
        if typing.get_origin(bare) is dict and isinstance(raw, dict):
            item = typing.get_args(bare)[1]
            if _struct_in(item) is not None:
                return {name: self._value(item, value, (*path, name)) for name, value in raw.items()}
        try:
            return decode(raw, kind)
        except msgspec.ValidationError as error:
            self.fault(path, str(error))
            return None

    def line_of(self, path: KeyPath) -> int:
        """The line (from 1) where `path`, or the nearest table above it, stands; 0 when it is nowhere."""
        best, depth = 0, 0
        header: KeyPath = ()
        for number, line in enumerate(self._text.splitlines(), 1):
            if match := _HEADER.match(line):
                header = _header_path(match[1])
                if header == path[: len(header)] and len(header) > depth:
                    best, depth = number, len(header)
            elif header == path[: len(header)] and (match := _KEY.match(line)):
                here = (*header, match[1] or match[2] or match[3])
                if here == path[: len(here)] and len(here) > depth:
                    best, depth = number, len(here)
        return best


def _struct_in(kind: object) -> type[msgspec.Struct] | None:
    options = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    for option in options:
        if isinstance(option, type) and issubclass(option, msgspec.Struct):
            return option
    return None


def _header_path(text: str) -> KeyPath:
    try:
        node: object = tomllib.loads(f"[{text}]")
    except tomllib.TOMLDecodeError:
        return ("\0",)
    path: list[str] = []
    while isinstance(node, dict) and node:
        name, node = next(iter(node.items()))
        path.append(name)
    return tuple(path)
