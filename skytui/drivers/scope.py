"""What the placeholders of a profile stand for, for one server and, where something is done, one order."""

import copy
import os
import pwd
import socket

from skytui.config.pairs import PairConfig
from skytui.config.secrets import SecretStore
from skytui.errors import RefusedError
from skytui.pair.order import Expectation, Order


class Scope:
    """Gives the value of a placeholder by its name.

    Without `secrets` a secret stays what it is in the profile, `{secret.NAME}`: for previews.
    Calling it raises RefusedError for a secret that has not been given yet, KeyError for an unknown name.
    """

    def __init__(
        self,
        pair: PairConfig,
        server: str,
        order: Order | None = None,
        expects: Expectation | None = None,
        secrets: SecretStore | None = None,
    ) -> None:
        own, peer = pair.servers[server], pair.peer(server)
        self._secrets = secrets
        self._values: dict[str, object] = {
            "server.name": own.name,
            "server.address": own.address,
            "server.listen_port": own.listen_port,
            "server.ports": list(own.ports),
            "server.url": own.url,
            "home": own.home,
            "peer.name": peer.name,
            "peer.address": peer.address,
            "peer.listen_port": peer.listen_port,
            "peer.ports": list(peer.ports),
            "peer.url": peer.url,
            "peer.home": peer.home,
            "console": console_name(pair.name),
        }
        if order is not None:
            self._values |= {"queues": list(order.queues), "runs": list(order.runs), "mark": order.mark}
            expects = expects or order.expects
        if expects is not None:
            self._values |= {
                "expect.name": expects.name,
                "expect.role": expects.role.value,
                "expect.timeline": expects.timeline,
            }

    def with_item(self, item: object) -> "Scope":
        """The same, with `{item}` for one of a list."""
        scope = copy.copy(self)
        scope._values = {**self._values, "item": item}
        return scope

    def __call__(self, name: str) -> object:
        """The value of the placeholder `name`."""
        if not name.startswith("secret."):
            return self._values[name]
        if self._secrets is None:
            return "{" + name + "}"
        secret = self._secrets.get(name.removeprefix("secret."))
        if secret is None:
            raise RefusedError(self._secrets.why_missing(name.removeprefix("secret.")))
        return secret.reveal()


def console_name(pair: str) -> str:
    """What the console of `pair` calls itself: the same whenever this user starts it on this host.

    A server that knows it can tell a console that was killed and is back from somebody else.
    """
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = str(os.getuid())
    return f"skytui {pair} {user}@{socket.gethostname()}"
