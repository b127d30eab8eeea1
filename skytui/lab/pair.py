"""The practice pair as a whole: bring it up, say how it is, take it down.

    up(report)      start a pair; leaves a living one alone, recovers from the remains of an earlier one
    status()        what there is of a pair now
    down(report)    end and remove everything of a pair, whatever state it is in

All of them know the pair by its folder (`paths.lab_dir`, which follows XDG_STATE_HOME), so that several pairs
can live on one machine.
"""

import fcntl
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec

from skytui import paths
from skytui.errors import LabError, SkytuiError
from skytui.lab import processes, service, sharedmemory
from skytui.lab.api import Api
from skytui.lab.bringup import BringUp, Report, missing
from skytui.lab.jobset import load_jobs
from skytui.lab.node import NodeConfig
from skytui.lab.places import HOSTS, Places
from skytui.lab.postgres import Cluster
from skytui.lab.saved import save

__all__ = ["PairStatus", "Part", "down", "save", "status", "up"]


class Part(msgspec.Struct, frozen=True):
    """One process a pair should have. `role`: host, server, database or agent; no `pid`: it does not run."""

    name: str
    role: str
    pid: int | None


class PairStatus(msgspec.Struct, frozen=True):
    """What there is of a practice pair.

    `exists`: there is anything of it at all. `alive`: hosts and agents run, and so does each server whose
    host is not guarded: somebody may be working with it. `ready`: it works as a whole; otherwise `lacking`
    says what it lacks, as a sentence without its end. `processes` counts everything found, `parts` names
    those it should have. `master` and `standby` are None while both servers have the same role.
    """

    exists: bool
    alive: bool
    ready: bool
    lacking: str
    processes: int
    parts: tuple[Part, ...] = ()
    master: str | None = None
    standby: str | None = None


def up(
    report: Report,
    *,
    jobs: Path | None = None,
    fast: bool = False,
    saved: Path | None = None,
    cancel: threading.Event | None = None,
) -> Places:
    """Bring a practice pair up; returns when it is ready, with where it lies.

    `report` is told what is being started. `jobs`: another job set. `fast`: shorter waits, for tests.
    `saved`: a folder made by `save`. Set `cancel` from another thread to call it off. Whatever goes wrong,
    Ctrl+C included: everything that was started is stopped and removed before this raises.

    A pair that is alive is left as it is, also in the middle of a swap, when one of its servers is down.
    """
    places = Places.of()
    with _locked(places):
        found = status()
        if found.alive:
            report(f"the practice pair is up already{f', but {found.lacking}' if found.lacking else ''}")
            return places
        if found.exists:
            report(
                f"found {_count(found.processes)} of an earlier practice pair ({found.lacking}); clearing up"
            )
            _clear(places)
        attempt = BringUp(places, report, cancel or threading.Event())
        pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="lab-up")
        try:
            attempt.run(pool, jobs=jobs, fast=fast, saved_in=saved)
        except BaseException as error:
            report(f"stopping what was started: {str(error) or type(error).__name__}")
            # Twice: no thread is to wait for a process any longer, and one may start another before it ends.
            processes.stop(processes.find(places))
            pool.shutdown(wait=True, cancel_futures=True)
            _clear(places)
            raise
        pool.shutdown()
    report("the practice pair is up: sky-a is master, sky-b standby")
    return places


def down(report: Report) -> None:
    """End all processes of the pair and remove its folders. Says what it found; nothing there is no error."""
    places = Places.of()
    with _locked(places):
        found = processes.find(places)
        if not found and not places.lab.exists() and not places.shelf.exists():
            report("there is no practice pair")
            return
        report(f"stopping {_count(len(found))}")
        _clear(places)
    report("the practice pair is down and removed")


def status() -> PairStatus:
    """What there is of the pair now. Asks its servers; changes nothing."""
    places = Places.of()
    found = processes.find(places)
    exists = bool(found) or places.lab.exists() or places.shelf.exists()
    if not exists:
        return PairStatus(exists=False, alive=False, ready=False, lacking="there is none", processes=0)
    try:
        nodes = [NodeConfig.load(places.node_toml(host)) for host in HOSTS]
        agents = [agent.name for agent in load_jobs(places.jobs).agent]
        parts = _parts(places, found, nodes, agents)
        roles = [("standby" if Cluster.of(node).is_standby else "master", node.name) for node in nodes]
        lacking = _lacking(places, nodes, agents, parts, dict(roles))
    except (SkytuiError, OSError) as error:
        return PairStatus(
            exists=True, alive=False, ready=False, lacking=str(error).rstrip("."), processes=len(found)
        )
    names = dict(roles) if len(dict(roles)) == len(roles) else {}
    return PairStatus(
        exists=True,
        alive=_alive(nodes, parts),
        ready=not lacking,
        lacking=lacking,
        processes=len(found),
        parts=parts,
        master=names.get("master"),
        standby=names.get("standby"),
    )


def _parts(
    places: Places, found: list[processes.Found], nodes: list[NodeConfig], agents: list[str]
) -> tuple[Part, ...]:
    def pid(module: str, config: Path) -> int | None:
        of_it = [each for each in found if each.runs(module, config)]
        return of_it[0].process.pid if of_it else None

    parts = []
    for node in nodes:
        parts.append(Part(node.name, "host", pid("skytui.lab.host", node.path)))
        parts.append(Part(node.name, "server", pid("skytui.lab.server", node.path)))
        databases = Cluster.of(node).pids()
        parts.append(Part(node.name, "database", databases[0] if databases else None))
    parts += [
        Part(name, "agent", pid("skytui.lab.agent", places.agent(name) / "agent.toml")) for name in agents
    ]
    return tuple(parts)


def _lacking(
    places: Places, nodes: list[NodeConfig], agents: list[str], parts: tuple[Part, ...], roles: dict[str, str]
) -> str:
    absent = [
        f"{part.role} of {part.name}" if part.role != "agent" else part.name for part in parts if not part.pid
    ]
    if absent:
        return f"not running: {', '.join(absent)}"
    if len(roles) != len(nodes):
        return f"both servers are {next(iter(roles))}"
    master = next(node for node in nodes if node.name == roles["master"])
    with Api(master.url, master.http.ca) as api:
        api.login(places.admin_password.read_text().strip())
        try:
            return missing(api, nodes, agents)
        finally:
            api.logout()


def _alive(nodes: list[NodeConfig], parts: tuple[Part, ...]) -> bool:
    guarded = {node.name for node in nodes if not service.autostart(node)}
    return all(
        part.pid is not None or (part.name in guarded and part.role in ("server", "database"))
        for part in parts
    )


def _clear(places: Places) -> None:
    """End every process of the pair, then remove its folders."""
    processes.stop(processes.find(places))
    for host in HOSTS:
        sharedmemory.release(places.shelf / host / "data")
    for folder in (places.lab, places.shelf):
        if folder.exists():
            shutil.rmtree(folder)


def _count(number: int) -> str:
    return "no process" if number == 0 else "1 process" if number == 1 else f"{number} processes"


@contextmanager
def _locked(places: Places) -> Iterator[None]:
    paths.private(places.lock.parent)
    with places.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = "Another `lab up` or `lab down` is under way for this practice pair; wait for its end."
            raise LabError(message) from None
        yield
