"""A server behind a profile: read and acted on the way the profile says. Nothing is decided here."""

from collections.abc import AsyncIterator

import httpx

from skytui.clock import Clock
from skytui.config.pairs import PairConfig
from skytui.config.placeholders import text
from skytui.config.profile import Profile
from skytui.config.secrets import SecretStore
from skytui.drivers.acting import Actor
from skytui.drivers.driver import Said
from skytui.drivers.http import Web, WrongSecretError
from skytui.drivers.reader import Reader
from skytui.drivers.scope import Scope
from skytui.errors import RemoteError
from skytui.pair.logline import LogLine
from skytui.pair.mark import Mark, Marking, Unmarked
from skytui.pair.order import Order, Outcome
from skytui.pair.vocabulary import ServerReading
from skytui.remote.marking import clear_mark, set_mark
from skytui.remote.network import Network
from skytui.remote.ssh import Host
from skytui.remote.tail import follow_log


class ProfiledDriver:
    """One server of a pair. Implements `Driver`."""

    def __init__(
        self,
        config: PairConfig,
        server: str,
        profile: Profile,
        clock: Clock,
        secrets: SecretStore,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        network: Network | None = None,
    ) -> None:
        own = config.servers[server]
        self._profile = profile
        self._clock = clock
        self._server = server
        self._scope = Scope(config, server, secrets=secrets)
        self._web = (
            Web(own, profile.login, self._scope, transport, secrets=secrets, clock=clock) if own.url else None
        )
        self._host = Host(server, own.ssh, clock, network) if own.ssh is not None else None
        self._actor = Actor(config, server, profile=profile, secrets=secrets, web=self._web, host=self._host)
        self._reader = Reader(profile, self._scope, server, clock=clock, web=self._web, host=self._host)

    @property
    def server(self) -> str:
        """The server's fixed name."""
        return self._server

    @property
    def logs(self) -> tuple[str, ...]:
        """The names of the logs that can be followed."""
        return tuple(self._profile.logs) if self._host is not None else ()

    @property
    def reader(self) -> Reader:
        """What asks the server."""
        return self._reader

    async def read(self) -> ServerReading:
        """One poll: everything is asked at once, equal requests once."""
        asked = await self._reader.read()
        return ServerReading(**{name: one.value for name, one in asked.items()})  # type: ignore[arg-type]

    def look_again(self) -> None:
        """Ask for the slow readings anew, beside the next poll."""
        self._reader.look_again()

    async def act(self, order: Order, said: Said) -> Outcome:
        """Carry out an order, once."""
        return await self._actor.act(order, said)

    async def probe(self, order: Order, said: Said) -> Outcome:
        """What became of an order; a token that never reached the host is used up, so that it never will."""
        return await self._actor.probe(order, said)

    def preview(self, order: Order) -> str:
        """What would run where; secrets stay `{secret.NAME}`."""
        return self._actor.preview(order)

    def percent(self, order: Order, line: str) -> float | None:
        """How far this line of a command says that it is, by the pattern `progress` of its action."""
        return self._actor.percent(order, line)

    async def repair(self, name: str, order: Order, said: Said) -> Outcome:
        """Carry out a repair, once. Whether it applies is for who asks; KeyError for an unknown one."""
        return await self._actor.repair(name, order, said)

    def preview_repair(self, name: str, order: Order) -> str:
        """What a repair would run where; secrets stay `{secret.NAME}`."""
        return self._actor.preview_repair(name, order)

    async def mark(self, mark: Mark, *, take: Mark | None = None, stale: float = 0.0) -> Marking:
        """Set or refresh a run's mark on the host; see `Driver.mark`."""
        if self._host is None:
            return Unmarked(f"{self._server}: the configuration gives no ssh, so it cannot be marked.")
        try:
            return await set_mark(self._host, mark, take=take, stale=stale)
        except RemoteError as error:
            return Unmarked(str(error))

    async def unmark(self, mark: Mark) -> str:
        """Remove a run's mark from the host. Why not; empty when it is gone, or never was."""
        if self._host is None:
            return ""
        try:
            return await clear_mark(self._host, mark)
        except RemoteError as error:
            return str(error)

    async def try_login(self) -> str:
        """Why the server does not take our secrets; empty when it does, or when it cannot be asked."""
        try:
            if self._web is not None:
                await self._web.login(again=True)
        except WrongSecretError as wrong:
            return str(wrong)
        except RemoteError:  # says nothing about a secret
            return ""
        return ""

    async def follow(self, log: str) -> AsyncIterator[LogLine]:
        """The lines of a log as they are written.

        Raises KeyError for a log the profile does not name.
        """
        file = text(self._profile.logs[log].follow, self._scope)
        if self._host is None:
            raise KeyError(log)
        lines = follow_log(self._host, file)
        try:
            async for line in lines:
                yield LogLine(self._server, log, line, self._clock.now())
        finally:
            await lines.aclose()

    async def close(self) -> None:
        """Log out and end all connections."""
        await self._reader.close()
        if self._web is not None:
            await self._web.close()
        if self._host is not None:
            await self._host.close()
