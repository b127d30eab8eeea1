"""Who calls at the conductor's socket, and what becomes of those who misbehave. Over a real Unix socket."""

import asyncio
import contextlib
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from skytui import __version__
from skytui.conductor import hub as hub_module
from skytui.conductor import socket as socket_module
from skytui.errors import StateError, UnreachableError
from skytui.link.address import SOCKET, Peer
from skytui.link.client import Client
from skytui.link.wire import (
    PROTOCOL,
    AbortRun,
    Confirm,
    Denied,
    GiveSecret,
    HandOver,
    Hello,
    HoldRun,
    Leave,
    NewLines,
    NewReading,
    Open,
    ReleaseRun,
    Request,
    Take,
    Waive,
    Welcome,
)
from skytui.pair.logline import LogLine
from tests.support.conducted import SECONDS, Conducted, conducted, confirm, open_run, until, until_read
from tests.support.world import START

HELLO = msgspec.json.encode(Hello(PROTOCOL, __version__, "console")) + b"\n"


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Conducted]:
    async with conducted(tmp_path) as one:
        yield one


async def first_word(reader: asyncio.StreamReader) -> object:
    async with asyncio.timeout(SECONDS):
        line = await reader.readline()
    return msgspec.json.decode(line, type=Welcome | Denied)


async def closed(reader: asyncio.StreamReader) -> bool:
    """Whether the other side hangs up."""
    async with asyncio.timeout(SECONDS):
        try:
            while await reader.read(1 << 20):
                pass
        except ConnectionResetError:
            return True
    return True


async def undisturbed(client: Client) -> None:
    """Readings still come in."""
    await until(client, lambda message: isinstance(message, NewReading))


async def test_the_first_word_is_the_whole_state(here: Conducted) -> None:
    client = await here.client()
    run = await open_run(client)
    late = await here.client("watch")
    welcome = late.welcome
    assert (welcome.protocol, welcome.version, welcome.pair) == (PROTOCOL, __version__, "test")
    assert welcome.keys_of == "ann"
    assert [server.name for server in welcome.servers] == ["sky-a", "sky-b"]
    assert welcome.run == run
    assert [type(event).__name__ for event in welcome.events] == ["Opened", "Marked", "Marked"]
    assert welcome.reading is not None
    assert welcome.reading.master() == "sky-a"
    assert welcome.secrets_wanted == ()


async def test_previews_say_what_would_run_where(here: Conducted) -> None:
    client = await here.client()
    await open_run(client)
    await until(client, lambda message: "promote" in getattr(message, "previews", {}))
    late = await here.client("watch")
    assert late.welcome.previews["promote"] == "promote on sky-b"
    assert late.welcome.previews["shut-down"] == "shut_down on sky-a"


GARBAGE = {
    "words": b"hello there\n",
    "no object": b"[1, 2]\n",
    "an unknown type": b'{"type":"sudo","number":1}\n',
    "a field of another type": b'{"type":"hello","protocol":"one"}\n',
    "bytes that are no UTF-8": b'{"type":"hello","protocol":1,"version":"\xff","client":"x"}\n',
    "zeros": b"\x00" * 64 + b"\n",
    "nested without end": b'{"type":"hello","x":' + b"[" * 100_000 + b"\n",
    "an empty line": b"\n",
}


@pytest.mark.parametrize("said", GARBAGE.values(), ids=GARBAGE)
async def test_garbage_as_first_word_is_turned_away(here: Conducted, said: bytes) -> None:
    client = await here.client()
    reader, writer = await here.raw()
    writer.write(said)
    assert await first_word(reader) == Denied("this is not how one speaks to a conductor")
    assert await closed(reader)
    await undisturbed(client)


@pytest.mark.parametrize("said", GARBAGE.values(), ids=GARBAGE)
async def test_garbage_later_on_ends_the_connection(here: Conducted, said: bytes) -> None:
    client = await here.client()
    reader, writer = await here.raw()
    writer.write(HELLO + said)
    async with asyncio.timeout(SECONDS):
        text = await reader.read()
    assert b"this is not how one speaks to a conductor" in text.splitlines()[-1]
    await undisturbed(client)


@pytest.mark.parametrize("hello", [b"", HELLO], ids=["first", "later"])
async def test_a_hundred_megabytes_without_an_end_of_line_are_cut_off(here: Conducted, hello: bytes) -> None:
    client = await here.client()
    run = await open_run(client)
    reader, writer = await here.raw()
    sent = 0
    writer.write(hello)
    async with asyncio.timeout(SECONDS):
        with contextlib.suppress(OSError):
            for _ in range(100):
                writer.write(b"x" * 1_000_000)
                await writer.drain()
                sent += 1
    assert sent < 20, "it was read on and on"
    assert await closed(reader)
    await undisturbed(client)
    assert len(here.conductor.hub) == 1
    assert here.conductor.run == run
    assert await confirm(client, run) == ""


async def test_fifty_clients_cost_the_servers_what_one_costs(here: Conducted) -> None:
    """One poll cycle, one stream a log, whoever looks on; and all of them hear the same."""
    clients = [await here.client("watch") for _ in range(49)]
    operator = await here.client()
    run = await open_run(operator)
    for _ in range(20):
        await undisturbed(operator)
    polls = polls_made(here)
    assert polls >= 20
    for driver in here.drivers.values():
        # A poll may be under way. With a poll for each client there would be fifty times as many.
        assert polls <= driver.reads <= polls + 1
        assert driver.follows == 1
    here.drivers["sky-a"].lines.put_nowait(LogLine("sky-a", "server", "only once", START))
    assert await confirm(operator, run) == ""
    for client in (operator, *clients):
        line = await until(client, lambda message: isinstance(message, NewLines))
        assert [each.text for each in getattr(line, "lines", ()) if each.log == "server"] == ["only once"]


def polls_made(here: Conducted) -> int:
    """How many polls the conductor has made."""
    reading = here.conductor.welcome(here.clients[0].welcome.you).reading
    assert reading is not None
    return reading.poll


async def test_another_protocol_is_turned_away_with_both_versions(here: Conducted) -> None:
    reader, writer = await here.raw()
    writer.write(msgspec.json.encode(Hello(PROTOCOL + 1, "9.0", "console")) + b"\n")
    denied = await first_word(reader)
    assert isinstance(denied, Denied)
    assert f"protocol {PROTOCOL} (skytui {__version__})" in denied.reason
    assert f"you speak {PROTOCOL + 1} (9.0)" in denied.reason


async def test_a_request_before_hello_is_turned_away(here: Conducted) -> None:
    reader, writer = await here.raw()
    writer.write(msgspec.json.encode(Open(1)) + b"\n")
    assert await first_word(reader) == Denied("say hello first")
    assert await closed(reader)
    assert here.conductor.run is None


async def test_who_says_nothing_is_turned_away_in_the_end(
    here: Conducted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_module, "HELLO_SECONDS", 0.01)
    reader, _ = await here.raw()
    assert await first_word(reader) == Denied("you did not say who you are")


async def test_somebody_elses_process_is_turned_away(
    here: Conducted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_module, "peer_of", lambda connection: Peer(1, 54321, 54321))
    with pytest.raises(StateError, match="turned us away: this conductor belongs to"):
        await here.client()


async def test_the_socket_is_its_owners_alone(here: Conducted) -> None:
    assert stat.S_IMODE((here.folder / SOCKET).stat().st_mode) == 0o600


REQUESTS: list[Request] = [
    Open(1),
    Confirm(1, "r", "baseline"),
    Waive(1, "r", "users-out", "why not"),
    AbortRun(1, "r", "not tonight"),
    HoldRun(1, "stop"),
    ReleaseRun(1),
    Take(1, "r", "I am here"),
    HandOver(1, "r", "root"),
    GiveSecret(1, "admin", "x"),
    Leave(1),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: type(request).__name__)
async def test_a_watcher_may_only_look(here: Conducted, request_: Request) -> None:
    operator, watcher = await here.client(), await here.client("watch")
    run = await open_run(operator)
    made = msgspec.structs.replace(request_, **({"run": run.id} if hasattr(request_, "run") else {}))
    reply = await watcher.request(lambda number: msgspec.structs.replace(made, number=number))
    assert reply.refused == "a watcher may only look"
    assert here.conductor.run == run
    assert not here.left.is_set()


async def test_a_client_that_stops_reading_is_dropped_and_nobody_else(
    here: Conducted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "BACKLOG_BYTES", 64 * 1024)
    client = await here.client()
    reader, writer = await here.raw()
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(HELLO)
    async with asyncio.timeout(SECONDS):
        while len(here.conductor.hub) < 2:
            await undisturbed(client)
        while len(here.conductor.hub) == 2:
            await undisturbed(client)
    await undisturbed(client)
    assert len(here.conductor.hub) == 1


async def test_a_client_that_hangs_up_is_forgotten(here: Conducted) -> None:
    client, other = await here.client(), await here.client()
    await other.close()
    async with asyncio.timeout(SECONDS):
        while len(here.conductor.hub) > 1:
            await undisturbed(client)


async def test_a_client_is_told_that_the_conductor_is_gone(tmp_path: Path) -> None:
    async with conducted(tmp_path) as here:
        client = await here.client()
        await until_read(client)
    async with asyncio.timeout(SECONDS):
        async for _ in client:
            pass
    assert client.why_lost
    with pytest.raises(UnreachableError, match="The conductor cannot be asked"):
        await client.request(Open)


async def test_where_nobody_listens_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="No conductor listens in"):
        await Client.connect(tmp_path, "console")


async def test_a_socket_left_by_a_dead_conductor_is_taken_over(tmp_path: Path) -> None:
    for _ in range(2):
        async with conducted(tmp_path) as here:
            client = await here.client()
            await undisturbed(client)
        assert (tmp_path / SOCKET).exists()
    with pytest.raises(UnreachableError, match="No conductor listens"):
        await Client.connect(tmp_path, "console")


async def test_a_folder_with_a_path_too_long_for_a_socket_works(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 100) / ("e" * 100)
    folder.mkdir(parents=True)
    assert len(str(folder / SOCKET)) > 107
    async with conducted(folder) as here:
        client = await here.client()
        await undisturbed(client)


async def test_what_answers_like_no_conductor_is_not_taken_for_one(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"220 smtp.example ESMTP\n")
        writer.close()

    async with await asyncio.start_unix_server(answer, tmp_path / SOCKET):
        with pytest.raises(UnreachableError, match="did not answer"):
            await Client.connect(tmp_path, "console")
