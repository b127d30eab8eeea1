"""Two practice servers over real replication, without hosts and agents: the tests play the agents."""

import shutil
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg

from skytui.lab import binaries, build, firstcontent, reseed, service
from skytui.lab.jobset import run_id, ticks
from skytui.lab.node import AGENT_ROLE, REPLICATION_ROLE, SUPERUSER, NodeConfig
from skytui.lab.places import Places, database_account
from skytui.lab.postgres import Cluster

# Few ticks, so that tests can tell what they did themselves from what the scheduler did.
JOBS = """
[[agent]]
name = "NIGHT-01"
queues = ["NIGHT-01", "NIGHT-01/long", "ARCHIVE"]
[[agent]]
name = "NIGHT-02"
queues = ["NIGHT-02"]
[[job]]
name = "often"
agent = "NIGHT-01"
queue = "NIGHT-01"
cron = "* * * * * *"
command = ":"
[[job]]
name = "yearly [bold]"
agent = "NIGHT-02"
queue = "NIGHT-02"
cron = "0 0 0 1 jan *"
command = "echo done"
output = true
"""

FETCH = "SELECT args->>'run' FROM procrastinate_fetch_job_v2(%s::varchar[], NULL)"


class Server:
    """One server: its HTTP API as an operator, an agent or its peer, and its database as a superuser."""

    def __init__(self, node: NodeConfig, password: str) -> None:
        self.node = node
        self.secrets = node.secrets()
        self.cluster = Cluster.of(node)
        self._password = password
        context = ssl.create_default_context(cafile=str(node.http.ca))
        self.http = httpx.Client(
            base_url=f"{node.url}/api/v1",
            verify=context,
            trust_env=False,
            timeout=10,
            # uvicorn closes a connection that is idle for 5 s, httpx's own limit: never reuse one near that.
            limits=httpx.Limits(keepalive_expiry=2),
            headers={"X-From": "test"},
        )
        self._token = ""

    def login(self) -> None:
        """Log in as the operator; again after the server was started again."""
        reply = self.http.post("/login", json={"user": "admin", "password": self._password})
        self._token = reply.raise_for_status().json()["token"]

    @property
    def etag(self) -> str:
        return self.http.get("/identity").headers["etag"]

    def get(self, path: str) -> Any:
        """A reading as the operator; its JSON."""
        return self.ask("GET", path).raise_for_status().json()

    def ask(self, method: str, path: str, token: str | None = None, **options: Any) -> httpx.Response:
        headers = {
            "Authorization": f"Bearer {self._token if token is None else token}",
            **options.pop("headers", {}),
        }
        return self.http.request(method, path, headers=headers, **options)

    def act(self, path: str, json: object = None, match: str | None = None) -> httpx.Response:
        """An action as the operator, under the server's own ETag unless `match` says otherwise."""
        headers = {"If-Match": match or self.etag}
        return self.ask("POST", path, headers=headers, json={} if json is None else json)

    def agent(self, path: str, json: object) -> httpx.Response:
        return self.ask("POST", path, token=self.secrets.agent_token, json=json)

    def sql(self, query: str, *values: object, user: str = "") -> list[Any]:
        """Ask the database itself, as its superuser or as `user`."""
        with self.connect(user) as connection:
            connection.autocommit = True
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def connect(self, user: str = "") -> "psycopg.Connection[Any]":
        """A connection to the database itself, as its superuser or as `user`."""
        password = self.secrets.agent if user == AGENT_ROLE else self.secrets.superuser
        arguments: dict[str, Any] = self.node.conninfo(user or SUPERUSER, password)
        return psycopg.connect(**arguments)

    def start(self) -> None:
        service.start_server(self.node, lambda _: None)
        self.login()

    def stop(self) -> None:
        service.stop_server(self.node, lambda _: None)


@contextmanager
def two_servers(folder: Path, job_set: str = JOBS) -> Iterator[tuple[Server, Server]]:
    """A master and its standby, both up; gone afterwards."""
    jobs = folder / "jobs.toml"
    jobs.write_text(job_set)
    places = Places.of(folder / "lab")
    places.lab.mkdir(parents=True)
    account = database_account()
    places.shelf.mkdir(parents=True, exist_ok=True, mode=0o711)
    servers: list[Server] = []
    try:
        programs = binaries.reachable(binaries.find(), account, places.shelf)
        nodes, parsed = build.build(places, programs, account, jobs=jobs, fast=True, secrets=None)
        password = places.admin_password.read_text().strip()
        servers = [Server(node, password) for node in nodes]
        master, standby = servers
        master.cluster.initdb(master.secrets.superuser)
        master.cluster.start()
        firstcontent.fill(master.cluster, master.secrets, parsed)
        follow(master, standby)
        for server in servers:
            server.start()
        until(lambda: master.get("/standby-status") == {"status": "Active"})
        yield master, standby
    finally:
        for server in servers:
            server.http.close()
            service.stop(server.node, lambda _: None)
        shutil.rmtree(places.shelf, ignore_errors=True)


def follow(master: Server, standby: Server) -> None:
    """Make the database of `standby` a replica of the one of `master`, and start it."""
    source = reseed.Source(
        address=master.node.http.address,
        port=master.node.postgres.port,
        user=REPLICATION_ROLE,
        password=master.secrets.replicator,
        slot=standby.node.slot,
        bytes=0,
    )
    reseed.make_slot(source)
    reseed.basebackup(standby.cluster, source, lambda _: None, sync=False)
    reseed.follow(standby.cluster, source)
    standby.cluster.start()


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait for something another process does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def code(reply: httpx.Response) -> tuple[int, str]:
    error = reply.json()["error"]
    assert error["message"]
    return reply.status_code, error["code"]


def everything(server: Server) -> list[Any]:
    """All an action could change."""
    return [
        server.sql("SELECT * FROM sky.queue ORDER BY name"),
        server.sql("SELECT state, since, timeline FROM sky.scheduler"),
        server.sql("SELECT * FROM sky.marker"),
    ]


def fetch(server: Server, *queues: str) -> str | None:
    """What an agent's worker would get next."""
    (row,) = server.sql(FETCH, list(queues), user=AGENT_ROLE)
    return row[0] if row else None


def take(server: Server, queue: str = "NIGHT-01") -> str:
    """Fetch a job as an agent does; the run's id."""
    found: list[str] = []

    def fetched() -> bool:
        run = fetch(server, queue)
        found.extend([run] if run else [])
        return bool(found)

    until(fetched)
    return found[0]


def unaccounted(server: Server, since: datetime, up_to: datetime) -> set[str]:
    """The ids of the job `often` in a stretch of time that are neither queued nor missed; none is both."""
    runs = {row[0] for row in server.sql("SELECT id FROM sky.run")}
    missed = {run_id(job, due) for job, due in server.sql("SELECT job, due FROM sky.missed")}
    assert not runs & missed
    return {run_id("often", at) for at in ticks("* * * * * *", since, up_to)} - runs - missed
