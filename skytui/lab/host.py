"""A host of the practice pair: an SSH endpoint, and what happens when the machine boots.

`python -m skytui.lab.host --config conf/node.toml`. A host outlives its server; when it starts it boots the
server, unless `conf/autostart` says no. `--no-boot` leaves that out, for whoever starts the server himself.
"""

import argparse
import asyncio
import logging
import signal
import sys
import time
from pathlib import Path

import asyncssh

from skytui.errors import LabError
from skytui.lab import command, service
from skytui.lab.node import SSH_USER, NodeConfig
from skytui.lab.session import CommandSession

_LOGIN_SECONDS = 20
_log = logging.getLogger("skytui.lab.host")


class Endpoint(asyncssh.SSHServer):
    """One connection: public key only, one user, commands only."""

    def __init__(self, node: NodeConfig) -> None:
        self._node = node

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Somebody connects."""
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        """Everybody must authenticate; only the one user has keys that are let in."""
        if username == SSH_USER:
            self._connection.set_authorized_keys(str(self._node.ssh.authorized_keys))
        return True

    def auth_completed(self) -> None:
        """Somebody is in."""
        _log.info("login from %s", self._connection.get_extra_info("peername"))

    def session_requested(self) -> "asyncssh.SSHServerSession[bytes]":
        """A command or shell is wanted."""
        return CommandSession(self._node)


async def listen(node: NodeConfig) -> asyncssh.SSHAcceptor:
    """Open the SSH endpoint; the acceptor is the caller's to close."""
    return await asyncssh.listen(
        node.ssh.address,
        node.ssh.port,
        server_factory=lambda: Endpoint(node),
        server_host_keys=[str(node.ssh.host_key)],
        password_auth=False,
        kbdint_auth=False,
        gss_host=None,
        allow_pty=False,
        agent_forwarding=False,
        x11_forwarding=False,
        encoding=None,
        login_timeout=_LOGIN_SECONDS,
        reuse_address=True,
    )


def boot(node: NodeConfig) -> None:
    """What the machine does when it starts: bring up the server, unless the guard is set."""
    if not service.autostart(node):
        _log.info("autostart is no: the server of %s is not started", node.name)
        return
    try:
        with command.exclusive(node):
            service.start(node, lambda line: _log.info("boot: %s", line))
    except LabError as error:
        _log.error("boot: %s", error)


async def run(node: NodeConfig, *, boots: bool) -> None:
    """Serve until SIGTERM or SIGINT."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    (node.home / "run" / "booted").write_text(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}\n")
    acceptor = await listen(node)
    _log.info("%s listens on %s:%s", node.name, node.ssh.address, node.ssh.port)
    booting = asyncio.create_task(asyncio.to_thread(boot, node)) if boots else None
    await over.wait()
    acceptor.close()
    await acceptor.wait_closed()
    if booting is not None:
        await booting


def main() -> int:
    """The program of a host."""
    parser = argparse.ArgumentParser(prog="host", description="One host of the practice pair.")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--no-boot", action="store_true", help="do not start the server")
    arguments = parser.parse_args()
    node = NodeConfig.load(arguments.config)
    log = logging.FileHandler(node.logs / "ssh.log")
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    log.setFormatter(formatter)
    logging.basicConfig(handlers=[log], level=logging.INFO)
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    asyncio.run(run(node, boots=not arguments.no_boot))
    return 0


if __name__ == "__main__":
    sys.exit(main())
