"""Who is asked, and what takes both servers: two real servers on loopback, and addresses where nobody is."""

import contextlib
import json
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from skytui.clock import Instant, SystemClock
from skytui.config.pairs import PairConfig, ServerConfig
from skytui.config.profile_file import read_profile
from skytui.config.secrets import SecretStore
from skytui.config.tables import Document
from skytui.drivers.both import difference
from skytui.drivers.build import open_drivers
from skytui.drivers.driver import Driver
from skytui.errors import ConfigError
from skytui.pair.reading import Cause, Known, Unknown
from skytui.pair.vocabulary import Identity, Link, Role, ServerReading
from tests.support.answering import Answering, answering

ROLE = "schema = 1\n[reading.role]\nget = '/'\npick = 'role'\n"
LAG = """
[reading.wal_position]
get = '/'
pick = 'at'
[reading.replication_link]
get = '/'
pick = 'link'
[reading.identity]
get = '/'
pick = '{name: role, timeline: timeline || `0`}'
[reading.replication_pending]
difference = ['{master.wal_position}', '{standby.wal_position}']
"""
ALIVE = {"state": "streaming"}


class Two:
    """Two servers and a pair's drivers on them."""

    def __init__(self, a: Answering, b: Answering) -> None:
        self.a, self.b = a, b
        self.urls = {"sky-a": a.url, "sky-b": b.url}
        self.drivers: list[Driver] = []

    def say(self, a: object, b: object, path: str = "/") -> None:
        for server, said in ((self.a, a), (self.b, b)):
            server.replies[path] = (200, json.dumps(said).encode())

    def open(self, written: str) -> dict[str, Driver]:
        profile = read_profile(Document(Path("p.toml"), written))
        servers = {
            name: ServerConfig(name=name, address="127.0.0.1", listen_port=1, url=url)
            for name, url in self.urls.items()
        }
        pair = PairConfig(name="test", file=Path("c.toml"), profile="p", servers=servers)
        opened = open_drivers(pair, SystemClock(), SecretStore({}), profile)
        self.drivers += opened.values()
        return opened

    async def read(self, written: str) -> tuple[ServerReading, ServerReading]:
        drivers = self.open(written)
        return await drivers["sky-a"].read(), await drivers["sky-b"].read()


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    with answering() as a, answering() as b:
        pair = Two(a, b)
        yield pair
        for driver in pair.drivers:
            await driver.close()


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port that refuses: bound, so that nobody else gets it, and not listened on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def said(role: str, at: object, link: object = ALIVE, **more: Any) -> dict[str, Any]:
    return {"role": role, "at": at, "link": link, **more}


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (said("master", "16/B374D848"), said("standby", "16/B374D840"), 8),
        (said("standby", "16/B374D840"), said("master", "17/B374D840"), 1 << 32),
        (said("master", "120"), said("standby", "125"), -5),
        (said("master", "0/10"), said("standby", "0/10", timeline=3), 0),
        (said("master", "0/10"), said("standby", "10"), None),
        (said("master", "0/10"), said("standby", "soon"), "wal_position of the standby is no number: `soon`"),
        (said("master", "0/10"), said("standby", None), "wal_position of the standby is unknown: the answer"),
        (said("master", "0/10", {"state": ""}), said("standby", "0/10"), "the replication link is down"),
        (said("master", "0/10"), said("standby", "0/10", {"state": "stopped"}), "link is down (stopped)"),
        (said("master", "0/10", None), said("standby", "0/10", None), "the replication link is unknown"),
        (said("master", "0/1", timeline=2), said("standby", "0/1", timeline=3), "timelines 2 and 3"),
        (said("master", "0/10"), said("master", "0/10"), "it takes one master and one standby"),
        (said("standby", "0/10"), said("?", "0/10"), "it takes one master and one standby"),
    ],
)
def test_a_difference(a: dict[str, Any], b: dict[str, Any], expected: object) -> None:
    spec = read_profile(Document(Path("p.toml"), ROLE + LAG)).readings["replication_pending"]
    for one, other in ((a, b), (b, a)):
        pending = difference(spec, found(one), found(other))
        if isinstance(expected, int):
            assert isinstance(pending, Known), pending
            assert pending.value == expected
            assert pending.source == "master.wal_position - standby.wal_position"
        else:
            assert isinstance(pending, Unknown)
            assert pending.reason.startswith("not comparable: ")
            assert str(expected or "counted alike") in pending.reason


def found(what: dict[str, Any]) -> dict[str, Known[Any] | Unknown]:
    """What was read of a server that says this."""
    at, nothing = Instant("test", 1.0), Unknown("the answer does not say")
    return {
        "role": Known(Role(what["role"]), at) if what["role"] in set(Role) else nothing,
        "wal_position": nothing if what["at"] is None else Known(what["at"], at),
        "replication_link": nothing if what["link"] is None else Known(Link(**what["link"]), at),
        "identity": Known(Identity("x", timeline=what.get("timeline", 0)), at),
    }


async def test_a_difference_on_both_servers(two: Two) -> None:
    two.say(said("standby", "16/B374D840"), said("master", "16/B374D848"))
    for reading in await two.read(ROLE + LAG):
        assert isinstance(reading.replication_pending, Known), reading.replication_pending
        assert reading.replication_pending.value == 8


async def test_a_difference_is_as_old_as_its_older_side(two: Two) -> None:
    two.say(said("master", 9), said("standby", 4))
    written = ROLE + LAG.replace("wal_position", "database_bytes")
    reading = (await two.read(written))[1]
    assert isinstance(reading.replication_pending, Known)
    assert isinstance(reading.database_bytes, Known)
    assert reading.replication_pending.value == 5
    assert not reading.replication_pending.at.later_than(reading.database_bytes.at)


async def test_a_difference_with_a_dead_server_is_unknown(two: Two) -> None:
    two.say(said("master", "0/10"), {})
    with closed_port() as port:
        two.urls["sky-b"] = f"http://127.0.0.1:{port}"
        pending = (await two.read(ROLE + LAG))[0].replication_pending
    assert isinstance(pending, Unknown)


async def test_any_that_answers(two: Two) -> None:
    written = ROLE + "[reading.standby_status]\nget = '/s'\npick = 's'\non = 'any'\n"
    two.say({"role": "master"}, {"role": "standby"})
    two.say({"s": "from a"}, {"s": "from b"}, "/s")
    a, b = await two.read(written)
    assert isinstance(a.standby_status, Known)
    assert isinstance(b.standby_status, Known)
    assert (a.standby_status.value, b.standby_status.value) == ("from a", "from b")
    with closed_port() as port:
        two.urls["sky-a"] = f"http://127.0.0.1:{port}"
        a, _ = await two.read(written)
    assert isinstance(a.standby_status, Known)
    assert (a.standby_status.value, a.standby_status.source) == ("from b", "sky-b: HTTP /s")
    assert isinstance(a.role, Unknown)


async def test_an_answer_that_is_no_value_is_not_replaced_by_the_others(two: Two) -> None:
    two.say({}, {"s": "from b"}, "/s")
    a, _ = await two.read(ROLE + "[reading.standby_status]\nget = '/s'\npick = 's'\non = 'any'\n")
    assert isinstance(a.standby_status, Unknown)


VARIANTS = """
[reading.version]
get = '/each'
pick = 'v'
[reading.version.master]
get = '/master'
[reading.version.server.sky-b]
pick = 'w'
[reading.next_start]
default = 'none'
[reading.next_start.master]
get = '/master'
pick = 'v'
[reading.next_start.standby]
manual = 'the page of {server.name}'
"""


async def test_variants_by_role_and_by_server(two: Two) -> None:
    two.say({"v": "1", "w": "2"}, {"v": "1", "w": "2"}, "/each")
    two.say({"v": "3", "w": "4"}, {"v": "3", "w": "4"}, "/master")
    versions: dict[tuple[str, str], object] = {}
    for roles in (("master", "standby"), ("standby", "master"), ("?", "?")):
        two.say({"role": roles[0]}, {"role": roles[1]})
        for name, reading in zip("ab", await two.read(ROLE + VARIANTS), strict=True):
            assert isinstance(reading.version, Known)
            role = roles["ab".index(name)]
            versions[name, role] = reading.version.value
            if role == "master":
                assert isinstance(reading.next_start, Known)
            else:
                assert isinstance(reading.next_start, Unknown)
                page = f"a person looks at it: the page of sky-{name}"
                asked = "asked by its role; this server does not say what it is"
                assert reading.next_start.reason == (page if role == "standby" else asked)
    assert versions == {
        ("a", "master"): "3",
        ("a", "standby"): "1",
        ("a", "?"): "1",
        ("b", "standby"): "2",
        ("b", "master"): "4",
        ("b", "?"): "2",
    }


async def test_each_request_of_a_poll_is_sent_once(two: Two) -> None:
    two.say(said("master", "0/10"), said("standby", "0/10"))
    drivers = two.open(ROLE + LAG)
    await drivers["sky-a"].read()
    assert two.a.asked == ["/"]
    await drivers["sky-a"].read()
    assert two.a.asked == ["/", "/"]


def test_a_variant_for_a_server_that_the_pair_does_not_have(two: Two) -> None:
    with pytest.raises(ConfigError, match=r"\[reading.role.server\] sky-c: is no server of \[pair.test\]"):
        two.open(ROLE + "[reading.role.server.sky-c]\npick = 'x'\n")


async def test_why_nothing_is_known_has_a_type(two: Two) -> None:
    written = (
        ROLE
        + "[reading.users]\nget = '/u'\nmeans = {404 = 'standby', 409 = 'process gone'}\n"
        + "[reading.agents]\nget = '/a'\non = 'master'\n[reading.guard]\nrun = ['x']\n"
    )
    two.say({"role": "standby"}, {"role": "master"})
    a, b = await two.read(written)
    assert _cause(a.users) is Cause.STANDBY
    assert _cause(a.agents) is Cause.STANDBY
    assert _cause(b.agents) is Cause.REFUSED
    assert _cause(a.guard) is Cause.NO_SUCH_THING
    assert _cause(a.marker) is Cause.NO_SUCH_THING
    two.a.replies["/u"] = (409, b"")
    two.a.replies["/"] = (200, b"<html>")
    with closed_port() as port:
        two.urls["sky-b"] = f"http://127.0.0.1:{port}"
        a, b = await two.read(written)
    assert _cause(a.users) is Cause.GONE
    assert _cause(a.role) is Cause.UNUSABLE
    assert _cause(b.role) is Cause.CLOSED


async def test_a_server_that_takes_connections_and_says_nothing_does_not_answer(two: Two) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        two.urls["sky-b"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        _, b = await two.read(ROLE.replace("pick", "deadline = '300ms'\npick"))
    assert _cause(b.role) is Cause.SILENT
    assert b.role == Unknown(
        "sky-b: no answer to GET / within 0.3 s.", getattr(b.role, "at", None), "HTTP /", Cause.SILENT
    )


def _cause(reading: object) -> Cause:
    assert isinstance(reading, Unknown), reading
    return reading.cause
