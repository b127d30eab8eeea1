"""`skytui repair`, on two real servers: shown where it applies, done once, never on a master."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from skytui import cli
from skytui.commands.repair import repair
from skytui.conductor.journal import Journal
from skytui.conductor.lock import sole_owner
from skytui.conductor.runs import JOURNAL
from skytui.config.state import made_folder
from skytui.errors import RunRefusedError, UsageError
from tests.support.answering import Answering, answering
from tests.support.walk import Walk

PROFILE = """\
schema = 1
[check]
headers = { If-Match = "{expect.name}/{expect.role}" }
[reading.role]
get = "/role"
pick = "role"
[reading.scheduler]
get = "/scheduler"
deadline = "5s"
[repair.restart]
says = "Restart the hung server"
post = "/restart"
[repair.restart.when]
scheduler = { pick = "state == 'hung'" }
"""

CONFIG = """\
schema = 1
[pair.night]
profile = "{profile}"
practice = true
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
    """A pair of which one server may hang."""

    def __init__(self, a: Answering, b: Answering, folder: Path) -> None:
        self.servers = {"sky-a": a, "sky-b": b}
        (folder / "mine.toml").write_text(PROFILE)
        config = folder / "skytui" / "config.toml"
        config.parent.mkdir()
        config.write_text(CONFIG.format(profile=folder / "mine.toml", a=a.url, b=b.url))
        self.read("sky-a", "master", "running")
        self.read("sky-b", "standby", "hung")

    def read(self, server: str, role: str, state: str) -> None:
        self.servers[server].replies |= {
            "/role": (200, json.dumps({"role": role}).encode()),
            "/scheduler": (200, json.dumps({"state": state}).encode()),
            "/restart": (200, b"{}"),
        }

    def restarted(self) -> list[str]:
        return [name for name, server in self.servers.items() for path in server.asked if path == "/restart"]


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("SKYTUI_CONFIG", raising=False)
    monkeypatch.setattr("skytui.config.pairs.SYSTEM_FILE", tmp_path / "etc.toml")
    with answering() as a, answering() as b:
        yield Night(a, b, tmp_path)


def test_what_applies_is_shown_and_nothing_is_done(night: Night) -> None:
    text, code = repair("night")
    assert code == 0
    assert "restart: Restart the hung server, on sky-b\n    POST http://127.0.0.1:" in text
    night.read("sky-b", "standby", "running")
    assert "None of the repairs for night applies now: restart." in repair("night")[0]
    assert night.restarted() == []


def test_it_is_done_once_on_the_server_it_applies_to(night: Night) -> None:
    text, code = repair("night", "restart", confirm="sky-b")
    assert (code, night.restarted()) == (0, ["sky-b"])
    assert text == "restart: done. sky-b: POST /restart: 200."


@pytest.mark.parametrize(("status", "code"), [(200, 0), (412, 10), (500, 12), (504, 13)])
def test_exit_codes(night: Night, status: int, code: int) -> None:
    night.servers["sky-b"].replies["/restart"] = (status, b"")
    assert repair("night", "restart", confirm="sky-b")[1] == code


@pytest.mark.parametrize(
    ("role", "says"),
    [("master", "no server is proven to be no master"), ("?", "no server is proven to be no master")],
)
def test_never_on_a_master_or_what_may_be_one(night: Night, role: str, says: str) -> None:
    night.read("sky-b", role, "hung")
    with pytest.raises(RunRefusedError, match=says):
        repair("night", "restart", confirm="sky-b")
    assert night.restarted() == []


@pytest.mark.parametrize(
    ("confirm", "says"), [("", "give --confirm sky-b"), ("sky-a", "`sky-a` is not sky-b")]
)
def test_the_servers_name_is_asked_for(night: Night, confirm: str, says: str) -> None:
    with pytest.raises(RunRefusedError, match=says):
        repair("night", "restart", confirm=confirm)
    assert night.restarted() == []


def test_not_while_a_conductor_owns_the_pair(night: Night) -> None:
    with sole_owner(made_folder("night")), pytest.raises(RunRefusedError, match="Another conductor owns"):
        repair("night", "restart", confirm="sky-b")
    assert night.restarted() == []


def test_not_while_a_run_is_open(night: Night) -> None:
    folder = made_folder("night") / "runs" / "20260301-020000"
    journal = Journal.create(folder / JOURNAL, folder.name)
    for event in Walk().to("lock-queues").events:
        journal.append(event)
    journal.close()
    with pytest.raises(RunRefusedError, match="is open; nothing was done"):
        repair("night", "restart", confirm="sky-b")
    assert night.restarted() == []


def test_a_name_that_is_not_known(night: Night) -> None:
    with pytest.raises(UsageError, match="has no repair `restrat`; did you mean `restart`"):
        repair("night", "restrat")


def test_the_command_line(
    night: Night, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["skytui", "repair", "night", "restart"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 10
    assert "restart was not confirmed: give --confirm sky-b; nothing was done." in capsys.readouterr().err
