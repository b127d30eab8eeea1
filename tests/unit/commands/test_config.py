"""`skytui config path` and `check`: which files there are, and every mistake in them."""

import json
import os
from pathlib import Path

import pytest

from skytui import paths
from skytui.commands.config import check, path
from skytui.errors import UsageError

PAIR = """\
[pair.NAME]
profile = "skybot"
secrets = { admin = { prompt = "admin password" } }
[pair.NAME.server.sky-a]
address = "10.0.0.1"
listen_port = 7508
[pair.NAME.server.sky-b]
address = "10.0.0.2"
listen_port = 7508
"""


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("SKYTUI_CONFIG", raising=False)
    monkeypatch.setattr("skytui.config.pairs.SYSTEM_FILE", tmp_path / "etc.toml")
    (tmp_path / "config" / "skytui").mkdir(parents=True)
    return tmp_path


def own(*pairs: str, more: str = "") -> Path:
    file = paths.config_dir() / "config.toml"
    file.write_text("schema = 1\n" + more + "".join(pairs))
    return file


def pair(name: str = "night") -> str:
    return PAIR.replace("NAME", name)


def test_the_places_in_their_order_and_whose_pair_counts(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = own(pair(), pair("day"))
    (folders / "etc.toml").write_text("schema = 1\n" + pair())
    text = path(as_json=False)
    assert text.splitlines() == [
        f"read  {file}  (yours)",
        f"read  {folders}/etc.toml  (this machine's)",
        f"none  {paths.lab_dir()}/pair.toml  (the practice pair's own)",
        "",
        f"night  {file}:2",
        f"day  {file}:11",
        f"night  {folders}/etc.toml:2  (not used: an earlier file has a pair of this name)",
    ]
    monkeypatch.setenv("SKYTUI_CONFIG", str(folders / "named.toml"))
    found = json.loads(path(as_json=True))
    assert [entry["there"] for entry in found["files"]] == [False, True, True, False]
    assert [entry["shadowed"] for entry in found["pairs"]] == [False, False, True]


def test_without_any_pair_it_says_how_to_begin() -> None:
    assert path(as_json=False).endswith("Begin with: skytui config init")
    text, code = check(None, as_json=False)
    assert (text, code) == ("No pair is configured. Begin with: skytui config init", 0)


def test_a_file_that_is_no_toml_is_shown_with_its_trouble() -> None:
    own(more="[[[")
    assert "is not TOML" in path(as_json=False)


def test_a_sound_pair_with_its_profile_and_its_folder() -> None:
    file = own(pair())
    text, code = check(None, as_json=False)
    assert code == 0
    assert text.startswith(f"night  {file}:2: sound  profile /")
    assert text.endswith(f"/profiles/skybot.toml  state {paths.pair_state_dir('night')}")


def test_every_mistake_of_every_pair_of_every_file(folders: Path) -> None:
    file = own(
        pair().replace("address", "adress", 1),
        pair("day").replace("7508", "0"),
        pair("dusk").replace('"skybot"', '"skybto"'),
        pair("dawn"),
        more='colour = 1\nkeys = { abort = "l", abrot = "x" }\n',
    )
    etc = folders / "etc.toml"
    etc.write_text("schema = 2\n" + pair("far").replace('profile = "skybot"', "x = 1"))
    text, code = check(None, as_json=False)
    assert code == 2
    expected = [
        f"{file}:2: colour: is not known here; known here: keys, pair, schema",
        f"{file}:3: [keys] abort: 'l' is the key of `log`; give that another one",
        f"{file}:3: [keys] abrot: is not known here; did you mean `abort`?",
        f"{file}:7: [pair.night.server.sky-a] address: is missing",
        f"{file}:8: [pair.night.server.sky-a] adress: is not known here; did you mean `address`?",
        f"{file}:18: [pair.day.server.sky-a] listen_port: Expected `int` >= 1",
        f"{file}:21: [pair.day.server.sky-b] listen_port: Expected `int` >= 1",
        f"{file}:23: [pair.dusk] profile: There is no built-in profile `skybto`; did you mean `skybot`?",
        f"{etc}:1: schema: must be 1, the only form this version reads",
        f"{etc}:2: [pair.far] profile: is missing",
        f"{etc}:3: [pair.far] x: is not known here",
    ]
    assert text.splitlines() == [*expected, "11 mistakes; nothing was started."]


def test_as_data_each_mistake_has_its_parts() -> None:
    file = own(pair().replace("address", "adress", 1), pair("day"))
    text, code = check(None, as_json=True)
    assert code == 2
    found = json.loads(text)
    assert (found["schema"], found["ok"]) == (1, False)
    assert found["faults"][1] == {
        "file": str(file),
        "line": 6,
        "table": "pair.night.server.sky-a",
        "key": "adress",
        "says": "is not known here; did you mean `address`?",
    }
    assert {entry["pair"]: entry["sound"] for entry in found["pairs"]} == {"night": False, "day": True}


def test_one_pair_alone(folders: Path) -> None:
    own(pair("faulty").replace("address", "adress", 1), pair())
    text, code = check("night", as_json=False)
    assert code == 0
    assert "faulty" not in text
    with pytest.raises(UsageError, match=r"There is no pair `nigth`\. Did you mean `night`\?"):
        check("nigth", as_json=False)


def test_faults_of_a_profile_are_said_once_with_its_file() -> None:
    own(pair().replace("skybot", "mine.toml"), pair("day").replace("skybot", "mine.toml"))
    mine = paths.config_dir() / "mine.toml"
    mine.write_text('schema = 1\n[reading.agnets]\nget = "/a"\n')
    text, code = check(None, as_json=False)
    assert code == 2
    assert text.splitlines() == [
        f"{mine}:2: [reading] agnets: is not known here; did you mean `agents`?",
        "1 mistake; nothing was started.",
    ]


def test_a_folder_a_team_cannot_use_is_a_mistake_with_its_line(folders: Path) -> None:
    file = own(pair().replace("secrets", f'state = "{folders}/none"\nsecrets'))
    text, code = check(None, as_json=False)
    assert code == 2
    assert text.startswith(f"{file}:4: [pair.night] state: The team folder {folders}/none is not there.")


def test_a_secret_under_a_name_nobody_asks_for_is_noted() -> None:
    own(pair().replace("{ admin", "{ amdin"))
    text, code = check(None, as_json=False)
    assert code == 0
    assert "note: night: its profile asks for no secret `amdin`; did you mean `admin`?" in text
    assert "note: night: a person is asked for the secret `admin`; it has no source" in text


def test_a_file_that_skytui_config_names_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKYTUI_CONFIG", "/no/such/file.toml")
    text, code = check(None, as_json=False)
    assert (text.splitlines()[0], code) == ("/no/such/file.toml: is not a file; $SKYTUI_CONFIG", 2)


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_a_file_that_is_closed_to_us_is_said(folders: Path) -> None:
    own(pair()).chmod(0)
    assert "cannot be read: Permission denied" in check(None, as_json=False)[0]
