import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skytui.config.placeholders import fill, holes, text
from skytui.config.profile import Profile
from skytui.config.profile_file import BUILT_IN, built_in_profiles, load_profile, read_profile
from skytui.config.tables import Document
from skytui.errors import ConfigError
from skytui.pair.vocabulary import READINGS, Action

CHECK = '[check]\nrun = ["id"]\n'


def read(written: str) -> Profile:
    return read_profile(Document(Path("my.toml"), f"schema = 1\n{written}"))


def faults(written: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        read(written)
    return str(error.value).splitlines()


def test_the_built_in_profile_covers_the_whole_vocabulary() -> None:
    profile = load_profile("skybot")
    assert set(profile.readings) == set(READINGS)
    assert set(profile.actions) == set(Action)
    assert profile.secret_names() == {"admin"}
    assert "skybot" in built_in_profiles()


def test_a_profile_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("schema = 1\n[reading.role]\nget = '/role'\n")
    assert load_profile(str(tmp_path / "mine.toml")).readings["role"].get == "/role"
    assert load_profile("mine.toml", beside=tmp_path / "config.toml").name == "mine"


def test_an_unknown_built_in_profile() -> None:
    with pytest.raises(ConfigError, match="did you mean `skybot`"):
        load_profile("skybto")


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (
            "[reading.queus]\nget = '/q'",
            "my.toml:2: [reading] queus: is not known here; did you mean `queues`?",
        ),
        (
            "[action.promot]\nrun = ['x']",
            "my.toml:2: [action] promot: is not known here; did you mean `promote`?",
        ),
        (
            "[reading.role]",
            "my.toml:2: [reading] role: give exactly one of get, run, shell, connect, difference,",
        ),
        ("[reading.role]\nget = '/a'\nrun = ['b']", "get and run given"),
        ("[reading.role]\nget = 'role'", "my.toml:3: [reading.role] get: Expected `str` matching"),
        (
            "[reading.role]\nget = '/{hom}'",
            "[reading.role] get: there is no placeholder `{hom}`; did you mean `home`",
        ),
        ("[reading.role]\nget = '/{queues}'", "`{queues}` is known only in actions"),
        (
            "[reading.role]\nget = '/{secret.admin}'",
            "secrets go over standard input, in `json` or in `headers` only",
        ),
        ("[reading.role]\nget = '/a'\nargs = ['x']", "[reading.role] args: belongs to `shell`"),
        ("[reading.role]\nget = '/a'\non = 'master'", "every server is asked for it"),
        ("[reading.users]\nget = '/a'\non = 'slave'", "[reading.users] on: Invalid enum value 'slave'"),
        ("[reading.users]\nabsent = false", "[reading.users] absent: is either true or left out"),
        ("[reading.users]\nconnect = '{server.ports}'", "can only be how `ports` is read"),
        ("[reading.ports]\nconnect = '{home}'", "is `{server.ports}`, or port numbers"),
        ("[action.promote]\nrun = ['x']", "a command needs [check] with `run`"),
        ("[action.lock_queues]\npost = '/q'", "`post` needs [check] with `headers`, or [reading.identity]"),
        (f"{CHECK}[action.promote]\nrun = ['x', '{{secret.admin}}']", "secrets go over standard input"),
        (f"{CHECK}[action.promote]\nshell = 'rm {{home}}'", 'put `{home}` into `args` and write "$1" here'),
        (f"{CHECK}[action.promote]\nrun = ['x']\nprogress = 'x'", "needs a group `(?P<percent>…)`"),
        (
            f"{CHECK}[action.promote]\nrun = ['x']\njson = {{ a = 1 }}",
            "[action.promote] json: belongs to `post`",
        ),
        (f"{CHECK}[action.promote]\nmanual = 'x'\nstdin = ['a']", "[action.promote] stdin: belongs to `run`"),
        (
            f"{CHECK}[action.promote]\nrun = ['x']\nstdin = ['a\\nb']".replace("'a\\nb'", '"a\\nb"'),
            "each item is one line",
        ),
        (f"{CHECK}[action.promote]\nrun = ['x']\ndeadline = 'soon'", "'soon' is not a duration"),
        ("[log.server]\nfollow = '{home}/{x}'", "[log.server] follow: there is no placeholder `{x}`"),
        ("[logn]", "my.toml:2: logn: is not known here; did you mean `login`?"),
        ("[login]\npost = '/l'\njson = {}", "my.toml:2: [login] pick: is missing"),
    ],
)
def test_what_is_wrong_is_said(written: str, says: str) -> None:
    said = faults(written)
    assert any(says in fault for fault in said), said


def test_all_faults_are_said_at_once() -> None:
    assert len(faults("[reading.queus]\nget = '/q'\n[reading.role]\nget = 3\n[action.x]\n[loggin]")) == 4


def test_a_placeholder_alone_keeps_its_type() -> None:
    known = {"queues": ["a", "b"], "server.listen_port": 7, "home": "{queues}"}
    value = {"names": "{queues}", "port": "{server.listen_port}", "path": "{home}/x", "n": [1, "{queues}!"]}
    assert fill(value, known.__getitem__) == {
        "names": ["a", "b"],
        "port": 7,
        "path": "{queues}/x",
        "n": [1, "a,b!"],
    }
    assert text("{{home}} {not a hole} {print $1}", known.__getitem__) == "{home} {not a hole} {print $1}"


@given(st.text())
def test_text_without_placeholders_is_left_alone(written: str) -> None:
    if not list(holes(written)) and not re.search(r"\{\{", written):
        assert fill(written, dict[str, object]().__getitem__) == written


SKYBOT = (BUILT_IN / "skybot.toml").read_text()


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, len(SKYBOT) - 1),
    st.integers(0, 12),
    st.text(st.sampled_from("[]{}\"'=.\n abcdeé_1$\\,"), max_size=6),
)
def test_a_damaged_profile_is_read_or_refused(start: int, length: int, put: str) -> None:
    try:
        read_profile(Document(Path("x.toml"), SKYBOT[:start] + put + SKYBOT[start + length :]))
    except ConfigError:
        return
