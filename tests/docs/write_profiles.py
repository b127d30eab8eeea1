"""Write the tables of `docs/profiles.md` anew, from the types: `python -m tests.docs.write_profiles`."""

import re
import types
import typing
from pathlib import Path
from typing import Any, Literal

import msgspec

from skytui.config.action_spec import HOW_ACTED, ActionSpec, RepairSpec
from skytui.config.conditions import Condition
from skytui.config.placeholders import ITEM, ORDER_KNOWN, PAGES, SERVER_KNOWN
from skytui.config.profile import CheckSpec, LogSpec
from skytui.config.reading_spec import HOW_READ, PagesSpec, ReadingSpec, SplitSpec
from skytui.config.values import Duration, Pattern, Pick
from skytui.pair.reading import Cause
from skytui.pair.vocabulary import READINGS, Action, value_type

PAGE = Path(__file__).parents[2] / "docs" / "profiles.md"
END = "<!-- /generated -->"

_WORDS: dict[object, str] = {
    str: "text",
    bool: "`true`, `false`",
    int: "number",
    float: "number",
    Duration: "duration",
    Pick: "JMESPath",
    Pattern: "pattern",
    Any: "any value",
    Cause: "a cause",
}
_INTERNAL = {"said"}


def tables() -> dict[str, str]:
    """Every generated table by its name."""
    more = set(HOW_READ) | {"master", "standby", "server"}
    return {
        "reading-ways": _keys(ReadingSpec, only=set(HOW_READ)),
        "reading-keys": _keys(ReadingSpec, leave_out=more),
        "reading-variants": _keys(ReadingSpec, only={"master", "standby", "server"}),
        "split": _keys(SplitSpec),
        "pages": _keys(PagesSpec),
        "vocabulary": _vocabulary(),
        "actions": " ".join(f"`{action.value}`" for action in Action) + "\n",
        "action-ways": _keys(ActionSpec, only=set(HOW_ACTED)),
        "action-keys": _keys(ActionSpec, leave_out=set(HOW_ACTED)),
        "repair": _keys(RepairSpec, only={"says", "when"}),
        "condition": _keys(Condition),
        "check": _keys(CheckSpec),
        "log": _keys(LogSpec),
        "placeholders": _placeholders(),
    }


def with_tables(page: str) -> str:
    """The page with every table between its marks. Raises ValueError when a mark is missing."""
    for name, table in tables().items():
        begin = f"<!-- {name}: generated -->\n"
        head, found, rest = page.partition(begin)
        _, ended, tail = rest.partition(END)
        if not found or not ended:
            raise ValueError(f"{PAGE.name} lacks the mark {(END if found else begin).strip()!r}.")
        page = head + begin + table + END + tail
    return page


def _keys(kind: type[msgspec.Struct], only: set[str] | None = None, leave_out: set[str] | None = None) -> str:
    rows = ["| key | value | meaning |", "| --- | --- | --- |"]
    for field in msgspec.structs.fields(kind):
        key = field.encode_name
        if key in (leave_out or ()) or key in _INTERNAL or (only is not None and key not in only):
            continue
        rows.append(f"| `{key}` | {_type(field.type)} | {_description(kind, field)} |")
    return "\n".join(rows) + "\n"


def _description(kind: type[msgspec.Struct], field: Any) -> str:
    for meta in getattr(field.type, "__metadata__", ()):
        if isinstance(meta, msgspec.Meta) and meta.description:
            needed = " **Must be given.**" if field.required else ""
            return meta.description.replace("|", "\\|") + needed
    raise ValueError(f"{kind.__name__}.{field.name} says nothing about itself.")


def _type(kind: Any) -> str:
    """A type in the words of somebody who writes TOML."""
    if typing.get_origin(kind) is typing.Annotated:
        return _type(typing.get_args(kind)[0])
    if kind in _WORDS:
        return _WORDS[kind]
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_type(one) for one in arguments if one is not type(None))
    if origin is Literal:
        return ", ".join(f'`"{one}"`' for one in arguments)
    if origin is list:
        return "list of lists" if typing.get_origin(_bare(arguments[0])) is list else "list"
    if origin is dict or (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return "table"
    raise ValueError(f"There are no words for {kind!r}.")


def _bare(kind: Any) -> Any:
    return typing.get_args(kind)[0] if typing.get_origin(kind) is typing.Annotated else kind


def _vocabulary() -> str:
    rows = ["| reading | value |", "| --- | --- |"]
    for name in READINGS:
        kind: Any = value_type(name)
        inner = typing.get_args(kind)[0] if typing.get_origin(kind) is list else kind
        says = _value(inner)
        rows.append(f"| `{name}` | {'list of ' if inner is not kind else ''}{says} |")
    return "\n".join(rows) + "\n"


def _value(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = [f"`{field.name}`{'' if field.required else '?'}" for field in msgspec.structs.fields(kind)]
        return "{ " + ", ".join(fields) + " }"
    if kind in _WORDS:
        return _WORDS[kind]
    if isinstance(kind, type) and issubclass(kind, str):
        return ", ".join(f"`{member.value}`" for member in kind)  # type: ignore[attr-defined]
    return "time with its zone (RFC 3339)" if kind.__name__ == "datetime" else kind.__name__


def _placeholders() -> str:
    def listed(names: tuple[str, ...]) -> str:
        return " ".join(f"`{{{name}}}`" for name in names)

    rows = [
        ("everywhere", listed(SERVER_KNOWN)),
        ("actions, repairs, `[check]`", listed(ORDER_KNOWN)),
        ("actions with `each`", listed((ITEM,))),
        ("`get` with `pages`", listed(PAGES)),
        ("`stdin`, `json`, `headers` of actions and repairs; `[login]`", "`{secret.NAME}`"),
    ]
    return (
        "\n".join(["| where | placeholders |", "| --- | --- |", *(f"| {a} | {b} |" for a, b in rows)]) + "\n"
    )


def marks(page: str) -> list[str]:
    """The names of the tables a page has marks for."""
    return re.findall(r"<!-- ([a-z-]+): generated -->", page)


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(PAGE)
