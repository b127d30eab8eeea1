"""All connections of a process: one to each host, and one to each jump host, shared by those behind it.

A connection is kept alive and rebuilt after a drop. It is made in the background of those who wait for it, so
that a person has time to answer what a host asks.
"""

import asyncio
import math
from collections.abc import Callable

import asyncssh

from skytui.clock import Clock, Instant
from skytui.errors import RefusedError, RemoteError, UnreachableError
from skytui.plaintext import plain
from skytui.remote.client import LoginClient
from skytui.remote.credentials import Credentials
from skytui.remote.hostkeys import HostKeys, fingerprint
from skytui.remote.keys import ATTACH, Offer, offer
from skytui.remote.proxycommand import ProxyCommand
from skytui.remote.sshconfig import Destination, Way, way_to, where_asked

CONNECT_SECONDS = 5.0
LOGIN_SECONDS = 10.0
PERSON_SECONDS = 115.0
"""How long a login may wait for a person; OpenSSH's server gives up after 120 s (`LoginGraceTime`)."""
KEEPALIVE_SECONDS = 5.0
KEEPALIVE_COUNT = 3
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 5.0
DENIED_PAUSE = 30.0
"""Between logins that a host refused: hosts lock out who tries too often."""

ANSWER = "Answer it in the console."
_LONGEST_LOGIN = CONNECT_SECONDS + LOGIN_SECONDS + 3 * PERSON_SECONDS


class Network:
    """The connections. `credentials` are shared by all of them."""

    def __init__(self, clock: Clock, credentials: Credentials | None = None) -> None:
        self.clock = clock
        self.credentials = credentials or Credentials()
        self._jumps: dict[tuple[Destination, ...], Line] = {}
        self._users: set[Line] = set()

    def line(self, name: str, to: Destination) -> "Line":
        """A connection of one host's own; nothing is connected yet. It is its holder's to close."""
        line = Line(name, to, self)
        self._users.add(line)
        return line

    def over(self, jumps: tuple[Destination, ...], trail: tuple[Destination, ...]) -> "Line | None":
        """The connection to the last of these jump hosts, by way of those before it. `trail` is behind it.

        Raises RefusedError for a jump host that is reached through itself.
        """
        if not jumps:
            return None
        last = jumps[-1]
        if last in trail:
            raise RefusedError(f"the jump host {where_asked(last)} is to be reached through itself.")
        if jumps not in self._jumps:
            self._jumps[jumps] = Line(f"jump host {last.host}", last, self, jumps[:-1], trail)
        return self._jumps[jumps]

    async def closed(self, line: "Line") -> None:
        """A line was closed; with the last one the jump hosts are let go of."""
        self._users.discard(line)
        if not self._users:
            jumps, self._jumps = self._jumps, {}
            for jump in reversed(jumps.values()):
                await jump.close()


class _Failure:
    """Why the last attempt failed, and until when, or what, that is the answer."""

    def __init__(self, error: RemoteError, since: Instant, pause: float, round_: int) -> None:
        self.error = error
        self.since = since
        self.pause = pause
        self.round = round_


class Line:
    """One SSH connection.

    A failed attempt is not repeated before a pause has gone by, or somebody has come or given something that
    may help; until then the same answer is given at once, so that polls do not pile up on a dead host.
    """

    def __init__(
        self,
        name: str,
        to: Destination,
        network: Network,
        before: tuple[Destination, ...] = (),
        trail: tuple[Destination, ...] = (),
    ) -> None:
        self.name = name
        self.where = where_asked(to)
        self._to = to
        self._network = network
        self._before = before
        self._trail = (*trail, to)
        self._connection: asyncssh.SSHClientConnection | None = None
        self._attempt: asyncio.Task[asyncssh.SSHClientConnection] | None = None
        self._asking: asyncio.Event = asyncio.Event()
        self._question = ""
        self._failure: _Failure | None = None
        self._proxy: ProxyCommand | None = None
        self._closed = False

    async def connected(self, end: float) -> asyncssh.SSHClientConnection:
        """The connection, made if there is none; waited for until `end` by the loop's clock.

        Raises UnreachableError when there is none in time, RefusedError when a person has to do something
        first. An attempt goes on behind whoever no longer waits for it.
        """
        if self._closed:
            raise UnreachableError(f"{self.name}: the connection was closed by us.")
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        self._connection = None
        if self._attempt is None:
            if (still := self._why_not()) is not None:
                raise still
            self._attempt = asyncio.create_task(self._try())
            self._attempt.add_done_callback(self._over)
        return await self._wait(self._attempt, end)

    @property
    def shown_key(self) -> str:
        """The fingerprint of the host's key; empty while there is no connection."""
        key = self._connection.get_server_host_key() if self._connection else None
        return fingerprint(key) if key else ""

    def drop(self, connection: asyncssh.SSHClientConnection) -> None:
        """A connection that does not answer is not asked again."""
        if self._connection is connection:
            self._connection = None
        connection.abort()

    async def close(self) -> None:
        """End the connection; nothing can be asked afterwards."""
        self._closed = True
        connection, self._connection = self._connection, None
        if self._attempt is not None:
            self._attempt.cancel()
            await asyncio.wait({self._attempt})
        if connection is not None:
            connection.close()
            await connection.wait_closed()
        await self._end_proxy()
        await self._network.closed(self)

    async def _wait(
        self, attempt: "asyncio.Task[asyncssh.SSHClientConnection]", end: float
    ) -> asyncssh.SSHClientConnection:
        asking = asyncio.create_task(self._asking.wait())
        try:
            left = end - asyncio.get_running_loop().time()
            done, _ = await asyncio.wait(
                {attempt, asking}, timeout=max(left, 0), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            asking.cancel()
        if attempt in done:
            if attempt.cancelled():
                raise UnreachableError(f"{self.name}: the connection was closed by us.")
            return attempt.result()
        if asking in done:
            raise RefusedError(f"{self.name}: {self.where} asks: {self._question}.", hint=ANSWER)
        raise UnreachableError(f"{self.name}: no SSH connection to {self.where} in time.")

    def _why_not(self) -> RemoteError | None:
        """What the last attempt came to, while that is all there is to say."""
        credentials, failure = self._network.credentials, self._failure
        if question := credentials.question_of(self.where):
            return RefusedError(f"{self.name}: {question}.", hint=ANSWER)
        if failure is None or failure.round != credentials.round:
            return None
        waited = self._network.clock.instant().since(failure.since)
        return failure.error if waited < failure.pause else None

    async def _try(self) -> asyncssh.SSHClientConnection:
        credentials = self._network.credentials
        begun = credentials.round
        try:
            self._connection = await self._connect()
        except RemoteError as error:
            before = self._failure.pause if self._failure else 0.0
            pause = min(max(2 * before, FIRST_PAUSE), LONGEST_PAUSE)
            if isinstance(error, _DeniedError):
                pause = error.pause
            self._failure = _Failure(error, self._network.clock.instant(), pause, begun)
            raise
        self._failure = None
        return self._connection

    def _over(self, attempt: "asyncio.Task[asyncssh.SSHClientConnection]") -> None:
        self._attempt = None
        self._ask("")
        if not attempt.cancelled():
            attempt.exception()  # whoever waited has it; nobody may have

    def _ask(self, question: str) -> None:
        self._question = question
        if question:
            self._asking.set()
        else:
            self._asking.clear()

    async def _end_proxy(self) -> None:
        proxy, self._proxy = self._proxy, None
        if proxy is not None:
            await proxy.close()

    async def _connect(self) -> asyncssh.SSHClientConnection:
        await self._end_proxy()
        try:
            way = await asyncio.to_thread(way_to, self._to)  # `Match exec` runs a command
            self.where = way.where
            keys = HostKeys(way)
            tunnel = await self._tunnel(way)
            offered = await offer(way, self._network.credentials)
        except RefusedError as error:
            raise RefusedError(f"{self.name}: {error}") from error
        except UnreachableError as error:
            raise UnreachableError(f"{self.name}: {error}") from error
        try:
            proxy = await ProxyCommand.start(way.proxy_command) if way.proxy_command else None
            try:
                connection = await self._login(way, keys, tunnel or proxy, offered)
            except BaseException as error:
                words = await proxy.close() if proxy else ""
                if words and type(error) is UnreachableError:
                    raise UnreachableError(f"{error} Its proxy command said: {words}") from error
                raise
            self._proxy = proxy
            return connection
        finally:
            offered.close()

    async def _tunnel(self, way: Way) -> asyncssh.SSHClientConnection | None:
        """The connection to the jump host right before this one, where there is one."""
        over = self._network.over(self._before or way.jumps, self._trail)
        if over is None:
            return None
        return await over.connected(asyncio.get_running_loop().time() + _LONGEST_LOGIN)

    async def _login(
        self,
        way: Way,
        keys: HostKeys,
        over: "asyncssh.SSHClientConnection | ProxyCommand | None",
        offered: Offer,
    ) -> asyncssh.SSHClientConnection:
        credentials = self._network.credentials
        loop = asyncio.get_running_loop()
        limit = asyncio.timeout(CONNECT_SECONDS)

        def allow(seconds: float) -> None:
            limit.reschedule(loop.time() + seconds)

        def asking(question: str) -> None:
            self._ask(question)
            allow(PERSON_SECONDS if question else LOGIN_SECONDS)

        client = LoginClient(way.where, credentials, reached=lambda: allow(LOGIN_SECONDS), asking=asking)
        refused = "the connection was lost"
        try:
            async with limit:
                connection = await self._open(way, keys, over, offered, lambda: client)
            refused = ""
            return connection
        except asyncssh.HostKeyNotVerifiable as error:
            raise keys.why_not(self.name, client.offered, str(error)) from error
        except asyncssh.PermissionDenied as error:
            refused = f"{way.where} did not accept it"
            raise self._denied(way, offered, client) from error
        except TimeoutError as error:
            raise UnreachableError(f"{self.name}: no SSH connection to {way.where}: no answer.") from error
        except asyncssh.ChannelOpenError as error:
            raise UnreachableError(
                f"{self.name}: the jump host has no connection to {way.where} for us: {why(error)}."
            ) from error
        except (OSError, asyncssh.Error) as error:
            raise UnreachableError(f"{self.name}: no SSH connection to {way.where}: {why(error)}.") from error
        except ValueError as error:  # what asyncssh raises for what it cannot use of the configuration
            raise RefusedError(f"{self.name}: {way.where} cannot be asked: {why(error)}.") from error
        finally:
            credentials.login_over(way.where, refused)

    async def _open(
        self,
        way: Way,
        keys: HostKeys,
        over: "asyncssh.SSHClientConnection | ProxyCommand | None",
        offered: Offer,
        client: Callable[[], LoginClient],
    ) -> asyncssh.SSHClientConnection:
        # What is not said here is what the files say: ciphers, address family, and so on.
        return await asyncssh.connect(
            self._to.host,
            self._to.port if self._to.port is not None else (),
            username=way.user,
            client_factory=client,
            config=[str(file) for file in way.files],
            tunnel=None if isinstance(over, ProxyCommand) else over,
            sock=over.socket if isinstance(over, ProxyCommand) else None,
            proxy_command=None,
            known_hosts=keys.match,
            host_key_alias=way.known_as if way.known_as != way.host else None,
            server_host_key_algs=() if way.host_key_algorithms else keys.algorithms(),
            client_keys=list(offered.pairs) or None,
            client_certs=[],
            agent_path=None,
            agent_identities=None,
            agent_forwarding=False,
            x11_forwarding=False,
            x509_trusted_certs=None,
            x509_trusted_cert_paths=[],
            gss_kex=False,
            gss_auth=False,
            gss_host=None,
            host_based_auth=False,
            client_host_keysign=False,
            password_auth=False,
            preferred_auth=["publickey", "keyboard-interactive"],
            pkcs11_provider=None,
            command=None,
            request_pty=False,
            env=None,
            send_env=None,
            keepalive_interval=KEEPALIVE_SECONDS,
            keepalive_count_max=KEEPALIVE_COUNT,
            connect_timeout=_LONGEST_LOGIN,
            login_timeout=_LONGEST_LOGIN,
        )

    def _denied(self, way: Way, offered: Offer, client: LoginClient) -> RemoteError:
        """Why the host let us not in, and what would help."""
        if client.refused is not None:  # nobody was there to be asked
            return _DeniedError(f"{self.name}: {client.refused}", pause=math.inf)
        for file, data in offered.locked.items():
            self._network.credentials.want_passphrase(file, data)
        if client.answered:
            return _DeniedError(f"{self.name}: {way.where} did not accept the answer.")
        if offered.locked:
            files = " and ".join(map(str, offered.locked))
            return _DeniedError(f"{self.name}: no SSH key: the passphrase of {files} is wanted.")
        if not offered.pairs:
            why_none = f" ({offered.why})" if offered.why else ""
            return _DeniedError(f"{self.name}: no SSH key{why_none}.", hint=ATTACH)
        more = f"; {offered.why}" if offered.why and not way.only_these_keys else ""
        return _DeniedError(f"{self.name}: {way.where} did not accept our SSH key{more}.")


class _DeniedError(RefusedError):
    """The host does not let us in with what we have. It is not tried again within `pause` seconds."""

    def __init__(self, message: str, *, hint: str = "", pause: float = DENIED_PAUSE) -> None:
        super().__init__(message, hint=hint)
        self.pause = pause


def why(error: BaseException) -> str:
    """What went wrong, in the middle of a sentence; harmless."""
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, OSError) and error.strerror:
        return plain(error.strerror)
    text = plain(str(error)).rstrip(".") or type(error).__name__
    return text[0].lower() + text[1:] if text[:1].isupper() and text[1:2].islower() else text
