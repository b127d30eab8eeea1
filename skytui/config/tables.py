"""A TOML file read table by table, so that every fault is named at once, with its line.

msgspec stops at the first fault and names no line. Here each key is converted on its own, unknown keys are
answered with the nearest known one, and the line is found by a scan for the table's header and the key.
"""

import functools
import re
import tomllib
import types
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar, cast

import msgspec

from skytui.config.nearest import nearest
from skytui.config.values import decode
from skytui.errors import ConfigError
from skytui.plaintext import plain

__all__ = ["Document", "Fault", "FaultyFileError", "KeyPath", "nearest"]

T = TypeVar("T", bound=msgspec.Struct)
V = TypeVar("V")
KeyPath = tuple[str, ...]

_HEADER = re.compile(r"\s*\[{1,2}\s*([^\]]+?)\s*\]{1,2}\s*(?:#.*)?$")
_LINE = re.compile(r"at line (\d+)")
_KEY = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([A-Za-z0-9_-]+))\s*[.=]""")


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong in a file. `line` counts from 1; 0 where it stands nowhere."""

    file: str
    line: int = 0
    table: str = ""
    key: str = ""
    says: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        table = f"[{self.table}] " if self.table else ""
        key = f"{self.key}: " if self.key else ""
        return f"{place}: {table}{key}{self.says}"


class FaultyFileError(ConfigError):
    """A file is wrong, in these places; its text has a line for each."""

    def __init__(self, faults: Iterable[Fault], says: str = "") -> None:
        self.faults = tuple(faults)
        super().__init__(says or "\n".join(map(str, self.faults)))


@functools.cache
def fields_of(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """The fields of a struct; found once, which takes milliseconds."""
    return msgspec.structs.fields(kind)


class Document:
    """One TOML file, and every fault found in it so far.

    Raises FaultyFileError when the file cannot be read or is not TOML.
    """

    def __init__(self, file: Path, text: str | None = None) -> None:
        self.file = file
        self._faults: list[Fault] = []
        try:
            self._text = file.read_bytes().decode() if text is None else text
            self.data: dict[str, object] = tomllib.loads(self._text)
        except OSError as error:
            raise self._unreadable(f"cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise self._unreadable(f"is not UTF-8 text (byte {error.start})") from error
        except tomllib.TOMLDecodeError as error:
            line = _LINE.search(str(error))
            raise self._unreadable(
                f"is not TOML: {plain(str(error))}", int(line[1]) if line else 0
            ) from error
        except RecursionError as error:
            raise self._unreadable("is not TOML: nested too deeply") from error
        except ValueError as error:  # a number of more digits than Python reads
            raise self._unreadable(f"is not TOML: {plain(str(error))}") from error

    @property
    def text(self) -> str:
        """The text that was read."""
        return self._text

    def _unreadable(self, says: str, line: int = 0) -> FaultyFileError:
        return FaultyFileError((Fault(file=str(self.file), line=line, says=says),), f"{self.file} {says}.")

    def fault(self, path: KeyPath, says: str) -> None:
        """Remember that what stands at `path` is wrong, and why."""
        fault = Fault(
            file=plain(str(self.file)),
            line=self.line_of(path),
            table=plain(".".join(path[:-1])),
            key=plain(path[-1]) if path else "",
            says=plain(says),
        )
        self._faults.append(fault)

    def check(self) -> None:
        """Raise a FaultyFileError with every fault remembered, or do nothing when there is none."""
        if self._faults:
            faults = dict.fromkeys(self._faults)
            raise FaultyFileError(sorted(faults, key=lambda fault: (fault.line, str(fault))))

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

    def values(self, holder: dict[str, object], kind: type[V], path: KeyPath) -> dict[str, V]:
        """Each value of a table as `kind`; those that are faulty are left out."""
        found = {key: self._value(kind, raw, (*path, key)) for key, raw in holder.items()}
        return {key: value for key, value in found.items() if isinstance(value, kind)}

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
            if not self._items_at_fault(kind, raw, path):
                self.fault(path, str(error).replace(" | null`", "`"))  # TOML has no null
            return None

    def _items_at_fault(self, kind: object, raw: object, path: KeyPath) -> bool:
        """Whether `raw` is a list with faulty items; a fault for each of them, not only for the first."""
        item = _item_of(kind)
        before = len(self._faults)
        for place, value in enumerate(raw if isinstance(raw, list) and item is not None else ()):
            try:
                decode(value, item)
            except msgspec.ValidationError as error:
                self.fault(path, f"{error} - at `$[{place}]`")
        return len(self._faults) > before

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


def _item_of(kind: object) -> object:
    """What the items of a list are, where `kind` is a list or may be one; None otherwise."""
    if typing.get_origin(kind) is typing.Annotated:
        return _item_of(typing.get_args(kind)[0])
    if isinstance(kind, types.UnionType):
        return next((item for option in typing.get_args(kind) if (item := _item_of(option))), None)
    return typing.get_args(kind)[0] if typing.get_origin(kind) is list else None


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
