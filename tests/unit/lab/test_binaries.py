import os
import shutil
import subprocess
from pathlib import Path

import pytest

from skytui.errors import LabError
from skytui.lab import binaries
from skytui.lab.places import Places, database_account


def fake(folder: Path, version: str, missing: str = "") -> Path:
    folder.mkdir()
    for name in ("postgres", "initdb", "pg_ctl", "pg_controldata", "pg_rewind", "pg_basebackup"):
        if name != missing:
            (folder / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
            (folder / name).chmod(0o755)
    return folder


def test_the_wheel_s_newest_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(binaries.VARIABLE, raising=False)
    assert binaries.major_version(binaries.find()) == 18


def test_a_system_s_own_is_used_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fake(tmp_path / "bin", "15.7 (Debian 15.7-1)")
    monkeypatch.setenv(binaries.VARIABLE, str(folder))
    assert binaries.find() == folder


@pytest.mark.parametrize(
    ("version", "missing", "words"),
    [
        ("14.12", "", "is PostgreSQL 14; the practice pair needs 15 or newer"),
        ("17.0", "pg_rewind", "has no pg_rewind"),
        ("devel", "", "does not say which PostgreSQL it is"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, missing: str, words: str
) -> None:
    monkeypatch.setenv(binaries.VARIABLE, str(fake(tmp_path / "bin", version, missing)))
    with pytest.raises(LabError, match=words):
        binaries.find()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs databases under another account")
def test_programs_the_account_cannot_reach_are_copied_and_run(tmp_path: Path) -> None:
    account = database_account()
    assert account is not None
    wheel = binaries._of_wheel().parents[1]
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
        shutil.copytree(part, hidden / part.name, symlinks=True)
    places = Places.of(tmp_path / "lab")
    places.make_shelf("sky-a", account)
    try:
        programs = binaries.reachable(hidden / wheel.name / "pginstall18" / "bin", account, places.shelf)
        assert places.shelf in programs.parents
        said = subprocess.run(
            [programs / "initdb", "--version"], user=account.uid, group=account.gid, extra_groups=[],
            cwd="/", capture_output=True, text=True, timeout=20, check=True,
        )  # fmt: skip
        assert "PostgreSQL" in said.stdout
    finally:
        shutil.rmtree(places.shelf)
