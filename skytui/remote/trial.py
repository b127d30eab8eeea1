"""One login over SSH, tried while a configuration is written. No key is accepted that is not known."""

import asyncio

import asyncssh

from skytui.clock import Clock
from skytui.config.pairs import SshConfig
from skytui.errors import RemoteError
from skytui.plaintext import plain
from skytui.remote.ssh import Host

LOGIN_SECONDS = 30.0
KEY_SECONDS = 10.0


async def try_login(name: str, config: SshConfig, clock: Clock) -> tuple[bool, str]:
    """Whether a command runs on the host, and a sentence that says so, or why not.

    A host whose key is unknown or changed is refused, as everywhere; the sentence names the key it offers.
    """
    host = Host(name, config, clock)
    try:
        done = await host.run("true", deadline=LOGIN_SECONDS)
    except RemoteError as error:
        return False, str(error)
    finally:
        await host.close()
    if done.code:
        return False, f"{name}: {host.where} let us in, but runs no commands: {done.complaint}."
    key = await _offered_key(config)
    shown = f"its host key is a known one (it offers {key})" if key else "its host key is a known one"
    return True, f"{name}: logged in as {host.where}; {shown}."


async def _offered_key(config: SshConfig) -> str:
    """The fingerprint of the key that the host shows; empty where it cannot be asked directly."""
    try:
        async with asyncio.timeout(KEY_SECONDS):
            key = await asyncssh.get_server_host_key(config.host, config.port or 22, config=[])
    except (OSError, asyncssh.Error, ValueError):
        return ""
    return plain(f"{key.get_fingerprint()}, {key.get_algorithm()}") if key else ""
