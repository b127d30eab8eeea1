"""What is tried while a configuration is written: a port, a certificate. Nothing is sent, nothing changed."""

import asyncio
import contextlib
import ssl
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from skytui.plaintext import plain

CONNECT_SECONDS = 10.0


class Trial(msgspec.Struct, frozen=True):
    """What came of it. `untrusted`: somebody answered; a certificate authority may be all that is missing."""

    ok: bool
    says: str
    untrusted: bool = False


def split_url(url: str) -> tuple[str, int]:
    """Host and port of a URL.

    Raises ValueError for one that has no host, or a port that is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no URL like https://sky-a.example.com:8443")
    return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


async def try_port(host: str, port: int) -> Trial:
    """Whether somebody accepts connections there."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return Trial(False, f"{host}:{port} does not answer within {CONNECT_SECONDS:g} s.")
    except (OSError, ValueError) as error:  # ValueError: a host's name that can be none
        return Trial(False, f"{host}:{port} cannot be reached: {_why(error)}.")
    await _close(writer)
    return Trial(True, f"{host}:{port} accepts connections.")


async def try_url(url: str, ca_file: Path | None) -> Trial:
    """Whether the server behind a URL answers, and shows a certificate that is trusted.

    By `ca_file`, where there is one, else by this system's certificate authorities.
    """
    host, port = split_url(url)
    if url.startswith("http:"):
        return await try_port(host, port)
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ValueError) as error:
        return Trial(False, f"The CA file {ca_file} cannot be used: {_why(error)}.", untrusted=True)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except TimeoutError:
        return Trial(False, f"{host}:{port} does not answer within {CONNECT_SECONDS:g} s.")
    except ssl.SSLCertVerificationError as error:
        why = plain(error.verify_message).rstrip(".")
        return Trial(False, f"The certificate of {host}:{port} is not trusted: {why}.", untrusted=True)
    except (OSError, ValueError) as error:
        return Trial(False, f"{host}:{port} cannot be reached over TLS: {_why(error)}.")
    certificate = writer.get_extra_info("peercert") or {}
    await _close(writer)
    until = _until(certificate.get("notAfter"))
    return Trial(True, f"{host}:{port} answers; its certificate is trusted{until}.")


def _until(not_after: object) -> str:
    if not isinstance(not_after, str):
        return ""
    return f" until {datetime.fromtimestamp(ssl.cert_time_to_seconds(not_after), UTC):%Y-%m-%d}"


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return plain(error.reason or str(error)).replace("_", " ").lower()
    text = (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
    return plain(text).rstrip(".")


async def _close(writer: asyncio.StreamWriter) -> None:
    """End a connection without waiting for the other side's farewell."""
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
