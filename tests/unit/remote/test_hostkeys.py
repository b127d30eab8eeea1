"""A host whose key is not known, or has changed, is refused with both fingerprints; nothing runs there."""

import re
from pathlib import Path

import asyncssh
import msgspec
import pytest

from skytui.clock import SystemClock
from skytui.errors import RefusedError
from skytui.remote.ssh import Host
from tests.unit.remote.conftest import SshServer


def line(key: asyncssh.SSHKey) -> str:
    return key.export_public_key().decode().strip()


async def refused(sshd: SshServer) -> str:
    host = Host("sky-a", sshd.config, SystemClock())
    with pytest.raises(RefusedError) as error:
        await host.run("true", deadline=60)
    await host.close()
    assert sshd.commands == []
    return str(error.value)


async def test_an_unknown_host_key_is_refused_with_its_fingerprint(sshd: SshServer) -> None:
    sshd.known_hosts.write_text(
        "other.example.com " + line(asyncssh.generate_private_key("ssh-ed25519")) + "\n"
    )
    says = await refused(sshd)
    assert f"sky-a: sky@127.0.0.1:{sshd.port} is not trusted: its host key is not known." in says
    assert f"It offers {sshd.host_key.get_fingerprint()} (ssh-ed25519);" in says
    assert f"for [127.0.0.1]:{sshd.port} none is known ({sshd.known_hosts})" in says
    assert "ssh-keygen -lf" in says


async def test_a_changed_host_key_is_refused_with_both_fingerprints(sshd: SshServer) -> None:
    known = sshd.host_key
    sshd.renew_host_key()
    await sshd.stop()
    await sshd.start()
    sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {line(known)}\n")
    says = await refused(sshd)
    assert "its host key has CHANGED." in says
    assert f"It offers {sshd.host_key.get_fingerprint()} (ssh-ed25519);" in says
    assert f"known is {known.get_fingerprint()} (ssh-ed25519) ({sshd.known_hosts})" in says
    assert f"ssh-keygen -R '[127.0.0.1]:{sshd.port}'" in says
    assert sshd.known_hosts.read_text() == f"[127.0.0.1]:{sshd.port} {line(known)}\n"


async def test_a_host_whose_only_known_key_is_of_another_kind_is_named_too(sshd: SshServer) -> None:
    known = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
    sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {line(known)}\n")
    says = await refused(sshd)
    assert sshd.host_key.get_fingerprint() in says
    assert f"known is {known.get_fingerprint()} (ecdsa-sha2-nistp256)" in says


async def test_a_revoked_host_key_is_refused(sshd: SshServer) -> None:
    sshd.known_hosts.write_text(f"@revoked * {line(sshd.host_key)}\n")
    assert re.search(
        r"not trusted: (the key it offers, SHA256:\S+ .* is revoked|host key is revoked)", await refused(sshd)
    )


async def test_the_address_of_a_host_is_not_its_name(sshd: SshServer) -> None:
    """Behind a jump host, an address may be anybody's: keys are looked up by the name alone."""
    sshd.known_hosts.write_text(f"localhost {line(sshd.host_key)}\n")
    assert "not known" in await refused(sshd)
    host = Host("sky-a", msgspec.structs.replace(sshd.config, host="localhost"), SystemClock())
    assert (await host.run("true", deadline=60)).code == 0
    await host.close()


async def test_no_known_hosts_at_all_is_no_leave_to_go_on(sshd: SshServer, tmp_path: Path) -> None:
    for value in ("none", "/dev/null", str(tmp_path / "absent")):
        (tmp_path / "config").write_text(f"UserKnownHostsFile {value}\nGlobalKnownHostsFile /dev/null\n")
        config = msgspec.structs.replace(sshd.config, known_hosts=None, config=str(tmp_path / "config"))
        host = Host("sky-a", config, SystemClock())
        with pytest.raises(RefusedError, match="its host key is not known"):
            await host.run("true", deadline=60)
        await host.close()
    assert sshd.commands == []


async def test_a_named_file_of_known_hosts_that_is_not_there_is_said(sshd: SshServer) -> None:
    sshd.known_hosts.unlink()
    assert f"The SSH known_hosts file {sshd.known_hosts} is not there." in await refused(sshd)
