"""The ways in against real OpenSSH servers: jump hosts, aliases of host keys, certificates, an agent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import asyncssh
import msgspec
import pytest

from skytui.clock import SystemClock
from skytui.config.pairs import SshConfig
from skytui.errors import RefusedError
from skytui.remote.credentials import Credentials
from skytui.remote.network import Network
from skytui.remote.ssh import Host
from tests.support.openssh import SSH_AGENT, SSHD, USER, OpenSsh, agent_with, openssh_server

pytestmark = pytest.mark.skipif(SSHD is None, reason="openssh-server is not installed")

SECONDS = 60.0


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[tuple[OpenSsh, OpenSsh]]:
    """A host and a jump host. The jump host runs no commands, as good ones do."""
    async with AsyncExitStack() as stack:
        far = await stack.enter_async_context(openssh_server(tmp_path / "far"))
        more = "PermitTTY no\nX11Forwarding no\nAllowAgentForwarding no\nForceCommand /bin/false\n"
        jump = await stack.enter_async_context(openssh_server(tmp_path / "jump", more=more))
        yield far, jump


def block(name: str, server: OpenSsh, more: str = "") -> str:
    return (
        f"Host {name}\n HostName 127.0.0.1\n Port {server.port}\n User {USER}\n IdentitiesOnly yes\n"
        f" IdentityFile {server.folder}/key\n UserKnownHostsFile {server.folder}/known_hosts\n"
        f" GlobalKnownHostsFile /dev/null\n{more}"
    )


def named(tmp_path: Path, text: str) -> SshConfig:
    (tmp_path / "ssh_config").write_text(text)
    return SshConfig(host="night-a", config=str(tmp_path / "ssh_config"))


async def ran(config: SshConfig, credentials: Credentials | None = None) -> bytes:
    host = Host("sky-a", config, SystemClock(), Network(SystemClock(), credentials or Credentials("")))
    try:
        return (await host.run("echo in", deadline=SECONDS)).stdout
    finally:
        await host.close()


async def test_an_alias_through_a_second_server(servers: tuple[OpenSsh, OpenSsh], tmp_path: Path) -> None:
    far, jump = servers
    text = block("gate", jump) + block("night-a", far, " ProxyJump gate\n")
    config = named(tmp_path, text)
    network = Network(SystemClock(), Credentials(""))
    hosts = [Host(name, config, SystemClock(), network) for name in ("sky-a", "sky-b")]
    done = await asyncio.gather(*(host.run("echo $SSH_CLIENT", deadline=SECONDS) for host in hosts * 3))
    assert all(one.code == 0 for one in done)
    for host in hosts:
        await host.close()
    assert jump.log.count("Accepted publickey") == 1
    assert far.log.count("Accepted publickey") == 2


async def test_a_host_key_under_an_alias(servers: tuple[OpenSsh, OpenSsh], tmp_path: Path) -> None:
    far, jump = servers
    (far.folder / "known_hosts").write_text(f"night {far.host_key}\n")
    assert await ran(named(tmp_path, block("night-a", far, " HostKeyAlias night\n"))) == b"in\n"
    through = block("gate", jump) + block("night-a", far, " HostKeyAlias night\n ProxyJump gate\n")
    assert await ran(named(tmp_path, through)) == b"in\n"
    with pytest.raises(RefusedError, match="its host key is not known"):
        await ran(named(tmp_path, block("night-a", far)))
    (far.folder / "known_hosts").write_text(f"night {jump.host_key}\n")
    with pytest.raises(RefusedError, match="its host key has CHANGED"):
        await ran(named(tmp_path, block("night-a", far, " HostKeyAlias night\n")))


async def test_certificates_of_users_and_hosts(tmp_path: Path) -> None:
    authority = asyncssh.generate_private_key("ssh-ed25519")
    folder = tmp_path / "far"
    folder.mkdir()
    authority.write_public_key(folder / "ca.pub")
    async with AsyncExitStack() as stack:
        server = OpenSsh(
            folder, more=f"TrustedUserCAKeys {folder}/ca.pub\nHostCertificate {folder}/host_key-cert.pub\n"
        )
        host_certificate = authority.generate_host_certificate(
            asyncssh.read_private_key(folder / "host_key"), "host", principals=["night"]
        )
        host_certificate.write_certificate(folder / "host_key-cert.pub")
        (folder / "authorized").write_text("")  # the certificate alone opens
        await server.start()
        stack.callback(server.stop)
        known = authority.export_public_key().decode().strip()
        (folder / "known_hosts").write_text(f"@cert-authority night {known}\n")
        text = block("night-a", server, f" HostKeyAlias night\n CertificateFile {folder}/signed\n")
        key = asyncssh.read_private_key(folder / "key")
        signed = authority.generate_user_certificate(key, "ann", principals=[USER])
        signed.write_certificate(folder / "signed")
        assert await ran(named(tmp_path, text)) == b"in\n"

        beside = block("night-a", server, " HostKeyAlias night\n")
        with pytest.raises(RefusedError, match="did not accept our SSH key"):
            await ran(named(tmp_path, beside))
        signed.write_certificate(folder / "key-cert.pub")
        assert await ran(named(tmp_path, beside)) == b"in\n"

        if SSH_AGENT is not None:
            (folder / "key-cert.pub").unlink()
            async with agent_with(tmp_path, folder / "key") as agent:
                (folder / "key").rename(folder / "key.away")
                key.write_public_key(folder / "key.pub")
                assert await ran(named(tmp_path, text), Credentials(agent)) == b"in\n"
            (folder / "key.away").rename(folder / "key")

        other = asyncssh.generate_private_key("ssh-ed25519")
        known = other.export_public_key().decode().strip()
        (folder / "known_hosts").write_text(f"@cert-authority night {known}\n")
        with pytest.raises(RefusedError, match="its certificate must be signed by") as error:
            await ran(named(tmp_path, text))
        assert authority.get_fingerprint() in str(error.value)
        assert other.get_fingerprint() in str(error.value)


@pytest.mark.skipif(SSH_AGENT is None, reason="openssh-client (ssh-agent) is not installed")
async def test_an_agent_with_more_keys_than_a_host_lets_try(
    servers: tuple[OpenSsh, OpenSsh], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`IdentitiesOnly`, and a key named by its public half alone, keep to the limit of tries."""
    far, _ = servers
    monkeypatch.setenv("HOME", str(tmp_path))
    others = []
    for number in range(8):
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(tmp_path / f"other{number}")
        others.append(tmp_path / f"other{number}")
    async with agent_with(tmp_path, *others, far.folder / "key") as agent:
        asyncssh.read_private_key(far.folder / "key").write_public_key(far.folder / "key.pub")
        (far.folder / "key").unlink()
        assert await ran(named(tmp_path, block("night-a", far)), Credentials(agent)) == b"in\n"
        alone = msgspec.structs.replace(far.config, key=far.folder / "key")
        assert await ran(alone, Credentials(agent)) == b"in\n"
