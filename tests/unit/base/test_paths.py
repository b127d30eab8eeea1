"""Where things are kept."""

import stat
from pathlib import Path

import pytest

from skytui import paths


def test_the_xdg_folders_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/srv/config")
    monkeypatch.setenv("XDG_STATE_HOME", "/srv/state")
    assert paths.config_dir() == Path("/srv/config/skytui")
    assert paths.state_dir() == Path("/srv/state/skytui")
    assert paths.pair_state_dir("prod") == Path("/srv/state/skytui/pairs/prod")
    assert paths.lab_dir() == Path("/srv/state/skytui/lab/practice")


@pytest.mark.parametrize("value", ["", "relative/folder"])
def test_an_unset_or_relative_one_is_ignored(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("XDG_CONFIG_HOME", value)
    monkeypatch.setenv("XDG_STATE_HOME", value)
    assert paths.config_dir() == Path("/home/ann/.config/skytui")
    assert paths.state_dir() == Path("/home/ann/.local/state/skytui")


def test_a_private_folder_is_its_owners_alone(tmp_path: Path) -> None:
    folder = paths.private(tmp_path / "deep" / "down")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert paths.private(folder) == folder


def test_the_styles_of_a_checkout_come_before_those_of_the_package() -> None:
    assert paths.own_style("no-such.tcss").parent.name == "styles"
