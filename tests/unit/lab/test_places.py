import os
import stat
from pathlib import Path

import pytest

from skytui import paths
from skytui.errors import LabError
from skytui.lab.places import Places, database_account


def test_a_pair_lies_where_xdg_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert Places.of().lab == paths.lab_dir().resolve()
    assert Places.of().lab.is_relative_to(tmp_path.resolve())


def test_links_are_resolved_because_the_kernel_does(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert Places.of(tmp_path / "link" / "practice") == Places.of(tmp_path / "real" / "practice")


def test_a_database_s_socket_fits_into_its_107_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for length in range(1, 120):
        places = Places.of(Path("/" + "x" * length))
        assert len(os.fsencode(places.shelf / "sky-a" / "sock" / ".s.PGSQL.65535.lock")) <= 107
    assert Places.of(Path("/short")).shelf == Path("/short/pg")


def test_two_pairs_share_nothing() -> None:
    one, other = Places.of(Path("/a/practice")), Places.of(Path("/b/practice"))
    assert one.shelf != other.shelf
    assert one.lock != other.lock
    assert not one.lock.is_relative_to(one.lab)


def test_the_shelf_lets_the_account_in_and_nobody_else(tmp_path: Path) -> None:
    places = Places(tmp_path / "lab", tmp_path / "shelf")
    account = database_account()
    folder = places.make_shelf("sky-a", account)
    assert stat.S_IMODE(places.shelf.stat().st_mode) == 0o711
    for each in (folder, folder / "sock"):
        assert stat.S_IMODE(each.stat().st_mode) == 0o700
        assert each.stat().st_uid == (account.uid if account else os.getuid())


def test_a_shelf_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "shelf").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LabError, match="belongs to somebody else"):
        Places(tmp_path / "lab", tmp_path / "shelf").make_shelf("sky-a", None)
    assert list((tmp_path / "elsewhere").iterdir()) == []
