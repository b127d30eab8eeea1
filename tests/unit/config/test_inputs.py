"""What a conductor goes by, as text that can be kept and read again."""

import tomllib
from pathlib import Path

import msgspec
import pytest

from skytui import paths
from skytui.config.inputs import load, restored
from skytui.config.pairs import load_pair
from skytui.config.profile_file import BUILT_IN, load_profile
from skytui.config.secrets import SecretSource

CONFIG = """\
schema = 1
# a remark
[pair.day]
profile = "no such"
[pair.night]
profile = "PROFILE"
secrets = { admin = { command = ["pass", "show", "sky\\u007f\\"admin"] } }
operators = ["ann", "bob"]
[pair.night.thresholds]
zero_seconds = 30
fresh_seconds = 2.5
[pair.night.server."sky.a"]
address = "10.0.0.1"
listen_port = 7508
ca_file = "~/ca.pem"
ssh = { host = "10.0.0.1", user = "sky", known_hosts = "~/.ssh/known_hosts", key = "~/.ssh/sky" }
home = "/opt/sky bot"
ports = [7508, 5432]
[pair.night.server.sky-b]
address = "10.0.0.2"
listen_port = 7508
"""


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.delenv("SKYTUI_CONFIG", raising=False)
    paths.config_dir().mkdir()
    return tmp_path


def own(text: str, profile: str = "skybot") -> Path:
    file = paths.config_dir() / "config.toml"
    file.write_text(text.replace("PROFILE", profile))
    return file


def test_a_secret_the_profile_needs_and_the_pair_does_not_name_is_asked_for() -> None:
    own(CONFIG.replace("secrets = {", "# {"))
    assert load_pair("night").secrets == {}
    loaded = load("night")
    assert loaded.pair.secrets == {"admin": SecretSource()}
    assert "admin" not in loaded.inputs.config


def test_what_is_kept_makes_the_same_pair_and_profile(tmp_path: Path) -> None:
    own(CONFIG)
    loaded = load("night")
    assert loaded.pair == load_pair("night")
    again = restored("night", loaded.inputs, tmp_path / "kept.toml", tmp_path / "profile.toml")
    assert msgspec.structs.replace(again.pair, file=loaded.pair.file) == loaded.pair
    assert again.inputs == loaded.inputs
    assert again.profile.name == "skybot"
    assert set(again.profile.actions) == set(load_profile("skybot").actions)
    assert again.inputs.profile == (BUILT_IN / "skybot.toml").read_text()


def test_only_this_pairs_table_is_kept() -> None:
    own(CONFIG)
    kept = load("night").inputs
    assert list(tomllib.loads(kept.config)["pair"]) == ["night"]
    own(CONFIG.replace("# a remark", "# another\n").replace('"no such"', '"none"'))
    assert load("night").inputs == kept
    own(CONFIG.replace("5432", "5433"))
    assert load("night").inputs != kept


def test_whoever_goes_on_has_their_own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own(CONFIG)
    inputs = load("night").inputs
    monkeypatch.setenv("HOME", "/home/bob")
    ssh = restored("night", inputs, tmp_path / "kept.toml", tmp_path / "p.toml").pair.servers["sky.a"].ssh
    assert ssh is not None
    assert ssh.key == Path("/home/bob/.ssh/sky")


def test_a_profile_beside_the_configuration_is_kept_with_it(tmp_path: Path) -> None:
    file = own(CONFIG, "mine.toml")
    profile = file.with_name("mine.toml")
    profile.write_text((BUILT_IN / "skybot.toml").read_text())
    inputs = load("night").inputs
    profile.unlink()
    again = restored("night", inputs, tmp_path / "kept.toml", tmp_path / "profile.toml")
    assert again.profile.name == "mine"
    profile.write_text(inputs.profile.replace("schema = 1", "schema = 1 # edited"))
    assert load("night").inputs != inputs
