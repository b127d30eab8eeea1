"""One server over HTTP: one session, opened again when the server has forgotten it."""

import asyncio

import httpx

from skytui.clock import Clock
from skytui.config.login import FormLogin, LoginSpec, secrets_of
from skytui.config.pairs import ServerConfig
from skytui.config.placeholders import Fill
from skytui.config.secrets import Secret, SecretStore
from skytui.drivers.connection import (
    AnswerLostError,
    Connection,
    NotSentError,
    Session,
    WrongSecretError,
)
from skytui.drivers.login import close_session, is_over, open_session
from skytui.drivers.reply import Reply, clean, reply_of
from skytui.errors import RefusedError, UnreachableError

__all__ = ["AnswerLostError", "NotSentError", "Reply", "Web", "WrongSecretError", "clean"]

PATIENCE_SECONDS = 30.0
"""How long no session is opened for a path that refused one that had just been opened."""

UNPROVEN = 2
"""After so many form logins that nothing came of, the login counts as refused: not every page says so."""


class Web:
    """The HTTP side of one server. Raises ConfigError when its files or its proxy cannot be used.

    A secret that is refused, by the server or its proxy, is dropped from `secrets`; a login that was refused
    is never repeated before a person says so.
    """

    def __init__(
        self,
        server: ServerConfig,
        login: LoginSpec | None,
        look_up: Fill,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        secrets: SecretStore | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._login = login
        self._look_up = look_up
        self._secrets = secrets or SecretStore({})
        self._connection = Connection(server, self._secrets, transport, clock)
        self._session: Session | None = None
        self._refused: tuple[dict[str, Secret | None], WrongSecretError] | None = None
        self._shut: dict[str, float] = {}
        self._unproven = 0
        self._lock = asyncio.Lock()

    @property
    def name(self) -> str:
        """The server's fixed name."""
        return self._connection.name

    async def get(self, path: str, deadline: float) -> Reply:
        """Ask for `path`. What needs no login is answered without one.

        Raises NotSentError, AnswerLostError; RefusedError when the server wants a login and there is none.
        """
        try:
            return await self.send("GET", path, deadline=deadline)
        except RefusedError as refused:
            response = await self._ask("GET", path, Session(), deadline=deadline)
            if self._login is not None and is_over(self._login, response):
                raise refused from None
            return reply_of(response)

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
        session = await self._current()
        response = await self._ask(method, path, session, json=json, headers=headers, deadline=deadline)
        if self._login is None or not is_over(self._login, response):
            self._shut.pop(path, None)
            session.proven = True
            return reply_of(response)
        now = asyncio.get_running_loop().time()
        if now - self._shut.get(path, -PATIENCE_SECONDS) >= PATIENCE_SECONDS:
            session = await self._current(instead_of=session)  # nothing was done with the one before
            response = await self._ask(method, path, session, json=json, headers=headers, deadline=deadline)
            if not is_over(self._login, response):
                session.proven = True
                return reply_of(response)
            self._shut[path] = now
        if response.status_code == 401:
            return reply_of(response)
        return Reply(401, "it shows its login page, although we have logged in")

    async def login(self, *, again: bool = False) -> None:
        """Open a session now, if there is none. `again`: even where it was refused, a person wants it so.

        Raises NotSentError, AnswerLostError; WrongSecretError when the server does not take the password;
        RefusedError when there is none, or the server lets nobody in now.
        """
        if again:
            self._refused = None
            self._shut.clear()
            self._connection.again()
        await self._current()

    async def close(self) -> None:
        """Log out, if the server can be reached, and close all connections."""
        session, self._session = self._session, None
        try:
            if self._login is not None and session is not None:
                await close_session(self._login, self._connection, session)
        except (UnreachableError, RefusedError):
            pass  # the session ends by itself, and whoever closes us wants no answer
        finally:
            await self._connection.close()

    async def _current(self, instead_of: Session | None = None) -> Session:
        if self._login is None:
            return Session()
        async with self._lock:
            if self._session is not None and self._session is not instead_of:
                return self._session
            self._unproven = self._unproven + 1 if self._session and not self._session.proven else 0
            self._session = None
            given = {name: self._secrets.get(name) for name in secrets_of(self._login)}
            if self._refused is not None and self._refused[0] == given:
                raise self._refused[1]  # asked again and again, a wrong password would lock the account
            try:
                if isinstance(self._login, FormLogin) and self._unproven >= UNPROVEN:
                    self._unproven = 0
                    says = "the login was refused: its page comes back whenever we have logged in"
                    raise WrongSecretError(self._connection.says(says), given)  # noqa: TRY301 - as any other
                session = await open_session(self._login, self._connection, self._look_up, given)
            except WrongSecretError as error:
                self._drop(error)
                self._refused = given, error
                raise
            self._refused, self._session = None, session
            return session

    async def _ask(
        self,
        method: str,
        path: str,
        session: Session,
        *,
        json: object = None,
        headers: dict[str, str] | None = None,
        deadline: float,
    ) -> httpx.Response:
        try:
            return await self._connection.request(
                method, path, session, json=json, headers=headers, deadline=deadline
            )
        except WrongSecretError as error:
            self._drop(error)
            raise

    def _drop(self, error: WrongSecretError) -> None:
        """Whoever gave these secrets is asked again."""
        for name, secret in error.given.items():
            if secret is not None:
                self._secrets.refuse(name, secret, str(error))
