"""`skytui profile`: on two real servers, with a real secret that must not show, and with nobody there."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from skytui import cli
from skytui.commands.profile import check, listing, show
from skytui.config.profile_file import BUILT_IN
from skytui.errors import ConfigError
from tests.support.answering import Answering, answering

PASSWORD = 'open "sesame"/ü'

PROFILE = """\
schema = 1
[login]
post = "/login"
json = { password = "{secret.admin}" }
pick = "token"
[check]
headers = { If-Match = "{expect.name}" }
[reading.role]
get = "/role"
pick = "role"
[reading.version]
get = "/version"
reply = "text"
[reading.users]
get = "/users"
on = "master"
[reading.standby_status]
get = "/status"
on = "standby"
pick = "status"
[reading.guard]
absent = true
[action.lock_queues]
post = "/lock"
"""

CONFIG = """\
schema = 1
[pair.night]
profile = "skybot"
practice = true
secrets = {{ admin = {{ {secret} }} }}
[pair.night.server.sky-a]
address = "127.0.0.1"
listen_port = 1
url = "{a}"
[pair.night.server.sky-b]
address = "127.0.0.1"
listen_port = 1
url = "{b}"
"""


class Night:
    """A pair that is configured, and a profile for it in a file."""

    def __init__(self, a: Answering, b: Answering, folder: Path) -> None:
        self.a, self.b = a, b
        self.folder = folder
        self.file = folder / "mine.toml"
        self.file.write_text(PROFILE)
        (folder / "secret").write_text(PASSWORD)
        (folder / "secret").chmod(0o600)
        self.configure(f"file = '{folder / 'secret'}'")
        for server, role in ((a, "master"), (b, "standby")):
            server.replies |= {
                "/login": (200, b'{"token": "t"}'),
                "/role": (200, json.dumps({"role": role, "about": PASSWORD}).encode()),
                "/version": (200, f"1.0 \x1b[2J{PASSWORD}\nmore\n".encode()),
                "/users": (200, b'[{"user": "ops"}]'),
                "/status": (200, b'{"status": "Active"}'),
            }

    def configure(self, secret: str) -> None:
        config = self.folder / "skytui" / "config.toml"
        config.parent.mkdir(exist_ok=True)
        config.write_text(CONFIG.format(secret=secret, a=self.a.url, b=self.b.url))


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("SKYTUI_CONFIG", raising=False)
    monkeypatch.setattr("skytui.config.pairs.SYSTEM_FILE", tmp_path / "etc.toml")
    with answering() as a, answering() as b:
        yield Night(a, b, tmp_path)


def test_every_reading_is_tried_and_no_action_is_run(night: Night) -> None:
    text, code = check(str(night.file), "night")
    assert code == 0, text
    assert "6 of 6 readings that were asked gave a value." in text
    assert "    request  HTTP /role → 200\n" in text
    assert 'value    "master"' in text
    assert "unknown: asked of the master only; this server reads standby" in text
    assert "unknown: this kind of system has no such thing" in text
    assert set(night.a.asked) == {"/login", "/role", "/version", "/users"}
    assert "\x1b" not in text
    assert "sesame" not in text
    assert "{secret.admin}" in text


def test_as_json(night: Night) -> None:
    night.b.replies["/status"] = (200, b"<html>")
    text, code = check(str(night.file), "night", as_json=True)
    assert code == 13
    assert "sesame" not in text
    data = json.loads(text)
    assert data["schema"] == 1
    role = data["servers"]["sky-a"]["role"]
    assert (role["state"], role["request"], role["code"], role["value"]) == (
        "known",
        "HTTP /role",
        200,
        "master",
    )
    assert json.loads(role["reply"]) == {"role": "master", "about": "{secret.admin}"}
    status = data["servers"]["sky-b"]["standby_status"]
    assert (status["state"], status["reply"], status["cause"]) == ("unknown", "<html>", "unusable answer")


def test_a_server_where_nobody_is_ends_with_13(night: Night) -> None:
    night.b.shutdown()
    night.b.server_close()
    text, code = check(str(night.file), "night")
    assert code == 13
    assert "refuses connections" in text
    assert "Without one: sky-b role, sky-b version." in text


def test_a_long_reply_is_cut_for_people_only(night: Night) -> None:
    night.a.replies["/version"] = (200, b"x" * 500 + b"\nline" * 20)
    text, _ = check(str(night.file), "night")
    assert f"{'x' * 160}… 340 more" in text
    assert "… 13 more lines" in text
    assert "x" * 500 in check(str(night.file), "night", as_json=True)[0]


def test_a_secret_that_must_be_typed_needs_a_terminal(night: Night) -> None:
    night.configure("prompt = 'Password'")
    with pytest.raises(
        ConfigError, match=r"The secrets admin of night have to be typed\. Run this at a terminal"
    ):
        check(str(night.file), "night")
    assert night.a.asked == []


def test_a_file_alone() -> None:
    text, code = check("skybot")
    assert code == 0
    assert "sound. 32 readings, 15 actions, 0 repairs." in text
    assert json.loads(check("skybot", as_json=True)[0])["actions_left_out"] == []


def test_what_a_file_leaves_out_is_said(night: Night) -> None:
    text, _ = check(str(night.file))
    assert "Readings it does not name, unknown then: identity, " in text
    assert "Actions it does not name, done by hand then: unlock_queues, " in text


def test_those_that_come_with_it() -> None:
    assert "skybot  Skybot Scheduler" in listing()
    assert show("skybot") == (BUILT_IN / "skybot.toml").read_text()
    with pytest.raises(ConfigError, match="did you mean `skybot`"):
        show("skibot")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["check", "mine.toml"], 0, "sound"),
        (["check", "mine.toml", "--against", "night"], 0, "gave a value"),
        (
            ["check", "broken.toml"],
            2,
            "broken.toml:2: [reading] rol: is not known here; did you mean `role`?",
        ),
        (["check", "gone.toml"], 2, "cannot be read"),
        (["check", "mine.toml", "--against", "nigth"], 2, "did you mean `night`?"),
        (["show", "mine.toml"], 0, "schema = 1\n[login]"),
        (["list"], 0, "skybot"),
    ],
)
def test_the_command_line(
    night: Night,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    says: str,
) -> None:
    (night.folder / "broken.toml").write_text("schema = 1\n[reading.rol]\nget = '/'\n")
    monkeypatch.chdir(night.folder)
    monkeypatch.setattr(sys, "argv", ["skytui", "profile", *arguments])
    try:
        cli.main()
        ended: object = 0
    except SystemExit as error:
        ended = error.code or 0
    said = capsys.readouterr()
    assert ended == code, said
    assert says in (said.err if code else said.out)
