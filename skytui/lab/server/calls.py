"""How a request becomes an answer: who asks, under which precondition, in which transaction.

A reading runs in one read-only transaction. An action runs in one transaction that first reads what the
database is (master or standby, on which timeline), compares it with `If-Match`, and only then changes
anything.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from skytui.lab.server.database import Connection, DatabaseDownError, State, read_state
from skytui.lab.server.refusals import Refusal, as_json, refused
from skytui.lab.server.sessions import Session
from skytui.lab.server.site import Site

MAX_BODY = 32 * 1024 * 1024
T = TypeVar("T")


class Who(Enum):
    """Who may call an endpoint."""

    ANYBODY = "anybody"
    ADMIN = "admin"
    AGENT = "agent"
    PEER = "peer"


@dataclass
class Call:
    """One request under way, inside its transaction."""

    site: Site
    request: Request
    conn: Connection
    state: State
    session: Session | None
    body: bytes
    then: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """What is done once the transaction has been committed."""

    def decode(self, kind: type[T]) -> T:
        """The request's JSON body as `kind`; refuses with 400."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Refusal(400, "bad_json", f"The body is not what this route takes: {error}.") from error

    def need_master(self) -> None:
        """Refuse with 409 on a standby, with 412 when the database has changed roles under this service."""
        if self.state.role == "standby":
            raise Refusal(409, "standby", f"{self.site.name} is a standby; ask the master.")
        if self.site.role == "standby":
            message = f"{self.site.name} serves as a standby over a database that is a master; restart it."
            raise Refusal(412, "role_changed", message)

    def need_standby(self) -> None:
        """Refuse with 409 on a master."""
        if self.state.role != "standby":
            raise Refusal(409, "master", f"{self.site.name} is a master; it takes no files from its peer.")


Handler = Callable[[Call], Awaitable[object]]


def reading(path: str, handler: Handler, who: Who = Who.ADMIN) -> Route:
    """A GET route. It changes nothing, on either role."""
    return _route(path, "GET", handler, who, precondition=False)


def action(path: str, handler: Handler) -> Route:
    """A POST route for operators: needs `If-Match`, and a master."""

    async def guarded(call: Call) -> object:
        call.need_master()
        return await handler(call)

    return _route(path, "POST", guarded, Who.ADMIN, precondition=True)


def report(path: str, handler: Handler, who: Who, method: str = "POST") -> Route:
    """A route for agents or the peer. The handler says which role it needs."""
    return _route(path, method, handler, who, precondition=False)


def _route(path: str, method: str, handler: Handler, who: Who, *, precondition: bool) -> Route:
    async def endpoint(request: Request) -> Response:
        site: Site = request.app.state.site
        user, status = "", 500
        try:
            session, user = identify(site, request, who)
            response = await _answer(site, request, session, handler, precondition)
            status = response.status_code
            return response
        except Refusal as refusal:
            status = refusal.status
            return refused(refusal)
        finally:
            # A heartbeat a second from every agent would bury what somebody did.
            if method != "GET" and not path.endswith("/heartbeat"):
                site.requests.add(site.clock.now(), request.method, request.url.path, user, status)

    return Route(path, endpoint, methods=[method])


async def _answer(
    site: Site, request: Request, session: Session | None, handler: Handler, precondition: bool
) -> Response:
    wanted = request.headers.get("if-match", "").strip()
    if precondition and not wanted:
        message = "This changes something: say in If-Match what you take the server for (its ETag)."
        raise Refusal(428, "precondition", message)
    body = await read_body(request)
    then: list[Callable[[], Awaitable[None]]] = []
    etag: dict[str, str] = {}

    async def work(conn: Connection) -> object:
        state = await read_state(conn)
        if site.role is None:
            raise Refusal(503, "starting", f"{site.name} is starting; ask again.")
        etag["ETag"] = state.etag(site.name)
        if precondition and wanted != etag["ETag"]:
            message = f"This server is {etag['ETag']}, not {wanted}; nothing was changed."
            raise Refusal(412, "precondition", message)
        call = Call(site, request, conn, state, session, body)
        result = await handler(call)
        then.extend(call.then)
        return result

    try:
        write = request.method != "GET"
        content = await (site.database.write(work) if write else site.database.read(work))
    except Refusal as refusal:
        return refused(refusal, etag)
    except DatabaseDownError as error:
        unsure = " Whether the change was made is not known." if request.method != "GET" else ""
        message = f"The database of {site.name} does not answer ({error}).{unsure}"
        return refused(Refusal(503, "database", message), {"Retry-After": "1"})
    for step in then:
        await step()
    if isinstance(content, Response):
        content.headers.update(etag)
        return content
    return as_json(content, headers=etag)


def identify(site: Site, request: Request, who: Who) -> tuple[Session | None, str]:
    """Who asks: the session (of an operator) and a name for the request log. Refuses with 401."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else ""
    if who is Who.ANYBODY:
        return None, ""
    if who is Who.ADMIN:
        session = site.sessions.find(token)
        if session is not None:
            return session, session.user
    else:
        expected = site.secrets.agent_token if who is Who.AGENT else site.secrets.peer
        if hmac.compare_digest(token.encode(), expected.encode()):
            return None, who.value
    raise Refusal(401, "login", "Log in first, or again: this token is unknown or its session has ended.")


async def read_body(request: Request) -> bytes:
    """The body, at most `MAX_BODY` bytes; refuses with 413."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY:
            raise Refusal(413, "too_large", f"The body is larger than {MAX_BODY} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)


def parameter(values: Mapping[str, str], name: str, default: int, most: int) -> int:
    """A whole number from the query, from 0 to `most`; refuses with 400."""
    text = values.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text) > most:
        raise Refusal(400, "bad_query", f"{name} must be a whole number from 0 to {most}, not {text!r}.")
    return int(text)
