"""Reading a profile file, and saying everything that is wrong with it at once."""

from pathlib import Path
from typing import cast

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
from skytui.errors import ConfigError
from skytui.pair.vocabulary import READINGS, Action

BUILT_IN = Path(__file__).parent.parent / "drivers" / "profiles"

_TABLES = ("schema", "name", "reading", "action", "log", "login", "check")


def built_in_profiles() -> list[str]:
    """The names of the profiles that come with skytui."""
    return sorted(file.stem for file in BUILT_IN.glob("*.toml"))


def load_profile(name: str, beside: Path | None = None) -> Profile:
    """A built-in profile by its name, else a file by its path (a relative one is looked up beside `beside`).

    Raises ConfigError with every fault of the file.
    """
    if "/" not in name and not name.endswith(".toml"):
        known = built_in_profiles()
        if name not in known:
            raise ConfigError(f"There is no built-in profile `{name}`; {nearest(name, known)}".rstrip("; "))
        return read_profile(Document(BUILT_IN / f"{name}.toml"))
    path = Path(name).expanduser()
    return read_profile(Document(beside.parent / path if beside is not None else path))


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


def _specs[T: msgspec.Struct](
    document: Document, key: str, kind: type[T], known: "tuple[str, ...] | list[str] | None"
) -> dict[str, T]:
    tables = document.table(document.data, key, ())
    if known is not None:
        document.only(tables, known, (key,))
    specs: dict[str, T] = {}
    for name in tables:
        if known is not None and name not in known:
            continue
        table = tables[name]
        if not isinstance(table, dict):
            document.fault((key, name), "must be a table")
            continue
        spec = document.struct(kind, cast(dict[str, object], table), (key, name))
        if spec is not None:
            specs[name] = spec
    return specs
