"""TOML files that one part of the practice pair writes and another reads."""

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from skytui.errors import LabError

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
    write(path, "\n".join(_table(tree, ())).lstrip("\n") + "\n", mode=mode)


def write(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Replace `path` by `text` in one step: a reader sees the old or the new text, never half of it."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 (it is a descriptor)
        os.fchmod(descriptor, mode)
        file.write(text)
    aside.replace(path)


def _table(tree: Mapping[str, Any], under: tuple[str, ...]) -> list[str]:
    lines = [
        f"{_key(key)} = {_scalar(value)}"
        for key, value in tree.items()
        if not _is_table(value) and value is not None
    ]
    if under and lines:
        lines = ["", f"[{'.'.join(map(_key, under))}]", *lines]
    for key, value in tree.items():
        if not _is_table(value):
            continue
        if isinstance(value, Mapping):
            lines += _table(value, (*under, key))
        else:
            for item in value:
                head = ["", f"[[{'.'.join(map(_key, (*under, key)))}]]"]
                lines += head + [f"{_key(k)} = {_scalar(v)}" for k, v in item.items() if v is not None]
    return lines


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list | tuple) and bool(value) and all(isinstance(item, Mapping) for item in value)
    )


def _key(key: str) -> str:
    bare = key.replace("-", "").replace("_", "")
    return key if bare.isascii() and bare.isalnum() else _scalar(key)


def _scalar(value: object) -> str:
    # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_scalar, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _decode(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(kind)


def _encode(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(type(value))
