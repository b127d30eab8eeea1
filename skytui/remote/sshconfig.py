"""Where a connection really goes and what proves who is at its ends: the pair's table over OpenSSH's files.

The files are read by asyncssh (https://asyncssh.readthedocs.io, *Supported client config options*); what it
leaves to its caller, or reads otherwise than ssh_config(5) says, is put right here. They are read anew for
every connection, so that a mended file needs no restart.
"""

import getpass
import os
import re
import socket
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

import asyncssh
import msgspec

from skytui.config.pairs import SYSTEM_SSH_CONFIG, SshConfig
from skytui.errors import RefusedError
from skytui.plaintext import plain

DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
"""The keys below `~/.ssh` that ssh(1) tries without being told to, of the kinds that need no device."""
DEFAULT_KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
DEFAULT_GLOBAL_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")

_HOP = re.compile(
    r"(?:ssh://)?(?:(?P<user>[^@]+)@)?(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:]+))(?::(?P<port>\d+))?"
)
_TOKEN = re.compile(r"%(.)")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


class Destination(msgspec.Struct, frozen=True):
    """A host as it is asked for: the name, and what was said of it beside the files. Also a jump host."""

    host: str
    user: str | None = None
    port: int | None = None
    key: Path | None = None
    known_hosts: Path | None = None
    files: tuple[Path, ...] = ()

    @classmethod
    def of(cls, config: SshConfig) -> "Destination":
        """The destination of a pair's table."""
        return cls(config.host, config.user, config.port, config.key, config.known_hosts, config.files)


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """A destination after the files were read.

    `known_as` is the name its key is looked up by, without the port where that is None. `jumps` are the hosts
    to pass, nearest first. `agent` is None for the operator's own, empty for none. `keys_named` tells whether
    anybody named the keys, else they are the ones everybody has.
    """

    host: str
    user: str
    port: int
    known_as: str
    known_port: int | None
    known_hosts: tuple[Path, ...]
    jumps: tuple[Destination, ...]
    proxy_command: str | None
    keys: tuple[Path, ...]
    keys_named: bool
    certificates: tuple[Path, ...]
    only_these_keys: bool
    agent: str | None
    files: tuple[Path, ...]
    host_key_algorithms: bool

    @property
    def where(self) -> str:
        """User, host and port, for people."""
        return f"{self.user}@{self.host}:{self.port}"


def way_to(to: Destination) -> Way:
    """The way to a destination, as the files say now.

    Raises RefusedError when a file cannot be used; the sentence names it, and its line where there is one.
    """
    files = readable(to.files)
    options = _options(to, files)
    said = options.config.get_options(False)
    user, port, host = str(options.username), int(options.port), str(options.host)
    fill = _Tokens(to.host, host, user, port)
    jumps, proxy_command = _proxy(to, said, fill)
    alias = said.get("HostKeyAlias")
    # asyncssh has filled in the tokens of these two.
    keys = (to.key,) if to.key else tuple(_paths(said.get("IdentityFile"), str))
    return Way(
        host=host,
        user=user,
        port=port,
        known_as=str(alias) if alias else host,
        known_port=None if alias or port == asyncssh.DEFAULT_PORT else port,
        known_hosts=_known_hosts(to, said, fill),
        jumps=jumps,
        proxy_command=proxy_command,
        keys=keys or tuple(Path("~/.ssh", name).expanduser() for name in DEFAULT_KEYS),
        keys_named=bool(keys),
        certificates=() if to.key else tuple(_paths(said.get("CertificateFile"), str)),
        only_these_keys=to.key is not None or said.get("IdentitiesOnly") is True,
        agent=_agent(said),
        files=files,
        host_key_algorithms="HostKeyAlgorithms" in said,
    )


def where_asked(to: Destination) -> str:
    """What a destination is called while the files cannot say more."""
    user = f"{to.user}@" if to.user else ""
    return f"{user}{to.host}" + (f":{to.port}" if to.port else "")


def readable(files: tuple[Path, ...]) -> tuple[Path, ...]:
    """The files that are there.

    Raises RefusedError where one that was named is not, or where others could have written the person's own.
    """
    found = []
    own = Path("~/.ssh/config").expanduser()
    for file in files:
        if not os.access(file, os.R_OK):
            if file in (own, SYSTEM_SSH_CONFIG) and not file.exists():
                continue
            raise RefusedError(f"The SSH configuration {file} cannot be read.")
        facts = file.stat()
        if file == own and (facts.st_uid not in (0, os.getuid()) or stat.S_IMODE(facts.st_mode) & 0o022):
            raise RefusedError(
                f"The SSH configuration {file} is not used: others may write it.",
                hint=f"Run: chmod go-w {file}",
            )
        found.append(file)
    return tuple(found)


def _options(to: Destination, files: tuple[Path, ...]) -> asyncssh.SSHClientConnectionOptions:
    """What asyncssh makes of it, without loading any key."""
    try:
        return asyncssh.SSHClientConnectionOptions(
            host=to.host,
            config=[str(file) for file in files],
            username=to.user if to.user is not None else (),
            port=to.port if to.port is not None else (),
            client_keys=None,
            known_hosts=b"",
            x509_trusted_certs=None,
            x509_trusted_cert_paths=[],
        )
    except (ValueError, OSError) as error:
        what = f"{error.strerror} ({error.filename})" if isinstance(error, OSError) else str(error)
        raise RefusedError(f"The SSH configuration cannot be used: {plain(what)}.") from error


def _proxy(
    to: Destination, said: dict[str, object], fill: "_Tokens"
) -> tuple[tuple[Destination, ...], str | None]:
    """The hosts to jump over, or the command to go through: of the two, the one that is said first."""
    first = next((key for key in said if key in ("ProxyJump", "ProxyCommand")), None)
    value = said.get(first) if first else None
    if not isinstance(value, str):
        return (), None
    if first == "ProxyCommand":
        return (), value
    hops = []
    for text in fill(value).split(","):
        hop = _HOP.fullmatch(text.strip())
        if hop is None:
            raise RefusedError(f"The SSH configuration cannot be used: ProxyJump {plain(value)} is no host.")
        port = int(hop["port"]) if hop["port"] else None
        hops.append(Destination(hop["six"] or hop["host"], hop["user"], port, files=to.files))
    return tuple(hops), None


def _known_hosts(to: Destination, said: dict[str, object], fill: "_Tokens") -> tuple[Path, ...]:
    if to.known_hosts is not None:
        return (to.known_hosts,)
    own = said.get("UserKnownHostsFile", DEFAULT_KNOWN_HOSTS)
    everybodys = said.get("GlobalKnownHostsFile", DEFAULT_GLOBAL_KNOWN_HOSTS)
    return (*_paths(own, fill), *_paths(everybodys, fill))


def _agent(said: dict[str, object]) -> str | None:
    if "IdentityAgent" not in said:
        return None
    agent = said["IdentityAgent"]
    if agent is None:
        return ""
    if agent == "SSH_AUTH_SOCK":
        return None
    if str(agent).startswith("$"):
        return os.environ.get(str(agent)[1:], "")
    return str(Path(str(agent)).expanduser())


def _paths(value: object, fill: Callable[[str], str]) -> Iterable[Path]:
    if isinstance(value, list | tuple):
        for item in value:
            yield Path(fill(str(item))).expanduser()


class _Tokens:
    """Fills in the tokens and variables of ssh_config(5) that asyncssh leaves standing."""

    def __init__(self, asked: str, host: str, user: str, port: int) -> None:
        name = socket.gethostname()
        self._values = {
            "%": "%",
            "d": str(Path.home()),
            "h": host,
            "k": host,
            "n": asked,
            "p": str(port),
            "r": user,
            "u": getpass.getuser(),
            "i": str(os.getuid()),
            "l": name,
            "L": name.split(".", 1)[0],
        }

    def __call__(self, text: str) -> str:
        return _TOKEN.sub(self._token, _VARIABLE.sub(self._variable, text))

    def _token(self, match: re.Match[str]) -> str:
        if match[1] not in self._values:
            raise RefusedError(f"The SSH configuration cannot be used: %{plain(match[1])} is not known here.")
        return self._values[match[1]]

    def _variable(self, match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise RefusedError(
                f"The SSH configuration cannot be used: the variable {plain(match[1])} is not set."
            )
        return os.environ[match[1]]
