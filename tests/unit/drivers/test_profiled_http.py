import asyncio
import json

import httpx
import msgspec
import pytest

from skytui.config.profile import CheckSpec, Profile
from skytui.pair.order import Expectation, Order, Outcome, Result
from skytui.pair.reading import Cause, Known, Unknown
from skytui.pair.vocabulary import Action, Agent, Role, User
from tests.unit.drivers.conftest import PASSWORD, FakeServer, Make


def lock(token: str = "t-1", timeline: int = 4, deadline: float = 5.0, **expects: Role) -> Order:  # noqa: S107
    expected = Expectation("sky-a", expects.get("role", Role.MASTER), timeline)
    return Order(token, Action.LOCK_QUEUES, "sky-a", expected, "sky-b", ("Q1", "Q2"), "run", deadline)


async def act(make: Make, order: Order, **options: object) -> Outcome:
    return await make(**options).act(order, lambda _: None)


async def test_one_poll_asks_each_thing_once(make: Make, server: FakeServer) -> None:
    reading = await make().read()
    assert isinstance(reading.role, Known)
    assert isinstance(reading.identity, Known)
    assert len(server.asked("/who")) == 1
    assert len(server.asked("/login")) == 1
    assert reading.role.value is Role.MASTER
    assert isinstance(reading.users, Known)
    assert (reading.users.value, reading.users.source) == ([User("admin")], "HTTP /users")


async def test_the_role_of_this_poll_decides_who_is_asked(make: Make, server: FakeServer) -> None:
    driver = make()
    first = await driver.read()
    assert isinstance(first.agents, Known)
    assert first.agents.value == [Agent("A", "active")]
    assert first.standby_status == Unknown(
        "asked of the standby only; this server reads master", cause=Cause.NOT_ASKED
    )
    server.replies["/who"] = {"name": "sky-a", "role": "standby"}
    before = len(server.asked("/agents"))
    second = await driver.read()
    assert second.agents == Unknown(
        "asked of the master only; this server reads standby", cause=Cause.STANDBY
    )
    assert isinstance(second.standby_status, Known)
    server.replies["/who"] = httpx.Response(503)
    third = await driver.read()
    assert third.agents == Unknown(
        "asked of the master only; this server does not say what it is", cause=Cause.NOT_ASKED
    )
    assert len(server.asked("/agents")) == before


async def test_what_the_profile_does_not_ask_is_unknown_with_the_reason(make: Make) -> None:
    reading = await make().read()
    assert reading.guard == Unknown("this kind of system has no such thing", cause=Cause.NO_SUCH_THING)
    assert reading.next_start == Unknown("a person looks at it: the Schedule page", cause=Cause.BY_HAND)
    assert reading.queues == Unknown(
        "the profile fake does not say how it is read", cause=Cause.NO_SUCH_THING
    )
    assert isinstance(reading.version, Unknown)
    assert reading.version.reason == "the configuration gives no ssh for it"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (
            httpx.Response(503, json={"error": {"message": "the database is down"}}),
            "HTTP 503: the database is down",
        ),
        (
            httpx.Response(302, headers={"location": "https://sky-b:8443/login?ticket=4711"}),
            "HTTP 302: sky-a redirects to https://sky-b:8443/login: not followed",
        ),
        (httpx.Response(302), "HTTP 302: no reason given"),
        (httpx.Response(200, text="<html>"), "the answer cannot be used: it is not JSON: JSON is malformed"),
        (httpx.Response(200, json={"items": 3}), "the answer cannot be used: Expected `array`, got `int`"),
        (httpx.Response(200, json={"items": [{"user": None}]}), "the answer cannot be used: Expected `str`"),
        (httpx.Response(200, content=b"[" * 50000), "the answer cannot be used: it is not JSON"),
        (httpx.ConnectError("refused"), "sky-a: https://a cannot be reached: refused."),
        (httpx.ReadError("reset"), "sky-a: the answer to GET /users was lost: reset."),
    ],
)
async def test_a_failure_is_unknown_with_its_reason(
    make: Make, server: FakeServer, reply: object, reason: str
) -> None:
    server.replies["/users"] = reply
    users = (await make().read()).users
    assert isinstance(users, Unknown)
    assert users.reason.startswith(reason)
    assert users.at is not None


async def test_text_from_the_server_is_harmless(make: Make, server: FakeServer) -> None:
    server.replies["/users"] = {"items": [{"user": "\x1b]52;c;evil\x07ro\u202eot [/x]"}]}
    users = (await make().read()).users
    assert isinstance(users, Known)
    assert users.value[0].user == "ro\ufffdot [/x]"
    server.replies["/users"] = httpx.Response(500, json={"error": {"message": "\x1b[2Jboom"}})
    users = (await make().read()).users
    assert isinstance(users, Unknown)
    assert users.reason == "HTTP 500: boom"


async def test_without_a_password_only_what_is_open_is_read(make: Make, server: FakeServer) -> None:
    reading = await make(secret=None).read()
    assert isinstance(reading.role, Known)
    assert isinstance(reading.users, Unknown)
    assert reading.users.reason == "The secret `admin` has not been given yet."
    assert server.asked("/login") == []


async def test_a_wrong_password_is_tried_once(make: Make, server: FakeServer) -> None:
    driver = make(secret="stale")
    assert await driver.try_login() == "sky-a: the login was refused: wrong password."
    for _ in range(3):
        users = (await driver.read()).users
        assert isinstance(users, Unknown)
        assert "wrong password" in users.reason
    assert len(server.asked("/login")) == 1


async def test_a_server_that_lets_nobody_in_says_nothing_about_the_secret(
    make: Make, server: FakeServer
) -> None:
    server.down = True
    driver = make()
    assert await driver.try_login() == ""
    users = (await driver.read()).users
    assert isinstance(users, Unknown)
    assert users.reason == "sky-a: no login: 503 starting."


async def test_a_time_without_its_zone_is_no_reading(make: Make, server: FakeServer) -> None:
    server.replies["/who"] = {"name": "sky-a", "role": "master", "clock": "2026-11-22T12:00:00"}
    clock = (await make().read()).clock
    assert isinstance(clock, Unknown)
    assert clock.reason == "the answer has a time without its zone"


async def test_a_token_that_no_header_can_carry(make: Make, server: FakeServer) -> None:
    server.token = "é\n"
    outcome = await act(make, lock())
    assert outcome.result is Result.NOT_STARTED
    assert server.asked("/lock") == []


async def test_a_forgotten_session_is_opened_again(make: Make, server: FakeServer) -> None:
    driver = make()
    await driver.read()
    server.tokens += 1
    assert isinstance((await driver.read()).users, Known)
    assert len(server.asked("/login")) == 2


async def test_it_logs_out_at_the_end(make: Make, server: FakeServer) -> None:
    driver = make()
    await driver.read()
    await driver.close()
    assert len(server.asked("/login", "DELETE")) == 1


async def test_an_order_carries_its_precondition(make: Make, server: FakeServer) -> None:
    outcome = await act(make, lock())
    assert outcome == Outcome(Result.DONE, "sky-a: POST /lock: 200.", 200)
    (request,) = server.asked("/lock")
    assert request.headers["if-match"] == '"sky-a/master/4"'
    assert json.loads(request.content) == {"names": ["Q1", "Q2"]}
    assert server.asked("/who") == []


async def test_a_timeline_that_is_not_known_is_asked_just_before(make: Make, server: FakeServer) -> None:
    assert (await act(make, lock(timeline=0))).result is Result.DONE
    assert server.asked("/lock")[0].headers["if-match"] == '"sky-a/master/4"'
    refused = await act(make, lock("t-2", timeline=0, role=Role.STANDBY))
    assert refused.result is Result.REFUSED
    assert refused.says == "sky-a: refused, it reads master, expected was standby; nothing was sent."
    assert len(server.asked("/lock")) == 1


async def test_without_a_precondition_the_server_is_asked_who_it_is(
    make: Make, server: FakeServer, profile: Profile
) -> None:
    bare = msgspec.structs.replace(profile, check=CheckSpec())
    assert (await act(make, lock(), using=bare)).result is Result.DONE
    assert "if-match" not in server.asked("/lock")[0].headers
    refused = await act(make, lock("t-2", timeline=5), using=bare)
    assert (refused.result, len(server.asked("/lock"))) == (Result.REFUSED, 1)
    server.replies["/who"] = httpx.Response(503, json={"error": {"message": "database"}})
    refused = await act(make, lock("t-3"), using=bare)
    assert (refused.result, len(server.asked("/lock"))) == (Result.REFUSED, 1)


@pytest.mark.parametrize(
    ("reply", "result"),
    [
        *((httpx.Response(code), Result.DONE) for code in (200, 201, 202, 204)),
        *((httpx.Response(code), Result.REFUSED) for code in (400, 403, 404, 405, 409, 412, 422, 428, 429)),
        *((httpx.Response(code), Result.FAILED) for code in (500, 501, 503)),
        *((httpx.Response(code), Result.UNKNOWN) for code in (301, 307, 408, 418, 502, 504)),
        (httpx.ConnectError("refused"), Result.NOT_STARTED),
        (httpx.ConnectTimeout("slow"), Result.NOT_STARTED),
        (httpx.ReadTimeout("slow"), Result.UNKNOWN),
        (httpx.WriteError("broken"), Result.UNKNOWN),
        (httpx.RemoteProtocolError("closed"), Result.UNKNOWN),
    ],
)
async def test_what_an_answer_means(
    make: Make, server: FakeServer, reply: httpx.Response | Exception, result: Result
) -> None:
    server.replies["/lock"] = reply
    outcome = await act(make, lock())
    assert outcome.result is result
    assert outcome.says.startswith("sky-a: ")
    if isinstance(reply, httpx.Response):
        assert outcome.code == reply.status_code


async def test_the_servers_own_words_are_said(make: Make, server: FakeServer) -> None:
    server.replies["/lock"] = httpx.Response(412, json={"error": {"message": "this is sky-b/standby/1."}})
    assert (await act(make, lock())).says == "sky-a: POST /lock: 412, this is sky-b/standby/1."


async def test_a_marker_gives_its_position(make: Make) -> None:
    order = Order("m", Action.WRITE_MARKER, "sky-a", Expectation("sky-a", Role.MASTER, 4), "sky-b")
    assert (await act(make, order)).position == "0/3000028"


async def test_the_same_token_is_sent_once(make: Make, server: FakeServer) -> None:
    driver = make()
    outcomes = await asyncio.gather(*(driver.act(lock(), lambda _: None) for _ in range(4)))
    assert {outcome.result for outcome in outcomes} == {Result.DONE}
    assert len(server.asked("/lock")) == 1
    assert (await driver.probe(lock(), lambda _: None)).result is Result.DONE
    assert (await driver.probe(lock("other"), lambda _: None)).result is Result.UNKNOWN


async def test_a_lost_answer_is_not_repaired_by_sending_again(make: Make, server: FakeServer) -> None:
    driver = make()
    server.replies["/lock"] = httpx.ReadError("reset")
    assert (await driver.act(lock(), lambda _: None)).result is Result.UNKNOWN
    server.replies["/lock"] = {}
    assert (await driver.act(lock(), lambda _: None)).result is Result.UNKNOWN
    assert len(server.asked("/lock")) == 1


async def test_without_a_password_nothing_is_sent(make: Make, server: FakeServer) -> None:
    outcome = await act(make, lock(), secret=None)
    assert outcome.result is Result.REFUSED
    assert server.asked("/lock") == []


async def test_previews(make: Make) -> None:
    driver = make()
    assert driver.preview(lock()) == 'POST https://a/lock {"names":["Q1","Q2"]}'
    for action in Action:
        order = Order("t", action, "sky-a", Expectation("sky-a", Role.MASTER), "sky-b")
        assert PASSWORD not in driver.preview(order)
    salvage = Order("t", Action.SALVAGE, "sky-a", Expectation("sky-a", Role.MASTER), "sky-b")
    assert driver.preview(salvage) == "sky-a: this step is done by hand: Save the files."
    outcome = await driver.act(salvage, lambda _: None)
    assert (outcome.result, outcome.says) == (Result.REFUSED, driver.preview(salvage))
