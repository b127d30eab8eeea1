"""One request of a poll: what is asked, and what came back. Equal requests are one request."""

import asyncio
import contextlib
from datetime import datetime
from typing import Literal

import msgspec

from skytui.clock import Clock, Instant
from skytui.config.placeholders import fill, text
from skytui.config.profile import ReadingSpec
from skytui.drivers.http import Web, clean
from skytui.drivers.scope import Scope
from skytui.errors import RemoteError
from skytui.pair.reading import Known, Unknown
from skytui.plaintext import plain_bytes
from skytui.remote import quoting
from skytui.remote.ssh import Host

PORT_SECONDS = 2.0


class Request(msgspec.Struct, frozen=True):
    """What is asked. Two readings with equal requests are answered by one."""

    way: Literal["get", "command", "connect"]
    what: str
    deadline: float
    ports: tuple[int, ...] = ()

    @property
    def source(self) -> str:
        """Where the answer comes from, for people."""
        return {"get": "HTTP ", "command": "SSH ", "connect": "TCP "}[self.way] + self.what


class Answer(msgspec.Struct, frozen=True):
    """What came back. `raw` is a command's output, for readings that take text."""

    at: Instant
    body: object
    raw: str = ""


def request_for(spec: ReadingSpec, scope: Scope) -> Request | None:
    """The request a reading needs, or None when it needs none."""
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
                return Answer(at, [{"port": port, "state": state} for port, state in pairs])
    except RemoteError as error:
        return Unknown(str(error), at, request.source)


async def _get(request: Request, web: Web | None, at: Instant) -> Answer | Unknown:
    if web is None:
        return Unknown("the configuration gives no url for it", at, request.source)
    reply = await web.get(request.what, request.deadline)
    if reply.status != 200:
        return Unknown(f"HTTP {reply.status}: {reply.message or 'no reason given'}", at, request.source)
    return Answer(at, reply.body)


async def _command(request: Request, host: Host | None, at: Instant) -> Answer | Unknown:
    if host is None:
        return Unknown("the configuration gives no ssh for it", at, request.source)
    done = await host.run(request.what, deadline=request.deadline)
    if done.code:
        return Unknown(f"ended with {done.code}: {done.complaint}", at, request.source)
    raw = "\n".join(plain_bytes(line) for line in done.stdout.split(b"\n")).strip()
    try:
        body: object = clean(msgspec.json.decode(done.stdout))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = None
    return Answer(at, body, raw)


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


def value_of(
    spec: ReadingSpec, kind: object, answer: Answer | Unknown, source: str
) -> Known[object] | Unknown:
    """The value a reading takes out of an answer, of the reading's type; or why there is none."""
    if isinstance(answer, Unknown):
        return answer
    found: object = answer.raw if spec.reply == "text" else answer.body
    try:
        if spec.pick is not None:
            found = spec.pick.search(found)
        if found is None:
            return Unknown("the answer does not say", answer.at, source)
        value = msgspec.convert(found, kind, strict=spec.reply == "json")
    except ValueError as error:  # msgspec.ValidationError is one
        return Unknown(f"the answer cannot be used: {error}", answer.at, source)
    if _without_zone(value):
        return Unknown("the answer has a time without its zone", answer.at, source)
    return Known(value, answer.at, source)


def _without_zone(value: object) -> bool:
    """Whether there is a time in it that nobody can compare with another server's."""
    if isinstance(value, datetime):
        return value.tzinfo is None
    if isinstance(value, list):
        return any(map(_without_zone, value))
    return isinstance(value, msgspec.Struct) and any(map(_without_zone, msgspec.structs.astuple(value)))
