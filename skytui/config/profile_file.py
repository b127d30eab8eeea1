"""Reading a profile file, and saying everything that is wrong with it at once."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar, cast

import msgspec

from skytui.config import placeholders
from skytui.config.profile import (
    HOW_ACTED,
    HOW_READ,
    SCHEMA,
    ActionSpec,
    CheckSpec,
    LoginSpec,
    LogSpec,
    Profile,
    ReadingSpec,
    how,
)
from skytui.config.tables import Document, KeyPath, nearest
from skytui.config.values import path_of
from skytui.errors import ConfigError
from skytui.pair.vocabulary import READINGS, Action

BUILT_IN = Path(__file__).parent.parent / "drivers" / "profiles"

T = TypeVar("T", bound=msgspec.Struct)

_PORTS = re.compile(r"\{server\.ports\}|\d{1,5}(,\d{1,5})*")
_TABLES = ("schema", "reading", "action", "log", "login", "check")


def built_in_profiles() -> list[str]:
    """The names of the profiles that come with skytui."""
    return sorted(file.stem for file in BUILT_IN.glob("*.toml"))


def load_profile(name: str, beside: Path | None = None) -> Profile:
    """A built-in profile by its name, else a file by its path (a relative one is looked up beside `beside`).

    Raises ConfigError with every fault of the file.
    """
    return read_profile(find_profile(name, beside))


def find_profile(name: str, beside: Path | None = None) -> Document:
    """The file of a profile, found as `load_profile` does.

    Raises ConfigError when it is not there, or not TOML.
    """
    if "/" not in name and not name.endswith(".toml"):
        known = built_in_profiles()
        if name not in known:
            raise ConfigError(f"There is no built-in profile `{name}`; {nearest(name, known)}".rstrip("; "))
        return Document(BUILT_IN / f"{name}.toml")
    try:
        path = path_of(name)
    except ValueError as error:
        raise ConfigError(f"The profile {error}.") from error
    return Document(beside.parent / path if beside is not None else path)


def read_profile(document: Document) -> Profile:
    """The profile in a document.

    Raises ConfigError with every fault.
    """
    data = document.data
    document.only(data, _TABLES, ())
    if data.get("schema") != SCHEMA or isinstance(data.get("schema"), bool):
        document.fault(("schema",), f"must be {SCHEMA}, the only form this version reads")
    readings = _specs(document, "reading", ReadingSpec, READINGS)
    actions = _specs(document, "action", ActionSpec, [action.value for action in Action])
    logs = _specs(document, "log", LogSpec, None)
    login = _single(document, "login", LoginSpec)
    check = _single(document, "check", CheckSpec) or CheckSpec()
    for name, reading in readings.items():
        _check_reading(document, ("reading", name), reading)
    for name, action in actions.items():
        _check_action(document, ("action", name), action, check, readings)
    for name, log in logs.items():
        _holes(document, ("log", name, "follow"), log.follow)
    if login is not None:
        _holes(document, ("login", "json"), login.json, secrets=True)
        _holes(document, ("login", "value"), login.value, more=("token",))
        for hole in set(placeholders.holes(login.header)):
            document.fault(("login", "header"), f"`{{{hole}}}` may not stand here: it is a header's name")
    for key in ("run", "expect"):
        _holes(document, ("check", key), getattr(check, key) or "", order=True)
    _holes(document, ("check", "headers"), check.headers, order=True)
    document.check()
    return Profile(
        name=document.file.stem,
        file=document.file,
        readings=readings,
        actions={Action(name): spec for name, spec in actions.items()},
        logs=logs,
        login=login,
        check=check,
    )


def _specs(document: Document, key: str, kind: type[T], known: Sequence[str] | None) -> dict[str, T]:
    tables = document.table(document.data, key, ())
    if known is not None:
        document.only(tables, known, (key,))
    specs: dict[str, T] = {}
    for name, table in tables.items():
        if known is not None and name not in known:
            continue
        if not isinstance(table, dict):
            document.fault((key, name), "must be a table")
            continue
        spec = document.struct(kind, cast(dict[str, object], table), (key, name))
        if spec is not None:
            specs[name] = spec
    return specs


def _single(document: Document, key: str, kind: type[T]) -> T | None:
    if key not in document.data:
        return None
    return document.struct(kind, document.table(document.data, key, ()), (key,))


def _holes(
    document: Document,
    path: KeyPath,
    value: object,
    *,
    order: bool = False,
    secrets: bool = False,
    more: tuple[str, ...] = (),
) -> None:
    for says in placeholders.wrong(value, order=order, secrets=secrets, more=more):
        document.fault(path, says)


def _one_way(document: Document, path: KeyPath, spec: ReadingSpec | ActionSpec) -> None:
    ways, known = how(spec), HOW_READ if isinstance(spec, ReadingSpec) else HOW_ACTED
    if len(ways) != 1:
        given = f"{' and '.join(ways)} given" if ways else "none given"
        document.fault(path, f"give exactly one of {', '.join(known)}; {given}")
    if spec.absent is False:
        document.fault((*path, "absent"), "is either true or left out")
    if spec.args and spec.shell is None:
        document.fault((*path, "args"), "belongs to `shell`; `run` has its arguments in its own list")
    if spec.shell is not None:
        known_here = (*placeholders.SERVER_KNOWN, *placeholders.ORDER_KNOWN)
        for hole in placeholders.holes(spec.shell):
            if hole in known_here or hole.startswith("secret."):
                document.fault(
                    (*path, "shell"),
                    f'put `{{{hole}}}` into `args` and write "$1" here: text is not pasted into sh',
                )


def _check_reading(document: Document, path: KeyPath, spec: ReadingSpec) -> None:
    _one_way(document, path, spec)
    for key in ("get", "run", "args", "connect"):
        _holes(document, (*path, key), getattr(spec, key) or "")
    if spec.connect is not None and path[-1] != "ports":
        document.fault((*path, "connect"), "can only be how `ports` is read")
    if spec.connect is not None and not _PORTS.fullmatch(spec.connect):
        document.fault((*path, "connect"), "is `{server.ports}`, or port numbers with commas between")
    if path[-1] == "role" and spec.on != "each":
        document.fault((*path, "on"), "the role decides who is asked, so every server is asked for it")


def _check_action(
    document: Document, path: KeyPath, spec: ActionSpec, check: CheckSpec, readings: dict[str, ReadingSpec]
) -> None:
    _one_way(document, path, spec)
    for key in ("post", "run", "args"):
        _holes(document, (*path, key), getattr(spec, key) or "", order=True)
    for key in ("json", "stdin"):
        _holes(document, (*path, key), getattr(spec, key), order=True, secrets=True)
    if spec.remote and check.run is None:
        document.fault(path, "a command needs [check] with `run`: the host is made sure of in the same shell")
    if spec.post is not None and not check.headers:
        for needed in ("identity", "role"):
            reading = readings.get(needed)
            if reading is None or reading.get is None:
                document.fault(path, f"`post` needs [check] with `headers`, or [reading.{needed}] with `get`")
    if spec.progress is not None and "percent" not in spec.progress.compiled.groupindex:
        document.fault((*path, "progress"), "needs a group `(?P<percent>…)`")
    for key, needs in (("json", "post"), ("stdin", "run"), ("refused", "run"), ("progress", "run")):
        if getattr(spec, key) and not (spec.post is not None if needs == "post" else spec.remote):
            document.fault((*path, key), f"belongs to `{needs}`")
    if any("\n" in line for line in spec.stdin):
        document.fault((*path, "stdin"), "each item is one line")
