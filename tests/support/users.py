"""Other users of this machine, for real: processes under user ids that have no name and need none.

Only root can start them; tests that use them are skipped, with the reason, where we are not.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

TEAM = 54321
"""The group of a team."""
BOB, CAROL = 54322, 54323
"""A member of the team, and somebody who is none."""

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can start processes of other users")

_DROP = """\
import os, sys
uid, groups = int(sys.argv[1]), [int(group) for group in sys.argv[2].split(",") if group]
del sys.argv[1:3]
os.umask(0o077)
os.setgroups(groups)
os.setresgid(uid, uid, uid)
os.setresuid(uid, uid, uid)
"""


def run_as(
    uid: int, code: str, *arguments: str, groups: tuple[int, ...] = (), imports: str = "", seconds: float = 30
) -> "subprocess.CompletedProcess[str]":
    """What `code` does as that user, its own group and `groups`, and with a umask of 077.

    The interpreter starts as root and turns into that user after `imports`: it may lie where only root goes.
    """
    return subprocess.run(
        _command(uid, code, arguments, groups, imports),
        capture_output=True, text=True, timeout=seconds, check=False, cwd="/",
    )  # fmt: skip


@contextmanager
def running_as(
    uid: int, code: str, *arguments: str, groups: tuple[int, ...] = (), imports: str = ""
) -> "Iterator[subprocess.Popen[bytes]]":
    """Like `run_as`, going on beside the test; killed at the end of the block."""
    process = subprocess.Popen(_command(uid, code, arguments, groups, imports), cwd="/")
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def _command(
    uid: int, code: str, arguments: tuple[str, ...], groups: tuple[int, ...], imports: str
) -> list[str]:
    listed = ",".join(map(str, groups))
    return [sys.executable, "-c", f"{imports}\n{_DROP}\n{code}", str(uid), listed, *arguments]


@contextmanager
def place_for_all() -> Iterator[Path]:
    """A folder that every user can pass through."""
    place = Path(tempfile.mkdtemp(prefix="skytui-"))
    place.chmod(0o711)
    try:
        yield place
    finally:
        shutil.rmtree(place)


def team_in(place: Path, mode: int = 0o2770) -> Path:
    """A team's folder, as an administrator makes it."""
    folder = place / "team"
    folder.mkdir()
    os.chown(folder, 0, TEAM)
    folder.chmod(mode)
    return folder
