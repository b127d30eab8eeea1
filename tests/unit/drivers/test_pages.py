"""Lists that come in pages, from a real server on loopback: the whole list, or unknown with the reason."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from skytui.clock import SystemClock
from skytui.config.pairs import PairConfig, ServerConfig
from skytui.config.profile_file import read_profile
from skytui.config.secrets import SecretStore
from skytui.config.tables import Document
from skytui.drivers.profiled import ProfiledDriver
from skytui.pair.reading import Known, Unknown
from skytui.pair.vocabulary import User
from tests.support.answering import Answering, answering

Read = Callable[[str], Awaitable[Known[list[User]] | Unknown]]


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as one:
        yield one


@pytest.fixture
async def read(server: Answering) -> AsyncIterator[Read]:
    """Reads `users` by what a profile says of them."""
    drivers: list[ProfiledDriver] = []

    async def once(written: str) -> Known[list[User]] | Unknown:
        profile = read_profile(Document(Path("p.toml"), f"schema = 1\n[reading.users]\n{written}"))
        servers = {
            "sky-a": ServerConfig(name="sky-a", address="127.0.0.1", listen_port=1, url=server.url),
            "sky-b": ServerConfig(name="sky-b", address="127.0.0.1", listen_port=2),
        }
        pair = PairConfig(name="test", file=Path("c.toml"), profile="p", servers=servers)
        drivers.append(ProfiledDriver(pair, "sky-a", profile, SystemClock(), SecretStore({})))
        users = (await drivers[-1].read()).users
        assert isinstance(users, Known | Unknown)
        return users

    yield once
    for driver in drivers:
        await driver.close()


def page(*names: str, **more: object) -> tuple[int, bytes]:
    return 200, json.dumps({"items": [{"user": name} for name in names], **more}).encode()


ABC = [User("a"), User("b"), User("c")]


async def test_by_number_until_a_page_is_empty(server: Answering, read: Read) -> None:
    server.replies = {"/u?p=1": page("a", "b"), "/u?p=2": page("c"), "/u?p=3": page()}
    users = await read("get = '/u?p={page}'\npages = {items = 'items'}")
    assert isinstance(users, Known), users
    assert users.value == ABC
    assert server.asked == ["/u?p=1", "/u?p=2", "/u?p=3"]


async def test_by_number_until_a_page_is_not_full(server: Answering, read: Read) -> None:
    server.replies = {"/u?p=0": page("a", "b"), "/u?p=1": page("c")}
    users = await read("get = '/u?p={page}'\npages = {items = 'items', first = 0, size = 2}")
    assert isinstance(users, Known), users
    assert users.value == ABC


async def test_by_offset_until_the_total(server: Answering, read: Read) -> None:
    server.replies = {"/u?from=0": page("a", "b", of=3), "/u?from=2": page("c", of=3)}
    users = await read(
        "get = '/u?from={offset}'\npages = {items = 'items', total = 'of'}\npick = '[].{user: user}'"
    )
    assert isinstance(users, Known), users
    assert users.value == ABC


async def test_by_a_link_in_the_page(server: Answering, read: Read) -> None:
    server.replies = {"/v1/u": page("a", "b", next="u?after=b"), "/v1/u?after=b": page("c", next=None)}
    users = await read("get = '/v1/u'\npages = {items = 'items', next = 'next'}")
    assert isinstance(users, Known), users
    assert users.value == ABC


async def test_by_the_link_header(server: Answering, read: Read) -> None:
    link = {"Link": f'<{server.url}/u?2>; rel="next", </u?9>; rel="last"'}
    server.replies = {"/u": (200, b'[{"user": "a"}, {"user": "b"}]', link), "/u?2": (200, b"[{user: 'c'}]")}
    users = await read("get = '/u'\nreply = 'json5'\npages = {link = true}")
    assert isinstance(users, Known), users
    assert users.value == ABC


@pytest.mark.parametrize(
    ("written", "replies", "reason"),
    [
        (
            "get = '/u?p={page}'\npages = {items = 'items', most = 2}",
            {"/u?p=1": page("a"), "/u?p=2": page("b"), "/u?p=3": page("c")},
            "it has more than 2 pages",
        ),
        (
            "get = '/u?p={page}'\npages = {items = 'items'}",
            {"/u?p=1": page("a"), "/u?p=2": page("a")},
            "page 2 is one that came before",
        ),
        (
            "get = '/u'\npages = {items = 'items', next = 'next'}",
            {"/u": page("a", next="/u")},
            "page 2 is one that came before",
        ),
        (
            "get = '/u?p={page}'\npages = {items = 'items', total = 'of'}",
            {"/u?p=1": page("a", of=3), "/u?p=2": page(of=3)},
            "the server says 3 items, and its pages hold 1",
        ),
        (
            "get = '/u?p={page}'\npages = {items = 'items', total = 'of'}",
            {"/u?p=1": page("a")},
            "does not say how many items there are",
        ),
        ("get = '/u?p={page}'\npages = {items = 'all'}", {"/u?p=1": page("a")}, "page 1 has no list"),
        (
            "get = '/u'\npages = {items = 'items', next = 'next'}",
            {"/u": page("a", next="http://127.0.0.2/u")},
            "the next page is on another server: http://127.0.0.2",
        ),
        ("get = '/u'\npages = {items = 'items', next = 'next'}", {"/u": page("a", next=3)}, "not by a path"),
        (
            "get = '/u?p={page}'\npages = {items = 'items'}",
            {"/u?p=1": page("a"), "/u?p=2": (503, b"")},
            "HTTP 503",
        ),
        ("get = '/u?p={page}'\npages = {items = 'items'}", {"/u?p=1": (200, b"<html>")}, "it is not JSON"),
    ],
)
async def test_a_list_that_is_not_whole_is_unknown(
    server: Answering, read: Read, written: str, replies: dict[str, tuple[int, bytes]], reason: str
) -> None:
    server.replies = dict(replies)
    users = await read(written)
    assert isinstance(users, Unknown), users
    assert reason in users.reason
