"""TOML files that one part of the practice pair writes and another reads."""

import os
import tomllib
from pathlib import Path
from typing import TypeVar

import msgspec

from skytui.errors import LabError
from skytui.tomltext import text_of

T = TypeVar("T")


def load(path: Path, kind: type[T]) -> T:
    """The file at `path` as a `kind`; `LabError` when it is missing, not TOML, or not of that shape."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), kind, dec_hook=_decode)
    except OSError as error:
        raise LabError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise LabError(f"{path} is wrong: {error}.") from error


def dump(path: Path, value: object, *, mode: int = 0o644) -> None:
    """Write `value`, a struct or mapping of tables, to `path` in one step; `mode` from its first moment."""
    tree = msgspec.to_builtins(value, enc_hook=_encode)
    write(path, text_of(tree), mode=mode)


def write(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Replace `path` by `text` in one step: a reader sees the old or the new text, never half of it."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 (it is a descriptor)
        os.fchmod(descriptor, mode)
        file.write(text)
    aside.replace(path)


def _decode(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(kind)


def _encode(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(type(value))
