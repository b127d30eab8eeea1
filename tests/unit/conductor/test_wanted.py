"""A secret that a server refuses is asked for again, and nothing refused is sent again by itself."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from skytui.clock import SystemClock
from skytui.conductor.wanted import Wanted
from skytui.config.pairs import PairConfig, ServerConfig
from skytui.config.profile_file import read_profile
from skytui.config.secrets import SecretSource, SecretStore
from skytui.config.tables import Document
from skytui.drivers.profiled import ProfiledDriver
from skytui.link.wire import GiveSecret, Notice, SecretsWanted, TrySecrets
from skytui.pair.order import Expectation, Order, Result
from skytui.pair.reading import Known, Unknown
from skytui.pair.vocabulary import Action, Role
from tests.support.conducted import conducted, open_run, until, until_read
from tests.unit.drivers.conftest import PASSWORD, PROFILE, FakeServer

LOCK = Order("t-1", Action.LOCK_QUEUES, "sky-a", Expectation("sky-a", Role.MASTER, 4), "sky-b")
WRONG = "sky-a: the login was refused: wrong password."


class Pair:
    """One server behind a real driver, its password in a file, and what clients were told."""

    def __init__(self, folder: Path, source: SecretSource) -> None:
        self.server = FakeServer()
        servers = {
            name: ServerConfig(name=name, address="127.0.0.1", listen_port=1, url=f"https://{name}")
            for name in ("sky-a", "sky-b")
        }
        config = PairConfig(
            name="test",
            file=folder / "c.toml",
            profile="fake",
            servers=servers,
            secrets={"admin": source},
        )
        self.secrets = SecretStore(config.secrets)
        self.secrets.resolve()
        profile = read_profile(Document(Path("fake.toml"), PROFILE))
        transport = httpx.MockTransport(self.server)
        self.driver = ProfiledDriver(
            config, "sky-a", profile, SystemClock(), self.secrets, transport=transport
        )
        self.told: list[SecretsWanted] = []
        self.aloud: list[str] = []
        self.wanted = Wanted(
            self.secrets, {"sky-a": self.driver}, publish=self.told.append, trouble=self.aloud.append
        )

    @property
    def logins(self) -> int:
        return len(self.server.asked("/login", "POST"))

    async def users(self) -> Known[object] | Unknown:
        users = (await self.driver.read()).users
        assert isinstance(users, Known | Unknown)
        self.wanted.tell()
        return users


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.touch(0o600)
    return file


@pytest.fixture
async def pair(tmp_path: Path, file: Path) -> AsyncIterator[Pair]:
    file.write_text("stale\n")
    one = Pair(tmp_path, SecretSource(file=file))
    yield one
    await one.driver.close()


async def test_one_refused_by_a_poll_is_asked_for_once(pair: Pair) -> None:
    for _ in range(3):
        users = await pair.users()
        assert isinstance(users, Unknown)
        assert "wrong password" in users.reason
    assert pair.logins == 1
    assert pair.told == [SecretsWanted(("admin",), {"admin": WRONG})]
    assert pair.aloud == [f"The secret admin is asked for again: {WRONG}"]


async def test_the_right_one_ends_it(pair: Pair) -> None:
    await pair.users()
    assert await pair.wanted.take(GiveSecret(1, "admin", "no")) == WRONG
    assert await pair.wanted.take(GiveSecret(2, "admin", PASSWORD)) == ""
    assert pair.told[-1] == SecretsWanted((), {})
    assert isinstance(await pair.users(), Known)
    assert pair.logins == 3
    assert len(pair.aloud) == 1


async def test_an_account_that_was_unlocked_takes_the_same_one(pair: Pair) -> None:
    await pair.users()
    pair.server.password = "stale"
    assert await pair.wanted.take(GiveSecret(1, "admin", "stale")) == ""
    assert isinstance(await pair.users(), Known)


async def test_a_file_that_was_mended_is_read_again_when_asked_to(pair: Pair, file: Path) -> None:
    await pair.users()
    assert await pair.wanted.again() == WRONG
    assert pair.logins == 2
    file.write_text(f"{PASSWORD}\n")
    await pair.users()
    assert pair.logins == 2
    assert await pair.wanted.again() == ""
    assert isinstance(await pair.users(), Known)
    file.unlink()
    await pair.users()
    assert pair.told[-1] == SecretsWanted((), {})


async def test_a_file_that_is_gone_is_said(pair: Pair, file: Path) -> None:
    await pair.users()
    file.unlink()
    assert "No such file" in await pair.wanted.again()
    assert list(pair.secrets.missing()) == ["admin"]


async def test_an_order_it_was_refused_for_can_be_given_again(pair: Pair) -> None:
    refused = await pair.driver.act(LOCK, lambda _: None)
    assert (refused.result, refused.says) == (Result.REFUSED, WRONG)
    assert pair.server.asked("/lock") == []
    assert await pair.wanted.take(GiveSecret(1, "admin", PASSWORD)) == ""
    again = Order("t-2", LOCK.action, LOCK.server, LOCK.expects, LOCK.peer)
    assert (await pair.driver.act(again, lambda _: None)).result is Result.DONE


async def test_a_poll_that_had_the_refusal_first_is_no_success(pair: Pair) -> None:
    await pair.users()

    async def tried() -> str:
        await pair.driver.read()  # the poll takes the new one, and has it refused
        return ""

    pair.driver.try_login = tried  # type: ignore[method-assign]
    assert await pair.wanted.take(GiveSecret(1, "admin", "no")) == WRONG
    assert list(pair.secrets.missing()) == ["admin"]


async def test_everybody_is_told_and_a_run_goes_on(tmp_path: Path, file: Path) -> None:
    file.write_text("as configured\n")
    secrets = {"admin": SecretSource(file=file)}
    async with conducted(tmp_path, secrets=secrets) as here:
        store = here.conductor.wanted._secrets
        store.resolve()
        client = await here.client()
        await open_run(client)
        known = store.get("admin")
        assert known is not None
        store.refuse("admin", known, WRONG)
        told = await until(client, lambda m: isinstance(m, SecretsWanted))
        assert told == SecretsWanted(("admin",), {"admin": WRONG})
        notice = await until(client, lambda m: isinstance(m, Notice))
        assert isinstance(notice, Notice)
        assert notice.says == f"The secret admin is asked for again: {WRONG}"
        late = await here.client("watch")
        assert (late.welcome.secrets_wanted, late.welcome.secrets_refused) == (("admin",), {"admin": WRONG})
        await until_read(late)
        assert (await late.request(TrySecrets)).refused == "a watcher may only look"
        assert (await client.request(TrySecrets)).refused == ""
        told = await until(client, lambda m: isinstance(m, SecretsWanted))
        assert told == SecretsWanted(())
