"""Who may ask what of a practice server, and under which precondition: what API.md promises."""

import json
from datetime import datetime

import pytest

from tests.contract.lab.servers import Server, code, everything

pytestmark = pytest.mark.pair

WHEN = "2026-11-22T12:00:00Z"
Pair = tuple[Server, Server]


def test_identity_needs_no_login_and_says_what_the_databases_say(pair: Pair) -> None:
    for server, role, in_recovery in ((pair[0], "master", False), (pair[1], "standby", True)):
        reply = server.http.get("/identity").raise_for_status()
        said = reply.json()
        facts = server.sql("SELECT pg_is_in_recovery(), system_identifier::text FROM pg_control_system()")
        assert facts == [(in_recovery, said["system_identifier"])]
        assert (said["name"], said["role"], said["timeline"]) == (server.node.name, role, 1)
        assert said["practice"] is True
        assert reply.headers["etag"] == f'"{server.node.name}/{role}/1"'
        assert "date" in reply.headers
    assert pair[0].get("/identity")["system_identifier"] == pair[1].get("/identity")["system_identifier"]


@pytest.mark.parametrize(("user", "password"), [("admin", "wrong"), ("root", None), ("admin", "")])
def test_a_wrong_login_is_refused(master: Server, user: str, password: str | None) -> None:
    known = (master.node.node.lab / "admin.password").read_text().strip()
    reply = master.http.post(
        "/login", json={"user": user, "password": known if password is None else password}
    )
    assert code(reply) == (401, "login")


def test_users_are_the_sessions_of_this_server_and_one_is_oneself(master: Server) -> None:
    password = (master.node.node.lab / "admin.password").read_text().strip()
    other = master.http.post("/login", json={"user": "admin", "password": password}).json()
    users = master.get("/users")["items"]
    assert [user["self"] for user in users].count(True) == 1
    (mine,) = [user for user in users if user["session"] == other["session"]]
    assert mine["self"] is False
    assert master.ask("DELETE", "/login", token=other["token"]).status_code == 200
    assert other["session"] not in [user["session"] for user in master.get("/users")["items"]]
    assert code(master.ask("GET", "/queues", token=other["token"])) == (401, "login")


def test_a_client_that_was_killed_and_is_back_is_not_somebody_else(master: Server) -> None:
    password = (master.node.node.lab / "admin.password").read_text().strip()
    login = {"user": "admin", "password": password, "client": "skytui practice ann@jump"}
    killed, back = (master.http.post("/login", json=login).json() for _ in range(2))
    assert code(master.ask("GET", "/queues", token=killed["token"])) == (401, "login")
    users = master.ask("GET", "/users", token=back["token"]).json()["items"]
    assert [user["session"] for user in users if user["client"] == login["client"]] == [back["session"]]
    wrong = master.http.post("/login", json=login | {"password": "wrong"})
    assert code(wrong) == (401, "login")
    assert master.ask("GET", "/queues", token=back["token"]).status_code == 200
    master.ask("DELETE", "/login", token=back["token"])


@pytest.mark.parametrize("path", ["/queues", "/users", "/agents", "/replication/seed", "/files/missing"])
def test_readings_need_a_token(master: Server, path: str) -> None:
    assert code(master.http.get(path)) == (401, "login")


def test_an_operators_token_is_no_agents_token(master: Server) -> None:
    beat = {"runs": [], "pid": 1}
    assert code(master.ask("POST", "/agents/NIGHT-01/heartbeat", json=beat)) == (401, "login")
    assert code(master.ask("GET", "/queues", token=master.secrets.agent_token)) == (401, "login")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nothing", (404, "not_found")),
        ("GET", "/queues/", (404, "not_found")),
        ("POST", "/identity", (405, "bad_method")),
        ("DELETE", "/queues/lock", (405, "bad_method")),
        ("GET", "/jobs/due?seconds=soon", (400, "bad_query")),
        ("GET", "/runs?after=soon", (400, "bad_query")),
        ("GET", "/runs?limit=-1", (400, "bad_query")),
    ],
)
def test_wrong_requests_are_told_what_is_wrong(
    master: Server, method: str, path: str, expected: tuple[int, str]
) -> None:
    assert code(master.ask(method, path)) == expected


@pytest.mark.parametrize(
    "body", ["{", "[]", '{"names": "all"}', "{}", '{"names": [], "all": true}', '{"queue": 1}']
)
def test_bad_json_is_refused_and_nothing_is_changed(master: Server, body: str) -> None:
    before = everything(master)
    reply = master.ask("POST", "/queues/lock", content=body, headers={"If-Match": master.etag})
    assert code(reply) == (400, "bad_json")
    assert everything(master) == before


# Preconditions

ACTIONS = [
    ("/queues/lock", {"all": True}),
    ("/queues/unlock", {"all": True}),
    ("/scheduler/start", {}),
    ("/scheduler/stop", {}),
    ("/marker", {"id": "run"}),
]


@pytest.mark.parametrize(("path", "body"), ACTIONS)
def test_an_action_needs_the_precondition(master: Server, path: str, body: object) -> None:
    before = everything(master)
    assert code(master.ask("POST", path, json=body)) == (428, "precondition")
    for wrong in ('"sky-a/master/2"', '"sky-b/master/1"', '"sky-a/standby/1"', "*", "sky-a/master/1"):
        reply = master.act(path, body, match=wrong)
        assert code(reply) == (412, "precondition")
        assert reply.headers["etag"] == '"sky-a/master/1"'
    assert everything(master) == before


@pytest.mark.parametrize(("path", "body"), ACTIONS)
def test_an_action_on_a_standby_is_refused(standby: Server, path: str, body: object) -> None:
    before = everything(standby)
    assert code(standby.act(path, body)) == (409, "standby")
    assert code(standby.act(path, body, match='"sky-a/master/1"')) == (412, "precondition")
    assert everything(standby) == before


def test_every_action_is_in_the_request_log(master: Server) -> None:
    master.act("/queues/lock", {"names": ["ARCHIVE"]})
    master.act("/queues/lock", {"names": ["ARCHIVE"]}, match='"x"')
    lines = (master.node.logs / "requests.jsonl").read_text().splitlines()
    said = [json.loads(line) for line in lines[-2:]]
    assert [(each["method"], each["path"], each["user"], each["status"]) for each in said] == [
        ("POST", "/api/v1/queues/lock", "admin", 200),
        ("POST", "/api/v1/queues/lock", "admin", 412),
    ]
    assert all(datetime.fromisoformat(each["at"]).tzinfo is not None for each in said)
