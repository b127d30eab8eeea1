"""Starting everything of a practice pair, at once where one thing does not need the other."""

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from skytui import paths
from skytui.errors import LabError, RemoteError
from skytui.lab import binaries, firstcontent, processes, reseed, saved, service, tomlfile
from skytui.lab.api import Api
from skytui.lab.build import build
from skytui.lab.jobset import JobSet
from skytui.lab.node import REPLICATION_ROLE, NodeConfig
from skytui.lab.places import Places, database_account
from skytui.lab.postgres import Cluster

READY_SECONDS = 40.0
Report = Callable[[str], None]


class Started(msgspec.Struct, frozen=True):
    """One process of `lab.json`: `role` is host, server, database or agent; `ports` where it listens."""

    name: str
    role: str
    pid: int
    at: str
    ports: tuple[int, ...] = ()


class CancelledError(LabError):
    """Bringing the pair up was called off; what had been started was stopped."""


class BringUp:
    """One attempt to start a pair. Anything that goes wrong is raised; who called cleans up."""

    def __init__(self, places: Places, report: Report, cancel: threading.Event) -> None:
        self._places = places
        self._report = report
        self._cancel = cancel
        self._started: list[Started] = []

    def run(self, pool: ThreadPoolExecutor, *, jobs: Path | None, fast: bool, saved_in: Path | None) -> None:
        """Build the folders, start all parts, wait until the pair is ready."""
        secrets = saved.check(saved_in, jobs) if saved_in else None
        account = database_account()
        self._step("writing keys and configuration")
        programs = binaries.find()
        paths.private(self._places.lab)
        self._places.shelf.mkdir(parents=True, exist_ok=True, mode=0o711)
        programs = binaries.reachable(programs, account, self._places.shelf)
        nodes, job_set = build(self._places, programs, account, jobs=jobs, fast=fast, secrets=secrets)
        master, standby = nodes
        self._step("starting hosts sky-a and sky-b")
        for node in nodes:
            self._start_host(node)
        self._step(f"making the database of {master.name}")
        self._make_master(master, job_set, saved_in)
        self._step("starting server, standby and agents")
        pending = [
            pool.submit(service.start_server, master, _quiet),
            pool.submit(self._make_standby, master, standby),
        ]
        for agent in job_set.agent:
            self._start_agent(agent.name)
        self._wait(pending)
        self._step("waiting until the standby is Active and all agents are connected")
        self._wait_ready(nodes, [agent.name for agent in job_set.agent])
        self._note(nodes)

    def _step(self, line: str) -> None:
        if self._cancel.is_set():
            raise CancelledError("Bringing the practice pair up was called off.")
        self._report(line)

    def _start_host(self, node: NodeConfig) -> None:
        pid = start_host(node, boots=False)
        self._started.append(Started(node.name, "host", pid, _now(), (node.ssh.port,)))

    def _make_master(self, node: NodeConfig, jobs: JobSet, saved_in: Path | None) -> None:
        cluster, secrets = Cluster.of(node), node.secrets()
        if saved_in is not None:
            saved.restore(saved_in, cluster, secrets)
            return
        cluster.initdb(secrets.superuser)
        cluster.start()
        firstcontent.fill(cluster, secrets, jobs)

    def _make_standby(self, master: NodeConfig, standby: NodeConfig) -> None:
        secrets = master.secrets()
        source = reseed.Source(
            address=master.http.address, port=master.postgres.port, user=REPLICATION_ROLE,
            password=secrets.replicator, slot=standby.slot, bytes=0,
        )  # fmt: skip
        cluster = Cluster.of(standby)
        reseed.make_slot(source)
        reseed.basebackup(cluster, source, _quiet, sync=False)
        reseed.follow(cluster, source)
        cluster.start()
        service.start_server(standby, _quiet)

    def _start_agent(self, name: str) -> None:
        folder = self._places.agent(name)
        pid = processes.spawn(
            processes.python("skytui.lab.agent", "--config", str(folder / "agent.toml")),
            log=folder / "agent.out",
            env=processes.environment(self._places.lab),
            cwd=folder,
        )
        self._started.append(Started(name, "agent", pid, _now()))

    def _wait(self, pending: "list[Future[None]]") -> None:
        for each in pending:
            while not each.done():
                self._called_off()
                time.sleep(0.02)
            each.result()

    def _wait_ready(self, nodes: list[NodeConfig], agents: list[str]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        password = self._places.admin_password.read_text().strip()
        with Api(nodes[0].url, nodes[0].http.ca) as api:
            api.login(password)
            try:
                while lacking := missing(api, nodes, agents):
                    self._called_off()
                    self._check_agents()
                    if time.monotonic() > deadline:
                        raise LabError(
                            f"The practice pair is not ready after {READY_SECONDS:.0f} s: {lacking}."
                        )
                    time.sleep(0.05)
            finally:
                api.logout()

    def _check_agents(self) -> None:
        for agent in self._started:
            if agent.role == "agent" and not processes.alive(agent.pid):
                folder = self._places.agent(agent.name)
                logs = [path for path in (folder / "agent.log", folder / "agent.out") if path.exists()]
                said = [line for path in logs for line in path.read_text("utf-8", "replace").splitlines()]
                raise LabError(f"The agent {agent.name} ended: {' / '.join(said[-3:]) or 'it said nothing'}")

    def _called_off(self) -> None:
        if self._cancel.is_set():
            raise CancelledError("Bringing the practice pair up was called off.")

    def _note(self, nodes: list[NodeConfig]) -> None:
        for node in nodes:
            server, database = service.server_pid(node), Cluster.of(node).postmaster_pid()
            if server is None or database is None:
                raise LabError(f"The server of {node.name} ended right after its start; see {node.logs}.")
            self._started.append(Started(node.name, "server", server, _now(), (node.http.port,)))
            self._started.append(Started(node.name, "database", database, _now(), (node.postgres.port,)))
        note = {"at": _now(), "started": self._started}
        tomlfile.write(self._places.lab_json, msgspec.json.format(msgspec.json.encode(note)).decode() + "\n")


def start_host(node: NodeConfig, *, boots: bool) -> int:
    """Start a host's process; its pid. With `boots` it starts its server, unless autostart says no."""
    arguments = ["--config", str(node.path), *(() if boots else ("--no-boot",))]
    return processes.spawn(
        processes.python("skytui.lab.host", *arguments),
        log=node.logs / "host.out",
        env=processes.environment(node.node.lab, node.name),
        cwd=node.home,
    )


def missing(api: Api, nodes: list[NodeConfig], agents: list[str]) -> str:
    """What a pair lacks to be ready, as its master says it; empty when nothing."""
    for node in nodes:
        try:
            socket.create_connection((node.ssh.address, node.ssh.port), timeout=2).close()
        except OSError:
            return f"the host {node.name} does not answer on its SSH port"
    try:
        standby: dict[str, Any] = api.get("/standby-status")
        if standby["status"] != "Active":
            return f"the standby is {standby['status']}"
        connected = {item["name"] for item in api.get("/agents")["items"] if item["connected"]}
        if absent := sorted(set(agents) - connected):
            return f"not connected: {', '.join(absent)}"
        scheduler = api.get("/scheduler")["state"]
        if scheduler != "running":
            return f"the scheduler is {scheduler}"
    except RemoteError as error:
        return str(error).rstrip(".")
    return ""


def _quiet(line: str) -> None:
    """Nobody follows a single server's start while the whole pair comes up; a failure is raised."""


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
