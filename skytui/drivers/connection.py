"""Requests to one server over HTTP, and why one came to nothing: a sentence, and whether it was sent.

Nothing is decided by the environment: no proxy, no netrc, no cookies but a session's own.
"""

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from skytui.clock import Clock, SystemClock
from skytui.config.pairs import ServerConfig
from skytui.config.secrets import Secret, SecretStore
from skytui.drivers.proxy import proxy_for
from skytui.drivers.trust import (
    CertificateShownError,
    WrongPinError,
    context_for,
    looking_context,
    why_alerted,
    why_not_trusted,
    why_wrong_pin,
)
from skytui.errors import RefusedError, UnreachableError
from skytui.plaintext import plain

CONNECT_SECONDS = 3.0
POOL_SECONDS = 4.0
"""How long a request waits for one of the connections to be free."""
IDLE_SECONDS = 3.0
"""A connection that was idle for longer is not used again: the server may be about to close it."""
DEAD_SECONDS = 10
"""After about so long without a sign of life from the host a connection ends, and what was asked is lost."""
LOOK_SECONDS = 30.0
"""How long what was seen of a certificate that is not trusted is taken for what it still shows."""

_VALUE = re.compile(r"([!-~]([\t -~]*[!-~])?)?")
"""What a header may hold (RFC 9110, 5.5), in ASCII."""


class NotSentError(UnreachableError):
    """No connection came about: the server was sent nothing."""


class AtProxyError(NotSentError):
    """The proxy could not be reached, or did not let us through: the server was not asked."""


class AnswerLostError(UnreachableError):
    """A request was sent, or part of it, and no answer came: the server may have done what was asked."""


class WrongSecretError(RefusedError):
    """The other side did not take a user or a password; `given` are the secrets it was sent, by name."""

    def __init__(self, message: str, given: dict[str, Secret | None]) -> None:
        super().__init__(message)
        self.given = given


class Session:
    """Who we are to the server: headers and cookies that go with a request. Shows itself nowhere.

    `proven`: the server has answered a request with it as one that it knows.
    """

    __slots__ = ("cookies", "headers", "proven")

    def __init__(self, headers: dict[str, str] | None = None) -> None:
        self.headers = headers or {}
        self.cookies = httpx.Cookies()
        self.proven = False

    def __repr__(self) -> str:
        return "Session(…)"


class _Tunnel:
    """Whether a request still waits for the proxy's leave. Called by httpx with what it does next."""

    def __init__(self) -> None:
        self.begun = False
        self.waits = False

    async def __call__(self, event: str, info: dict[str, Any]) -> None:
        """`waits` needs proof (CONNECT went out, and no request after it); without one, it was sent."""
        if event.endswith("send_request_headers.started"):
            self.waits = getattr(info.get("request"), "method", b"") == b"CONNECT"
            self.begun = self.begun or self.waits


class Connection:
    """The connections to one server.

    Raises ConfigError when a file or a proxy that the configuration names cannot be used.
    """

    def __init__(
        self,
        server: ServerConfig,
        secrets: SecretStore,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._server = server
        self._secrets = secrets
        self._transport = transport
        self._clock = clock or SystemClock()
        self._context = context_for(server)
        self._proxy = proxy_for(server)
        self._password: Secret | None = self._proxy.password if self._proxy else None
        self._let_through = False
        self._turned_away: WrongSecretError | None = None
        self._first, self._looking = asyncio.Lock(), asyncio.Lock()
        self._looked: tuple[float, bytes] | None = None
        self._client: httpx.AsyncClient | None = None
        self._old: list[httpx.AsyncClient] = []

    @property
    def name(self) -> str:
        """The server's."""
        return self._server.name

    async def request(
        self,
        method: str,
        path: str,
        session: Session,
        *,
        json: object = None,
        form: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        deadline: float,
    ) -> httpx.Response:
        """Send a request, and take its answer; a redirect is one.

        Raises NotSentError, AnswerLostError; WrongSecretError when the proxy does not take our password.
        """
        sent: dict[str, Any] = {"json": json, "data": form, "headers": {**session.headers, **(headers or {})}}
        if not all(map(_VALUE.fullmatch, sent["headers"].values())):  # httpx would say so with the value
            why = "a header would hold a character that none may hold"
            raise NotSentError(self.says(f"{method} {path} cannot be sent as it stands: {why}"))
        if self._proxy is None or not self._proxy.user or self._let_through:
            return await self._request(method, path, session, sent, deadline)
        async with self._first:  # one alone: a wrong password is not sent ten times at once
            return await self._request(method, path, session, sent, deadline)

    def again(self) -> None:
        """A person wants the proxy's password tried again."""
        self._turned_away = None

    async def close(self) -> None:
        """Close all connections."""
        clients, self._client, self._old = [self._client, *self._old], None, []
        for client in clients:
            if client is not None:
                await client.aclose()

    def says(self, what: str) -> str:
        """A sentence about the server."""
        return f"{self._server.name}: {what.rstrip('. ')}."

    async def _request(
        self, method: str, path: str, session: Session, sent: dict[str, Any], deadline: float
    ) -> httpx.Response:
        client, tunnel = await self._open_client(), _Tunnel()
        what = f"{method} {path}"
        try:
            async with asyncio.timeout(deadline):
                request = client.build_request(
                    method,
                    path,
                    **sent,
                    timeout=httpx.Timeout(
                        deadline, connect=CONNECT_SECONDS, pool=min(deadline, POOL_SECONDS)
                    ),
                    extensions={"trace": tunnel},
                )
                session.cookies.set_cookie_header(request)
                response = await client.send(request)
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout):
            if tunnel.waits:
                raise self._proxy_error(f"does not answer within {deadline:g} s") from None
            raise AnswerLostError(self.says(f"no answer to {what} within {deadline:g} s")) from None
        except httpx.ProxyError as error:
            raise self._not_let_through(str(error)) from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise await self._not_connected(error, tunnel) from error
        except (httpx.HTTPError, OSError) as error:
            raise self._lost(error, what, tunnel) from error
        except (httpx.InvalidURL, ValueError, TypeError) as error:  # raised while it is put together
            why = plain(str(error))
            raise NotSentError(self.says(f"{what} cannot be sent as it stands: {why}")) from error
        self._let_through = True
        session.cookies.extract_cookies(response)
        return response

    async def _open_client(self) -> httpx.AsyncClient:
        """The client; a new one where the proxy's password is another than before.

        Raises RefusedError while that has not been given, or was refused.
        """
        if self._turned_away is not None:
            raise self._turned_away
        if self._proxy is not None and self._proxy.secret:
            password = self._secrets.get(self._proxy.secret)
            if password is None:
                raise RefusedError(self._secrets.why_missing(self._proxy.secret))
            if password != self._password:
                self._password, self._let_through = password, False
                if self._client is not None:
                    self._old.append(self._client)
                self._client = None
        if self._client is None:
            self._client = self._make_client(self._context)
        return self._client

    def _make_client(self, context: ssl.SSLContext) -> httpx.AsyncClient:
        proxy = None
        if self._proxy is not None:
            password = self._password.reveal() if self._password else ""
            login = (self._proxy.user, password) if self._proxy.user else None
            proxy = httpx.Proxy(self._proxy.url, auth=login)
        transport = self._transport or httpx.AsyncHTTPTransport(
            verify=context,
            limits=httpx.Limits(max_connections=10, keepalive_expiry=IDLE_SECONDS),
            trust_env=False,
            proxy=proxy,
            socket_options=_notice_silence(),
        )
        return httpx.AsyncClient(
            base_url=self._server.url,
            follow_redirects=False,
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            transport=transport,
        )

    # -- why not

    def _proxy_error(self, why: str) -> AtProxyError:
        proxy = self._proxy.url if self._proxy else "the proxy"
        return AtProxyError(self.says(f"the proxy {proxy} {why}; {self._server.name} was not asked"))

    def _not_let_through(self, words: str) -> RefusedError | NotSentError:
        """The proxy answered for itself: `words` are its status and reason."""
        proxy, words = self._proxy, plain(words).strip()
        if proxy is None or not words.startswith("407"):
            return self._proxy_error(f"makes no connection to {self._server.url} ({words})")
        if not proxy.user:
            return self._proxy_error(
                f"wants a login ({words}): give `proxy_user` and `proxy_secret`, or for the environment's "
                "proxy a login in HTTPS_PROXY"
            )
        says = self.says(f"the proxy {proxy.url} refused the login of {proxy.user}: {words}")
        given = {proxy.secret: self._password} if proxy.secret else {}
        self._turned_away = None if proxy.secret else WrongSecretError(says, {})
        return WrongSecretError(says, given)

    async def _not_connected(self, error: httpx.HTTPError, tunnel: _Tunnel) -> NotSentError:
        url = self._server.url
        if isinstance(error, httpx.PoolTimeout):
            return NotSentError(
                self.says(f"all connections to {url} are taken by requests it has not answered")
            )
        tls = next((cause for cause in causes(error) if isinstance(cause, ssl.SSLError)), None)
        if self._proxy is not None and tls is None and not tunnel.begun:
            return self._proxy_error(_why_not_reached(error))
        if self._proxy is not None and tls is None:
            return NotSentError(
                self.says(f"{url}, asked by the proxy {self._proxy.url}, ends the connection")
            )
        why = _why_not_reached(error) if tls is None else await self._why_no_tls(tls)
        return NotSentError(self.says(f"{url} {why}"))

    def _lost(self, error: Exception, what: str, tunnel: _Tunnel) -> UnreachableError:
        tls = next((cause for cause in causes(error) if isinstance(cause, ssl.SSLError)), None)
        if tls is not None and (why := why_alerted(self._server, tls)):
            # In TLS 1.3 the server says so after our first bytes, which it has then not taken.
            return NotSentError(self.says(f"{self._server.url} {why}"))
        words = plain(str(error)) or type(error).__name__
        if tunnel.waits:
            return self._proxy_error(f"does not answer as a proxy does ({words})")
        return AnswerLostError(self.says(f"the answer to {what} was lost: {words}"))

    async def _why_no_tls(self, error: ssl.SSLError) -> str:
        if isinstance(error, WrongPinError):
            return why_wrong_pin(self._server, error)
        if isinstance(error, ssl.SSLCertVerificationError):
            return why_not_trusted(self._server, error, await self._look(), self._clock.now())
        if isinstance(error, ssl.SSLEOFError):
            return "ends the connection before TLS is set up"
        return (
            why_alerted(self._server, error)
            or f"does not speak TLS as it should: {plain(error.reason or str(error))}"
        )

    async def _look(self) -> bytes:
        """The certificate (DER) the server shows, with nothing sent to it; empty when it cannot be seen."""
        async with self._looking:
            now = asyncio.get_running_loop().time()
            if self._looked is None or now - self._looked[0] > LOOK_SECONDS:
                self._looked = now, await self._seen()
            return self._looked[1]

    async def _seen(self) -> bytes:
        async with self._make_client(looking_context()) as client:
            try:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CONNECT_SECONDS):
                        await client.get("/")
            except (httpx.HTTPError, OSError) as error:
                return next((one.der for one in causes(error) if isinstance(one, CertificateShownError)), b"")
        return b""


def _notice_silence() -> list[tuple[int, int, int]]:
    """Options with which the loss of a host is noticed while an answer is waited for, about `DEAD_SECONDS`.

    A host that lives acknowledges, however long its answer takes. Names differ between systems.
    """
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    values = {
        "TCP_KEEPIDLE": DEAD_SECONDS // 2,
        "TCP_KEEPINTVL": DEAD_SECONDS // 4,
        "TCP_KEEPCNT": 2,
        "TCP_USER_TIMEOUT": DEAD_SECONDS * 1000,
    }
    for name, value in values.items():
        if (number := getattr(socket, name, None)) is not None:
            options.append((socket.IPPROTO_TCP, number, value))
    return options


def causes(error: BaseException) -> Iterator[BaseException]:
    """The chain of causes; where several addresses were tried, with what became of each."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        if isinstance(cause, BaseExceptionGroup):
            for one in cause.exceptions:
                yield from causes(one)
        cause = cause.__cause__ or cause.__context__


def _why_not_reached(error: httpx.HTTPError) -> str:
    """What the address does, as the operating system says it at the end of the chain of causes.

    httpx and anyio put their own words ("All connection attempts failed") in front of it.
    """
    if isinstance(error, httpx.TimeoutException):
        return f"does not answer within {CONNECT_SECONDS:g} s"
    for cause in causes(error):
        match cause:
            case ConnectionRefusedError():
                return "refuses connections"
            case socket.gaierror():
                return f"has a name that is not found: {plain(cause.strerror or str(cause))}"
            case OSError(strerror=str(words)) if cause.errno is not None:
                return f"cannot be reached: {plain(words)}"
    return f"cannot be reached: {plain(str(error)) or type(error).__name__}"
