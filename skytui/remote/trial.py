"""One login over SSH, tried while a configuration is written. No key is accepted that is not known."""

from skytui.clock import Clock
from skytui.config.pairs import SshConfig
from skytui.errors import RemoteError
from skytui.remote.ssh import Host

LOGIN_SECONDS = 30.0


async def try_login(name: str, config: SshConfig, clock: Clock) -> tuple[bool, str]:
    """Whether a command runs on the host, and a sentence that says so, or why not.

    A host whose key is unknown or changed is refused, as everywhere; the sentence names the key it offers.
    """
    host = Host(name, config, clock)
    try:
        done = await host.run("true", deadline=LOGIN_SECONDS)
        key = host.shown_key
    except RemoteError as error:
        return False, str(error)
    finally:
        await host.close()
    if done.code:
        return False, f"{name}: {host.where} let us in, but runs no commands: {done.complaint}."
    return True, f"{name}: logged in as {host.where}; its host key is a known one: {key}."
