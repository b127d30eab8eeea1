"""A server that cannot be connected to: the sentence names the server, the address and what it does."""

import asyncio
import contextlib
import socket

import pytest

from skytui.config.pairs import ServerConfig
from skytui.drivers.http import NotSentError, Web


async def why(url: str) -> str:
    web = Web(
        ServerConfig(name="sky-b", address="127.0.0.1", listen_port=1, url=url), None, lambda hole: hole
    )
    try:
        with pytest.raises(NotSentError) as refused:
            await web.get("/", deadline=5.0)
    finally:
        await web.close()
    return str(refused.value)


async def test_a_port_nobody_listens_on() -> None:
    with socket.socket() as taken:  # bound, so that nobody else gets it; not listening, so that it refuses
        taken.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{taken.getsockname()[1]}"
        assert await why(url) == f"sky-b: {url} refuses connections."


async def test_a_name_nobody_has() -> None:
    says = await why("https://sky-b.invalid:8443")
    assert says.startswith("sky-b: https://sky-b.invalid:8443 has a name that is not found: ")


async def test_a_port_that_does_not_speak_tls() -> None:
    ended = asyncio.Event()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):  # the client leaves as soon as it has understood
            writer.write(b"220 mail.example.com\r\n")
            await writer.drain()
            await reader.read()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        ended.set()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        says = await why(url)
        await asyncio.wait_for(ended.wait(), 10)
    assert says.startswith(f"sky-b: {url} does not speak TLS as it should: ")
