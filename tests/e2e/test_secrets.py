"""After a whole run with a password that a person gave: nothing anywhere has it.

Files, and the arguments and environment of every process, while the run goes on and afterwards. Where the
practice pair itself keeps its password (it made it) is known beforehand.
"""

import contextlib
import os
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from skytui import paths
from skytui.lab import tomlfile
from skytui.link.wire import GiveSecret
from tests.e2e.conftest import Practice
from tests.e2e.walk import Walk

pytestmark = pytest.mark.pair


class Lookout:
    """Looks at the arguments and the environment of every process, over and over."""

    def __init__(self, wanted: bytes) -> None:
        self._wanted = wanted
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_again, daemon=True)
        self.rounds = 0
        self.found: set[str] = set()

    def _look_again(self) -> None:
        while not self._over.wait(0.01):
            self.look()

    def look(self) -> None:
        for process in Path("/proc").glob("[0-9]*"):
            for name in ("cmdline", "environ"):
                with contextlib.suppress(OSError):  # it has ended
                    if self._wanted in (process / name).read_bytes():
                        words = (process / "cmdline").read_bytes().split(b"\0")[:3]
                        self.found.add(f"{name} of {b' '.join(words).decode(errors='replace')}")
        self.rounds += 1

    @contextmanager
    def watching(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._thread.join()


def files_with(wanted: bytes, *folders: Path) -> set[Path]:
    found = set()
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for name in names:
                file = Path(parent, name)
                if file.is_file() and not file.is_symlink() and wanted in file.read_bytes():
                    found.add(file)
    return found


def ask_for_the_password(practice: Practice) -> None:
    """From now on the pair's configuration names no file of the password: a person is asked."""
    given = tomllib.loads(practice.places.pair_toml.read_text())
    given["pair"][paths.PRACTICE]["secrets"] = {"admin": {"prompt": "Password of admin"}}
    mine = paths.config_dir() / "config.toml"
    mine.parent.mkdir(parents=True)
    tomlfile.dump(mine, given)


def test_the_lookout_sees_what_it_is_there_for() -> None:
    lookout = Lookout(b"a-password-in-the-open")
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()", "a-password-in-the-open"],
        stdin=subprocess.PIPE,
    ):
        lookout.look()
    assert any("cmdline of" in found for found in lookout.found)


async def test_a_password_that_was_given_stands_nowhere(practice: Practice) -> None:
    password = practice.places.admin_password.read_bytes().strip()
    ask_for_the_password(practice)
    everything = (paths.state_dir(), paths.config_dir(), practice.places.shelf)
    before = files_with(password, *everything)
    assert practice.places.admin_password in before
    lookout = Lookout(password)
    with lookout.watching():
        async with await Walk.attached() as walk:
            assert (await walk.ask(lambda number: GiveSecret(number, "admin", "wrong one"))).refused
            reply = await walk.ask(lambda number: GiveSecret(number, "admin", password.decode()))
            assert not reply.refused, reply.refused
            await walk.to_the_end()
            told = msgspec.json.encode([walk.run, walk.events, walk.lines, walk.reading])
    assert lookout.rounds > 100
    assert lookout.found == set()
    assert files_with(password, *everything) == before
    assert password not in told
    assert walk.lines, "what the scripts said is among what was looked at"
