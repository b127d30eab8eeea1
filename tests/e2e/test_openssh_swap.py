"""A whole planned swap over real OpenSSH servers, through another one as jump host."""

import asyncio
import tomllib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from skytui import paths
from skytui.lab import processes, tomlfile
from tests.e2e.conftest import Practice
from tests.e2e.roles import check_replication, check_roles
from tests.e2e.test_headless_swap import swap_options
from tests.support.openssh import SSHD, USER, OpenSsh, openssh_server

pytestmark = [
    pytest.mark.pair,
    pytest.mark.slow,
    pytest.mark.skipif(SSHD is None, reason="openssh-server is not installed"),
]

HOSTS = ("sky-a", "sky-b")


@pytest.fixture
async def doors(practice: Practice, tmp_path: Path) -> AsyncIterator[dict[str, OpenSsh]]:
    """A server of OpenSSH's for each host of the pair, with that host's home, and one to jump over."""
    async with AsyncExitStack() as stack:
        servers = {
            host: await stack.enter_async_context(
                openssh_server(
                    tmp_path / f"sshd-{host}",
                    home=practice.places.home(host),
                    variables={processes.MARK: str(practice.places.lab), processes.HOST_MARK: host},
                )
            )
            for host in HOSTS
        }
        more = "ForceCommand /bin/false\nPermitTTY no\nAllowAgentForwarding no\n"
        servers["gate"] = await stack.enter_async_context(openssh_server(tmp_path / "sshd-gate", more=more))
        yield servers


def by_way_of(practice: Practice, doors: dict[str, OpenSsh], folder: Path) -> None:
    """From now on the pair is reached by aliases of an SSH configuration, and these lead over the gate."""
    blocks = []
    for alias, server in doors.items():
        blocks.append(
            f"Host {alias}\n HostName 127.0.0.1\n Port {server.port}\n User {USER}\n IdentitiesOnly yes\n"
            f" IdentityFile {server.folder}/key\n HostKeyAlias {alias}.example.com\n"
        )
    blocks.append(f"Host sky-*\n ProxyJump gate\nHost *\n UserKnownHostsFile {folder}/known_hosts\n")
    known = [f"{alias}.example.com {server.host_key}\n" for alias, server in doors.items()]
    (folder / "known_hosts").write_text("".join(known))
    (folder / "ssh_config").write_text("".join(blocks))
    given = tomllib.loads(practice.places.pair_toml.read_text())
    for host in HOSTS:
        table = {"host": host, "config": str(folder / "ssh_config")}
        given["pair"][paths.PRACTICE]["server"][host]["ssh"] = table
    mine = paths.config_dir() / "config.toml"
    mine.parent.mkdir(parents=True)
    tomlfile.dump(mine, given)


def logins(practice: Practice) -> list[int]:
    """How often somebody logged in to the hosts' own endpoints."""
    logs = [practice.node(host).logs / "ssh.log" for host in HOSTS]
    return [log.read_text().count("login from") if log.exists() else 0 for log in logs]


async def test_a_planned_swap_through_a_jump_host(
    practice: Practice, doors: dict[str, OpenSsh], tmp_path: Path
) -> None:
    by_way_of(practice, doors, tmp_path)
    timeline = int(practice.psql("sky-a", "SELECT timeline_id FROM pg_control_checkpoint()"))
    before = logins(practice)
    options = ("swap", paths.PRACTICE, "--headless", "--yes", *swap_options("sky-a", "sky-b"))
    done = await asyncio.to_thread(practice.skytui, *options, seconds=600)
    assert done.returncode == 0, done.stderr
    check_roles(practice, master="sky-b", standby="sky-a", timeline=timeline + 1)
    check_replication(practice, master="sky-b", standby="sky-a", mark="mark_ssh")
    assert logins(practice) == before, "nobody came by another way"
    for server in doors.values():
        assert server.log.count("Accepted publickey") >= 1, server.log
