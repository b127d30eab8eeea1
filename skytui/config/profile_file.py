"""Reading a profile file, and saying everything that is wrong with it at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar, cast

import msgspec

from skytui.config.action_spec import ActionSpec, RepairSpec
from skytui.config.login import read_login
from skytui.config.profile import SCHEMA, CheckSpec, LogSpec, Profile
from skytui.config.profile_rules import check_action, check_holes, check_reading, check_repair
from skytui.config.reading_spec import ReadingSpec
from skytui.config.tables import Document, KeyPath, fields_of, nearest
from skytui.config.values import path_of
from skytui.errors import ConfigError
from skytui.pair.vocabulary import READINGS, Action

BUILT_IN = Path(__file__).parent.parent / "drivers" / "profiles"

T = TypeVar("T", bound=msgspec.Struct)

_TABLES = ("schema", "reading", "action", "repair", "log", "login", "check")
_VARIANTS = ("master", "standby", "server")


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
    readings = _readings(document)
    actions = _specs(document, "action", ActionSpec, [action.value for action in Action])
    repairs = _specs(document, "repair", RepairSpec, None)
    logs = _specs(document, "log", LogSpec, None)
    login = read_login(document)
    check = _single(document, "check", CheckSpec) or CheckSpec()
    for name, reading in readings.items():
        check_reading(document, ("reading", name), reading, readings)
    for name, action in actions.items():
        check_action(document, ("action", name), action, check, readings)
    for name, repair in repairs.items():
        check_action(document, ("repair", name), repair, check, readings)
        check_repair(document, ("repair", name), repair)
    for name, log in logs.items():
        check_holes(document, ("log", name, "follow"), log.follow)
    for key in ("run", "expect"):
        check_holes(document, ("check", key), getattr(check, key) or "", order=True)
    check_holes(document, ("check", "headers"), check.headers, order=True)
    document.check()
    return Profile(
        name=document.file.stem,
        file=document.file,
        readings=readings,
        actions={Action(name): spec for name, spec in actions.items()},
        repairs=repairs,
        logs=logs,
        login=login,
        check=check,
    )


def _readings(document: Document) -> dict[str, ReadingSpec]:
    """The readings, each with its variants."""
    specs: dict[str, ReadingSpec] = {}
    for name, table in _tables(document, "reading", READINGS).items():
        path = ("reading", name)
        roles = {
            role: _reading(document, document.table(table, role, path), (*path, role))
            for role in ("master", "standby")
            if role in table
        }
        servers = document.table(table, "server", path)
        own = {
            server: _reading(
                document, document.table(servers, server, (*path, "server")), (*path, "server", server)
            )
            for server in servers
        }
        spec = _reading(document, {key: item for key, item in table.items() if key not in _VARIANTS}, path)
        if spec is not None:
            found = {server: variant for server, variant in own.items() if variant is not None}
            specs[name] = msgspec.structs.replace(spec, **roles, server=found)
    return specs


def _reading(document: Document, table: dict[str, object], path: KeyPath) -> ReadingSpec | None:
    said = frozenset(field.name for field in fields_of(ReadingSpec) if field.encode_name in table)
    return document.struct(ReadingSpec, table, path, said=said, master=None, standby=None, server={})


def _tables(document: Document, key: str, known: Sequence[str] | None) -> dict[str, dict[str, object]]:
    """The tables under `key` that are tables, and whose names are known."""
    tables = document.table(document.data, key, ())
    if known is not None:
        document.only(tables, known, (key,))
    found: dict[str, dict[str, object]] = {}
    for name, table in tables.items():
        if known is not None and name not in known:
            continue
        if isinstance(table, dict):
            found[name] = cast(dict[str, object], table)
        else:
            document.fault((key, name), "must be a table")
    return found


def _specs(document: Document, key: str, kind: type[T], known: Sequence[str] | None) -> dict[str, T]:
    specs: dict[str, T] = {}
    for name, table in _tables(document, key, known).items():
        spec = document.struct(kind, table, (key, name))
        if spec is not None:
            specs[name] = spec
    return specs


def _single(document: Document, key: str, kind: type[T]) -> T | None:
    if key not in document.data:
        return None
    return document.struct(kind, document.table(document.data, key, ()), (key,))
