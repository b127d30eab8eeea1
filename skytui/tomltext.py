"""TOML, written: what `tomllib` reads back as the same tree."""

import json
import math
from collections.abc import Mapping
from typing import Any


def text_of(tree: Mapping[str, Any]) -> str:
    """A tree of tables as TOML. What is None, and a table with nothing in it, is left out."""
    return "\n".join(_table(tree, ())).lstrip("\n") + "\n"


def _table(tree: Mapping[str, Any], under: tuple[str, ...]) -> list[str]:
    lines = [
        f"{key_text(key)} = {value_text(value)}"
        for key, value in tree.items()
        if not _is_table(value) and value is not None
    ]
    if under and lines:
        lines = ["", f"[{'.'.join(map(key_text, under))}]", *lines]
    for key, value in tree.items():
        if not _is_table(value):
            continue
        if isinstance(value, Mapping):
            lines += _table(value, (*under, key))
        else:
            for item in value:
                head = ["", f"[[{'.'.join(map(key_text, (*under, key)))}]]"]
                lines += head + [f"{key_text(k)} = {value_text(v)}" for k, v in item.items() if v is not None]
    return lines


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list | tuple) and bool(value) and all(isinstance(item, Mapping) for item in value)
    )


def key_text(key: str) -> str:
    """A key, in quotes where TOML wants them."""
    bare = key.replace("-", "").replace("_", "")
    return key if bare.isascii() and bare.isalnum() else value_text(key)


def value_text(value: object) -> str:
    """A value that is no table."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(value_text, value))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
