"""The pairs this console knows: two servers each, how they are reached, and the numbers its gates go by.

Searched in this order, the first file that has the pair wins: `$SKYTUI_CONFIG`, the person's
`skytui/config.toml`, `/etc/skytui/config.toml`. The practice pair writes a file of its own.
"""

import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, TypeVar, cast

import msgspec
from msgspec import Meta

from skytui import paths
from skytui.config.hooks import Hooks
from skytui.config.secrets import SecretSource
from skytui.config.tables import Document, KeyPath, nearest
from skytui.config.timing import Period
from skytui.config.values import Command, Duration
from skytui.config.web import ProxyDefaults, WebConfig, proxy_faults, web_faults
from skytui.errors import ConfigError
from skytui.pair.procedure import STEP_IDS
from skytui.pair.quiet import QuietWindow
from skytui.pair.thresholds import Thresholds
from skytui.pair.vocabulary import OPTIONAL_STEPS

SCHEMA = 1
SYSTEM_FILE = Path("/etc/skytui/config.toml")
SYSTEM_SSH_CONFIG = Path("/etc/ssh/ssh_config")

T = TypeVar("T", bound=msgspec.Struct)

PortNumber = Annotated[int, Meta(ge=1, le=65535)]
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\$?")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
"""What a pair or a server may be called."""


class SshConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How a host is reached over SSH. What is not given is what OpenSSH's configuration files say of `host`.

    `config` names one file in the place of the person's and the system's; `false` is none at all. `key` is
    the only key that is offered. Host keys are looked up strictly: a host whose key is not known is refused.
    `sudo` has every command on the host run under `sudo -n`: `true` as root, a name as that user.
    """

    host: Annotated[str, Meta(min_length=1)]
    user: str | None = None
    port: PortNumber | None = None
    key: Path | None = None
    known_hosts: Path | None = None
    config: bool | str = True
    sudo: bool | str = False

    @property
    def files(self) -> tuple[Path, ...]:
        """The configuration files that count, of which the first that says something wins."""
        if isinstance(self.config, str):
            return (Path(self.config).expanduser(),)
        return (Path("~/.ssh/config").expanduser(), SYSTEM_SSH_CONFIG) if self.config else ()


class ServerConfig(WebConfig, msgspec.Struct, frozen=True, kw_only=True):
    """One server of a pair. `name` is its fixed identity, never its role.

    `address` and `listen_port` are what the *other* server is told to find it by; `ports` are all listening
    ports that must refuse before it counts as down; `home` is the server's folder on its host.
    """

    name: str
    address: str
    listen_port: PortNumber
    ssh: SshConfig | None = None
    home: str = ""
    ports: list[PortNumber] = []


class ByHand(msgspec.Struct, frozen=True):
    """An optional step: `manual` is what the operator is told to do, the step's own words without it."""

    manual: str = ""


class PairConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One pair, as configured. `practice` marks a pair made for drills; nothing else is assumed of it.

    `state` is the folder a team shares for it (None: the person's own state folder), `group` the group that
    folder must belong to. `operators` are the users who may operate a run; without any, whoever may open the
    conductor's socket. `deadlines` are by step, in place of the procedure's own. It is to be swapped `every`
    so many days, in its `quiet` window. `alarm` is run when two servers read master, or when an agent drifts
    back within `watch_hours` after a run. `optional` are the steps it adds to the plan: names, or a table
    with what is to be done by hand.
    """

    name: str
    file: Path
    servers: dict[str, ServerConfig]
    profile: str
    practice: bool = False
    state: Path | None = None
    group: str | None = None
    operators: list[str] = []
    every: Period | None = None
    quiet: QuietWindow | None = None
    alarm: Command | None = None
    watch_hours: Annotated[float, Meta(ge=0, le=24 * 14)] = 24.0
    secrets: dict[str, SecretSource] = {}
    thresholds: Thresholds = Thresholds()
    deadlines: dict[str, Duration] = {}
    hooks: Hooks = Hooks()
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


class _PairTable(ProxyDefaults, msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a `[pair.NAME]` table; the tables in it are read each on its own."""

    profile: str
    practice: bool = False
    state: Path | None = None
    group: str | None = None
    operators: list[str] = []
    optional: list[str] | dict[str, ByHand] = []
    every: Period | None = None
    quiet: QuietWindow | None = None
    alarm: Command | None = None
    watch_hours: Annotated[float, Meta(ge=0, le=24 * 14)] = 24.0


_TABLES = ("server", "secrets", "thresholds", "deadlines", "hooks")
"""The tables in a `[pair.NAME]` table."""

_LIMITS: dict[str, tuple[float, float]] = {
    "fresh_seconds": (0.5, 300),
    "poll_seconds": (0.02, 60),
    "zero_readings": (1, 50),
    "zero_seconds": (0, 50),  # the poller remembers one minute of them
    "heartbeat_seconds": (0.05, 600),
    "mark_stale_seconds": (0.15, 86400),
    "stall_seconds": (1, 3600),
}
"""What a threshold may be, at least and at most. Beyond it a gate would never pass, or prove nothing."""


class Place(msgspec.Struct, frozen=True):
    """A file that is searched for pairs. `why` says what it is; `must`: it is an error if it is not there."""

    file: Path
    why: str
    must: bool = False

    @property
    def there(self) -> bool:
        """Whether it is a file. One in a folder that is closed to us may be: reading it says so."""
        try:
            return self.file.is_file()
        except PermissionError:
            return True


def places() -> list[Place]:
    """Every file that is searched, there or not, in this order."""
    named = os.environ.get("SKYTUI_CONFIG", "")
    found = [Place(Path(named), "$SKYTUI_CONFIG", must=True)] if named else []
    return [
        *found,
        Place(paths.config_dir() / "config.toml", "yours"),
        Place(SYSTEM_FILE, "this machine's"),
        Place(paths.lab_dir(paths.PRACTICE) / "pair.toml", "the practice pair's own"),
    ]


def config_files() -> list[Path]:
    """The files that are there, in the order they are searched.

    Raises ConfigError when `$SKYTUI_CONFIG` names a file that is not there.
    """
    searched = places()
    for place in searched:
        if place.must and not place.there:
            raise ConfigError(f"{place.why} names {place.file}, which is not a file.")
    return [place.file for place in searched if place.there]


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
    check_heading(document)
    path: KeyPath = ("pair", name)
    if not NAME.fullmatch(name):
        document.fault(path, "a name is letters, digits, dots, dashes and underscores, at most 63")
    table = dict(document.table(document.table(document.data, "pair", ()), name, ("pair",)))
    parts = {key: document.table(table, key, path) for key in _TABLES}
    document.only(table, (*_PairTable.__struct_fields__, *_TABLES), path)
    keys = {key: value for key, value in table.items() if key in _PairTable.__struct_fields__}
    pair = document.struct(_PairTable, keys, path)
    if pair is not None and pair.state is not None and not pair.state.is_absolute():
        document.fault((*path, "state"), "is the whole path of a folder, from / on")
    if "group" in table and "state" not in table:
        document.fault((*path, "group"), "is the group of a team's folder; name that as `state`")
    secrets = _structs(document, parts["secrets"], SecretSource, (*path, "secrets"))
    for key, says in proxy_faults(pair, parts["secrets"]) if pair else ():
        document.fault((*path, key), says)
    practice = table.get("practice") is True
    servers = parts["server"]
    configs = {
        name: _read_server(
            document,
            servers,
            name,
            (*path, "server"),
            proxy=pair,
            secrets=parts["secrets"],
            practice=practice,
        )
        for name in servers
    }
    if len(servers) != 2:
        document.fault((*path, "server"), f"a pair is two servers; {len(servers)} given")
    for secret, source in secrets.items():
        if len(source.given()) > 1:
            document.fault((*path, "secrets", secret), "give only one of file, env, command, prompt")
    for step in pair.optional if pair else ():
        if step not in OPTIONAL_STEPS:
            hint = nearest(step, OPTIONAL_STEPS) or f"there are {', '.join(OPTIONAL_STEPS)}"
            document.fault((*path, "optional"), f"there is no optional step `{step}`; {hint}")
    thresholds = document.struct(Thresholds, parts["thresholds"], (*path, "thresholds"))
    _check_thresholds(document, (*path, "thresholds"), thresholds)
    document.only(parts["deadlines"], STEP_IDS, (*path, "deadlines"))
    deadlines = document.values(parts["deadlines"], Duration, (*path, "deadlines"))
    hooks = document.struct(Hooks, parts["hooks"], (*path, "hooks"))
    document.check()
    found = {server: config for server, config in configs.items() if config is not None}
    if pair is None or thresholds is None or hooks is None or len(found) != len(configs):
        raise ConfigError(f"{document.file}: the pair `{name}` cannot be read.")
    return PairConfig(
        name=name,
        file=document.file,
        servers=found,
        secrets=secrets,
        thresholds=thresholds,
        deadlines=deadlines,
        hooks=hooks,
        **{key: getattr(pair, key) for key in pair.__struct_fields__ if key in PairConfig.__struct_fields__},
    )


def check_heading(document: Document) -> None:
    """A fault for each key at the top of a file that is not known, and for a schema that is not ours."""
    document.only(document.data, ("schema", "pair", "keys"), ())
    schema = document.data.get("schema")
    if schema != SCHEMA or isinstance(schema, bool):
        document.fault(("schema",), f"must be {SCHEMA}, the only form this version reads")


def _structs(document: Document, tables: dict[str, object], kind: type[T], path: KeyPath) -> dict[str, T]:
    """Each table of a table as `kind`; those that are faulty are left out."""
    found: dict[str, T] = {}
    for name, value in tables.items():
        table = document.table(tables, name, path)
        struct = document.struct(kind, table, (*path, name)) if isinstance(value, dict) else None
        if struct is not None:
            found[name] = struct
    return found


def _check_thresholds(document: Document, path: KeyPath, thresholds: Thresholds | None) -> None:
    if thresholds is None:
        return
    for key, (least, most) in _LIMITS.items():
        value = getattr(thresholds, key)
        if not least <= value <= most:  # neither is nan
            document.fault((*path, key), f"must be from {least:g} to {most:g}; it is {value:g}")
    if thresholds.mark_stale_seconds < 3 * thresholds.heartbeat_seconds:
        fault = "must be at least three times heartbeat_seconds: a heartbeat may come late"
        document.fault((*path, "mark_stale_seconds"), fault)


def _read_server(
    document: Document,
    servers: dict[str, object],
    name: str,
    path: KeyPath,
    *,
    proxy: ProxyDefaults | None,
    secrets: Collection[str],
    practice: bool,
) -> ServerConfig | None:
    table = servers[name]
    if not isinstance(table, dict):
        document.fault((*path, name), "must be a table")
        return None
    if not NAME.fullmatch(name):
        document.fault((*path, name), "a name is letters, digits, dots, dashes and underscores, at most 63")
    server = document.struct(ServerConfig, cast(dict[str, object], table), (*path, name), name=name)
    if server is not None and server.url.startswith("http://") and not practice:
        document.fault((*path, name, "url"), "must be https: passwords go over it")
    if server is not None and server.ssh is not None:
        _check_ssh(document, server.ssh, (*path, name, "ssh"))
    if server is None:
        return None
    for key, says in web_faults(name, server, secrets, practice=practice):
        document.fault((*path, name, key), says)
    if proxy is not None and not server.proxy:
        server = msgspec.structs.replace(server, **proxy.given())
        if server.proxied and server.url.startswith("http://"):
            document.fault((*path, name, "url"), "must be https: the pair's proxy is for https only")
    return server


def _check_ssh(document: Document, ssh: SshConfig, path: KeyPath) -> None:
    if isinstance(ssh.config, str) and not Path(ssh.config).expanduser().is_absolute():
        document.fault((*path, "config"), "is the whole path of a file, from / or ~ on, or false for none")
    if isinstance(ssh.sudo, str) and not _USER.fullmatch(ssh.sudo):
        document.fault((*path, "sudo"), "is true, or the name of the user to run commands as")
    for key, value in (("host", ssh.host), ("user", ssh.user or "")):
        if value.startswith("-") or any(c.isspace() or not c.isprintable() for c in value):
            document.fault((*path, key), "cannot begin with a dash, nor have spaces in it")
