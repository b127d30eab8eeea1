"""The secrets a person must still give: asked for, tried at once, and asked for again when refused."""

import asyncio
from collections.abc import Callable, Mapping

from skytui.config.secrets import Secret, SecretStore
from skytui.drivers.driver import Driver
from skytui.errors import ConfigError
from skytui.link.wire import GiveSecret, SecretsWanted


class Wanted:
    """Keeps clients told of what is wanted; `also` gives what hosts ask besides.

    A request returns why it was refused, empty when it counted.

    Nothing that was refused is tried again before a person says so: a server may lock the account.
    """

    def __init__(
        self,
        secrets: SecretStore,
        drivers: Mapping[str, Driver],
        *,
        also: Callable[[], tuple[str, ...]] = tuple,
        publish: Callable[[SecretsWanted], None],
        trouble: Callable[[str], None],
    ) -> None:
        self._secrets = secrets
        self._drivers = drivers
        self._also = also
        self._publish = publish
        self._trouble = trouble
        self._told = self.now

    @property
    def now(self) -> SecretsWanted:
        """What is wanted, of the pair and by its hosts, and what of it was refused."""
        return SecretsWanted(tuple(self._secrets.missing()), self._secrets.refused(), self._also())

    def tell(self, *, aloud: bool = True) -> None:
        """Tell everybody, if it has changed; aloud, where nobody waits for the answer."""
        before, self._told = self._told, self.now
        if self._told == before:
            return
        self._publish(self._told)
        for name, why in self._told.refused.items():
            if aloud and before.refused.get(name) != why:
                self._trouble(f"The secret {name} is asked for again: {why}")

    async def take(self, request: GiveSecret) -> str:
        """Try a secret that a person gave, and keep it in memory if it is right."""
        if request.name not in self._secrets.missing():
            return f"no secret {request.name} is wanted"
        self._secrets.put(request.name, Secret(request.value))
        refused = await self._try(request.name)
        self.tell(aloud=False)
        return refused

    async def again(self) -> str:
        """Fetch what is wanted from its file, variable or command once more, and try it."""
        wanted = self._secrets.missing()
        try:
            await asyncio.to_thread(self._secrets.resolve)
        except ConfigError as error:
            return str(error)
        fetched = [name for name in wanted if name not in self._secrets.missing()]
        answers = [refused for name in fetched if (refused := await self._try(name))]
        self.tell(aloud=False)
        return answers[0] if answers else ""

    async def _try(self, name: str) -> str:
        """Log in everywhere. Why the secret was refused, empty when nobody did."""
        secret = self._secrets.get(name)
        for driver in self._drivers.values():
            refused = await driver.try_login()
            if refused and secret is not None:
                self._secrets.refuse(name, secret, refused)
        # A poll may have tried it meanwhile, and have had the refusal.
        return self._secrets.refused().get(name, "")
