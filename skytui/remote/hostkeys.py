"""Host keys: which are known for a host, and what is said of one that is not. Never accepted silently."""

from collections.abc import Sequence
from pathlib import Path

import asyncssh
from asyncssh.public_key import get_default_certificate_algs, get_default_public_key_algs

from skytui.errors import RefusedError
from skytui.plaintext import plain
from skytui.remote.sshconfig import Way

_Known = tuple[Sequence[asyncssh.SSHKey], Sequence[asyncssh.SSHKey], Sequence[asyncssh.SSHKey]]


class HostKeys:
    """The keys that are known for the host at the end of a way.

    A host is looked up by its name alone, as ssh(1) does: an address behind a jump host may be anybody's.
    Raises RefusedError when a file of known hosts cannot be read or makes no sense.
    """

    def __init__(self, way: Way) -> None:
        self._way = way
        self._lines = asyncssh.SSHKnownHosts()
        self._files: list[Path] = []
        for file in way.known_hosts:
            self._read(file)
        self._known, self._authorities, self._revoked = self.match(way.known_as, "", way.known_port)

    def match(self, host: str, _address: str, port: int | None) -> _Known:
        """Keys, certificate authorities and revoked keys that are known for a name."""
        given = self._lines.match(host, "", port if self._way.known_port is not None else None)
        return given[0], given[1], given[2]

    def algorithms(self) -> tuple[str, ...]:
        """Host key algorithms, those of known keys first: a host with several keys shows one that is known.

        The others follow, so that a host without a known key shows one that can be named.
        """
        kinds = [algorithm for key in self._known for algorithm in key.sig_algorithms]
        certificates, keys = get_default_certificate_algs(), get_default_public_key_algs()
        order = [*certificates, *kinds, *keys] if self._authorities else [*kinds, *keys, *certificates]
        possible = {*certificates, *keys}
        return tuple(dict.fromkeys(a.decode("ascii") for a in order if a in possible))

    def why_not(self, name: str, offered: asyncssh.SSHKey | None, reason: str) -> RefusedError:
        """What is to be said when the host's key, or what it was signed with, is not trusted."""
        where, files = self._way.where, ", ".join(map(str, self._files)) or "no file of known hosts"
        if offered is None:
            return RefusedError(f"{name}: {where} is not trusted: {_decapitalised(plain(reason))}.")
        shown = fingerprint(offered)
        if offered in self._revoked:
            return RefusedError(
                f"{name}: {where} is not trusted: the key it offers, {shown}, is revoked in {files}."
            )
        if self._known:
            known = " and ".join(dict.fromkeys(map(fingerprint, self._known)))
            return RefusedError(
                f"{name}: {where} is not trusted: its host key has CHANGED."
                f" It offers {shown}; known is {known} ({files}).",
                hint="Somebody may be in between. Ask whoever runs the host; only if it was set up anew,"
                f" remove the old line (ssh-keygen -R '{self._entry}') and add the new one.",
            )
        if self._authorities:
            known = " and ".join(dict.fromkeys(map(fingerprint, self._authorities)))
            return RefusedError(
                f"{name}: {where} is not trusted: it offers {shown}, and its certificate must be signed by"
                f" {known} ({files}): {_decapitalised(plain(reason))}."
            )
        return RefusedError(
            f"{name}: {where} is not trusted: its host key is not known."
            f" It offers {shown}; for {self._entry} none is known ({files}).",
            hint="Compare it with the host's own (there: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub),"
            " then log in once with ssh and accept it.",
        )

    @property
    def _entry(self) -> str:
        """The host as a line of known hosts begins with."""
        port = self._way.known_port
        return self._way.known_as if port is None else f"[{self._way.known_as}]:{port}"

    def _read(self, file: Path) -> None:
        given = file == self._way.known_hosts[0] and len(self._way.known_hosts) == 1
        try:
            text = file.read_text("utf-8", "surrogateescape")
        except FileNotFoundError:
            if given:
                raise RefusedError(f"The SSH known_hosts file {file} is not there.") from None
            return
        except OSError as error:
            raise RefusedError(
                f"The SSH known_hosts file {file} cannot be read: {error.strerror}."
            ) from error
        try:
            self._lines.load(text)
        except ValueError as error:
            why = _decapitalised(plain(str(error)))
            raise RefusedError(f"The SSH known_hosts file {file} cannot be used: {why}.") from error
        self._files.append(file)


def fingerprint(key: asyncssh.SSHKey) -> str:
    """As ssh(1) prints it, with the kind of key."""
    return f"{key.get_fingerprint()} ({key.get_algorithm()})"


def _decapitalised(text: str) -> str:
    text = text.rstrip(".")
    return text[0].lower() + text[1:] if text[:1].isupper() and text[1:2].islower() else text
