"""Placeholders of the profile language: `{home}`, `{peer.address}`, `{queues}`, `{secret.NAME}` and so on.

A value that is exactly one placeholder keeps the placeholder's type. Braces around anything that is no
placeholder stay as they are, and `{{home}}` is the text `{home}`. What is filled in is never looked at for
placeholders again.
"""

import re
from collections.abc import Callable, Iterator

from skytui.config.tables import nearest

SERVER_KNOWN = (
    "server.name",
    "server.address",
    "server.listen_port",
    "server.ports",
    "server.url",
    "home",
    "peer.name",
    "peer.address",
    "peer.listen_port",
    "peer.ports",
    "peer.url",
    "peer.home",
    "console",
)
"""Known of every server, always."""

ORDER_KNOWN = ("queues", "runs", "mark", "expect.name", "expect.role", "expect.timeline")
"""Known only where something is done."""

ITEM = "item"
"""Known only in an action with `each`."""

PAGES = ("page", "offset")
"""Known only in the path of a list that comes in pages."""

_HOLE = re.compile(r"\{\{([a-z_]+(?:\.[A-Za-z0-9_-]+)?)\}\}|\{([a-z_]+(?:\.[A-Za-z0-9_-]+)?)\}")

Fill = Callable[[str], object]
"""Gives the value of a placeholder by its name. Raises KeyError when it has none."""


def holes(value: object) -> Iterator[str]:
    """The names of all placeholders in a value, in lists and tables too."""
    if isinstance(value, str):
        yield from (match[2] for match in _HOLE.finditer(value) if match[2])
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from holes(key)
            yield from holes(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from holes(item)


def fill(value: object, look_up: Fill) -> object:
    """`value` with every placeholder filled in; one that stands alone keeps its type."""
    if isinstance(value, str):
        alone = _HOLE.fullmatch(value)
        if alone and alone[2]:
            return look_up(alone[2])
        return text(value, look_up)
    if isinstance(value, dict):
        return {key: fill(item, look_up) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [fill(item, look_up) for item in value]
    return value


def text(template: str, look_up: Fill) -> str:
    """`template` with every placeholder filled in as text; a list is joined with commas."""

    def put(match: re.Match[str]) -> str:
        if match[1]:
            return "{" + match[1] + "}"
        value = look_up(match[2])
        return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)

    return _HOLE.sub(put, template)


def wrong(value: object, *, order: bool, secrets: bool, more: tuple[str, ...] = ()) -> Iterator[str]:
    """A sentence for every placeholder that is unknown, or not known in this place."""
    known = (*SERVER_KNOWN, *(ORDER_KNOWN if order else ()), *more)
    for hole in holes(value):
        if hole.startswith("secret."):
            if not secrets:
                yield (
                    f"`{{{hole}}}` may not stand here:"
                    " secrets go over standard input, in `json` or in `headers` only"
                )
        elif hole in ORDER_KNOWN and hole not in known:
            yield f"`{{{hole}}}` is known only in actions"
        elif hole == ITEM and hole not in known:
            yield "`{item}` is known only in an action with `each`"
        elif hole in PAGES and hole not in known:
            yield f"`{{{hole}}}` is known only in the `get` of a reading with `pages`"
        elif hole not in known:
            hint = nearest(hole, known)
            yield f"there is no placeholder `{{{hole}}}`; {hint}".rstrip("; ")
