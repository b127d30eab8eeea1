"""What `lab up` writes before it starts anything."""

import socket
import ssl
import stat
import subprocess
import tomllib
from pathlib import Path

import pytest

from skytui.errors import ConfigError
from skytui.lab import binaries, passwords
from skytui.lab.build import build, free_ports
from skytui.lab.node import AgentConfig, NodeConfig, Secrets
from skytui.lab.places import HOSTS, Places, database_account

AGENTS = ("NIGHT-01", "NIGHT-02", "NIGHT-03")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "lab", tmp_path / "shelf")


def built(places: Places, *, fast: bool = False, secrets: Secrets | None = None) -> list[NodeConfig]:
    places.lab.mkdir(mode=0o700)
    nodes, _ = build(places, binaries.find(), database_account(), jobs=None, fast=fast, secrets=secrets)
    return nodes


def test_the_nodes_are_read_as_they_were_written_and_know_each_other(places: Places) -> None:
    nodes = built(places)
    assert [NodeConfig.load(places.node_toml(host)) for host in HOSTS] == nodes
    one, other = nodes
    assert (one.peer.url, one.peer.pg_port) == (other.url, other.postgres.port)
    assert (other.peer.url, other.peer.pg_port) == (one.url, one.postgres.port)
    ports = [port for node in nodes for port in (node.http.port, node.ssh.port, node.postgres.port)]
    assert len(set(ports)) == 6
    assert one.secrets() == other.secrets()


def test_what_the_console_reads(places: Places) -> None:
    nodes = built(places)
    read = tomllib.loads(places.pair_toml.read_text())
    pair = read["pair"]["practice"]
    assert (read["schema"], pair["profile"], pair["practice"]) == (1, "skybot", True)
    assert pair["secrets"] == {"admin": {"file": str(places.admin_password)}}
    assert list(pair["server"]) == ["sky-a", "sky-b"]
    for node in nodes:
        server = pair["server"][node.name]
        assert (server["url"], server["listen_port"]) == (node.url, node.http.port)
        assert server["ports"] == [node.http.port, node.postgres.port]
        assert (server["ssh"]["port"], server["ssh"]["user"]) == (node.ssh.port, "sky")
        for path in (server["ca_file"], server["home"], server["ssh"]["key"], server["ssh"]["known_hosts"]):
            assert Path(path).exists()
    assert "thresholds" not in pair


def test_fast_shortens_the_waits(places: Places) -> None:
    built(places, fast=True)
    pair = tomllib.loads(places.pair_toml.read_text())["pair"]["practice"]
    assert pair["thresholds"]["zero_seconds"] == 1.5


def test_the_password_opens_what_the_hosts_were_told(places: Places) -> None:
    nodes = built(places)
    password = places.admin_password.read_text().strip()
    assert passwords.verify(password, nodes[0].secrets().admin_hash)
    assert not passwords.verify(password + "x", nodes[0].secrets().admin_hash)
    assert password not in nodes[0].secrets().admin_hash


def test_a_saved_database_keeps_its_own_passwords_and_no_other(places: Places) -> None:
    saved = Secrets.make("")
    made = built(places, secrets=saved)[0].secrets()
    assert (made.superuser, made.server, made.agent, made.replicator) == (
        saved.superuser, saved.server, saved.agent, saved.replicator,
    )  # fmt: skip
    assert made.peer != saved.peer
    assert made.agent_token != saved.agent_token


def test_secrets_are_the_owner_s_alone(places: Places) -> None:
    nodes = built(places)
    secret = [places.admin_password, places.operator_key, places.lab / "ca.key"]
    secret += [node.conf / "secrets.toml" for node in nodes]
    secret += [path for node in nodes for path in (node.http.key, node.ssh.host_key)]
    secret += [places.agent(name) / "agent.toml" for name in AGENTS]
    assert len(secret) == 12
    for path in secret:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_the_agents_know_both_servers_and_their_queues(places: Places) -> None:
    nodes = built(places)
    agent = AgentConfig.load(places.agent("NIGHT-01") / "agent.toml")
    assert agent.queues == ("NIGHT-01", "NIGHT-01/long", "ARCHIVE")
    assert [(server.name, server.url, server.pg_port) for server in agent.server] == [
        (node.name, node.url, node.postgres.port) for node in nodes
    ]
    assert (agent.token, agent.password) == (nodes[0].secrets().agent_token, nodes[0].secrets().agent)


def test_a_client_trusts_both_certificates_by_the_pair_s_ca_alone(places: Places) -> None:
    for node in built(places):
        context = ssl.create_default_context(cafile=str(places.ca))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(node.http.cert, node.http.key)
        for name, trusted in (("127.0.0.1", True), (node.name, True), ("elsewhere", False)):
            assert handshake(context, server, name) is trusted
        assert handshake(ssl.create_default_context(), server, "127.0.0.1") is False


def handshake(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> bool:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(to_client, to_server, server_hostname=name)
    there = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (here, there, here, there):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLCertVerificationError:
            return False
    return here.version() is not None


def test_the_ssh_keys_are_ones_openssh_takes(places: Places) -> None:
    built(places)
    shown = subprocess.run(
        ["ssh-keygen", "-y", "-f", places.operator_key], capture_output=True, text=True, check=True
    ).stdout
    assert shown.split()[:2] == (places.lab / "operator_key.pub").read_text().split()[:2]
    known = places.known_hosts.read_text().splitlines()
    assert [line.split()[1] for line in known] == ["ssh-ed25519", "ssh-ed25519"]


def test_a_wrong_job_set_is_refused_before_anything_is_written(places: Places, tmp_path: Path) -> None:
    jobs = tmp_path / "jobs.toml"
    jobs.write_text("[[job]]\nname = 1\n")
    with pytest.raises(ConfigError, match=r"jobs\.toml"):
        build(places, binaries.find(), None, jobs=jobs, fast=False, secrets=None)
    assert not places.lab.exists()
    assert not places.shelf.exists()


def test_a_port_somebody_listens_on_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr("skytui.lab.build._PORTS", range(port, port + 3))
        assert port not in free_ports(2)
