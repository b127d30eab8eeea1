"""One server over HTTP: one client, one session, logged in again when the server has forgotten it."""

import asyncio
import socket
import ssl
from collections.abc import Iterator

import httpx
import msgspec

from skytui.config.pairs import ServerConfig
from skytui.config.placeholders import Fill, fill, text
from skytui.config.profile import LoginSpec
from skytui.errors import ConfigError, RefusedError, UnreachableError
from skytui.plaintext import plain

CONNECT_SECONDS = 3.0
LOGIN_SECONDS = 10.0
IDLE_SECONDS = 3.0
"""A connection that was idle for longer is not used again: the server may be about to close it."""


class NotSentError(UnreachableError):
    """No connection came about: the server was sent nothing."""


class AnswerLostError(UnreachableError):
    """A request was sent, or part of it, and no answer came: the server may have done what was asked."""


class WrongSecretError(RefusedError):
    """The server did not take the user or the password."""


class Reply(msgspec.Struct, frozen=True):
    """A status and a body, with all text made harmless; a body that is no JSON is its text.

    `content` is the body as it came; `next` the address of the next page, by the `Link` header (RFC 8288).
    """

    status: int
    body: object
    content: bytes = b""
    next: str = ""

    @property
    def message(self) -> str:
        """The server's own words about an error, or the start of what it sent."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        said = (
            error.get("message")
            if isinstance(error, dict)
            else self.body
            if isinstance(self.body, str)
            else ""
        )
        return said[:300].rstrip(".") if isinstance(said, str) else ""


def clean(value: object) -> object:
    """Decoded JSON with all its text made harmless."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        return {plain(str(key)): clean(item) for key, item in value.items()}
    return value


class Web:
    """The HTTP side of one server. Raises ConfigError when its CA file cannot be used."""

    def __init__(
        self,
        server: ServerConfig,
        login: LoginSpec | None,
        look_up: Fill,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._server = server
        self._login = login
        self._look_up = look_up
        self._token = ""
        self._refused: tuple[object, RefusedError] | None = None
        self._lock = asyncio.Lock()
        self._client = httpx.AsyncClient(
            base_url=server.url,
            verify=_trust(server),
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=10, keepalive_expiry=IDLE_SECONDS),
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    async def get(self, path: str, deadline: float) -> Reply:
        """Ask for `path`. What needs no login is answered without one.

        Raises NotSentError, AnswerLostError; RefusedError when the server wants a login and there is none.
        """
        try:
            return await self.send("GET", path, deadline=deadline)
        except RefusedError as refused:
            reply = await self._request("GET", path, headers={}, deadline=deadline)
            if reply.status == 401:
                raise refused from None
            return reply

    async def send(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        headers: dict[str, str] | None = None,
        deadline: float,
    ) -> Reply:
        """Send a request with our session; where the server does not know it any more, log in and send again.

        Raises NotSentError, AnswerLostError; RefusedError when we cannot log in.
        """
        token = await self._session()
        reply = await self._request(
            method, path, json=json, headers=self._with(token, headers), deadline=deadline
        )
        if reply.status != 401 or self._login is None:
            return reply
        token = await self._session(instead_of=token)  # a 401 means that nothing was done
        return await self._request(
            method, path, json=json, headers=self._with(token, headers), deadline=deadline
        )

    async def login(self) -> None:
        """Open a session now, if there is none.

        Raises NotSentError, AnswerLostError; WrongSecretError when the server does not take the password;
        RefusedError when there is none, or the server lets nobody in now.
        """
        await self._session()

    async def close(self) -> None:
        """Log out, if the server can be reached, and close all connections."""
        try:
            if self._login is not None and self._login.logout and self._token:
                headers, self._token = self._with(self._token, None), ""
                await self._request("DELETE", self._login.logout, headers=headers, deadline=CONNECT_SECONDS)
        except UnreachableError:  # the session ends by itself, and whoever closes us wants no answer
            pass
        finally:
            await self._client.aclose()

    def _with(self, token: str, headers: dict[str, str] | None) -> dict[str, str]:
        if self._login is None or not token:
            return headers or {}
        value = text(self._login.value, lambda hole: token if hole == "token" else self._look_up(hole))
        return {**(headers or {}), self._login.header: value}

    async def _session(self, instead_of: str = "") -> str:
        if self._login is None:
            return ""
        async with self._lock:
            if self._token and self._token != instead_of:
                return self._token
            self._token = ""
            body = fill(self._login.json, self._look_up)
            if self._refused is not None and self._refused[0] == body:
                raise self._refused[1]  # asked again and again, a wrong password would lock the account
            reply = await self._request(
                "POST", self._login.post, json=body, headers={}, deadline=LOGIN_SECONDS
            )
            if reply.status in {400, 401, 403}:
                error = WrongSecretError(
                    self._says(f"the login was refused: {reply.message or reply.status}")
                )
                self._refused = (body, error)
                raise error
            if reply.status >= 300:
                raise RefusedError(self._says(f"no login: {reply.status} {reply.message}"))
            token = self._login.pick.search(reply.body)
            if not isinstance(token, str) or not token:
                raise RefusedError(self._says("the answer to the login holds no token"))
            self._refused, self._token = None, token
            return token

    async def _request(
        self, method: str, path: str, *, json: object = None, headers: dict[str, str], deadline: float
    ) -> Reply:
        try:
            async with asyncio.timeout(deadline):
                response = await self._client.request(method, path, json=json, headers=headers)
        except TimeoutError:
            raise AnswerLostError(self._says(f"no answer to {method} {path} within {deadline:g} s")) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            why = _why_not_connected(error)
            raise NotSentError(self._says(f"{self._server.url} {why}")) from error
        except httpx.HTTPError as error:
            why = plain(str(error)) or type(error).__name__
            raise AnswerLostError(self._says(f"the answer to {method} {path} was lost: {why}")) from error
        except (httpx.InvalidURL, ValueError, TypeError) as error:  # raised while it is put together
            why = plain(str(error))
            raise NotSentError(self._says(f"{method} {path} cannot be sent as it stands: {why}")) from error
        following = response.links.get("next", {}).get("url", "")
        return Reply(response.status_code, _body(response), response.content, following)

    def _says(self, what: str) -> str:
        return f"{self._server.name}: {what.rstrip('. ')}."


def _why_not_connected(error: httpx.HTTPError) -> str:
    """What the address does, as the operating system says it at the end of the chain of causes.

    httpx and anyio put their own words ("All connection attempts failed") in front of it.
    """
    if isinstance(error, httpx.TimeoutException):
        return f"does not answer within {CONNECT_SECONDS:g} s"
    for cause in _causes(error):
        match cause:
            case ConnectionRefusedError():
                return "refuses connections"
            case ssl.SSLCertVerificationError():
                return f"shows a certificate that is not trusted: {plain(cause.verify_message)}"
            case ssl.SSLError():
                return f"does not speak TLS as it should: {plain(cause.reason or str(cause))}"
            case socket.gaierror():
                return f"has a name that is not found: {plain(cause.strerror or str(cause))}"
            case OSError(strerror=str(words)) if cause.errno is not None:
                return f"cannot be reached: {plain(words)}"
    return f"cannot be reached: {plain(str(error)) or type(error).__name__}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The chain of causes; where several addresses were tried, with what became of each."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        if isinstance(cause, BaseExceptionGroup):
            for one in cause.exceptions:
                yield from _causes(one)
        cause = cause.__cause__ or cause.__context__


def _body(response: httpx.Response) -> object:
    if not response.content:
        return None
    try:
        return clean(msgspec.json.decode(response.content))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return plain(response.content[:1000].decode("utf-8", "replace").split("\n", 1)[0])


def _trust(server: ServerConfig) -> ssl.SSLContext | bool:
    if server.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(server.ca_file))
    except OSError as error:
        raise ConfigError(f"{server.name}: the CA file {server.ca_file} cannot be used: {error}.") from error
