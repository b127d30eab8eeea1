"""The keys that are offered to a host: of the agent and of files, with the certificates for them."""

import asyncio
import copy
import os
from collections.abc import Iterable
from pathlib import Path

import asyncssh
import msgspec

from skytui.errors import RefusedError
from skytui.plaintext import plain
from skytui.remote.credentials import Credentials
from skytui.remote.sshconfig import Way

AGENT_SECONDS = 5.0
"""How long an agent may take to list its keys. A forwarded one whose connection is dead never answers."""

ATTACH = "Attach with your SSH agent (ssh -A, ssh-add), or set `key`."


class Offer(msgspec.Struct, frozen=True):
    """The key pairs, best first; files whose passphrase nobody has given; `why` there are no others."""

    pairs: tuple[asyncssh.SSHKeyPair, ...]
    locked: dict[Path, bytes]
    why: str
    agent: asyncssh.SSHAgentClient | None = None

    def close(self) -> None:
        """Let the agent go; the login is over."""
        if self.agent is not None:
            self.agent.close()


async def offer(way: Way, credentials: Credentials) -> Offer:
    """What can be offered now. The keys that were named come first: hosts count attempts.

    Raises RefusedError when a key file that was named cannot be used.
    """
    certificates = _certificates(way)
    agent, held, why = await _agents(credentials.agent if way.agent is None else way.agent)
    whole = {certificate.public_data for certificate in certificates.values()}
    named = [pair for pair in held if pair.has_cert and pair.public_data in whole]
    locked: dict[Path, bytes] = {}
    absent: list[Path] = []
    for file in way.keys:
        data = _read(file, named=way.keys_named)
        if data is None:
            absent.append(file)
            continue
        public = _public(file, data)
        certificate = certificates.get(public) if public is not None else None
        mine = [pair for pair in held if public is not None and pair.key_public_data == public]
        if mine:
            named += [each for pair in mine for each in _certified(pair, certificate)]
        elif (key := credentials.opened(file) or _private(file, data)) is not None:
            named += asyncssh.load_keypairs([key], certlist=[certificate] if certificate else ())
        elif b"PRIVATE KEY" in data:
            locked[file] = data
    if way.keys_named and absent:
        why = "; ".join([f"the SSH key file {file} is not there" for file in absent] + [why] * bool(why))
    taken = {pair.key_public_data for pair in named}
    others = [
        each
        for pair in held
        if not way.only_these_keys and pair.key_public_data not in taken
        for each in _certified(pair, certificates.get(pair.key_public_data))
    ]
    return Offer(tuple([*named, *others] if way.keys_named else [*others, *named]), locked, why, agent)


async def _agents(path: str) -> tuple[asyncssh.SSHAgentClient | None, list[asyncssh.SSHKeyPair], str]:
    """The agent, the keys it holds, and why there are none."""
    if not path:
        return None, [], "there is no SSH agent"
    client: asyncssh.SSHAgentClient | None = None
    try:
        async with asyncio.timeout(AGENT_SECONDS):
            client = await asyncssh.connect_agent(path)
            keys = list(await client.get_keys())
    except TimeoutError:
        why = f"the SSH agent {path} does not answer"
    except OSError as error:
        why = f"the SSH agent {path} is gone ({error.strerror or error})"
    except ValueError as error:
        why = f"the SSH agent {path} gives no keys ({plain(str(error))})"
    else:
        return client, keys, "" if keys else f"the SSH agent {path} holds no key"
    if client is not None:
        client.close()
    return None, [], why


def _read(file: Path, *, named: bool) -> bytes | None:
    """The text of a key file; None where there is none, or, for a key everybody has, none for us."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        public = file.with_name(f"{file.name}.pub")
        try:
            return public.read_bytes()  # its other half is in the agent
        except OSError:
            return None
    except OSError as error:
        if not named:
            return None
        raise RefusedError(f"The SSH key file {file} cannot be read: {error.strerror}.") from error


def _private(file: Path, data: bytes) -> asyncssh.SSHKey | None:
    """The private key, or None when it needs a passphrase or is none.

    Raises RefusedError for what is no key at all.
    """
    if b"PRIVATE KEY" not in data:
        if _public(file, data) is None:
            raise RefusedError(f"The SSH key file {file} cannot be used: there is no key in it.")
        return None
    try:
        return asyncssh.import_private_key(data)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        if "assphrase" in str(error):
            return None
        raise RefusedError(f"The SSH key file {file} cannot be used: {plain(str(error))}.") from error


def _public(file: Path, data: bytes) -> bytes | None:
    """The public half in the form an agent lists it, from beside the file or from in it."""
    for text in (_text(file.with_name(f"{file.name}.pub")), data):
        try:
            return asyncssh.import_public_key(text).public_data
        except (asyncssh.KeyImportError, ValueError):
            continue
    try:
        return asyncssh.import_private_key(data).public_data
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError):
        return None


def _text(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _certificates(way: Way) -> dict[bytes, asyncssh.SSHCertificate]:
    """The certificates that were named, and those that lie beside the keys, by the key they are for.

    Raises RefusedError for one that was named and cannot be used.
    """
    found: dict[bytes, asyncssh.SSHCertificate] = {}
    beside = [file.with_name(f"{file.name}-cert.pub") for file in way.keys]
    for file in (*beside, *way.certificates):
        if not os.access(file, os.R_OK) and file not in way.certificates:
            continue
        try:
            certificate = asyncssh.read_certificate(file)
        except (OSError, asyncssh.KeyImportError) as error:
            why = error.strerror if isinstance(error, OSError) else plain(str(error))
            raise RefusedError(f"The SSH certificate {file} cannot be used: {why}.") from error
        found[certificate.key.public_data] = certificate
    return found


def _certified(
    pair: asyncssh.SSHKeyPair, certificate: asyncssh.SSHCertificate | None
) -> Iterable[asyncssh.SSHKeyPair]:
    """A key of an agent with the certificate for it, where there is one, and then without."""
    if certificate is None or pair.has_cert:
        return [pair]
    certified = copy.copy(pair)
    certified.set_certificate(certificate)
    return [certified, pair]
