"""Real servers on loopback: certificates of every kind, an HTTPS server, and a proxy that makes tunnels."""

import asyncio
import base64
import contextlib
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@dataclass
class Certificate:
    """A certificate with its key, and where both lie."""

    certificate: x509.Certificate
    private: ec.EllipticCurvePrivateKey
    cert: Path
    key: Path

    @property
    def fingerprint(self) -> str:
        return f"sha256:{self.certificate.fingerprint(hashes.SHA256()).hex()}"

    def encrypted_key(self) -> Path:
        file = self.key.with_suffix(".encrypted")
        encryption = BestAvailableEncryption(b"passphrase")
        file.write_bytes(self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
        return file


def certificate(
    folder: Path,
    name: str,
    *,
    by: Certificate | None = None,
    names: tuple[str, ...] = ("127.0.0.1", "sky-a.example"),
    begins: datetime = NOW - DAY,
    ends: datetime = NOW + DAY,
) -> Certificate:
    """A certificate of `name`, for `names`, signed by `by` or by itself."""
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_general(one) for one in names]), critical=False)
        .sign(by.private if by else private, hashes.SHA256())
    )
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    cert.write_bytes(made.public_bytes(Encoding.PEM))
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return Certificate(made, private, cert, key)


def _general(name: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)


@dataclass
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


async def ask(reader: asyncio.StreamReader) -> Asked:
    """The next request. Raises IncompleteReadError when there is none."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    headers = {
        name.lower(): value.strip() for line in head[1:] if line for name, value in [line.split(":", 1)]
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, path, headers, body)


def answer(status: str, body: bytes = b"", *more: str) -> bytes:
    """A response."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


Handler = Callable[[Asked], bytes | None]
"""Gives the response to a request; None hangs up without one."""


@dataclass
class Server:
    """Where it listens, and what it was asked."""

    port: int = 0
    requests: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A port of loopback, served until the block ends; no connection outlives it."""
    tasks: set[asyncio.Task[None]] = set()

    async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # they hung up, or the test is over
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(call, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def hello(_: Asked) -> bytes:
    """Everything is answered with a name."""
    return answer("200 OK", b'{"name": "sky-a"}')


@asynccontextmanager
async def https(
    shown: Certificate,
    handler: Handler = hello,
    *,
    clients_by: Certificate | None = None,
    tls: ssl.TLSVersion | None = None,
) -> AsyncIterator[Server]:
    """An HTTPS server that shows a certificate, and asks for one of `clients_by` where that is given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.cert, shown.key)
    if clients_by is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients_by.cert)
    if tls is not None:
        context.maximum_version = tls
    here = Server()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            asked = await ask(reader)
            here.requests.append(asked)
            response = handler(asked)
            if response is None:
                return
            writer.write(response)
            await writer.drain()

    async with listening(serve, context) as here.port:
        yield here


@dataclass
class Proxy(Server):
    """A proxy: whom it lets in, and what it says instead of making a tunnel, if anything."""

    login: str = ""
    says: bytes | None = None
    silent: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def refuses(self, asked: Asked) -> bool:
        given = asked.headers.get("proxy-authorization", "")
        return bool(self.login) and given != f"Basic {base64.b64encode(self.login.encode()).decode()}"


@asynccontextmanager
async def proxying(**options: object) -> AsyncIterator[Proxy]:
    """A proxy on loopback."""
    here = Proxy(**options)  # type: ignore[arg-type]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await ask(reader)
        here.requests.append(asked)
        if here.silent:
            await reader.read()
            return
        refusal = answer("407 Proxy Authentication Required") if here.refuses(asked) else here.says
        if refusal is not None:
            writer.write(refusal)
            await writer.drain()
            await reader.read()
            return
        host, port = asked.path.rsplit(":", 1)
        beyond, to = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, to))
                group.create_task(_pump(beyond, writer))
        except* OSError:
            pass
        finally:
            to.transport.abort()

    async with listening(serve) as here.port:
        yield here


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.transport.abort()
