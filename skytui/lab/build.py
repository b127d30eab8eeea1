"""Writing everything a practice pair needs before anything is started: keys, configuration, scripts."""

import random
import shutil
import socket
from contextlib import ExitStack
from importlib import resources
from pathlib import Path

import msgspec

from skytui import paths
from skytui.errors import LabError
from skytui.lab import passwords, pki, tomlfile
from skytui.lab.jobset import USUAL, JobSet, load_jobs
from skytui.lab.node import (
    AGENT_ROLE,
    DATABASE,
    SSH_USER,
    AgentConfig,
    Http,
    Identity,
    NodeConfig,
    Peer,
    Postgres,
    Secrets,
    ServerAddress,
    Ssh,
    Thresholds,
)
from skytui.lab.places import HOSTS, Account, Places

ADDRESS = "127.0.0.1"
VERSION = "practice-1"
# Below the range the system takes ports for outgoing connections from (Linux: 32768, IANA: 49152).
_PORTS = range(20000, 32000)
_FAST_THRESHOLDS = {
    "zero_readings": 3,
    "zero_seconds": 1.5,
    "heartbeat_seconds": 1.0,
    "mark_stale_seconds": 6.0,
}


def build(
    places: Places,
    binaries: Path,
    account: Account | None,
    *,
    jobs: Path | None,
    fast: bool,
    secrets: Secrets | None,
) -> tuple[list[NodeConfig], JobSet]:
    """Write the folder of a new pair; what its hosts were told, and its job set.

    `secrets` are those of a saved database; without them new ones are made. The admin's password is new
    either way: the database does not know it.
    """
    job_set = load_jobs(jobs or USUAL)
    shutil.copyfile(jobs or USUAL, places.jobs)
    password = passwords.make()
    tomlfile.write(places.admin_password, f"{password}\n", mode=0o600)
    nodes = _nodes(places, binaries, account, fast=fast)
    _write_hosts(places, nodes, _secrets(secrets, passwords.hashed(password)))
    _write_agents(places, nodes, job_set)
    _write_pair_toml(places, nodes, fast=fast)
    return nodes, job_set


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, taken at random so that two pairs coming up at once hardly meet."""
    found: list[int] = []
    with ExitStack() as held:
        for port in random.sample(_PORTS, len(_PORTS)):
            listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            try:
                listener.bind((ADDRESS, port))
            except OSError:
                continue
            found.append(port)
            if len(found) == count:
                return found
    raise LabError(f"Fewer than {count} free ports are left from {_PORTS.start} to {_PORTS.stop}: free some.")


def _secrets(saved: Secrets | None, admin_hash: str) -> Secrets:
    new = Secrets.make(admin_hash)
    if saved is None:
        return new
    return msgspec.structs.replace(
        new, superuser=saved.superuser, server=saved.server, agent=saved.agent, replicator=saved.replicator
    )


def _nodes(places: Places, binaries: Path, account: Account | None, *, fast: bool) -> list[NodeConfig]:
    ports = free_ports(3 * len(HOSTS))
    mine = {host: ports[3 * index : 3 * index + 3] for index, host in enumerate(HOSTS)}
    nodes = []
    for host, peer in zip(HOSTS, reversed(HOSTS), strict=True):
        home, shelf = places.home(host), places.make_shelf(host, account)
        conf = home / "conf"
        http_port, ssh_port, pg_port = mine[host]
        nodes.append(
            NodeConfig(
                node=Identity(host, paths.PRACTICE, home, places.lab, VERSION),
                http=Http(ADDRESS, http_port, conf / "server.pem", conf / "server.key", places.ca),
                ssh=Ssh(ADDRESS, ssh_port, conf / "ssh_host_key", conf / "authorized_keys"),
                postgres=Postgres(
                    binaries, shelf / "data", shelf / "sock", pg_port, account.name if account else None
                ),
                peer=Peer(peer, ADDRESS, mine[peer][0], mine[peer][2]),
                thresholds=Thresholds(file_delay=0.0) if fast else Thresholds(),
            )
        )
    return nodes


def _write_hosts(places: Places, nodes: list[NodeConfig], secrets: Secrets) -> None:
    authority = pki.Authority.make(paths.PRACTICE)
    authority.save(places.ca, places.ca.with_suffix(".key"))
    operator = pki.make_ssh_key(places.operator_key, "operator")
    known = []
    for node in nodes:
        for part in ("bin", "conf", "logs", "files", "run"):
            (node.home / part).mkdir(parents=True)
        authority.issue(node.name, node.http.address, node.http.cert, node.http.key)
        host_key = pki.make_ssh_key(node.ssh.host_key, node.name)
        known.append(f"[{node.ssh.address}]:{node.ssh.port} {host_key}\n")
        tomlfile.write(node.ssh.authorized_keys, f"{operator} operator\n", mode=0o600)
        tomlfile.write(node.conf / "identity", f"{node.name}\n")
        tomlfile.write(node.conf / "autostart", "yes\n")
        secrets.dump(node.conf / "secrets.toml")
        node.dump()
        for log in ("server", "scheduler", "replication", "database"):
            (node.logs / f"{log}.log").touch()
        write_scripts(node)
    tomlfile.write(places.known_hosts, "".join(known))


def write_scripts(node: NodeConfig) -> None:
    """Put the scripts into the host's `bin`."""
    for script in (resources.files("skytui.lab") / "scripts").iterdir():
        if script.name.endswith(".sh"):
            tomlfile.write(node.home / "bin" / script.name, script.read_text("utf-8"), mode=0o755)


def _write_agents(places: Places, nodes: list[NodeConfig], jobs: JobSet) -> None:
    secrets = nodes[0].secrets()
    servers = tuple(
        ServerAddress(node.name, node.url, node.http.address, node.postgres.port) for node in nodes
    )
    for agent in jobs.agent:
        folder = places.agent(agent.name)
        for each in (folder, folder / "outbox", folder / "output"):
            each.mkdir(parents=True)
        AgentConfig(
            name=agent.name, folder=folder, lab=places.lab, ca=places.ca, token=secrets.agent_token,
            database=DATABASE, user=AGENT_ROLE, password=secrets.agent, queues=agent.queues, server=servers,
        ).dump()  # fmt: skip


def _write_pair_toml(places: Places, nodes: list[NodeConfig], *, fast: bool) -> None:
    pair: dict[str, object] = {
        "profile": "skybot",
        "practice": True,
        "secrets": {"admin": {"file": str(places.admin_password)}},
        "server": {
            node.name: {
                "address": node.http.address,
                "listen_port": node.http.port,
                "url": node.url,
                "ca_file": str(places.ca),
                "ssh": {
                    "host": node.ssh.address,
                    "port": node.ssh.port,
                    "user": SSH_USER,
                    "key": str(places.operator_key),
                    "known_hosts": str(places.known_hosts),
                    "config": False,
                },
                "home": str(node.home),
                "ports": [node.http.port, node.postgres.port],
            }
            for node in nodes
        },
    }
    if fast:
        pair["thresholds"] = _FAST_THRESHOLDS
    tomlfile.dump(places.pair_toml, {"schema": 1, "pair": {paths.PRACTICE: pair}})
