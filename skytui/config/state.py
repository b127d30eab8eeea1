"""Where a pair keeps its socket and its runs: in the person's own state folder, or in one a team shares.

A team's folder is made by an administrator: its group's, mode 2770, so that whatever is made in it belongs to
that group too. What lies in it is as private to the group as a person's own state is to the person.
"""

import contextlib
import grp
import os
import pwd
import shlex
import stat
from pathlib import Path
from typing import cast

from skytui import paths
from skytui.config.pairs import find_pair, pair_names, read_pair
from skytui.config.tables import Document
from skytui.config.values import path_of
from skytui.errors import ConfigError, StateError

TEAM_MODE = 0o2770
"""Of a team's folder and of every folder in it: group-writable, the group handed on, closed to others."""


def pair_folder(pair: str) -> Path:
    """The folder of a pair, whether it is there yet or not. A name that is not configured has a private one.

    Only the keys `state` and `group` are looked at: a run that is open is found though the rest was edited
    into something faulty. Raises ConfigError when one of them is faulty, StateError when a team's folder
    cannot be used.
    """
    team = team_folder(pair)
    if team is None:
        return paths.pair_state_dir(pair)
    _check(team, _group_named(pair))
    return team / "pairs" / pair


def made_folder(pair: str) -> Path:
    """The folder of a pair, made if need be, and writable.

    Raises ConfigError and StateError as `pair_folder` does, StateError when it cannot be made or written in.
    """
    folder, team = pair_folder(pair), team_folder(pair)
    try:
        if team is None:
            paths.private(folder)
        else:
            for part in (folder.parent, folder):
                _make(part, team)
    except OSError as error:
        raise StateError(f"The folder {folder} of {pair} cannot be made: {error.strerror}.") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        read_only = bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
        why = "its file system is read-only" if read_only else f"it belongs to {folder.owner()}"
        hint = f"Try: sudo mount -o remount,rw $(findmnt -no TARGET -T {shlex.quote(str(folder))})"
        raise StateError(
            f"The folder {folder} of {pair} cannot be written in: {why}.", hint=hint if read_only else ""
        )
    return folder


def team_folder(pair: str) -> Path | None:
    """The folder a team shares for this pair; None where the pair is the person's own.

    The practice pair always is. Raises ConfigError when the key `state` is faulty.
    """
    document = None if pair == paths.PRACTICE else find_pair(pair)
    if document is None:
        return None
    table = _table(document, pair)
    if "state" not in table:
        return None
    state = table["state"]
    with contextlib.suppress(ValueError):
        if isinstance(state, str) and (folder := path_of(state)).is_absolute():
            return folder
    # Reading it all says what is wrong with the key, and with everything else.
    return cast(Path, read_pair(document, pair).state)


def _group_named(pair: str) -> str:
    """The group that a team's folder must belong to; empty where none is configured.

    Raises ConfigError when the key `group` is faulty.
    """
    document = find_pair(pair)
    group = _table(document, pair).get("group", "") if document else ""
    if document is not None and not isinstance(group, str):
        return read_pair(document, pair).group or ""  # raises, and says everything that is wrong
    return str(group)


def _table(document: Document, pair: str) -> dict[str, object]:
    return document.table(document.table(document.data, "pair", ()), pair, ("pair",))


def known_folders() -> tuple[list[tuple[str, Path]], list[str]]:
    """Every pair that has a folder here, and a sentence for each place that could not be looked into.

    Those are the pairs that are configured, and what lies in their teams' folders and in the person's own.
    """
    troubles: list[str] = []
    places = [paths.state_dir() / "pairs"]
    names: list[str] = []
    try:
        names = pair_names()
    except ConfigError as error:
        troubles.append(str(error))
    for name in names:
        try:
            places.append(pair_folder(name).parent)
        except (ConfigError, StateError) as error:
            troubles.append(str(error))
    found: dict[Path, str] = {}
    for place in dict.fromkeys(places):
        with contextlib.suppress(FileNotFoundError):
            try:
                found |= {folder: folder.name for folder in sorted(place.iterdir()) if folder.is_dir()}
            except PermissionError as error:
                troubles.append(f"{place} cannot be looked into: {error.strerror}.")
    return [(name, folder) for folder, name in found.items()], troubles


def _make(folder: Path, team: Path) -> None:
    with paths.masked(0o007):
        folder.mkdir(mode=0o770, exist_ok=True)
    state = folder.stat()
    if stat.S_IMODE(state.st_mode) == TEAM_MODE:
        return
    if state.st_uid != os.getuid():
        raise StateError(
            f"The folder {folder} is not the team's: its mode is {stat.S_IMODE(state.st_mode):o}.",
            hint=f"Mend it with: {_install(folder, team.stat().st_gid)}",
        )
    folder.chmod(TEAM_MODE)


def _check(team: Path, group: str) -> None:
    """Raises StateError, with the command that mends it, when this is no folder a team can share.

    `group` is whose it must be, empty where any group's will do.
    """
    gid = _gid(group)
    try:
        state = team.stat()
    except FileNotFoundError as error:
        raise StateError(
            f"The team folder {team} is not there.",
            hint=f"Make it: {_install(team, gid)}"
            if group
            else f"Make it, with your operators' group for GROUP: {_install(team)}",
        ) from error
    except OSError as error:
        raise StateError(f"The team folder {team} cannot be looked at: {error.strerror}.") from error
    if not stat.S_ISDIR(state.st_mode):
        raise StateError(f"The team folder {team} is not a folder.", hint="Name another one as `state`.")
    wanted = state.st_gid if gid is None else gid
    wrong = [
        says
        for is_wrong, says in (
            (state.st_gid != wanted, f"it belongs to the group {_group(state.st_gid)}, not to {group}"),
            (not state.st_mode & 0o020, "its group may not write in it"),
            (not state.st_mode & stat.S_ISGID, "what is made in it would not be its group's (no setgid)"),
            (state.st_mode & 0o007, "it is open to everybody"),
        )
        if is_wrong
    ]
    if wrong:
        raise StateError(
            f"The team folder {team} cannot be used: {', and '.join(wrong)}.",
            hint=f"Mend it with: {_install(team, wanted)}",
        )
    if not os.access(team, os.R_OK | os.X_OK):
        group = _group(state.st_gid)
        raise StateError(
            f"The team folder {team} is closed to you: you are not in the group {group}.",
            hint=f"Join it (sudo usermod -aG {group} {_user()}, then log in again), or give the folder to"
            f" another group: {_install(team)}",
        )


def _gid(group: str) -> int | None:
    """Raises StateError where there is no such group."""
    try:
        return grp.getgrnam(group).gr_gid if group else None
    except KeyError as error:
        raise StateError(
            f"The group `{group}`, whose the team's folder is to be, is not known on this machine.",
            hint=f"Make it (sudo groupadd {shlex.quote(group)}), or name another one as `group`.",
        ) from error


def _install(folder: Path, gid: int | None = None) -> str:
    group = "GROUP" if gid is None else _group(gid)
    return f"sudo install -d -g {group} -m {TEAM_MODE:o} {shlex.quote(str(folder))}"


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
