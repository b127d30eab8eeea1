"""What hosts ask of a person goes to whoever is attached; their agent comes with them."""

import asyncio
from pathlib import Path

import pytest

from skytui.config.secrets import Secret
from skytui.link.address import Peer
from skytui.link.wire import GiveSecret, Notice, Open, SecretsWanted
from skytui.remote.credentials import Credentials
from tests.support.conducted import conducted, until, until_read

WHERE = "ann@gate:22"
NAME = f"{WHERE} asks: Code"


@pytest.fixture(autouse=True)
def agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/first")


async def gone(credentials: Credentials) -> None:
    """The conductor has noticed that everybody has left."""
    async with asyncio.timeout(60):
        while credentials._people:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def asked(credentials: Credentials) -> "asyncio.Task[Secret]":
    """A login that waits for a code."""
    waiting = asyncio.Event()
    login = asyncio.create_task(credentials.ask(WHERE, "Code", lambda _: waiting.set()))
    async with asyncio.timeout(60):
        await waiting.wait()
    return login


async def test_the_agent_is_that_of_the_operator_who_attached_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = Credentials()
    async with conducted(tmp_path, credentials=credentials) as here:
        assert credentials.agent == "/run/first"
        monkeypatch.setenv("SSH_AUTH_SOCK", "/run/second")
        await here.client("console")
        assert credentials.agent == "/run/second"
        for kind in ("watch", "glance"):  # they may only look, so they lend nothing
            monkeypatch.setenv("SSH_AUTH_SOCK", "/run/lookers")
            await here.client(kind)
        monkeypatch.delenv("SSH_AUTH_SOCK")
        await here.client("headless")
        assert credentials.agent == "/run/second"


async def test_an_agent_of_another_user_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would not open itself to us; the conductor keeps the one it has."""
    credentials = Credentials()
    async with conducted(tmp_path, credentials=credentials) as here:
        monkeypatch.setattr("skytui.conductor.socket.peer_of", _somebody_else)
        monkeypatch.setattr("skytui.conductor.socket.why_not_in", lambda *_: "")
        monkeypatch.setenv("SSH_AUTH_SOCK", "/run/second")
        await here.client("console")
        assert credentials.agent == "/run/first"
        assert credentials._people == 1


async def test_a_code_is_asked_for_on_the_screen_and_given_to_the_login(tmp_path: Path) -> None:
    credentials = Credentials()
    async with conducted(tmp_path, credentials=credentials) as here:
        client = await here.client()
        await until_read(client)
        login = await asked(credentials)
        await until(client, lambda m: m == SecretsWanted((), hosts_ask=(NAME,)))
        giving = asyncio.create_task(client.request(lambda n: GiveSecret(n, NAME, "123456")))
        assert (await login).reveal() == "123456"
        credentials.login_over(WHERE, "")
        assert (await giving).refused == ""
        await until(client, lambda m: m == SecretsWanted(()))


async def test_a_run_does_not_wait_for_what_a_host_asks(tmp_path: Path) -> None:
    """Where a master is lost, nobody may be able to answer its host."""
    credentials = Credentials()
    async with conducted(tmp_path, credentials=credentials) as here:
        client = await here.client()
        await until_read(client)
        login = await asked(credentials)
        assert (await client.request(Open)).refused == ""
        login.cancel()
        await asyncio.gather(login, return_exceptions=True)


async def test_who_comes_later_is_told_what_is_wanted(tmp_path: Path) -> None:
    credentials = Credentials()
    async with conducted(tmp_path, credentials=credentials) as here:
        first = await here.client()
        login = await asked(credentials)
        second = await here.client()
        assert second.welcome.hosts_ask == (NAME,)
        await here.hang_up(first)
        await here.hang_up(second)
        await gone(credentials)
        login.cancel()
        await asyncio.gather(login, return_exceptions=True)
        third = await here.client()
        assert third.welcome.hosts_ask == (), "the login is tried again, and asks by itself"


async def test_a_wrong_code_is_said_to_whoever_gave_it(tmp_path: Path) -> None:
    credentials = Credentials()
    async with conducted(tmp_path, credentials=credentials) as here:
        client = await here.client()
        login = await asked(credentials)
        giving = asyncio.create_task(client.request(lambda n: GiveSecret(n, NAME, "1")))
        await login
        credentials.login_over(WHERE, f"{WHERE} did not accept it")
        assert (await giving).refused == f"{WHERE} did not accept it"
        assert credentials.wanted == (NAME,)


async def test_what_is_done_otherwise_than_the_files_say_is_told_to_everybody(tmp_path: Path) -> None:
    async with conducted(tmp_path, remarks=("config line 1: X is not followed: y.",)) as here:
        for kind in ("console", "watch"):
            client = await here.client(kind)
            notice = await until(client, lambda m: isinstance(m, Notice))
            assert isinstance(notice, Notice)
            assert notice.says == "config line 1: X is not followed: y."


def _somebody_else(_: object) -> Peer:
    return Peer(uid=54321, gid=54321, pid=1, groups=())
