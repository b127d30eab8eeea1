"""What a person at the pair would do: a command over SSH, a question to a database, a look at a file."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import asyncssh

from skytui.lab import database
from skytui.lab.node import NodeConfig
from skytui.lab.places import Places
from skytui.lab.postgres import Cluster


@dataclass(frozen=True)
class Said:
    code: int | None
    out: str
    err: str


def node(places: Places, host: str) -> NodeConfig:
    return NodeConfig.load(places.node_toml(host))


def ssh(places: Places, host: str, command: str, *, stdin: str = "") -> Said:
    """Run a command on a host as the operator, from a login of its own."""

    async def run() -> Said:
        where = node(places, host).ssh
        async with asyncssh.connect(
            where.address,
            where.port,
            username="sky",
            client_keys=[str(places.operator_key)],
            known_hosts=str(places.known_hosts),
            config=None,
            agent_path=None,
        ) as connection:
            # asyncssh takes "" for "nothing yet" and leaves the command's input open.
            given = {"input": stdin} if stdin else {"stdin": asyncssh.DEVNULL}
            done = await connection.run(command, timeout=120, **given)
            return Said(done.exit_status, str(done.stdout), str(done.stderr))

    return asyncio.run(run())


def state(places: Places, host: str) -> dict[str, Any]:
    said = ssh(places, host, "bin/state.sh")
    assert said.code == 0, said.err
    parsed = json.loads(said.out)
    assert isinstance(parsed, dict)
    return parsed


def running(places: Places, host: str) -> list[str]:
    return [part["name"] for part in state(places, host)["processes"] if part["running"]]


def convert_input(
    places: Places, master: str, *, password: str | None = None, port: int | None = None
) -> str:
    of = node(places, master).http
    return f"{password or places.admin_password.read_text().strip()}\n{of.address}\n{port or of.port}\n"


def ask(places: Places, host: str, query: str) -> list[tuple[Any, ...]]:
    """Ask a host's database itself, as its superuser, not through our API."""
    of = node(places, host)
    with database.connect(Cluster.of(of), of.secrets().superuser) as connection:
        done = connection.execute(query.encode())
        return done.fetchall() if done.description else []


def invocations(places: Places, host: str) -> list[dict[str, Any]]:
    log = places.home(host) / "logs" / "invocations.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
