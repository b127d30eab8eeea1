"""Real OpenSSH servers, each started with a configuration and keys of its own; and an agent."""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import psutil

from skytui.config.pairs import SshConfig

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
SSH_AGENT = shutil.which("ssh-agent")
USER = pwd.getpwuid(os.getuid()).pw_name
"""The account everybody logs in to: a server that root did not start can let in nobody else."""


class OpenSsh:
    """A server in `folder`, whose logins have the home `home` and more variables.

    `more` are lines for its configuration.
    """

    def __init__(
        self,
        folder: Path,
        *,
        home: Path | None = None,
        more: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.home = home or folder / "home"
        self.home.mkdir(exist_ok=True)
        environment = {"HOME": str(self.home), **(variables or {})}
        given = " ".join(f"{name}={value}" for name, value in environment.items())
        host_key = asyncssh.generate_private_key("ssh-ed25519")
        host_key.write_private_key(folder / "host_key")
        (folder / "host_key").chmod(0o600)
        self.host_key = host_key.export_public_key().decode().strip()
        user_key = asyncssh.generate_private_key("ssh-ed25519")
        user_key.write_private_key(folder / "key")
        (folder / "key").chmod(0o600)
        user_key.write_public_key(folder / "authorized")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {self.host_key}\n")
        (folder / "config").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {folder}/host_key\nPidFile none\nUsePAM no\n"
            f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nPasswordAuthentication no\n"
            f"PermitRootLogin prohibit-password\nMaxStartups 100\n{more}SetEnv {given}\n"
        )
        self._config = folder / "config"
        self._log = folder / "sshd.log"
        self.config = SshConfig(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            key=folder / "key",
            known_hosts=folder / "known_hosts",
            config=False,
        )

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text() if self._log.exists() else ""

    async def start(self) -> None:
        assert SSHD is not None
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self._process = subprocess.Popen([SSHD, "-D", "-f", self._config, "-E", self._log])  # noqa: ASYNC220
        async with asyncio.timeout(60):
            while "Server listening" not in self.log:
                assert self._process.poll() is None, self.log
                await asyncio.sleep(0.02)

    def drop(self) -> None:
        """Cut every connection: end the server's children, which serve one each."""
        for child in psutil.Process(self._process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                child.send_signal(signal.SIGKILL)

    def stop(self) -> None:
        self.drop()
        self._process.terminate()
        self._process.wait(60)


@asynccontextmanager
async def openssh_server(
    folder: Path,
    *,
    home: Path | None = None,
    more: str = "",
    variables: Mapping[str, str] | None = None,
) -> AsyncIterator[OpenSsh]:
    """A server until the block ends."""
    server = OpenSsh(folder, home=home, more=more, variables=variables)
    await server.start()
    try:
        yield server
    finally:
        server.stop()


@asynccontextmanager
async def agent_with(folder: Path, *keys: Path) -> AsyncIterator[str]:
    """The socket of an agent that holds these keys, until the block ends."""
    assert SSH_AGENT is not None
    path = folder / "agent"
    process = await asyncio.create_subprocess_exec(
        SSH_AGENT, "-D", "-a", path, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(60):
            while True:
                try:
                    connected = await asyncssh.connect_agent(str(path))
                    break
                except OSError:
                    await asyncio.sleep(0.02)
        async with connected as agent:
            await agent.add_keys([str(key) for key in keys])
        yield str(path)
    finally:
        process.terminate()
        await process.wait()
