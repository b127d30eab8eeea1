"""Which processes are the pair's, and that no other one is ever stopped."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from skytui.lab import processes
from skytui.lab.places import Places

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    found = Places(tmp_path.resolve() / "lab", tmp_path.resolve() / "shelf")
    for folder in (found.lab, found.shelf / "sky-a" / "data"):
        folder.mkdir(parents=True)
    yield found
    processes.kill(processes.find(found))


def spawn(places: Places, *, host: str | None = None, command: list[str] | None = None) -> int:
    environment = processes.environment(places.lab, host)
    return processes.spawn(command or SLEEP, log=places.lab / "log", env=environment, cwd=places.lab)


def test_a_process_is_found_by_its_mark_with_its_host(places: Places) -> None:
    one, other = spawn(places, host="sky-a"), spawn(places)
    assert {(each.process.pid, each.host, each.database) for each in processes.find(places)} == {
        (one, "sky-a", False),
        (other, None, False),
    }


def test_a_spawned_process_is_on_its_own(places: Places) -> None:
    pid = spawn(places)
    assert os.getsid(pid) != os.getsid(0)
    assert psutil.Process(pid).ppid() != os.getpid()
    assert Path(f"/proc/{pid}/fd/0").resolve() == Path(os.devnull)
    assert Path(f"/proc/{pid}/fd/1").resolve() == places.lab / "log"


def test_another_pair_s_process_is_not_ours(places: Places, tmp_path: Path) -> None:
    other = Places(tmp_path.resolve() / "lab2", tmp_path.resolve() / "shelf2")
    other.lab.mkdir()
    pid = spawn(other)
    try:
        assert processes.find(places) == []
        assert processes.stop(processes.find(places)) == 0
        assert processes.alive(pid)
    finally:
        processes.kill(processes.find(other))


def test_a_postgres_is_found_by_its_working_directory_and_nothing_else_is(
    places: Places, tmp_path: Path
) -> None:
    program = tmp_path / "postgres"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    data = places.shelf / "sky-a" / "data"
    database = subprocess.Popen([program, "60"], cwd=data)
    shell = subprocess.Popen(["sleep", "60"], cwd=data)
    elsewhere = subprocess.Popen([program, "60"], cwd=tmp_path)
    try:
        found = processes.find(places)
        assert [(each.process.pid, each.host, each.database) for each in found] == [
            (database.pid, "sky-a", True)
        ]
        assert processes.postgres_in(data) == [database.pid]
        assert processes.stop(found) == 1
        assert (shell.poll(), elsewhere.poll()) == (None, None)
    finally:
        for each in (database, shell, elsewhere):
            each.kill()
            each.wait()


def test_who_looks_is_never_found(places: Places) -> None:
    """`lab down` may be called from a shell on one of the pair's hosts."""
    script = (
        "from pathlib import Path; from skytui.lab import processes; from skytui.lab.places import Places; "
        f"print(len(processes.find(Places(Path({str(places.lab)!r}), Path({str(places.shelf)!r})))))"
    )
    environment = processes.environment(places.lab)
    done = subprocess.run(
        ["/bin/sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-c", script],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "0\n"


@pytest.mark.parametrize("number", [signal.SIGSTOP, None])
def test_a_process_that_hangs_or_ignores_is_ended(places: Places, number: signal.Signals | None) -> None:
    ignoring = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    stubborn = f"{ignoring}; print(1, flush=True); time.sleep(60)"
    pid = spawn(places, command=[sys.executable, "-c", stubborn])
    assert processes.wait_for(lambda: (places.lab / "log").read_text() == "1\n", 10)
    if number is not None:
        os.kill(pid, number)
    assert processes.stop(processes.find(places), grace=0.3) == 1
    assert not processes.alive(pid)


def test_a_zombie_does_not_run() -> None:
    child = subprocess.Popen(["true"])
    assert processes.wait_for(lambda: psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE, 10)
    assert not processes.alive(child.pid)
    child.wait()
    assert not processes.alive(child.pid)


def test_nothing_of_our_environment_comes_with_a_process(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "secret")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    environment = processes.environment(places.lab, "sky-a")
    assert set(environment) <= {
        "HOME", "LANG", "TZ", "USER", "LOGNAME", "PATH", "PYTHONPATH", "SKYTUI_LAB", "SKYTUI_HOST",
    }  # fmt: skip


def test_waiting_has_an_end() -> None:
    assert not processes.wait_for(lambda: False, 0.05, every=0.01)
