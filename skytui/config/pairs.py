"""The pairs this console knows: two servers each, how they are reached, and the numbers its gates go by.

Searched in this order, the first file that has the pair wins: `$SKYTUI_CONFIG`, the person's
`skytui/config.toml`, `/etc/skytui/config.toml`. The practice pair writes a file of its own.
"""

import os
import re
from pathlib import Path
from typing import Annotated, cast

import msgspec
from msgspec import Meta

from skytui import paths
from skytui.config.secrets import SecretSource
from skytui.config.tables import Document, KeyPath, nearest
from skytui.errors import ConfigError
from skytui.pair.thresholds import Thresholds
from skytui.pair.vocabulary import OPTIONAL_STEPS

SCHEMA = 1
SYSTEM_FILE = Path("/etc/skytui/config.toml")

PortNumber = Annotated[int, Meta(ge=1, le=65535)]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class SshConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How a host is reached over SSH. Without `key` the person's SSH agent is asked.

    `known_hosts` is strict: a host whose key is not in it is refused.
    """

    host: str
    user: str
    known_hosts: Path
    port: PortNumber = 22
    key: Path | None = None


class ServerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One server of a pair. `name` is its fixed identity, never its role.

    `address` and `listen_port` are what the *other* server is told to find it by; `ports` are all listening
    ports that must refuse before it counts as down; `home` is the server's folder on its host.
    """

    name: str
    address: str
    listen_port: PortNumber
    url: Annotated[str, Meta(pattern=r"^https?://[^/\s]+$")] = ""
    ca_file: Path | None = None
    ssh: SshConfig | None = None
    home: str = ""
    ports: list[PortNumber] = []


class ByHand(msgspec.Struct, frozen=True):
    """An optional step: `manual` is what the operator is told to do, the step's own words without it."""

    manual: str = ""


class PairConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One pair, as configured. `practice` marks a pair made for drills; nothing else is assumed of it.

    `state` is the folder a team shares for it (None: the person's own state folder). `operators` are the
    users who may operate a run; without any, whoever may open the conductor's socket. `optional` are the
    steps it adds to the plan: names, or a table with what is to be done by hand.
    """

    name: str
    file: Path
    profile: str
    servers: dict[str, ServerConfig]
    practice: bool = False
    secrets: dict[str, SecretSource] = {}
    thresholds: Thresholds = Thresholds()
    state: Path | None = None
    operators: list[str] = []
    optional: list[str] | dict[str, ByHand] = []

    @property
    def by_hand(self) -> dict[str, str]:
        """The optional steps of its plan, each with what is to be done, empty for the step's own words."""
        if isinstance(self.optional, dict):
            return {step: told.manual for step, told in self.optional.items()}
        return dict.fromkeys(self.optional, "")

    def peer(self, server: str) -> ServerConfig:
        """The other server.

        Raises KeyError when `server` is not of this pair.
        """
        if server not in self.servers:
            raise KeyError(server)
        return next(config for name, config in self.servers.items() if name != server)


class _PairTable(msgspec.Struct, frozen=True, kw_only=True):
    """A `[pair.NAME]` table without its servers."""

    profile: str
    practice: bool = False
    secrets: dict[str, SecretSource] = {}
    thresholds: Thresholds = Thresholds()
    state: Path | None = None
    operators: list[str] = []
    optional: list[str] | dict[str, ByHand] = []


def config_files() -> list[Path]:
    """The files that are there, in the order they are searched.

    Raises ConfigError when `$SKYTUI_CONFIG` names a file that is not there.
    """
    named = os.environ.get("SKYTUI_CONFIG", "")
    if named and not Path(named).is_file():
        raise ConfigError(f"$SKYTUI_CONFIG names {named}, which is not a file.")
    files = [Path(named)] if named else []
    files += [paths.config_dir() / "config.toml", SYSTEM_FILE]
    practice = paths.lab_dir(paths.PRACTICE) / "pair.toml"
    return [file for file in (*files, practice) if file.is_file()]


def pair_names() -> list[str]:
    """The names of all pairs that are configured here, in the order they are found.

    Raises ConfigError for a file that is not TOML.
    """
    names: dict[str, None] = {}
    for file in config_files():
        document = Document(file)
        names |= dict.fromkeys(document.table(document.data, "pair", ()))
    return list(names)


def find_pair(name: str) -> Document | None:
    """The first file that has a pair of this name, sound or not; None when no file has.

    Raises ConfigError for a file that is not TOML.
    """
    for file in config_files():
        document = Document(file)
        if name in document.table(document.data, "pair", ()):
            return document
    return None


def load_pair(name: str) -> PairConfig:
    """The pair `name`.

    Raises ConfigError: for an unknown name, with the nearest known one; for a faulty file, with every fault.
    """
    return read_pair(document_of(name), name)


def document_of(name: str) -> Document:
    """The file that has the pair `name`.

    Raises ConfigError when none has, with the nearest known name.
    """
    document = find_pair(name)
    if document is not None:
        return document
    known = pair_names()
    if name == paths.PRACTICE:
        raise ConfigError("The practice pair is not there.", hint="Start it with: skytui lab up")
    hint = nearest(name, known) if known else f"write {paths.config_dir() / 'config.toml'} first"
    raise ConfigError(f"There is no pair `{name}`; {hint}".rstrip("; ") + ("" if hint.endswith("?") else "."))


def read_pair(document: Document, name: str) -> PairConfig:
    """The pair `name` out of a document that has it.

    Raises ConfigError with every fault.
    """
    document.only(document.data, ("schema", "pair"), ())
    schema = document.data.get("schema")
    if schema != SCHEMA or isinstance(schema, bool):
        document.fault(("schema",), f"must be {SCHEMA}, the only form this version reads")
    path: KeyPath = ("pair", name)
    if not _NAME.fullmatch(name):
        document.fault(path, "a name is letters, digits, dots, dashes and underscores, at most 63")
    table = dict(document.table(document.table(document.data, "pair", ()), name, ("pair",)))
    servers = document.table(table, "server", path)
    table.pop("server", None)
    pair = document.struct(_PairTable, table, path)
    practice = pair is not None and pair.practice
    if pair is not None and pair.state is not None and not pair.state.is_absolute():
        document.fault((*path, "state"), "is the whole path of a folder, from / on")
    configs = {name: _read_server(document, servers, name, (*path, "server"), practice) for name in servers}
    if len(servers) != 2:
        document.fault((*path, "server"), f"a pair is two servers; {len(servers)} given")
    for secret, source in (pair.secrets if pair else {}).items():
        if len(source.given()) != 1:
            document.fault((*path, "secrets", secret), "give exactly one of file, env, command, prompt")
    for step in pair.optional if pair else ():
        if step not in OPTIONAL_STEPS:
            hint = nearest(step, OPTIONAL_STEPS) or f"there are {', '.join(OPTIONAL_STEPS)}"
            document.fault((*path, "optional"), f"there is no optional step `{step}`; {hint}")
    if pair is not None and pair.thresholds.mark_stale_seconds < 3 * pair.thresholds.heartbeat_seconds:
        fault = "must be at least three times heartbeat_seconds: a heartbeat may come late"
        document.fault((*path, "thresholds", "mark_stale_seconds"), fault)
    document.check()
    found = {server: config for server, config in configs.items() if config is not None}
    if pair is None or len(found) != len(configs):
        raise ConfigError(f"{document.file}: the pair `{name}` cannot be read.")
    return PairConfig(
        name=name, file=document.file, servers=found, **{f: getattr(pair, f) for f in pair.__struct_fields__}
    )


def _read_server(
    document: Document, servers: dict[str, object], name: str, path: KeyPath, practice: bool
) -> ServerConfig | None:
    table = servers[name]
    if not isinstance(table, dict):
        document.fault((*path, name), "must be a table")
        return None
    if not _NAME.fullmatch(name):
        document.fault((*path, name), "a name is letters, digits, dots, dashes and underscores, at most 63")
    server = document.struct(ServerConfig, cast(dict[str, object], table), (*path, name), name=name)
    if server is not None and server.url.startswith("http://") and not practice:
        document.fault((*path, name, "url"), "must be https: passwords go over it")
    return server
