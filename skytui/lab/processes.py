"""The processes of a practice pair: how they are started, found again and stopped.

Two rules say which processes are the pair's, and no other process is ever stopped:
its environment carries `SKYTUI_LAB=<folder of the pair>`; or it is a `postgres` whose working directory lies
below the pair's folder or shelf (PostgreSQL overwrites the memory its environment is read from).
"""

import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

import skytui
from skytui.errors import LabError
from skytui.lab.places import Places

MARK = "SKYTUI_LAB"
HOST_MARK = "SKYTUI_HOST"
CLEAN_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class Found:
    """A process of the pair. `host` is the host it runs on; None for agents. `database`: a `postgres`."""

    process: psutil.Process
    host: str | None
    database: bool
    command: tuple[str, ...]

    def runs(self, module: str, config: Path) -> bool:
        """Whether it is our program `module`, started with that configuration."""
        return module in self.command and str(config) in self.command


def environment(lab: Path, host: str | None = None) -> dict[str, str]:
    """The environment of a process of the pair: a clean one, with the mark it is found by."""
    kept = {key: os.environ[key] for key in ("HOME", "LANG", "TZ", "USER", "LOGNAME") if key in os.environ}
    marks = {MARK: str(lab)} | ({HOST_MARK: host} if host else {})
    return kept | {"PATH": CLEAN_PATH} | python_environment() | marks


def python_environment() -> dict[str, str]:
    """What our interpreter needs to import what we can: a checkout's folder, and PYTHONPATH."""
    folder = str(Path(skytui.__file__).parent.parent)
    own = [] if folder in sysconfig.get_paths().values() else [folder]
    given = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each and each != folder]
    return {"PYTHONPATH": os.pathsep.join(own + given)} if own + given else {}


def python(module: str, *arguments: str) -> list[str]:
    """The command line that runs a module of ours with the interpreter that runs this."""
    return [sys.executable, "-m", module, *arguments]


def spawn(command: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path) -> int:
    """Start a process that outlives us: own session, no terminal, nothing inherited. Its pid.

    A shell starts it in the background and ends, so that it becomes a child of init and is never left a
    zombie because we do not wait for it.
    """
    line = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'
    done = subprocess.run(
        ["/bin/sh", "-c", line, "sh", str(log), *command], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, env=dict(env), cwd=cwd, start_new_session=True, timeout=20, check=False,
    )  # fmt: skip
    if done.returncode != 0 or not done.stdout.strip().isdigit():
        raise LabError(
            f"{command[0]} could not be started: {done.stderr.strip() or 'the shell gave no pid'}."
        )
    return int(done.stdout)


def alive(pid: int) -> bool:
    """Whether a process of that number runs (a zombie does not)."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def find(places: Places) -> list[Found]:
    """All processes of the pair, by the two rules; never this process or one it descends from."""
    ours = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [
        found
        for process in psutil.process_iter()
        if process.pid not in ours and (found := _look(process, places))
    ]


def postgres_in(data: Path) -> list[int]:
    """The `postgres` processes that run on the data directory `data`."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.name().startswith("postgres") and Path(process.cwd()) == data:
                found.append(process.pid)
        except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
            continue
    return found


def server_of(node_toml: Path) -> int | None:
    """The server process that was started with this `node.toml`; None when there is none."""
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
        except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
            continue
        if "skytui.lab.server" in line and str(node_toml) in line:
            return process.pid
    return None


def stop(found: Iterable[Found], *, grace: float = _GRACE_SECONDS) -> int:
    """Stop these processes, whatever state they are in: politely, then not. How many there were."""
    processes = [each.process for each in found]
    postmasters = _postmasters(found)
    for process in processes:
        _signal(process, signal.SIGCONT)
    # A postmaster waits for its clients at SIGTERM ("smart"), not at SIGINT ("fast"). Its children follow it.
    for each in found:
        if each.process in postmasters:
            _signal(each.process, signal.SIGINT)
        elif not each.database:
            _signal(each.process, signal.SIGTERM)
    left = _wait_gone(processes, grace)
    for process in left:
        _signal(process, signal.SIGKILL)
    if still := _wait_gone(left, grace):
        raise LabError(f"These processes do not end: {', '.join(str(process.pid) for process in still)}.")
    return len(processes)


def kill(found: Iterable[Found]) -> None:
    """What a power cut does: no process gets to do anything more."""
    processes = [each.process for each in found]
    for process in processes:
        _signal(process, signal.SIGKILL)
    if still := _wait_gone(processes, _GRACE_SECONDS):
        raise LabError(f"These processes do not end: {', '.join(str(process.pid) for process in still)}.")


def wait_for(condition: Callable[[], bool], seconds: float, every: float = 0.05) -> bool:
    """Wait until `condition` holds, for at most `seconds`; whether it did."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def _look(process: psutil.Process, places: Places) -> Found | None:
    try:
        with process.oneshot():
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            if process.name().startswith("postgres"):
                cwd = Path(process.cwd())
                if cwd.is_relative_to(places.shelf):
                    return Found(process, cwd.relative_to(places.shelf).parts[0], True, ("postgres",))
                if cwd.is_relative_to(places.lab):
                    return Found(process, None, True, ("postgres",))
            marks = process.environ()
            if marks.get(MARK) != str(places.lab):
                return None
            return Found(process, marks.get(HOST_MARK), False, tuple(process.cmdline()))
    except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
        return None


def _postmasters(found: Iterable[Found]) -> list[psutil.Process]:
    databases = {each.process.pid: each.process for each in found if each.database}
    result = []
    for process in databases.values():
        try:
            if process.ppid() not in databases:
                result.append(process)
        except psutil.NoSuchProcess:
            continue
    return result


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return  # it ended by itself, which is what is wanted


def _wait_gone(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still run after `seconds`. A zombie whose parent does not collect it has ended."""
    left = list(processes)
    wait_for(lambda: not [each for each in left if _runs(each)], seconds, every=0.02)
    return [each for each in left if _runs(each)]


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
