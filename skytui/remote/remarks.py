"""What OpenSSH's configuration files say that skytui does otherwise: told, not silently dropped.

`remarks` is pure: how included files are read is handed in. Source of the directives: ssh_config(5).
"""

import contextlib
import enum
import fnmatch
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from skytui.errors import RefusedError
from skytui.plaintext import plain
from skytui.remote.sshconfig import Destination, way_to

_HONOURED = frozenset(
    [
        "addressfamily",
        "bindaddress",
        "canonicaldomains",
        "canonicalizefallbacklocal",
        "canonicalizehostname",
        "canonicalizemaxdots",
        "canonicalizepermittedcnames",
        "casignaturealgorithms",
        "certificatefile",
        "challengeresponseauthentication",
        "ciphers",
        "compression",
        "globalknownhostsfile",
        "host",
        "hostkeyalgorithms",
        "hostkeyalias",
        "hostname",
        "identitiesonly",
        "identityagent",
        "identityfile",
        "include",
        "kbdinteractiveauthentication",
        "kexalgorithms",
        "macs",
        "match",
        "port",
        "proxycommand",
        "proxyjump",
        "pubkeyauthentication",
        "rekeylimit",
        "tag",
        "tcpkeepalive",
        "user",
        "userknownhostsfile",
    ]
)

_OTHERWISE = {
    "stricthostkeychecking": "a host whose key is not known, or has changed, is always refused",
    "checkhostip": "host keys are looked up by name only",
    "verifyhostkeydns": "host keys are looked up in files of known hosts only",
    "knownhostscommand": "host keys are looked up in files of known hosts only",
    "revokedhostkeys": "write revoked keys as @revoked into a file of known hosts",
    "updatehostkeys": "files of known hosts are never written",
    "preferredauthentications": "a public key is offered, then questions are put to the operator",
    "passwordauthentication": "passwords are given only where the host asks for them (keyboard-interactive)",
    "hostbasedauthentication": "hosts do not log in for their users",
    "pkcs11provider": "keys on a token are reached through an agent only",
    "securitykeyprovider": "keys on a token are reached through an agent only",
    "proxyusefdpass": "a proxy command has to pass data on",
    "bindinterface": "name the address to bind to (BindAddress)",
}
"""Directives that decide where a connection goes or what proves who is there, and what holds instead."""

_NO_EFFECT = {
    "addkeystoagent": "keys are never put into an agent",
    "connecttimeout": "skytui has its own",
    "connectionattempts": "skytui tries again by itself",
    "controlmaster": "there is one connection for each host as it is",
    "controlpath": "there is one connection for each host as it is",
    "controlpersist": "there is one connection for each host as it is",
    "dynamicforward": "nothing is forwarded",
    "forwardagent": "the agent is not forwarded",
    "forwardx11": "nothing is forwarded",
    "forwardx11trusted": "nothing is forwarded",
    "gssapiauthentication": "Kerberos is not used",
    "localforward": "nothing is forwarded",
    "pubkeyacceptedalgorithms": "the kinds of keys are not restricted by it",
    "pubkeyacceptedkeytypes": "the kinds of keys are not restricted by it",
    "remoteforward": "nothing is forwarded",
    "remotecommand": "skytui runs commands of its own",
    "requesttty": "commands run without a terminal",
    "sendenv": "no variable is sent",
    "serveralivecountmax": "skytui has its own",
    "serveraliveinterval": "skytui has its own",
    "setenv": "no variable is sent",
}

_MOST_INCLUDES = 16

Load = Callable[[str], Sequence[tuple[Path, str]]]
"""The files a pattern of an `Include` stands for, with their text."""


class Weight(enum.IntEnum):
    """How much a remark matters."""

    NO_EFFECT = 1
    """It has no effect here, and needs none."""
    OTHERWISE = 2
    """Where a connection goes, or what proves who is at its ends, is decided otherwise than the line says."""


class Remark(msgspec.Struct, frozen=True):
    """A sentence about one line of a file."""

    weight: Weight
    says: str


def remarks(file: Path, text: str, hosts: Sequence[str], load: Load = lambda _: ()) -> tuple[Remark, ...]:
    """What is to be said of a file for these hosts, by the names they are asked for; once for each directive.

    Blocks that are for other hosts are left out; a `Match` may be for all of them.
    """
    found: dict[str, Remark] = {}
    for where, keyword, value in _lines(file, text, hosts, load, 0):
        remark = _of(where, keyword, value)
        if remark is not None:
            found.setdefault(keyword.lower(), remark)
    return tuple(found.values())


def _of(where: str, keyword: str, value: str) -> Remark | None:
    name = keyword.lower()
    if name == "match" and {"final", "canonical"} & set(value.lower().split()):
        reason = "keys, jump hosts and files of known hosts in such a block do not count"
        return Remark(Weight.OTHERWISE, f"{where}: Match {value} is followed in part: {reason}.")
    if name in _HONOURED:
        return None
    if name in _NO_EFFECT and value.lower() in ("no", "none"):
        return None
    if name in _OTHERWISE and not _as_here(name, value.lower()):
        return Remark(Weight.OTHERWISE, f"{where}: {keyword} {value} is not followed: {_OTHERWISE[name]}.")
    if name in _OTHERWISE:
        return None
    reason = _NO_EFFECT.get(name, "skytui does not know it")
    return Remark(Weight.NO_EFFECT, f"{where}: {keyword} has no effect: {reason}.")


def _as_here(name: str, value: str) -> bool:
    """Whether it says what holds here anyway."""
    if name == "stricthostkeychecking":
        return value in ("yes", "ask")
    if name == "preferredauthentications":
        return value.split(",") == ["publickey", "keyboard-interactive"]
    return value in ("no", "none", "false")


def _lines(
    file: Path, text: str, hosts: Sequence[str], load: Load, depth: int
) -> Iterator[tuple[str, str, str]]:
    """Place, keyword and value of every line that may be for one of the hosts."""
    meant = True
    for number, line in enumerate(text.splitlines(), 1):
        words = _words(line)
        if not words:
            continue
        keyword, values = words[0], words[1:]
        name = keyword.lower()
        if name == "host":
            meant = any(_matches(host, values) for host in hosts)
        elif name == "match":
            meant = True
        if not meant:
            continue
        yield f"{file} line {number}", plain(keyword), plain(" ".join(values))
        if name == "include" and depth < _MOST_INCLUDES:
            for pattern in values:
                for included, its_text in load(pattern):
                    yield from _lines(included, its_text, hosts, load, depth + 1)


def _words(line: str) -> list[str]:
    line = line.strip()
    if not line or line.startswith("#"):
        return []
    head, _, rest = line.replace("=", " ", 1).partition(" ") if "=" in line.split(" ")[0] else _split(line)
    try:
        return [head, *shlex.split(rest.lstrip(" \t="), comments=True)]
    except ValueError:  # said where the file is read
        return [head, rest]


def _split(line: str) -> tuple[str, str, str]:
    head = line.split(None, 1)
    return head[0], " ", head[1] if len(head) > 1 else ""


def _matches(host: str, patterns: Sequence[str]) -> bool:
    """Whether a `Host` line with these patterns is for a host."""
    found = False
    for pattern in patterns:
        if fnmatch.fnmatchcase(host, pattern.removeprefix("!").replace("[", "[[]")):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def remarks_on(destinations: Sequence[Destination]) -> tuple[Remark, ...]:
    """What is to be said of the files these hosts are reached by, and the jump hosts before them.

    A file that cannot be used says nothing here: every connection by it says why.
    """
    hosts: dict[Path, set[str]] = {}
    seen: set[Destination] = set()
    left = list(destinations)
    while left:
        to = left.pop()
        if to in seen:
            continue
        seen.add(to)
        for file in to.files:
            hosts.setdefault(file, set()).add(to.host)
        with contextlib.suppress(RefusedError):
            left += way_to(to).jumps
    found: list[Remark] = []
    for file, names in hosts.items():
        with contextlib.suppress(OSError):
            found += remarks(file, file.read_text("utf-8", "replace"), sorted(names), load_included)
    return tuple(found)


def load_included(pattern: str) -> list[tuple[Path, str]]:
    """The files an `Include` of a person's file stands for; one that cannot be read is not among them."""
    path = Path(pattern).expanduser()
    folder, rest = (
        (Path("/"), str(path)[1:]) if path.is_absolute() else (Path("~/.ssh").expanduser(), pattern)
    )
    found = []
    for file in sorted(folder.glob(rest)):
        try:
            found.append((file, file.read_text("utf-8", "replace")))
        except OSError:
            continue
    return found
