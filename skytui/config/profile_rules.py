"""What the types of the profile language cannot say: which keys go together, and which values fit which."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from skytui.config import placeholders
from skytui.config.action_spec import HOW_ACTED, ActionSpec, RepairSpec
from skytui.config.placeholders import ITEM, ORDER_KNOWN, PAGES, SERVER_KNOWN
from skytui.config.profile import CheckSpec
from skytui.config.reading_spec import HOW_READ, ReadingSpec
from skytui.config.tables import Document, KeyPath, nearest
from skytui.pair.reading import Cause
from skytui.pair.vocabulary import READINGS, value_type

OPERAND = re.compile(r"\{(master|standby)\.([a-z_]+)\}")
"""One side of a `difference`."""

LATER_FAILED = 254
"""What a sequence of commands ends with when a later one than the first has failed."""

_PORTS = re.compile(r"\{server\.ports\}|\d{1,5}(,\d{1,5})*")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_MEANINGS = (Cause.GONE, Cause.CLOSED, Cause.SILENT, Cause.STANDBY)
_OF_ONE_SERVER = [
    "identity",
    "role",
    "version",
    "clock",
    "address",
    "listen_port",
    "wal_position",
    "disk_free",
    "process",
    "ports",
    "control",
    "guard",
    "marker",
]
_COMMAND, _REPLY = ("run", "shell"), ("get", "run", "shell")
_BELONGS: dict[str, Sequence[str]] = {
    "args": ("shell",),
    "pages": ("get",),
    "status": ("get",),
    "stderr": _COMMAND,
    "ok": _COMMAND,
    "exit": _COMMAND,
    **dict.fromkeys(("reply", "html", "regex", "split", "means", "pick", "except", "map", "default"), _REPLY),
}


def check_reading(
    document: Document, path: KeyPath, spec: ReadingSpec, readings: Mapping[str, ReadingSpec]
) -> None:
    """Remember every fault of a reading and of its variants."""
    name = path[-1]
    variants = spec.variants()
    if spec.said - {"said"} or not variants:
        needed = bool(spec.how) or not variants
        _check_one(document, path, name, spec, readings, needed=needed)
    for keys, variant in variants.items():
        _check_one(document, (*path, *keys), name, variant, readings)
    if name == "role" and spec.by_role:
        document.fault(path, "the role decides which variant counts, so it has none by role itself")


def _check_one(
    document: Document,
    path: KeyPath,
    name: str,
    spec: ReadingSpec,
    readings: Mapping[str, ReadingSpec],
    *,
    needed: bool = True,
) -> None:
    if needed:
        _one_way(document, path, spec)
    for key in ("get", "run", "args", "connect", "manual"):
        more = PAGES if key == "get" and spec.pages is not None else ()
        check_holes(document, (*path, key), getattr(spec, key) or "", more=more)
    check_holes(document, (*path, "except"), spec.except_)
    if spec.connect is not None and name != "ports":
        document.fault((*path, "connect"), "can only be how `ports` is read")
    if spec.connect is not None and not _PORTS.fullmatch(spec.connect):
        document.fault((*path, "connect"), "is `{server.ports}`, or port numbers with commas between")
    if name == "role" and spec.on != "each":
        document.fault((*path, "on"), "the role decides who is asked, so every server is asked for it")
    if spec.on == "any" and name in _OF_ONE_SERVER:
        document.fault((*path, "on"), f"`{name}` is one server's own: the other cannot answer for it")
    if spec.how:
        for key, ways in _BELONGS.items():
            attribute = "except_" if key == "except" else key
            if attribute in spec.said and not set(ways) & set(spec.how):
                document.fault((*path, key), f"belongs to {' or '.join(f'`{way}`' for way in ways)}")
    _check_text(document, path, spec)
    _check_codes(document, path, name, spec)
    _check_list(document, path, name, spec)
    if spec.difference is not None:
        _check_difference(document, (*path, "difference"), name, spec.difference, readings)


def _check_text(document: Document, path: KeyPath, spec: ReadingSpec) -> None:
    if spec.regex is not None:
        if spec.reply != "text":
            document.fault((*path, "regex"), 'belongs to `reply = "text"`')
        groups = spec.regex.compiled.groups
        if groups > 1 and len(spec.regex.compiled.groupindex) != groups:
            document.fault((*path, "regex"), "has more than one group: name each, `(?P<name>…)`")
    split = spec.split
    if split is None:
        return
    if spec.reply not in ("text", "csv"):
        document.fault((*path, "split"), 'belongs to `reply = "text"` or `"csv"`')
    if spec.reply == "csv" and len(split.columns or ",") != 1:
        document.fault((*path, "split", "columns"), "is one character for `csv`")
    if isinstance(split.header, list) and (not split.header or len(set(split.header)) < len(split.header)):
        document.fault((*path, "split", "header"), "names each column once")
    if spec.regex is not None and (split.header or split.columns):
        document.fault((*path, "split"), "`regex` makes the columns: leave out `columns` and `header`")


def _check_codes(document: Document, path: KeyPath, name: str, spec: ReadingSpec) -> None:
    tables: dict[str, Mapping[str, object]] = {"exit": spec.exit, "status": spec.status, "means": spec.means}
    lowest, highest = (100, 599) if spec.get is not None else (0, 255)
    seen: dict[str, str] = {}
    for key, table in tables.items():
        for code, value in table.items():
            if not (code.isascii() and code.isdecimal() and lowest <= int(code) <= highest):
                document.fault((*path, key, code), f"is not a code from {lowest} to {highest}")
            elif code in seen:
                document.fault((*path, key, code), f"stands in `{seen[code]}` too")
            elif key != "means" and not spec.map:
                _check_value(document, (*path, key, code), name, value)
            seen.setdefault(code, key)
    for code, cause in spec.means.items():
        if cause not in _MEANINGS:
            document.fault((*path, "means", code), f"is one of {', '.join(_MEANINGS)}")
    if spec.default is not None:
        _check_value(document, (*path, "default"), name, spec.default)


def _check_value(document: Document, path: KeyPath, name: str, value: object) -> None:
    try:
        msgspec.convert(value, value_type(name))
    except msgspec.ValidationError as error:
        document.fault(path, f"is no value of `{name}`: {error}")


def _check_list(document: Document, path: KeyPath, name: str, spec: ReadingSpec) -> None:
    kind: Any = value_type(name)
    is_list = getattr(kind, "__origin__", None) is list
    item = kind.__args__[0] if is_list else kind
    if spec.except_ and not is_list:
        document.fault((*path, "except"), f"`{name}` is not a list")
    if any(not rule for rule in spec.except_):
        document.fault((*path, "except"), "each item names at least one field")
    if isinstance(item, type) and issubclass(item, msgspec.Struct):
        fields = item.__struct_fields__
        for field, table in spec.map.items():
            if field not in fields:
                hint = nearest(field, fields)
                document.fault((*path, "map", field), f"is no field of `{name}`; {hint}".rstrip("; "))
            elif not isinstance(table, dict):
                document.fault((*path, "map", field), "must be a table of words")
    elif any(isinstance(value, dict | list) for value in spec.map.values()):
        document.fault((*path, "map"), f"`{name}` has no fields: give words and what they are called here")
    pages = spec.pages
    if pages is None:
        return
    if spec.reply not in ("json", "json5"):
        document.fault((*path, "pages"), 'belongs to `reply = "json"` or `"json5"`')
    ways = [way for way, given in (("next", pages.next is not None), ("link", pages.link)) if given]
    ways += [f"{{{hole}}}" for hole in placeholders.holes(spec.get or "") if hole in PAGES]
    if len(ways) != 1:
        given = f"{' and '.join(ways)} given" if ways else "none given"
        document.fault(
            (*path, "pages"), f"give exactly one of next, link, {{page}}, {{offset}} in `get`; {given}"
        )


def _check_difference(
    document: Document, path: KeyPath, name: str, sides: list[str], readings: Mapping[str, ReadingSpec]
) -> None:
    if value_type(name) is not int:
        document.fault(path, f"is a number, and `{name}` is none")
    link = readings.get("replication_link")
    if link is None or link.absent or link.manual:
        document.fault(path, "needs [reading.replication_link]: over a dead link nothing can be compared")
    for side in sides:
        match = OPERAND.fullmatch(side)
        if match is None:
            document.fault(path, f"`{side}` is neither `{{master.NAME}}` nor `{{standby.NAME}}`")
        elif match[2] not in READINGS:
            hint = nearest(match[2], READINGS)
            document.fault(path, f"there is no reading `{match[2]}`; {hint}".rstrip("; "))
        elif value_type(match[2]) not in (int, str):
            document.fault(path, f"`{match[2]}` is neither a number nor a position")
        elif match[2] not in readings or readings[match[2]].difference is not None:
            document.fault(path, f"needs [reading.{match[2]}], asked of a server")


def check_action(
    document: Document,
    path: KeyPath,
    spec: ActionSpec,
    check: CheckSpec,
    readings: Mapping[str, ReadingSpec],
) -> None:
    """Remember every fault of an action or a repair."""
    _one_way(document, path, spec)
    more = (ITEM,) if spec.each else ()
    for key in ("post", "run", "args", "steps", "manual"):
        check_holes(document, (*path, key), getattr(spec, key) or "", order=True, more=more)
    for key in ("json", "stdin", "headers"):
        check_holes(document, (*path, key), getattr(spec, key), order=True, secrets=True, more=more)
    for header in spec.headers:
        if not _HEADER_NAME.fullmatch(header):
            document.fault((*path, "headers", header), "cannot be the name of a header")
    if spec.remote and check.run is None:
        document.fault(path, "a command needs [check] with `run`: the host is made sure of in the same shell")
    if spec.post is not None and not check.headers:
        for needed in ("identity", "role"):
            reading = readings.get(needed)
            if reading is None or reading.get is None:
                document.fault(path, f"`post` needs [check] with `headers`, or [reading.{needed}] with `get`")
    if spec.progress is not None and "percent" not in spec.progress.compiled.groupindex:
        document.fault((*path, "progress"), "needs a group `(?P<percent>…)`")
    belongs = dict.fromkeys(("json", "headers", "pick"), "post")
    belongs |= dict.fromkeys(("stdin", "refused", "progress"), "run")
    for key, needs in belongs.items():
        if getattr(spec, key) and not (spec.post is not None if needs == "post" else spec.remote):
            document.fault((*path, key), f"belongs to `{needs}`")
    if any("\n" in line for line in spec.stdin):
        document.fault((*path, "stdin"), "each item is one line")
    if spec.usual is not None and spec.deadline is not None and spec.usual > spec.deadline:
        document.fault((*path, "usual"), "is longer than `deadline`")
    _check_sequence(document, path, spec)


def _check_sequence(document: Document, path: KeyPath, spec: ActionSpec) -> None:
    if spec.each is None and spec.steps is None:
        return
    key = "each" if spec.each else "steps"
    if spec.each and spec.steps:
        document.fault((*path, "each"), "goes with `post`, `run` or `shell`, not with `steps`")
    if spec.each and (spec.manual is not None or spec.absent):
        document.fault((*path, "each"), "goes with `post`, `run` or `shell`")
    if spec.each == "{queues}" and path[-1] not in ("lock_queues", "unlock_queues"):
        document.fault((*path, "each"), "`{queues}` is known only of lock_queues and unlock_queues")
    if spec.stdin:
        document.fault((*path, "stdin"), f"cannot go with `{key}`: standard input can be read once")
    if LATER_FAILED in spec.refused:
        document.fault((*path, "refused"), f"with `{key}` {LATER_FAILED} means that a later command failed")


def check_repair(document: Document, path: KeyPath, spec: RepairSpec) -> None:
    """Remember the faults that only a repair can have."""
    if spec.absent:
        document.fault((*path, "absent"), "a repair does something; leave the table out instead")
    if not spec.when:
        document.fault((*path, "when"), "names at least one reading")
    for name, condition in spec.when.items():
        here = (*path, "when", name)
        if name not in READINGS:
            hint = nearest(name, READINGS)
            document.fault(here, f"is no reading; {hint}".rstrip("; "))
        if len(condition.given()) != 1:
            given = f"{' and '.join(condition.given())} given" if condition.given() else "none given"
            document.fault(here, f"give exactly one of is, pick, unknown; {given}")
        if name == "role" and condition.is_ == "master":
            document.fault(here, "a repair never applies to a server that reads master")


def check_holes(
    document: Document,
    path: KeyPath,
    value: object,
    *,
    order: bool = False,
    secrets: bool = False,
    more: tuple[str, ...] = (),
) -> None:
    """Remember every placeholder that is unknown, or not known in this place."""
    for says in placeholders.wrong(value, order=order, secrets=secrets, more=more):
        document.fault(path, says)


def _one_way(document: Document, path: KeyPath, spec: ReadingSpec | ActionSpec) -> None:
    ways, known = spec.how, HOW_READ if isinstance(spec, ReadingSpec) else HOW_ACTED
    if len(ways) != 1:
        given = f"{' and '.join(ways)} given" if ways else "none given"
        document.fault(path, f"give exactly one of {', '.join(known)}; {given}")
    if spec.absent is False:
        document.fault((*path, "absent"), "is either true or left out")
    if spec.args and spec.shell is None:
        document.fault((*path, "args"), "belongs to `shell`; `run` has its arguments in its own list")
    if spec.shell is not None:
        known_here = (*SERVER_KNOWN, *ORDER_KNOWN, ITEM)
        for hole in placeholders.holes(spec.shell):
            if hole in known_here or hole.startswith("secret."):
                document.fault(
                    (*path, "shell"),
                    f'put `{{{hole}}}` into `args` and write "$1" here: text is not pasted into sh',
                )
