"""Where a pair's state lies, and what is wrong with a folder a team cannot use."""

import grp
import os
import shlex
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from skytui import paths
from skytui.config.state import known_folders, made_folder, pair_folder, team_folder
from skytui.errors import ConfigError, StateError
from tests.support.users import BOB, CAROL, TEAM, needs_root, place_for_all, run_as, team_in

CONFIG = """\
schema = 1
[pair.night]
profile = "skybot"
state = "{state}"
"""


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with place_for_all() as folder:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
        monkeypatch.delenv("SKYTUI_CONFIG", raising=False)
        monkeypatch.setattr("skytui.config.pairs.SYSTEM_FILE", folder / "etc.toml")
        yield folder


def configure(place: Path, state: object) -> Path:
    (place / "etc.toml").write_text(CONFIG.format(state=state))
    return place / "etc.toml"


def team_of_ours(place: Path, mode: int = 0o2770) -> Path:
    folder = place / "team"
    folder.mkdir()
    folder.chmod(mode)
    configure(place, folder)
    return folder


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_pair_without_the_key_and_one_nobody_configured_are_the_persons_own(place: Path) -> None:
    (place / "etc.toml").write_text('schema = 1\n[pair.night]\nprofile = "skybot"\n')
    for name in ("night", "nobody", paths.PRACTICE):
        assert pair_folder(name) == paths.pair_state_dir(name)
        assert made_folder(name) == paths.pair_state_dir(name)
        assert mode_of(made_folder(name)) == 0o700


def test_the_practice_pair_never_is_a_teams(place: Path) -> None:
    team = team_of_ours(place)
    file = place / "etc.toml"
    file.write_text(file.read_text().replace("pair.night", f"pair.{paths.PRACTICE}"))
    assert team.is_dir()
    assert pair_folder(paths.PRACTICE) == paths.pair_state_dir(paths.PRACTICE)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_what_is_made_in_a_teams_folder_is_the_teams_whatever_the_umask(place: Path, umask: int) -> None:
    team = team_of_ours(place)
    with paths.masked(umask):
        folder = made_folder("night")
    assert folder == team / "pairs" / "night"
    assert [mode_of(part) for part in (folder, folder.parent)] == [0o2770, 0o2770]
    assert folder.stat().st_gid == team.stat().st_gid
    assert paths.mask_of(folder) == 0o007


def test_the_rest_of_the_configuration_may_be_faulty_meanwhile(place: Path) -> None:
    team = team_of_ours(place)
    with (place / "etc.toml").open("a") as file:
        file.write("wrong = true\n")
    assert pair_folder("night") == team / "pairs" / "night"


@pytest.mark.parametrize("state", ['"relative/folder"', "5", "true"])
def test_a_key_that_is_no_whole_path_is_a_fault_with_its_line(place: Path, state: str) -> None:
    (place / "etc.toml").write_text(CONFIG.replace('"{state}"', state))
    with pytest.raises(ConfigError, match=r"etc\.toml:4: \[pair\.night\] state: "):
        team_folder("night")


def test_one_that_is_not_there_says_how_it_is_made(place: Path) -> None:
    configure(place, place / "my team")
    with pytest.raises(StateError, match="is not there") as missing:
        pair_folder("night")
    assert missing.value.hint.endswith(f"sudo install -d -g GROUP -m 2770 '{place}/my team'")


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        (0o2750, "its group may not write in it"),
        (0o770, "what is made in it would not be its group's"),
        (0o2775, "it is open to everybody"),
        (0o2771, "it is open to everybody"),
        (0o755, "may not write in it, and what is made in it .*, and it is open to everybody"),
    ],
)
@pytest.mark.skipif(shutil.which("install") is None, reason="this system has no install(1)")
def test_one_that_is_no_teams_says_what_is_wrong_and_the_command_that_mends_it(
    place: Path, mode: int, says: str
) -> None:
    team = team_of_ours(place, mode)
    (team / "kept").touch()
    with pytest.raises(StateError, match=says) as wrong:
        pair_folder("night")
    command = shlex.split(wrong.value.hint.removeprefix("Mend it with: "))
    assert command[0] == "sudo"
    if os.getuid() != 0:
        command = [word for word in command if word not in ("-g", team.group())]
    subprocess.run(command[1:], check=True, timeout=10)
    assert pair_folder("night") == team / "pairs" / "night"
    assert mode_of(team) == 0o2770
    assert (team / "kept").exists()


def with_group(place: Path, group: str) -> None:
    with (place / "etc.toml").open("a") as file:
        file.write(f'group = "{group}"\n')


def test_a_folder_must_belong_to_the_group_that_is_named(place: Path) -> None:
    team = team_of_ours(place)
    with_group(place, team.group())
    assert pair_folder("night") == team / "pairs" / "night"


@pytest.mark.parametrize(
    "group", [group.gr_name for group in grp.getgrall() if group.gr_gid != os.getgid()][:1]
)
def test_one_of_another_group_is_refused_with_the_command_that_mends_it(place: Path, group: str) -> None:
    team = team_of_ours(place)
    with_group(place, group)
    with pytest.raises(StateError, match=f"it belongs to the group {team.group()}, not to {group}") as wrong:
        pair_folder("night")
    assert wrong.value.hint == f"Mend it with: sudo install -d -g {group} -m 2770 {team}"


def test_a_group_that_is_not_there(place: Path) -> None:
    team_of_ours(place)
    with_group(place, "no such group")
    with pytest.raises(StateError, match=r"`no such group`.* is not known .*sudo groupadd 'no such group'"):
        pair_folder("night")


def test_a_group_that_is_no_name_is_a_fault_with_its_line(place: Path) -> None:
    team_of_ours(place)
    with (place / "etc.toml").open("a") as file:
        file.write("group = 5\n")
    with pytest.raises(ConfigError, match=r"etc\.toml:5: \[pair\.night\] group: "):
        pair_folder("night")


def test_a_file_is_no_folder(place: Path) -> None:
    (place / "team").touch()
    configure(place, place / "team")
    with pytest.raises(StateError, match="is not a folder"):
        pair_folder("night")


LOOK = """\
try:
    print(made_folder("night"))
except StateError as error:
    print(error)
"""
IMPORTS = """\
import os
from skytui.config.state import made_folder
from skytui.errors import StateError
"""


@needs_root
def test_a_member_makes_and_uses_it_and_somebody_else_is_told(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = team_in(place)
    file = configure(place, team)
    file.chmod(0o644)
    monkeypatch.setenv("SKYTUI_CONFIG", str(file))
    outside = run_as(CAROL, LOOK, imports=IMPORTS).stdout
    assert outside == (
        f"The team folder {team} is closed to you: you are not in the group {TEAM}. Join it (sudo usermod -aG"
        f" {TEAM} {CAROL}, then log in again), or give the folder to another group: sudo install -d -g GROUP"
        f" -m 2770 {team}\n"
    )
    assert run_as(BOB, LOOK, groups=(TEAM,), imports=IMPORTS).stdout == f"{team}/pairs/night\n"
    folder = team / "pairs" / "night"
    assert (folder.stat().st_uid, folder.stat().st_gid, mode_of(folder)) == (BOB, TEAM, 0o2770)
    assert run_as(CAROL, LOOK, groups=(TEAM,), imports=IMPORTS).stdout == f"{folder}\n"
    folder.chmod(0o2750)
    others = run_as(CAROL, LOOK, groups=(TEAM,), imports=IMPORTS).stdout
    assert f"is not the team's: its mode is 2750. Mend it with: sudo install -d -g {TEAM}" in others
    assert run_as(BOB, LOOK, groups=(TEAM,), imports=IMPORTS).stdout == f"{folder}\n"
    assert mode_of(folder) == 0o2770


def test_all_pairs_that_have_a_folder_are_known_and_what_could_not_be_looked_into(place: Path) -> None:
    team = team_of_ours(place)
    made_folder("night")
    made_folder("own")
    (team / "pairs" / "gone-from-the-configuration").mkdir()
    folders, troubles = known_folders()
    assert sorted(name for name, _ in folders) == ["gone-from-the-configuration", "night", "own"]
    assert troubles == []
    team.chmod(0o2750)
    folders, troubles = known_folders()
    assert [name for name, _ in folders] == ["own"]
    assert len(troubles) == 1
    assert "its group may not write in it" in troubles[0]
