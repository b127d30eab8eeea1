"""A proxy between us and a server: its troubles are its own, and never taken for the server's."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from skytui.config.pairs import ServerConfig
from skytui.config.secrets import Secret, SecretSource, SecretStore
from skytui.config.web import ProxyDefaults, WebConfig, web_faults
from skytui.drivers.connection import AtProxyError
from skytui.drivers.http import AnswerLostError, NotSentError, Web, WrongSecretError
from skytui.drivers.proxy import Proxy, passed_by, proxy_for
from skytui.errors import ConfigError, RefusedError
from tests.unit.drivers.tls import Certificate, Server, answer, certificate, https, proxying

SECONDS = 60.0
NOBODY = Server(1)


@pytest.fixture(autouse=True)
def no_proxy_around_us(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def leaf(tmp_path: Path) -> Certificate:
    return certificate(tmp_path, "leaf")


def config(server: Server, **keys: object) -> ServerConfig:
    given = {"url": server.url, **keys}
    return ServerConfig(name="sky-a", address="127.0.0.1", listen_port=1, **given)  # type: ignore[arg-type]


@asynccontextmanager
async def web_to(server: Server, secrets: SecretStore | None = None, **keys: object) -> AsyncIterator[Web]:
    web = Web(config(server, **keys), None, lambda hole: hole, secrets=secrets)
    try:
        yield web
    finally:
        await web.close()


async def test_everything_goes_through_it(leaf: Certificate) -> None:
    async with https(leaf) as server, proxying() as proxy:
        async with web_to(server, pin=leaf.fingerprint, proxy=proxy.url) as web:
            assert (await web.get("/who", SECONDS)).status == 200
        (tunnel,) = proxy.requests
        assert (tunnel.method, tunnel.path) == ("CONNECT", f"127.0.0.1:{server.port}")
        assert [asked.path for asked in server.requests] == ["/who"]
        assert not [name for name in server.requests[0].headers if name.startswith("proxy")]


async def test_one_that_nobody_runs_is_not_the_server_refusing() -> None:
    with socket.socket() as taken:  # bound, so that nobody else gets it; not listening, so that it refuses
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with web_to(NOBODY, proxy=url) as web:
            with pytest.raises(NotSentError) as refused:
                await web.get("/", SECONDS)
    assert str(refused.value) == f"sky-a: the proxy {url} refuses connections; sky-a was not asked."
    assert isinstance(refused.value, AtProxyError)  # so it is not called a closed port


@pytest.mark.parametrize("words", ["403 Forbidden", "502 Bad Gateway", "503 Service Unavailable"])
async def test_its_refusal_is_not_the_servers(words: str) -> None:
    async with proxying(says=answer(words, b'{"role": "master"}')) as proxy:
        async with web_to(NOBODY, proxy=proxy.url) as web:
            with pytest.raises(NotSentError) as refused:
                await web.get("/", SECONDS)
        assert str(refused.value) == (
            f"sky-a: the proxy {proxy.url} makes no connection to {NOBODY.url} ({words}); "
            "sky-a was not asked."
        )


async def test_its_silence_means_that_nothing_was_sent() -> None:
    async with proxying(silent=True) as proxy:
        async with web_to(NOBODY, proxy=proxy.url) as web:
            with pytest.raises(NotSentError) as refused:
                await web.send("POST", "/lock", deadline=0.5)
        assert str(refused.value).endswith(" does not answer within 0.5 s; sky-a was not asked.")


async def test_what_is_no_proxy_at_all() -> None:
    greeting = b"220 mail.example.com\r\n\r\n"
    async with proxying(says=greeting) as proxy, web_to(NOBODY, proxy=proxy.url) as web:
        with pytest.raises(NotSentError, match="does not answer as a proxy does"):
            await web.get("/", SECONDS)


async def test_an_answer_lost_beyond_it_is_lost(leaf: Certificate) -> None:
    async with https(leaf, lambda _: None) as server, proxying() as proxy:
        async with web_to(server, pin=leaf.fingerprint, proxy=proxy.url) as web:
            with pytest.raises(AnswerLostError, match="the answer to POST /lock was lost"):
                await web.send("POST", "/lock", deadline=SECONDS)
        assert [asked.path for asked in server.requests] == ["/lock"]


async def test_a_certificate_that_is_not_trusted_is_the_servers(leaf: Certificate) -> None:
    async with https(leaf) as server, proxying() as proxy:
        async with web_to(server, proxy=proxy.url) as web:
            with pytest.raises(NotSentError) as refused:
                await web.get("/", SECONDS)
        assert f"sky-a: {server.url} shows a certificate that nobody else vouches for" in str(refused.value)
        assert leaf.fingerprint in str(refused.value)
        assert server.requests == []


class TestItsLogin:
    async def test_is_asked_for_where_it_is_missing(self) -> None:
        async with proxying(login="ops:right") as proxy:
            async with web_to(NOBODY, proxy=proxy.url) as web:
                with pytest.raises(NotSentError) as refused:
                    await web.get("/", SECONDS)
            assert str(refused.value).startswith(f"sky-a: the proxy {proxy.url} wants a login (407 ")
            assert "`proxy_user` and `proxy_secret`" in str(refused.value)

    async def test_is_sent_once_when_wrong_and_is_right_when_given_again(self, leaf: Certificate) -> None:
        secrets = SecretStore({"proxy": SecretSource(prompt="proxy password")})
        async with https(leaf) as server, proxying(login="ops:right") as proxy:
            async with web_to(
                server,
                secrets,
                pin=leaf.fingerprint,
                proxy=proxy.url,
                proxy_user="ops",
                proxy_secret="proxy",
            ) as web:
                with pytest.raises(RefusedError, match="has not been given yet"):
                    await web.get("/", SECONDS)
                secrets.put("proxy", Secret("wrong-marked"))
                answers = await asyncio.gather(
                    *(web.get("/", SECONDS) for _ in range(8)), return_exceptions=True
                )
                assert len(proxy.requests) == 1
                assert {isinstance(one, RefusedError) for one in answers} == {True}
                assert all("the login of ops" in str(one) for one in answers)
                assert "wrong-marked" not in repr(answers)
                assert list(secrets.missing()) == ["proxy"]
                secrets.put("proxy", Secret("right"))
                assert (await web.get("/", SECONDS)).status == 200
            assert [asked.path for asked in server.requests] == ["/"]

    async def test_of_the_environments_is_sent_once_when_wrong(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with proxying(login="ops:right") as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("://", "://ops:wrong-marked@"))
            async with web_to(NOBODY, proxy="environment") as web:
                for _ in range(3):
                    with pytest.raises(WrongSecretError) as refused:
                        await web.get("/", SECONDS)
                    assert "wrong-marked" not in str(refused.value)
                assert len(proxy.requests) == 1
                await web.login(again=True)
                with pytest.raises(WrongSecretError):
                    await web.get("/", SECONDS)
                assert len(proxy.requests) == 2


class TestTheEnvironment:
    async def test_is_not_asked_without_a_word(
        self, leaf: Certificate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
        async with https(leaf) as server, web_to(server, pin=leaf.fingerprint) as web:
            assert (await web.get("/", SECONDS)).status == 200

    async def test_names_one_where_the_configuration_says_so(
        self, leaf: Certificate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with https(leaf) as server, proxying(login="ops:p@ss word") as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("://", "://ops:p%40ss%20word@"))
            async with web_to(server, pin=leaf.fingerprint, proxy="environment") as web:
                assert (await web.get("/", SECONDS)).status == 200
            assert len(proxy.requests) == 1

    def test_in_its_many_forms(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def named(value: str) -> Proxy | None:
            monkeypatch.setenv("HTTPS_PROXY", value)
            return proxy_for(config(NOBODY, proxy="environment"))

        assert named("proxy:3128") == Proxy("http://proxy:3128")
        assert named("http://proxy") == Proxy("http://proxy:80")
        assert named("http://[::1]:3128/") == Proxy("http://[::1]:3128")
        given = named("http://jo:marked@proxy:3128")
        assert given == Proxy("http://proxy:3128", "jo", password=Secret("marked"))
        assert "marked" not in repr(given)
        monkeypatch.setenv("HTTPS_PROXY", "")
        assert proxy_for(config(NOBODY, proxy="environment")) is None
        for wrong in ("socks5://jo:marked@proxy:1080", "https://proxy:443", "http://", "http://proxy:http"):
            with pytest.raises(ConfigError) as fault:
                named(wrong)
            assert str(fault.value) == (
                "sky-a: the proxy that HTTPS_PROXY names cannot be used: it must be http://HOST:PORT."
            )

    @pytest.mark.parametrize(
        ("entries", "url", "passed"),
        [
            ("", "https://sky-a.example.com", False),
            ("*", "https://sky-a.example.com", True),
            ("sky-a.example.com", "https://SKY-A.example.com:8443", True),
            ("other, example.com", "https://sky-a.example.com", True),
            (".example.com", "https://sky-a.example.com", True),
            ("example.com", "https://sky-a-example.com", False),
            ("sky-a.example.com:8443", "https://sky-a.example.com:8443", True),
            ("sky-a.example.com:8443", "https://sky-a.example.com:9443", False),
            ("10.0.0.11", "https://10.0.0.11:8443", True),
            ("10.0.0.0/8", "https://10.0.0.11:8443", True),
            ("10.1.0.0/16", "https://10.0.0.11:8443", False),
            ("10.0.0.0/8", "https://sky-a.example.com", False),
            ("10.0.0.0/99", "https://10.0.0.11", False),
        ],
    )
    def test_says_who_is_asked_directly(
        self, entries: str, url: str, passed: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NO_PROXY", entries)
        assert passed_by(url) is passed
        server = ServerConfig(name="sky-a", address="a", listen_port=1, url=url, proxy="http://proxy:3128")
        assert (proxy_for(server) is None) is passed


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"proxy": "http://proxy:3128"}, ""),
        ({"proxy": "http://[fd00::1]:3128/"}, ""),
        ({"proxy": "environment"}, ""),
        ({"proxy": "none"}, ""),
        ({"proxy": "http://proxy:3128", "proxy_user": "ops", "proxy_secret": "proxy"}, ""),
        ({"proxy": "proxy:3128"}, "proxy: is `http://HOST:PORT`, or `environment`, or `none`"),
        ({"proxy": "https://proxy:3128"}, "proxy: is `http://HOST:PORT`, or `environment`, or `none`"),
        ({"proxy": "http://jo:secret@proxy:3128"}, "proxy: holds no login: give `proxy_user`, and the name"),
        ({"proxy": "http://p:1", "proxy_user": "ops"}, "proxy_user: a proxy's login needs both"),
        ({"proxy": "http://p:1", "proxy_secret": "proxy"}, "proxy_secret: a proxy's login needs both"),
        ({"proxy_user": "ops", "proxy_secret": "proxy"}, "proxy_user: there is no `proxy` to log in to"),
        (
            {"proxy": "http://p:1", "proxy_user": "ops", "proxy_secret": "proxi"},
            "proxy_secret: the pair has no secret of that name; did you mean `proxy`?",
        ),
        (
            {"proxy": "environment", "proxy_user": "ops", "proxy_secret": "proxy"},
            "proxy_user: the environment's proxy has its login in HTTPS_PROXY",
        ),
        ({"proxy": "http://p:1", "url": "http://sky-a"}, "proxy: is for https only"),
    ],
)
def test_what_may_be_configured(keys: dict[str, str], fault: str) -> None:
    faults = [
        f"{key}: {says}"
        for key, says in web_faults("sky-a", msgspec.convert(keys, WebConfig), ["proxy"], practice=True)
    ]
    assert len(faults) == bool(fault)
    assert not fault or faults[0].startswith(fault)


def test_the_pairs_proxy_is_its_servers() -> None:
    assert ProxyDefaults(proxy="http://p:1").given() == {
        "proxy": "http://p:1",
        "proxy_user": "",
        "proxy_secret": "",
    }
