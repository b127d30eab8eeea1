"""Sessions opened, recognised when they are over, and ended: one way for each kind of login."""

import base64
from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

import httpx

from skytui.config.login import BasicLogin, BearerLogin, FormLogin, HeaderLogin, LoginSpec, TokenLogin
from skytui.config.placeholders import Fill, fill, text
from skytui.config.secrets import Secret
from skytui.drivers.connection import CONNECT_SECONDS, Connection, Session, WrongSecretError
from skytui.drivers.form import login_form
from skytui.drivers.reply import redirect_of, reply_of
from skytui.errors import RefusedError

LOGIN_SECONDS = 10.0
HOPS = 5
"""How many redirects are followed in a form login, all on its own server."""
_REFUSED = {400, 401, 403, 422, 423, 429}
"""Answers to a login after which the same one is not tried again: 423 and 429 mean that it counts them."""
_PAGES = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5"}

Given = Mapping[str, Secret | None]


async def open_session(login: LoginSpec, connection: Connection, look_up: Fill, given: Given) -> Session:
    """A new session. `given` are the secrets that `look_up` puts in.

    Raises NotSentError, AnswerLostError; WrongSecretError when the server does not take a secret;
    RefusedError when there is none, or the server lets nobody in now.
    """
    match login:
        case TokenLogin():
            return await _with_token(login, connection, look_up, given)
        case FormLogin():
            return await _FormVisit(login, connection, look_up, given).log_in()
        case BasicLogin(user=user, password=password):
            pair = f"{text(user, look_up)}:{text(password, look_up)}".encode()
            headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        case BearerLogin(token=token):
            headers = {"Authorization": f"Bearer {text(token, look_up)}"}
        case HeaderLogin(header=header, value=value):
            headers = {header: text(value, look_up)}
    session = Session(headers)
    response = await connection.request("GET", login.get, session, deadline=LOGIN_SECONDS)
    _judge(connection, response, given)
    return session


def is_over(login: LoginSpec, response: httpx.Response) -> bool:
    """Whether an answer means that the server does not know the session (any more); nothing was done then."""
    if response.status_code == 401:
        return True
    if not isinstance(login, FormLogin):
        return False
    return _at_login_page(login, response) or login_form(response, login.fields) is not None


async def close_session(login: LoginSpec, connection: Connection, session: Session) -> None:
    """Log out, where there is a way. Raises NotSentError, AnswerLostError."""
    if isinstance(login, TokenLogin | FormLogin) and login.logout:
        method = login.logout_method if isinstance(login, FormLogin) else "DELETE"
        await connection.request(method, login.logout, session, deadline=CONNECT_SECONDS)


async def _with_token(login: TokenLogin, connection: Connection, look_up: Fill, given: Given) -> Session:
    body = fill(login.json, look_up)
    response = await connection.request("POST", login.post, Session(), json=body, deadline=LOGIN_SECONDS)
    _judge(connection, response, given)
    token = login.pick.search(reply_of(response).body)
    if not isinstance(token, str) or not token:
        raise RefusedError(connection.says("the answer to the login holds no token"))
    return Session(
        {login.header: text(login.value, lambda hole: token if hole == "token" else look_up(hole))}
    )


def _judge(connection: Connection, response: httpx.Response, given: Given) -> None:
    """Raises WrongSecretError when an answer refuses the secrets, RefusedError when it lets nobody in."""
    reply = reply_of(response)
    if reply.status in _REFUSED:
        says = f"the login was refused: {_hidden(reply.message, given) or reply.status}"
        raise WrongSecretError(connection.says(says), dict(given))
    if reply.status >= 300:
        words = _hidden(reply.message, given)
        raise RefusedError(connection.says(f"no login: {reply.status} {words}"))


def _hidden(words: str, given: Given) -> str:
    """A server's words without a secret that it repeats."""
    for secret in given.values():
        if secret is not None and secret.reveal():
            words = words.replace(secret.reveal(), "…")
    return words


def _at_login_page(login: FormLogin, response: httpx.Response) -> bool:
    """Whether an answer sends us to the login page."""
    target = redirect_of(response)
    return bool(target) and target == redirect_target(response, login.get)


def redirect_target(response: httpx.Response, path: str) -> str:
    """The whole address of a path on the server that answered, without what follows `?`."""
    return urljoin(str(response.request.url), path).partition("?")[0]


class _FormVisit:
    """One visit to the login page."""

    def __init__(self, login: FormLogin, connection: Connection, look_up: Fill, given: Given) -> None:
        self._login = login
        self._connection = connection
        self._look_up = look_up
        self._given = given
        self._session = Session()

    async def log_in(self) -> Session:
        """The session with the cookies the server set."""
        filled = {name: text(value, self._look_up) for name, value in self._login.fields.items()}
        page = await self._page("GET", self._login.get)
        form = login_form(page, self._login.fields)
        if form is None:
            wanted = ", ".join(self._login.fields)
            status = "" if page.status_code == 200 else f" ({reply_of(page).status})"
            raise self._no_login(f"{self._login.get} shows no form with the fields {wanted}{status}")
        target = self._login.post or form.action
        if form.method != "post" and self._login.post is None:
            raise self._no_login(f"the form of {self._login.get} would put the password into an address")
        whole = urljoin(str(page.request.url), target) if target else str(page.request.url)
        if _origin(whole) != _origin(str(page.request.url)):
            raise self._no_login(f"the form of {self._login.get} goes to {redirect_target(page, target)}")
        answer = await self._page(
            "POST", whole, form={**form.hidden, **filled}, referer=str(page.request.url)
        )
        if self._refuses(answer):
            why = f": {_hidden(_said(answer), self._given)}" if answer.status_code >= 400 else ""
            says = self._connection.says(f"the login was refused{why}")
            raise WrongSecretError(says, dict(self._given))
        if answer.status_code >= 500:
            raise self._no_login(_hidden(_said(answer), self._given))
        if not self._session.cookies:
            raise self._no_login("the server set no cookie")
        return self._session

    async def _page(
        self, method: str, path: str, *, form: dict[str, str] | None = None, referer: str = ""
    ) -> httpx.Response:
        """The page at the end of the redirects, all of them on this server."""
        # Frameworks that guard against forged requests look where a form was sent from.
        headers = {**_PAGES, "Referer": referer} if referer else _PAGES
        for _ in range(HOPS + 1):
            answer = await self._connection.request(
                method, path, self._session, form=form, headers=headers, deadline=LOGIN_SECONDS
            )
            target = redirect_of(answer)
            if not target:
                return answer
            path = urljoin(str(answer.request.url), answer.headers["location"])
            if _origin(path) != _origin(str(answer.request.url)):
                raise self._no_login(f"{self._connection.name} redirects to {target}: not followed")
            if method == "POST" and answer.status_code in (307, 308):
                raise self._no_login(f"the server wants the password sent to {target} again")
            method, form = "GET", None
        raise self._no_login(f"more than {HOPS} redirects")

    def _refuses(self, answer: httpx.Response) -> bool:
        failed = self._login.failed
        return (
            answer.status_code in _REFUSED
            or login_form(answer, self._login.fields) is not None
            or (failed is not None and failed.compiled.search(answer.text) is not None)
        )

    def _no_login(self, why: str) -> RefusedError:
        return RefusedError(self._connection.says(f"no login: {why}"))


def _said(answer: httpx.Response) -> str:
    return f"{answer.status_code} {reply_of(answer).message}".strip()


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), port
