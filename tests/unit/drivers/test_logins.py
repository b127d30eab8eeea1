"""Every kind of login: how it is tried, that a refused one is not repeated, and when a session is over."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest

from skytui.config.login import LoginSpec, read_login
from skytui.config.pairs import ServerConfig
from skytui.config.secrets import Secret, SecretSource, SecretStore
from skytui.config.tables import Document
from skytui.drivers.http import NotSentError, Web, WrongSecretError
from skytui.errors import RefusedError
from tests.unit.drivers.tls import certificate, https

SECONDS = 60.0
PASSWORD = "xyzzy & plugh"

BASIC = 'kind = "basic"\nget = "/me"\nuser = "admin"\npassword = "{secret.admin}"'
BEARER = 'kind = "bearer"\nget = "/me"\ntoken = "{secret.admin}"'
HEADER = 'kind = "header"\nget = "/me"\nheader = "X-Api-Key"\nvalue = "key={secret.admin}"'
FORM = """
kind = "form"
get = "/sky/login"
fields = { "user_session[username]" = "admin", "user_session[password]" = "{secret.admin}" }
logout = "/sky/logout"
logout_method = "GET"
"""

PAGE = """<html><head><meta charset="utf-8"><body>
<form action="/search"><input name="q"></form>
<form id="login" action="{action}" method="post" accept-charset="UTF-8">
  <input name="utf8" type="hidden" value="&#x2713;">
  <input type="hidden" name="authenticity_token" value="{token}">
  <input name="user_session[username]" type="text"><input type="password" name="user_session[password]">
  <input type="submit" name="commit" value="Sign in">
</form><p>Copyright</body>"""


def login_of(text: str) -> LoginSpec:
    document = Document(Path("p.toml"), f"[login]\n{text}")
    login = read_login(document)
    document.check()
    assert login is not None
    return login


class Site:
    """Answers requests, and keeps them. `opens` says whether a request carries a good login."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.password = PASSWORD
        self.session = 0
        self.token = "tok/en+1="
        self.action = "/sky/session"
        self.broken = False
        self.after = httpx.Response(302, headers={"location": "/sky/home"})

    def opens(self, request: httpx.Request) -> bool:
        basic = base64.b64encode(f"admin:{self.password}".encode()).decode()
        good = (f"Basic {basic}", f"Bearer {self.password}")
        return (
            request.headers.get("authorization") in good
            or request.headers.get("x-api-key") == f"key={self.password}"
            or (self.session > 0 and f"sid=s{self.session}" in request.headers.get("cookie", ""))
        )

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.broken:
            return httpx.Response(503, text="starting")
        path = request.url.path
        if path.startswith("/sky"):
            return self.form(request, path)
        return httpx.Response(200, json={"path": path}) if self.opens(request) else httpx.Response(401)

    def form(self, request: httpx.Request, path: str) -> httpx.Response:
        if path == "/sky/login":
            return self.page()
        if path == "/sky/session":
            return self.judge(request)
        if not self.opens(request):
            return httpx.Response(302, headers={"location": "/sky/login?back=1"})
        return httpx.Response(200, json={"path": path})

    def page(self) -> httpx.Response:
        text = PAGE.format(action=self.action, token=self.token)
        return httpx.Response(200, html=text, headers={"set-cookie": "csrf=c1; path=/; HttpOnly"})

    def judge(self, request: httpx.Request) -> httpx.Response:
        given = parse_qs(request.content.decode(), keep_blank_values=True, strict_parsing=True)
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert given["authenticity_token"] == [self.token]
        assert given["utf8"] == ["\u2713"]
        assert "commit" not in given
        assert "csrf=c1" in request.headers["cookie"]
        assert request.headers["referer"] == "https://sky-a.example:8443/sky/login"
        if (given["user_session[username]"], given["user_session[password]"]) != (["admin"], [self.password]):
            return self.page()
        self.session += 1
        response = httpx.Response(self.after.status_code, headers=self.after.headers)
        response.headers["set-cookie"] = f"sid=s{self.session}; path=/sky; Secure; HttpOnly"
        return response

    def asked(self, path: str) -> int:
        return sum(request.url.path == path for request in self.requests)

    def holding(self, words: str) -> int:
        """Requests that hold these words somewhere."""
        return sum(
            words in f"{request.url}{request.headers}{request.content.decode()}" for request in self.requests
        )


Open = Callable[..., Web]


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def secrets() -> SecretStore:
    store = SecretStore({"admin": SecretSource(prompt="password of admin")})
    store.put("admin", Secret(PASSWORD))
    return store


@pytest.fixture
async def open_web(site: Site, secrets: SecretStore) -> AsyncIterator[Open]:
    made: list[Web] = []

    def look_up(hole: str) -> object:
        secret = secrets.get(hole.removeprefix("secret."))
        if secret is None:
            raise RefusedError(secrets.why_missing("admin"))
        return secret.reveal()

    def web(login: str) -> Web:
        server = ServerConfig(name="sky-a", address="a", listen_port=1, url="https://sky-a.example:8443")
        made.append(Web(server, login_of(login), look_up, httpx.MockTransport(site), secrets=secrets))
        return made[-1]

    yield web
    for one in made:
        await one.close()


@pytest.mark.parametrize("kind", [BASIC, BEARER, HEADER])
class TestWithEveryRequest:
    async def test_what_is_asked_carries_it(self, kind: str, open_web: Open, site: Site) -> None:
        web = open_web(kind)
        answers = await asyncio.gather(*(web.get(f"/{n}", SECONDS) for n in range(5)))
        assert [answer.status for answer in answers] == [200] * 5
        assert site.asked("/me") == 1

    async def test_a_wrong_one_goes_out_once(
        self, kind: str, open_web: Open, site: Site, secrets: SecretStore
    ) -> None:
        site.password = "another"
        web = open_web(kind)
        for _ in range(2):
            answers = await asyncio.gather(
                *(web.send("GET", f"/{n}", deadline=SECONDS) for n in range(10)), return_exceptions=True
            )
            assert all(isinstance(answer, RefusedError) for answer in answers)
            assert PASSWORD not in repr(answers)
        assert [request.url.path for request in site.requests] == ["/me"]
        assert list(secrets.missing()) == ["admin"]
        assert secrets.refused() == {"admin": "sky-a: the login was refused: 401."}

    async def test_the_same_one_given_again_is_tried_again(
        self, kind: str, open_web: Open, site: Site, secrets: SecretStore
    ) -> None:
        site.password = "another"
        web = open_web(kind)
        with pytest.raises(WrongSecretError):
            await web.login()
        site.password = PASSWORD  # somebody has set it, or unlocked the account
        secrets.put("admin", Secret(PASSWORD))
        await web.login(again=True)
        assert (await web.get("/x", SECONDS)).status == 200

    async def test_one_that_is_changed_meanwhile_is_asked_for(
        self, kind: str, open_web: Open, site: Site, secrets: SecretStore
    ) -> None:
        web = open_web(kind)
        assert (await web.get("/x", SECONDS)).status == 200
        site.password = "another"
        with pytest.raises(RefusedError):
            await web.send("GET", "/x", deadline=SECONDS)
        assert list(secrets.missing()) == ["admin"]

    async def test_a_server_that_is_starting_says_nothing_about_it(
        self, kind: str, open_web: Open, site: Site, secrets: SecretStore
    ) -> None:
        site.broken = True
        web = open_web(kind)
        with pytest.raises(RefusedError, match="no login: 503 starting"):
            await web.send("GET", "/x", deadline=SECONDS)
        assert secrets.missing() == {}
        site.broken = False
        assert (await web.get("/x", SECONDS)).status == 200


@pytest.mark.parametrize("code", [400, 401, 403, 422, 423, 429])
async def test_answers_after_which_a_login_is_not_repeated(
    code: int, open_web: Open, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "opens", lambda _: False)
    monkeypatch.setattr(Site, "__call__", lambda self, request: _note(self, request, code))
    web = open_web(BASIC)
    for _ in range(3):
        with pytest.raises(RefusedError):
            await web.send("GET", "/x", deadline=SECONDS)
    assert len(site.requests) == 1


def _note(site: Site, request: httpx.Request, code: int) -> httpx.Response:
    site.requests.append(request)
    return httpx.Response(code)


@pytest.mark.parametrize("kind", [BASIC, HEADER])
async def test_a_server_that_repeats_the_password_does_not_make_us_repeat_it(
    kind: str, open_web: Open, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = httpx.Response(401, json={"error": {"message": f"no: {PASSWORD} is wrong"}})
    monkeypatch.setattr(Site, "__call__", lambda *_: said)
    with pytest.raises(WrongSecretError) as refused:
        await open_web(kind).login()
    assert str(refused.value) == "sky-a: the login was refused: no: … is wrong."


@pytest.mark.parametrize("kind", [BEARER, HEADER])
@pytest.mark.parametrize("secret", ["marked\x01", "mark\xe9d", "marked\n", "marked "])
async def test_a_secret_that_no_header_can_carry_is_not_shown(
    kind: str, secret: str, tmp_path: Path, secrets: SecretStore
) -> None:
    alone = certificate(tmp_path, "alone")
    secrets.put("admin", Secret(secret))
    async with https(alone) as server:
        config = ServerConfig(name="sky-a", address="a", listen_port=1, url=server.url, pin=alone.fingerprint)
        web = Web(config, login_of(kind), lambda _: secret, secrets=secrets)
        with pytest.raises(NotSentError) as refused:
            await web.login()
        await web.close()
        assert str(refused.value) == (
            "sky-a: GET /me cannot be sent as it stands: a header would hold a character that none may hold."
        )
        assert server.requests == []


class TestForm:
    async def test_a_session_is_opened_with_the_forms_hidden_fields(self, open_web: Open, site: Site) -> None:
        web = open_web(FORM)
        reply = await web.get("/sky/jobs.json", SECONDS)
        assert (reply.status, reply.body) == (200, {"path": "/sky/jobs.json"})
        await asyncio.gather(*(web.get("/sky/x", SECONDS) for _ in range(5)))
        assert (site.asked("/sky/login"), site.asked("/sky/session"), site.asked("/sky/home")) == (1, 1, 1)

    async def test_a_wrong_password_shows_the_page_again_and_goes_out_once(
        self, open_web: Open, site: Site, secrets: SecretStore
    ) -> None:
        site.password = "another"
        web = open_web(FORM)
        with pytest.raises(WrongSecretError) as refused:
            await web.login()
        assert str(refused.value) == "sky-a: the login was refused."
        for _ in range(3):
            with pytest.raises(RefusedError, match="sky-a: the login was refused"):
                await web.get("/sky/jobs.json", SECONDS)
        assert site.asked("/sky/session") == 1
        assert list(secrets.missing()) == ["admin"]
        assert PASSWORD not in repr(refused.value)

    @pytest.mark.parametrize(
        "after",
        [
            httpx.Response(302, headers={"location": "/sky/login"}),
            httpx.Response(302, headers={"location": "https://sky-a.example:8443/sky/login?e=1"}),
            httpx.Response(403),
            httpx.Response(423),
        ],
    )
    async def test_other_ways_to_refuse(self, after: httpx.Response, open_web: Open, site: Site) -> None:
        site.after = after
        with pytest.raises(WrongSecretError):
            await open_web(FORM).login()
        assert site.asked("/sky/session") == 1

    async def test_a_text_that_says_so(
        self, open_web: Open, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said = httpx.Response(200, html="<p>Invalid user name or password</p>")
        monkeypatch.setattr(site, "judge", lambda _: said)
        with pytest.raises(WrongSecretError):
            await open_web(FORM + "failed = 'Invalid (user|password)'").login()

    async def test_a_login_that_gives_no_session(
        self, open_web: Open, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        page = httpx.Response(200, html=PAGE.format(action="/sky/session", token="t"))
        monkeypatch.setattr(site, "page", lambda: page)
        monkeypatch.setattr(site, "judge", lambda _: httpx.Response(200, html="<p>Welcome"))
        with pytest.raises(RefusedError, match="no login: the server set no cookie") as refused:
            await open_web(FORM).login()
        assert not isinstance(refused.value, WrongSecretError)

    async def test_a_session_that_has_ended_is_opened_again_once(self, open_web: Open, site: Site) -> None:
        web = open_web(FORM)
        await web.get("/sky/x", SECONDS)
        site.session += 1  # the cookie of before is nobody's
        replies = await asyncio.gather(*(web.get(f"/sky/{n}", SECONDS) for n in range(6)))
        assert {reply.status for reply in replies} == {200}
        assert site.asked("/sky/session") == 2

    async def test_a_server_that_accepts_no_session_is_not_logged_in_to_for_ever(
        self, open_web: Open, site: Site, secrets: SecretStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        web = open_web(FORM)
        monkeypatch.setattr(site, "opens", lambda request: request.url.path == "/sky/home")
        for _ in range(5):
            reply = await web.get("/sky/x", SECONDS)
            assert reply.status == 401
            assert reply.message == "it shows its login page, although we have logged in"
        assert site.asked("/sky/session") == 2
        monkeypatch.setattr("skytui.drivers.http.PATIENCE_SECONDS", 0.0)
        for _ in range(5):
            with pytest.raises(RefusedError, match="its page comes back whenever we have logged in"):
                await web.send("GET", "/sky/x", deadline=SECONDS)
        assert site.asked("/sky/session") == 2
        assert list(secrets.missing()) == ["admin"]

    async def test_a_page_that_is_closed_to_us_does_not_end_a_good_session(
        self, open_web: Open, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        web, opens = open_web(FORM), site.opens
        monkeypatch.setattr("skytui.drivers.http.PATIENCE_SECONDS", 0.0)
        monkeypatch.setattr(
            site, "opens", lambda request: request.url.path != "/sky/closed" and opens(request)
        )
        for _ in range(5):
            assert (await web.get("/sky/closed", SECONDS)).status == 401
            assert (await web.get("/sky/open", SECONDS)).status == 200

    @pytest.mark.parametrize(
        ("action", "why"),
        [
            ("https://evil.example/collect?x=1", "goes to https://evil.example/collect"),
            ("//sky-b.example:8443/sky/session", "goes to https://sky-b.example:8443/sky/session"),
            ("http://sky-a.example:8443/sky/session", "goes to http://sky-a.example:8443/sky/session"),
        ],
    )
    async def test_a_form_that_goes_elsewhere_gets_no_password(
        self, action: str, why: str, open_web: Open, site: Site
    ) -> None:
        site.action = action
        with pytest.raises(RefusedError, match="no login: the form of /sky/login") as refused:
            await open_web(FORM).login()
        assert why in str(refused.value)
        assert site.holding("xyzzy") == 0

    async def test_a_page_without_the_form_gets_no_password(
        self, open_web: Open, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for page in (
            httpx.Response(200, html="<form method=post><input name=other></form>"),
            httpx.Response(404, html="<p>Not here</p>"),
            httpx.Response(200, json={"form": None}),
            httpx.Response(302, headers={"location": "https://sso.example/login"}),
            httpx.Response(302, headers={"location": "/sky/login"}),
        ):
            monkeypatch.setattr(site, "page", lambda page=page: page)
            with pytest.raises(RefusedError, match="sky-a: no login: ") as refused:
                await open_web(FORM).login()
            assert not isinstance(refused.value, WrongSecretError)
        assert site.holding("xyzzy") == 0

    async def test_a_form_that_would_put_the_password_into_an_address(
        self, open_web: Open, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        page = PAGE.format(action="/sky/session", token="t").replace('method="post"', "")
        monkeypatch.setattr(site, "page", lambda: httpx.Response(200, html=page))
        with pytest.raises(RefusedError, match="would put the password into an address"):
            await open_web(FORM).login()
        assert site.holding("xyzzy") == 0

    async def test_a_redirect_elsewhere_after_the_login_is_not_followed(
        self, open_web: Open, site: Site
    ) -> None:
        site.after = httpx.Response(302, headers={"location": "https://sky-b.example:8443/sky/home?t=4711"})
        with pytest.raises(RefusedError) as refused:
            await open_web(FORM).login()
        assert str(refused.value) == (
            "sky-a: no login: sky-a redirects to https://sky-b.example:8443/sky/home: not followed."
        )
        assert {request.url.host for request in site.requests} == {"sky-a.example"}

    async def test_it_logs_out_at_the_end(self, open_web: Open, site: Site) -> None:
        web = open_web(FORM)
        await web.get("/sky/x", SECONDS)
        await web.close()
        last = site.requests[-1]
        assert (last.method, last.url.path) == ("GET", "/sky/logout")
        assert "sid=s1" in last.headers["cookie"]

    async def test_cookies_are_a_sessions_own(self, open_web: Open, site: Site) -> None:
        first, second = open_web(FORM), open_web(FORM)
        await first.get("/sky/x", SECONDS)
        await second.get("/sky/x", SECONDS)
        asked = [request for request in site.requests if request.url.path == "/sky/x"]
        assert [request.headers["cookie"].count("sid=") for request in asked] == [1, 1]
        assert asked[0].headers["cookie"] != asked[1].headers["cookie"]


class TestWhatAProfileSays:
    @pytest.mark.parametrize("kind", [BASIC, BEARER, HEADER, FORM])
    def test_each_kind(self, kind: str) -> None:
        login_of(kind)

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ('kind = "basics"', "[login] kind: there is no login of this kind; did you mean `basic`?"),
            ("kind = 3", "[login] kind: there is no login of this kind; one of token, basic, bearer"),
            (BASIC.replace("{secret.admin}", "pw"), "[login] password: needs a secret: `{secret.NAME}`"),
            (BEARER.replace("{secret.admin}", "pw"), "[login] token: needs a secret"),
            (HEADER.replace("{secret.admin}", "pw"), "[login] value: needs a secret"),
            (FORM.replace("{secret.admin}", "pw"), "[login] fields: needs a secret"),
            (BASIC.replace("/me", "/{secret.admin}"), "[login] get: `{secret.admin}` may not stand here"),
            (HEADER.replace("X-Api-Key", "X Api"), "[login] header: "),
            (
                BASIC.replace("user =", "username ="),
                "[login] username: is not known here; did you mean `user`?",
            ),
            (BASIC.replace("admin}", "{home}"), "[login] password: "),
            (FORM.replace('"GET"', '"PUT"'), "[login] logout_method: "),
            (FORM + "failed = '('", "[login] failed: is not a regular expression"),
        ],
    )
    def test_what_is_wrong_is_said(self, text: str, fault: str) -> None:
        document = Document(Path("p.toml"), f"[login]\n{text}")
        read_login(document)
        with pytest.raises(Exception, match=r"p\.toml") as wrong:
            document.check()
        assert fault in str(wrong.value)
