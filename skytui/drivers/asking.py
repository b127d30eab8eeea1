"""One request of a poll: what is asked, and what came back. Equal requests are one request."""

import asyncio
import contextlib
import ssl
from collections.abc import Iterator
from datetime import datetime
from typing import Literal

import msgspec

from skytui.clock import Clock, Instant
from skytui.config.placeholders import PAGES, fill, text
from skytui.config.reading_spec import PagesSpec, ReadingSpec
from skytui.drivers.connection import AtProxyError
from skytui.drivers.http import Web
from skytui.drivers.paging import read_pages
from skytui.drivers.replies import Answer, UnusableError, found_in, left_out, mapped
from skytui.drivers.scope import Scope
from skytui.errors import RefusedError, RemoteError, UnreachableError
from skytui.pair.reading import Cause, Known, Unknown
from skytui.remote import quoting
from skytui.remote.ssh import Host, LostError

PORT_SECONDS = 2.0


class Request(msgspec.Struct, frozen=True):
    """What is asked. Two readings with equal requests are answered by one.

    `url` is the server's own, and `reply` how its pages are read, where a list comes in `pages`.
    """

    way: Literal["get", "command", "connect"]
    what: str
    deadline: float
    ports: tuple[int, ...] = ()
    pages: PagesSpec | None = None
    url: str = ""
    reply: str = ""

    def __hash__(self) -> int:
        return hash((self.way, self.what, self.deadline, self.ports, repr(self.pages), self.reply))

    @property
    def source(self) -> str:
        """Where the answer comes from, for people."""
        return {"get": "HTTP ", "command": "SSH ", "connect": "TCP "}[self.way] + self.what


def request_for(spec: ReadingSpec, scope: Scope) -> Request | None:
    """The request a reading needs, or None when it needs none."""
    if spec.get is not None and spec.pages is not None:
        path = text(spec.get, lambda hole: "{" + hole + "}" if hole in PAGES else _quoted(scope(hole)))
        url = str(scope("server.url"))
        return Request("get", path, spec.deadline, pages=spec.pages, url=url, reply=spec.reply)
    if spec.get is not None:
        return Request("get", text(spec.get, scope), spec.deadline)
    if spec.run is not None:
        return Request("command", quoting.posix([text(word, scope) for word in spec.run]), spec.deadline)
    if spec.shell is not None:
        words = ["sh", "-c", spec.shell, "skytui", *(text(word, scope) for word in spec.args)]
        return Request("command", quoting.posix(words), spec.deadline)
    if spec.connect is not None:
        ports = fill(spec.connect, scope)
        numbers = ports if isinstance(ports, list) else str(ports).split(",")
        return Request(
            "connect", str(scope("server.address")), spec.deadline, tuple(int(port) for port in numbers)
        )
    return None


def _quoted(value: object) -> object:
    """What is filled in here is not looked at again when the pages are counted."""
    return value.replace("{", "%7B").replace("}", "%7D") if isinstance(value, str) else value


async def ask(request: Request, web: Web | None, host: Host | None, clock: Clock) -> Answer | Unknown:
    """Ask once. Never raises for what the other side does."""
    at = clock.instant()
    try:
        match request.way:
            case "get":
                return await _get(request, web, at)
            case "command":
                return await _command(request, host, at)
            case "connect":
                states = await asyncio.gather(*(_try_port(request.what, port) for port in request.ports))
                pairs = zip(request.ports, states, strict=True)
                return Answer(at, body=[{"port": port, "state": state} for port, state in pairs])
    except RemoteError as error:
        return Unknown(str(error), at, request.source, _cause(request, error))
    except ValueError as error:  # UnusableError is one
        return Unknown(f"the answer cannot be used: {error}", at, request.source, Cause.UNUSABLE)


async def _get(request: Request, web: Web | None, at: Instant) -> Answer | Unknown:
    if web is None:
        return Unknown("the configuration gives no url for it", at, request.source, Cause.NO_SUCH_THING)
    if request.pages is not None:
        return await read_pages(
            web,
            request.url,
            request.what,
            request.pages,
            reply=request.reply,
            deadline=request.deadline,
            at=at,
        )
    reply = await web.get(request.what, request.deadline)
    complaint = f"{web.name} {reply.message}" if reply.redirect else reply.message
    return Answer(at, code=reply.status, content=reply.content, complaint=complaint)


async def _command(request: Request, host: Host | None, at: Instant) -> Answer | Unknown:
    if host is None:
        return Unknown("the configuration gives no ssh for it", at, request.source, Cause.NO_SUCH_THING)
    done = await host.run(request.what, deadline=request.deadline)
    return Answer(at, code=done.code, content=done.stdout, errors=done.stderr, complaint=done.complaint)


async def _try_port(address: str, port: int) -> str:
    """`open`, `refused`, or `no answer`, which proves nothing."""
    try:
        async with asyncio.timeout(PORT_SECONDS):
            _, writer = await asyncio.open_connection(address, port)
    except ConnectionRefusedError:
        return "refused"
    except OSError:  # TimeoutError is one
        return "no answer"
    writer.close()
    with contextlib.suppress(OSError):  # closed from over there meanwhile: it was open all the same
        await writer.wait_closed()
    return "open"


def _cause(request: Request, error: RemoteError) -> Cause:
    """What an error says about the server. A host that is not reached says nothing about its server."""
    if isinstance(error, RefusedError):
        return Cause.REFUSED
    if not isinstance(error, UnreachableError):
        return Cause.OTHER
    if isinstance(error, AtProxyError):
        return Cause.OTHER  # what the proxy does says nothing about the server
    if request.way == "command":
        return Cause.SILENT if isinstance(error, LostError) else Cause.HOST
    causes = list(_chain(error))
    if any(isinstance(one, ConnectionRefusedError) for one in causes):
        return Cause.CLOSED
    if any(isinstance(one, ssl.SSLError) for one in causes):
        return Cause.OTHER  # something answered, and it is not known what
    return Cause.SILENT


def _chain(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        if isinstance(cause, BaseExceptionGroup):
            for one in cause.exceptions:
                yield from _chain(one)
        cause = cause.__cause__ or cause.__context__


def value_of(
    spec: ReadingSpec, kind: object, answer: Answer | Unknown, *, source: str, scope: Scope
) -> Known[object] | Unknown:
    """The value a reading takes out of an answer, of the reading's type; or why there is none."""
    if isinstance(answer, Unknown):
        return answer
    code = str(answer.code)
    if code in spec.means:
        cause = spec.means[code]
        return Unknown(f"{cause} ({_said(spec, answer)})", answer.at, source, cause)
    by_code = spec.status if spec.get is not None else spec.exit
    try:
        if code in by_code:
            found: object = by_code[code]
        elif answer.code not in ([200] if spec.get is not None else spec.ok):
            return Unknown(_said(spec, answer), answer.at, source, Cause.REFUSED)
        else:
            found = found_in(spec, answer)
            found = spec.pick.search(found) if spec.pick is not None else found
        if spec.except_ and isinstance(found, list):
            rules = [{key: text(pattern, scope) for key, pattern in rule.items()} for rule in spec.except_]
            found = [item for item in found if not left_out(item, rules)]
        if spec.map:
            found = mapped(found, spec.map)
        found = spec.default if found is None else found
        if found is None:
            return Unknown("the answer does not say", answer.at, source, Cause.UNUSABLE)
        value = msgspec.convert(found, kind, strict=_typed(spec))
    except UnusableError as error:
        return Unknown(f"the answer cannot be used: {error}", answer.at, source, Cause.UNUSABLE)
    except ValueError as error:  # msgspec.ValidationError is one
        return Unknown(f"the answer cannot be used: {error}", answer.at, source, Cause.UNUSABLE)
    if _without_zone(value):
        return Unknown("the answer has a time without its zone", answer.at, source, Cause.UNUSABLE)
    return Known(value, answer.at, source)


def _typed(spec: ReadingSpec) -> bool:
    """Whether numbers come as numbers; what was cut out of a text is text."""
    return spec.reply in ("json", "json5") and not spec.html


def _said(spec: ReadingSpec, answer: Answer) -> str:
    if spec.get is not None:
        return f"HTTP {answer.code}: {answer.complaint or 'no reason given'}"
    return f"ended with {answer.code}: {answer.complaint}"


def _without_zone(value: object) -> bool:
    """Whether there is a time in it that nobody can compare with another server's."""
    if isinstance(value, datetime):
        return value.tzinfo is None
    if isinstance(value, list):
        return any(map(_without_zone, value))
    return isinstance(value, msgspec.Struct) and any(map(_without_zone, msgspec.structs.astuple(value)))
