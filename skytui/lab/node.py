"""What the programs of a host and an agent are told: `node.toml`, `secrets.toml`, `agent.toml`.

`lab up` writes these files; the programs only read them. Nothing here changes with the roles: which server
is master is never in a configuration file.
"""

import shlex
import sys
from pathlib import Path
from typing import Self

import msgspec

from skytui.lab import passwords, processes, tomlfile

DATABASE = "skybot"
SUPERUSER = "postgres"
SERVER_ROLE = "skytui_server"
AGENT_ROLE = "skytui_agent"
REPLICATION_ROLE = "replicator"
SSH_USER = "sky"
ADMIN_USER = "admin"


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who a host is. `name` never changes; `home` is its home folder, `lab` the practice pair's folder."""

    name: str
    pair: str
    home: Path
    lab: Path
    version: str


class Http(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the server listens for HTTPS, with its certificate, key, and the pair's own CA."""

    address: str
    port: int
    cert: Path
    key: Path
    ca: Path


class Ssh(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the host listens for SSH, with its key and the keys it lets in."""

    address: str
    port: int
    host_key: Path
    authorized_keys: Path


class Postgres(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The host's database: binaries, data, socket folder, port; `account` runs it where we are root."""

    bin: Path
    data: Path
    socket_dir: Path
    port: int
    account: str | None = None


class Peer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the other server of the pair listens."""

    name: str
    http_address: str
    http_port: int
    pg_port: int

    @property
    def url(self) -> str:
        """The base of the other server's HTTPS addresses."""
        return f"https://{self.http_address}:{self.http_port}"


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`file_delay`: seconds the duplicator waits after each file, so that a countdown can be seen."""

    file_delay: float = 0.05


class NodeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`conf/node.toml` of a host."""

    node: Identity
    http: Http
    ssh: Ssh
    postgres: Postgres
    peer: Peer
    thresholds: Thresholds = Thresholds()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read `node.toml`; `LabError` says what is wrong with it."""
        return tomlfile.load(path, cls)

    def dump(self) -> None:
        """Write `conf/node.toml`, and `conf/node.sh` with the same facts for the scripts."""
        tomlfile.dump(self.path, self)
        facts = {
            "name": self.name,
            "version": self.node.version,
            "address": self.http.address,
            "http_port": self.http.port,
            "pg_port": self.postgres.port,
            "pg_bin": self.postgres.bin,
            "data": self.postgres.data,
            "lab": self.node.lab,
            "pair": self.node.pair,
            "peer_address": self.peer.http_address,
            "peer_http_port": self.peer.http_port,
            "peer_pg_port": self.peer.pg_port,
            "python": sys.executable,
            "pythonpath": processes.python_environment().get("PYTHONPATH", ""),
        }
        lines = [f"{key}={shlex.quote(str(value))}\n" for key, value in facts.items()]
        tomlfile.write(self.conf / "node.sh", "".join(lines))

    @property
    def name(self) -> str:
        """The host's name."""
        return self.node.name

    @property
    def home(self) -> Path:
        """The host's home folder."""
        return self.node.home

    @property
    def conf(self) -> Path:
        """The host's configuration folder."""
        return self.home / "conf"

    @property
    def logs(self) -> Path:
        """The host's log folder."""
        return self.home / "logs"

    @property
    def path(self) -> Path:
        """Where this configuration lies."""
        return self.conf / "node.toml"

    @property
    def url(self) -> str:
        """The base of this server's HTTPS addresses."""
        return f"https://{self.http.address}:{self.http.port}"

    @property
    def slot(self) -> str:
        """The replication slot this host uses on a master: `sky_a` for sky-a."""
        return slot_of(self.name)

    def secrets(self) -> "Secrets":
        """The secrets of this host, from `conf/secrets.toml`."""
        return Secrets.load(self.conf / "secrets.toml")

    def conninfo(self, user: str, password: str, *, dbname: str = DATABASE) -> dict[str, str | int]:
        """Keyword arguments for `psycopg.connect` to this host's own database, over its Unix socket."""
        return {
            "host": str(self.postgres.socket_dir),
            "port": self.postgres.port,
            "user": user,
            "password": password,
            "dbname": dbname,
            "connect_timeout": 5,
        }


class Secrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`conf/secrets.toml`, readable by its owner alone; the same on both hosts.

    `superuser`, `server`, `agent`, `replicator`: passwords of the database roles. `peer`: the token servers
    show each other. `agent_token`: the token agents show a server. `admin_hash`: see `passwords`.
    """

    superuser: str
    server: str
    agent: str
    replicator: str
    peer: str
    agent_token: str
    admin_hash: str

    @classmethod
    def make(cls, admin_hash: str) -> Self:
        """New passwords and tokens."""
        return cls(
            superuser=passwords.make(),
            server=passwords.make(),
            agent=passwords.make(),
            replicator=passwords.make(),
            peer=passwords.make(),
            agent_token=passwords.make(),
            admin_hash=admin_hash,
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read `secrets.toml`."""
        return tomlfile.load(path, cls)

    def dump(self, path: Path) -> None:
        """Write `secrets.toml`, mode 0600."""
        tomlfile.dump(path, self, mode=0o600)


class ServerAddress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One server of the pair, as an agent knows it."""

    name: str
    url: str
    pg_address: str
    pg_port: int


class AgentConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`agent.toml`, mode 0600: the agent's name, its folder, and both servers."""

    name: str
    folder: Path
    lab: Path
    ca: Path
    token: str
    database: str
    user: str
    password: str
    queues: tuple[str, ...]
    server: tuple[ServerAddress, ...]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read `agent.toml`."""
        return tomlfile.load(path, cls)

    def dump(self) -> None:
        """Write `agent.toml` into the agent's folder."""
        tomlfile.dump(self.folder / "agent.toml", self, mode=0o600)


def slot_of(host: str) -> str:
    """The replication slot of a host: PostgreSQL allows lower-case letters, digits and underscores."""
    return host.lower().replace("-", "_")
