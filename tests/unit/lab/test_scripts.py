"""The scripts that need no Python of ours: state, identity, autostart; and the log of what was called."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from skytui.lab import processes, service
from skytui.lab.node import NodeConfig
from tests.unit.lab.nodes import make_node


@pytest.fixture
def node(tmp_path: Path) -> NodeConfig:
    return make_node(tmp_path)


def call(node: NodeConfig, script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [node.home / "bin" / script, *arguments],
        env={"PATH": processes.CLEAN_PATH}, cwd="/", capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def state(node: NodeConfig) -> dict[str, Any]:
    done = call(node, "state.sh")
    assert (done.returncode, done.stderr) == (0, "")
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed


@contextmanager
def pretending(program: Path, *arguments: str, cwd: Path) -> Iterator[int]:
    """A process of a given name and command line that does nothing."""
    program.symlink_to(sys.executable)
    child = subprocess.Popen([program, "-c", "import time; time.sleep(60)", *arguments], cwd=cwd)
    try:
        yield child.pid
    finally:
        child.kill()
        child.wait()


def test_a_host_with_everything_down(node: NodeConfig) -> None:
    seen = state(node)
    assert seen["processes"] == [
        {"name": "server", "pid": None, "running": False},
        {"name": "database", "pid": None, "running": False},
    ]
    assert (seen["name"], seen["role"], seen["autostart"], seen["version"]) == (
        "sky-a",
        "master",
        "yes",
        "practice-1",
    )
    assert seen["control"] == {"state": "", "checkpoint": "", "timeline": None}
    assert (seen["address"], seen["http_port"], seen["pg_port"], seen["marker"]) == (
        "127.0.0.1",
        41001,
        41003,
        "",
    )
    assert seen["disk_free"] > 0


def test_a_server_that_runs_is_seen_by_what_it_is(node: NodeConfig, tmp_path: Path) -> None:
    ours = ["-m", "skytui.lab.server", "--config", str(node.path)]
    with pretending(tmp_path / "python", *ours, cwd=tmp_path) as pid:
        assert state(node)["processes"][0] == {"name": "server", "pid": pid, "running": True}
        assert service.server_pid(node) == pid
    assert state(node)["processes"][0]["running"] is False


def test_another_host_s_server_is_not_this_host_s(node: NodeConfig, tmp_path: Path) -> None:
    theirs = ["-m", "skytui.lab.server", "--config", str(node.path).replace("sky-a", "sky-b")]
    with pretending(tmp_path / "python", *theirs, cwd=tmp_path):
        assert state(node)["processes"][0]["running"] is False
        assert service.server_pid(node) is None


def test_a_database_without_its_pid_file_is_seen(node: NodeConfig, tmp_path: Path) -> None:
    with pretending(tmp_path / "postgres", cwd=node.postgres.data) as pid:
        assert state(node)["processes"][1] == {"name": "database", "pid": pid, "running": True}


def test_a_number_in_a_pid_file_is_no_proof(node: NodeConfig, tmp_path: Path) -> None:
    with pretending(tmp_path / "sleep", cwd=node.postgres.data) as pid:
        (node.postgres.data / "postmaster.pid").write_text(f"{pid}\n")
        assert state(node)["processes"][1]["running"] is False


def test_the_role_is_what_the_data_directory_says(node: NodeConfig) -> None:
    assert call(node, "identity.sh").stdout == "sky-a master\n"
    (node.postgres.data / "standby.signal").touch()
    assert call(node, "identity.sh").stdout == "sky-a standby\n"
    assert state(node)["role"] == "standby"


def test_a_marker_is_given_back_as_it_was(node: NodeConfig) -> None:
    text = 'a "marker" with \\ and é'
    (node.conf / "marker").write_text(text + "\n")
    assert state(node)["marker"] == text


def test_looking_leaves_no_line_in_the_log(node: NodeConfig) -> None:
    state(node)
    call(node, "identity.sh")
    assert not (node.logs / "invocations.jsonl").exists()


@pytest.mark.parametrize(("word", "code"), [("yes", 0), ("no", 0), ('per"haps\\', 2), ("", 2)])
def test_autostart_is_set_and_the_call_is_logged(node: NodeConfig, word: str, code: int) -> None:
    done = call(node, "setAutostart.sh", word)
    assert done.returncode == code
    assert (node.conf / "autostart").read_text() == (f"{word}\n" if code == 0 else "yes\n")
    begun, ended = map(json.loads, (node.logs / "invocations.jsonl").read_text().splitlines())
    assert (begun["script"], begun["args"], begun["phase"]) == ("setAutostart.sh", [word], "begin")
    assert (ended["phase"], ended["exit"], ended["pid"]) == ("end", code, begun["pid"])


def test_a_home_with_a_space_and_a_quote_works(tmp_path: Path) -> None:
    node = make_node(tmp_path / "it's a home")
    assert state(node)["name"] == "sky-a"
    assert call(node, "setAutostart.sh", "no").returncode == 0


@pytest.mark.parametrize(
    "script", ["start.sh", "stop.sh", "standbyToMaster.sh", "masterToStandby.sh", "salvage.sh"]
)
def test_every_script_is_plain_posix_sh(node: NodeConfig, script: str) -> None:
    text = (node.home / "bin" / script).read_text()
    assert text.startswith("#!/bin/sh\n")
    subprocess.run(["/bin/sh", "-n", node.home / "bin" / script], check=True)
