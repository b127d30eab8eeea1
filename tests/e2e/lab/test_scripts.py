"""What the scripts of a host refuse: with one line and their exit code, and nothing changed."""

import shutil
from io import StringIO

import pytest

from skytui.lab.command import CommandError
from skytui.lab.convert import convert
from skytui.lab.places import Places
from tests.e2e.lab.hands import ask, convert_input, invocations, node, running, ssh, state

pytestmark = [pytest.mark.pair, pytest.mark.slow]


def unchanged(places: Places, host: str) -> dict[str, object]:
    """What must not change: everything but the clock, the room on the disk and where the log has got to."""
    seen = state(places, host)
    seen["control"] = {key: seen["control"][key] for key in ("state", "timeline")}
    return {key: value for key, value in seen.items() if key not in ("clock", "disk_free")}


REFUSALS = [
    ("sky-a", "bin/standbyToMaster.sh", None, 3, "sky-a is a master"),
    ("sky-a", "bin/start.sh", None, 3, "runs already (server and database)"),
    ("sky-a", "bin/masterToStandby.sh", "", 2, "Three lines"),
    ("sky-a", "bin/masterToStandby.sh", "password\n127.0.0.1\n", 2, "Three lines"),
    ("sky-a", "bin/masterToStandby.sh", "password\n127.0.0.1\nhttps\n", 2, "port, line 3"),
    ("sky-a", "bin/masterToStandby.sh", "password\n127.0.0.1/x\n1\n", 2, "address, line 2"),
    ("sky-a", "bin/masterToStandby.sh", "password\n127.0.0.1\n1\n", 3, "server and database of sky-a runs"),
    ("sky-b", "bin/masterToStandby.sh", "password\n127.0.0.1\n1\n", 3, "server and database of sky-b runs"),
    ("sky-b", "bin/setAutostart.sh perhaps", None, 2, "say yes or no"),
]


@pytest.mark.parametrize(("host", "command", "stdin", "code", "words"), REFUSALS)
def test_a_wrong_call_changes_nothing(
    shared_lab: Places, host: str, command: str, stdin: str | None, code: int, words: str
) -> None:
    before = unchanged(shared_lab, host)
    said = ssh(shared_lab, host, command, stdin=stdin or "")
    assert (said.code, said.out) == (code, "")
    assert words in said.err
    assert len(said.err.splitlines()) == 1
    assert unchanged(shared_lab, host) == before
    begun, ended = invocations(shared_lab, host)[-2:]
    script, *arguments = command.removeprefix("bin/").split()
    assert (begun["script"], begun["phase"], begun["args"]) == (script, "begin", arguments)
    assert (ended["script"], ended["phase"], ended["exit"], ended["pid"]) == (
        script,
        "end",
        code,
        begun["pid"],
    )


def test_the_state_of_a_pair_that_runs(shared_lab: Places) -> None:
    for host, role, control in (
        ("sky-a", "master", "in production"),
        ("sky-b", "standby", "in archive recovery"),
    ):
        seen = state(shared_lab, host)
        assert (seen["name"], seen["role"], seen["timeline"], seen["autostart"]) == (host, role, 1, "yes")
        assert [(part["name"], part["running"]) for part in seen["processes"]] == [
            ("server", True),
            ("database", True),
        ]
        assert seen["control"]["state"] == control
        assert (seen["http_port"], seen["pg_port"]) == (
            node(shared_lab, host).http.port,
            node(shared_lab, host).postgres.port,
        )
        assert seen["disk_free"] > 0
        assert ssh(shared_lab, host, "bin/identity.sh").out == f"{host} {role}\n"


def test_a_conversion_is_refused_before_anything_is_touched(
    lab: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ssh(lab, "sky-b", "bin/setAutostart.sh no").code == 0
    assert ssh(lab, "sky-b", "bin/stop.sh").code == 0
    is_standby = ssh(lab, "sky-b", "bin/masterToStandby.sh", stdin=convert_input(lab, "sky-a"))
    assert (is_standby.code, is_standby.out) == (3, "")
    assert "is a standby already" in is_standby.err
    assert ssh(lab, "sky-b", "bin/standbyToMaster.sh").code == 3
    assert running(lab, "sky-b") == []
    assert ssh(lab, "sky-b", "bin/start.sh").code == 0

    assert ssh(lab, "sky-a", "bin/stop.sh").code == 0
    assert ssh(lab, "sky-a", "bin/stop.sh").out == "sky-a is down already\n"
    before = unchanged(lab, "sky-a")
    attempts = [
        (convert_input(lab, "sky-b"), 3, "is sky-b, a standby"),
        (convert_input(lab, "sky-b", port=1), 5, "cannot be asked"),
    ]
    for stdin, code, words in attempts:
        said = ssh(lab, "sky-a", "bin/masterToStandby.sh", stdin=stdin)
        assert (said.code, said.out, len(said.err.splitlines())) == (code, "", 1)
        assert words in said.err
        assert unchanged(lab, "sky-a") == before

    assert ssh(lab, "sky-b", "bin/standbyToMaster.sh").code == 0
    small = shutil.disk_usage(lab.lab)._replace(free=2**20)
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda _: small)
        with pytest.raises(CommandError, match="make room") as no_room:
            convert(node(lab, "sky-a"), StringIO(convert_input(lab, "sky-b")), print)
    assert no_room.value.code == 6
    assert unchanged(lab, "sky-a") == before

    wrong = ssh(lab, "sky-a", "bin/masterToStandby.sh", stdin=convert_input(lab, "sky-b", password="wrong"))
    assert (wrong.code, wrong.out) == (4, "")
    assert "wrong" not in wrong.err
    assert unchanged(lab, "sky-a") == before
    assert ask(lab, "sky-b", "SELECT count(*) FROM pg_replication_slots") == [(0,)]


def test_a_stopped_server_is_seen_and_its_leftover_database_too(lab: Places) -> None:
    from skytui.lab import faults  # noqa: PLC0415

    faults.inject("orphan-database")
    assert running(lab, "sky-a") == ["database"]
    said = ssh(lab, "sky-a", "bin/start.sh")
    assert said.code == 3
    assert "(database)" in said.err
    stopped = ssh(lab, "sky-a", "bin/stop.sh")
    assert stopped.code == 0
    assert "stopping database of sky-a" in stopped.out
    assert running(lab, "sky-a") == []
    assert state(lab, "sky-a")["control"]["state"] == "shut down"
