"""The practice servers' API against real PostgreSQL: what API.md promises."""

import base64
import hashlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from skytui.lab.jobset import file_name, run_id, ticks
from skytui.lab.node import AGENT_ROLE
from tests.contract.lab_servers import Server, two_servers, until

pytestmark = pytest.mark.pair

Pair = tuple[Server, Server]
FETCH = "SELECT args->>'run' FROM procrastinate_fetch_job_v2(%s::varchar[], NULL)"
WHEN = "2026-11-22T12:00:00Z"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with two_servers(tmp_path_factory.mktemp("servers")) as servers:
        yield servers


@pytest.fixture
def master(pair: Pair) -> Iterator[Server]:
    yield pair[0]
    pair[0].act("/queues/unlock", {"all": True}).raise_for_status()
    pair[0].act("/scheduler/start").raise_for_status()


@pytest.fixture
def standby(pair: Pair) -> Server:
    return pair[1]


def code(reply: httpx.Response) -> tuple[int, str]:
    error = reply.json()["error"]
    assert error["message"]
    return reply.status_code, error["code"]


def everything(server: Server) -> list[Any]:
    """All an action could change."""
    return [
        server.sql("SELECT * FROM sky.queue ORDER BY name"),
        server.sql("SELECT state, since, timeline FROM sky.scheduler"),
        server.sql("SELECT * FROM sky.marker"),
    ]


def fetch(server: Server, *queues: str) -> str | None:
    """What an agent's worker would get next."""
    (row,) = server.sql(FETCH, list(queues), user=AGENT_ROLE)
    return row[0] if row else None


def take(server: Server, queue: str = "NIGHT-01") -> str:
    """Fetch a job as an agent does; the run's id."""
    found: list[str] = []

    def fetched() -> bool:
        run = fetch(server, queue)
        found.extend([run] if run else [])
        return bool(found)

    until(fetched)
    return found[0]


# Who is asked, and who asks


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


# Queues


def test_queues_are_locked_and_unlocked_by_name(master: Server, standby: Server) -> None:
    assert master.act("/queues/lock", {"names": ["NIGHT-02", "ARCHIVE"]}).json() == {
        "locked": ["ARCHIVE", "NIGHT-02"]
    }
    assert [queue["name"] for queue in master.get("/queues")["items"] if queue["locked"]] == [
        "ARCHIVE",
        "NIGHT-02",
    ]
    until(
        lambda: (
            [queue["name"] for queue in standby.get("/queues")["items"] if queue["locked"]]
            == ["ARCHIVE", "NIGHT-02"]
        )
    )
    assert master.act("/queues/unlock", {"names": ["NIGHT-02"]}).json() == {"unlocked": ["NIGHT-02"]}
    assert [queue["name"] for queue in master.get("/queues")["items"] if queue["locked"]] == ["ARCHIVE"]


def test_an_unknown_queue_changes_nothing(master: Server) -> None:
    before = everything(master)
    assert code(master.act("/queues/lock", {"names": ["NIGHT-02", "NIGHT-99"]})) == (404, "unknown_queue")
    assert everything(master) == before


def test_a_job_of_a_locked_queue_is_not_fetched(master: Server) -> None:
    take(master)
    master.act("/queues/lock", {"names": ["NIGHT-01"]}).raise_for_status()
    until(lambda: next(q["waiting"] for q in master.get("/queues")["items"] if q["name"] == "NIGHT-01") > 0)
    assert fetch(master, "NIGHT-01") is None
    master.act("/queues/unlock", {"names": ["NIGHT-01"]}).raise_for_status()
    assert fetch(master, "NIGHT-01") is not None


def test_a_lock_is_answered_only_when_no_fetch_is_under_way(master: Server) -> None:
    take(master)
    answered = threading.Event()

    def lock() -> None:
        master.act("/queues/lock", {"all": True}).raise_for_status()
        answered.set()

    locking = threading.Thread(target=lock)
    with master.connect(AGENT_ROLE) as worker:
        until(lambda: worker.execute(FETCH.encode(), [["NIGHT-01"]]).fetchone() != (None,))
        locking.start()
        assert not answered.wait(0.5)
        worker.commit()
    assert answered.wait(5)
    locking.join()


# Scheduler


def accounted(server: Server, since: datetime, until_: datetime) -> set[str]:
    runs = {row[0] for row in server.sql("SELECT id FROM sky.run")}
    missed = {run_id(job, due) for job, due in server.sql("SELECT job, due FROM sky.missed")}
    assert not runs & missed
    return {run_id("often", at) for at in ticks("* * * * * *", since, until_)} - runs - missed


def test_after_a_stop_nothing_is_queued_and_every_tick_is_accounted_for(master: Server) -> None:
    begin = datetime.now(UTC)
    until(lambda: master.sql("SELECT 1 FROM sky.run WHERE due > %s", begin))
    assert master.act("/scheduler/stop").json() == {"state": "stopped", "changed": True}
    count = master.sql("SELECT count(*) FROM sky.run")
    stopped = datetime.now(UTC)
    assert master.get("/jobs/due?seconds=5")["next_start"] is None
    until(lambda: len([m for m in master.get("/missed")["items"] if m["due"] > f"{stopped:%FT%TZ}"]) >= 2)
    assert master.sql("SELECT count(*) FROM sky.run") == count
    assert master.get("/scheduler")["state"] == "stopped"
    assert master.act("/scheduler/stop").json() == {"state": "stopped", "changed": False}
    assert master.act("/scheduler/start").json() == {"state": "running", "changed": True}
    until(
        lambda: master.sql("SELECT 1 FROM sky.run WHERE due > %s", datetime.now(UTC) - timedelta(seconds=1))
    )
    assert accounted(master, begin, datetime.now(UTC) - timedelta(seconds=2)) == set()
    assert master.sql("SELECT DISTINCT reason FROM sky.missed WHERE due > %s", stopped) == [
        ("scheduler stopped",)
    ]


def test_ticks_are_of_this_process_alone(master: Server, standby: Server) -> None:
    until(lambda: master.get("/scheduler")["ticks"] > 0)
    before = master.get("/scheduler")
    until(lambda: master.get("/scheduler")["ticks"] > before["ticks"])
    assert standby.get("/scheduler")["ticks"] == 0
    assert standby.get("/scheduler")["last_tick"] is None
    assert standby.get("/scheduler")["state"] == "running"


def test_a_server_started_again_goes_on_and_records_what_it_missed(master: Server) -> None:
    begin = datetime.now(UTC)
    master.stop()
    time.sleep(7)  # longer than a tick may be late: this is the time that must be found as missed
    master.start()
    until(
        lambda: master.sql("SELECT 1 FROM sky.run WHERE due > %s", datetime.now(UTC) - timedelta(seconds=1))
    )
    assert accounted(master, begin, datetime.now(UTC) - timedelta(seconds=2)) == set()
    reasons = master.sql("SELECT DISTINCT reason FROM sky.missed WHERE due > %s", begin)
    assert reasons == [("server was not running",)]
    assert master.get("/scheduler")["ticks"] < 20


def test_due_jobs_come_from_the_job_set(master: Server) -> None:
    due = master.get("/jobs/due?seconds=3")
    assert {item["job"] for item in due["items"]} == {"often"}
    assert due["next_start"] == due["items"][0]["due"]
    year = master.sql("SELECT 1 FROM sky.job WHERE name = 'yearly [bold]'")
    assert year == [(1,)]


# Runs


def result(run: str, **changes: Any) -> dict[str, Any]:
    return {"agent": "NIGHT-01", "code": 0, "ended_at": WHEN, "started_at": WHEN, **changes}


def output(text: str) -> dict[str, str]:
    data = text.encode()
    return {"sha256": hashlib.sha256(data).hexdigest(), "output_base64": base64.b64encode(data).decode()}


def status_of(server: Server, run: str) -> Any:
    query = """
        SELECT j.status::text, r.state, r.code
        FROM sky.run r JOIN procrastinate_jobs j ON j.id = queued_job WHERE r.id = %s
    """
    return server.sql(query, run)[0]


def test_a_run_is_running_from_its_fetch_and_ends_with_its_result(master: Server) -> None:
    run = take(master)
    assert run in [item["id"] for item in master.get("/jobs/running")["items"]]
    assert master.agent(f"/runs/{run}/started", {"agent": "NIGHT-01", "at": WHEN}).json() == {
        "state": "running"
    }
    assert status_of(master, run) == ("doing", "running", None)
    for _ in range(2):
        assert master.agent(f"/runs/{run}/result", result(run, code=3)).json() == {"recorded": "run"}
    assert status_of(master, run) == ("failed", "ended", 3)
    assert run not in [item["id"] for item in master.get("/jobs/running")["items"]]
    assert code(master.agent(f"/runs/{run}/result", result(run, code=0))) == (409, "other_result")
    assert status_of(master, run) == ("failed", "ended", 3)
    (row,) = [item for item in master.get("/runs?limit=1000")["items"] if item["id"] == run]
    assert (row["started_at"], row["ended_at"], row["code"]) == (WHEN, WHEN, 3)


def test_a_result_for_a_run_not_fetched_here_ends_it_all_the_same(master: Server) -> None:
    master.act("/queues/lock", {"all": True})
    (run,) = master.sql(
        "SELECT id FROM sky.run WHERE state = 'queued' AND job = 'often' ORDER BY due DESC LIMIT 1"
    )[0]
    master.agent(f"/runs/{run}/result", result(run)).raise_for_status()
    assert status_of(master, run) == ("succeeded", "ended", 0)


def test_another_agents_run_is_refused(master: Server) -> None:
    run = take(master)
    assert code(master.agent(f"/runs/{run}/result", result(run, agent="NIGHT-02"))) == (409, "other_agent")
    assert status_of(master, run)[0] == "doing"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sha256": "00", "output_base64": "aGk="}, "bad_hash"),
        ({"sha256": "00"}, "no_output"),
        ({"sha256": "00", "output_base64": "!"}, "bad_output"),
        ({"code": "zero"}, "bad_json"),
    ],
)
def test_a_broken_result_is_refused(master: Server, changes: dict[str, Any], expected: str) -> None:
    run = take(master)
    assert code(master.agent(f"/runs/{run}/result", result(run, **changes))) == (400, expected)
    assert status_of(master, run)[0] == "doing"


def test_what_is_no_run_id_is_refused(master: Server) -> None:
    assert code(master.agent("/runs/..%2F..%2Fetc/result", result("x"))) in [
        (400, "bad_run"),
        (404, "not_found"),
    ]
    assert code(master.agent("/runs/noon/result", result("x"))) == (400, "bad_run")


def test_an_output_file_reaches_both_disks(master: Server, standby: Server) -> None:
    run, kept = take(master), output("one line\n")
    master.agent(f"/runs/{run}/result", result(run, **kept)).raise_for_status()
    assert (master.node.home / "files" / file_name(run)).read_bytes() == b"one line\n"
    copy = standby.node.home / "files" / file_name(run)
    until(copy.exists)
    assert copy.read_bytes() == b"one line\n"
    until(lambda: master.get("/replication")["requests"] == 0)
    until(lambda: standby.get("/replication")["requests"] == 0)


def test_an_unknown_run_goes_into_server_history_once(master: Server) -> None:
    run = f"yearly [bold]@{WHEN}"
    sent = result(run, agent="NIGHT-02", code=4, **output("lost and found\n"))
    path = f"/runs/{file_name(run)}/result"
    for _ in range(2):
        assert master.agent(path, sent).json() == {"recorded": "server_history"}
    (row,) = [item for item in master.get("/server-history")["items"] if item["run"] == run]
    assert (row["agent"], row["code"], row["ended_at"]) == ("NIGHT-02", 4, WHEN)
    assert (master.node.home / "files" / file_name(run)).read_text() == "lost and found\n"
    assert code(master.agent(path, {**sent, "code": 0})) == (409, "other_result")
    asked = {"ended": [run, f"often@{WHEN}"]}
    assert master.agent("/agents/NIGHT-02/reconcile", asked).json() == {"wanted": [f"often@{WHEN}"]}
    (master.node.home / "files" / file_name(run)).unlink()
    assert master.agent("/agents/NIGHT-02/reconcile", asked).json() == {"wanted": asked["ended"]}
    master.agent(path, sent).raise_for_status()
    assert (master.node.home / "files" / file_name(run)).read_text() == "lost and found\n"


def test_a_standby_takes_nothing_from_agents(standby: Server) -> None:
    run = f"often@{WHEN}"
    assert code(standby.agent(f"/runs/{run}/result", result(run))) == (409, "standby")
    assert code(standby.agent("/agents/NIGHT-01/heartbeat", {"runs": [], "pid": 1})) == (409, "standby")


# Agents


def agent_row(server: Server, name: str) -> Any:
    return next(item for item in server.get("/agents")["items"] if item["name"] == name)


def test_connected_is_a_heartbeat_to_this_process_and_active_may_be_old_news(
    master: Server, standby: Server
) -> None:
    master.agent("/agents/NIGHT-02/heartbeat", {"runs": [], "pid": 1}).raise_for_status()
    row = agent_row(master, "NIGHT-02")
    assert (row["status"], row["connected"]) == ("active", True)
    assert row["connected_since"] is not None
    until(lambda: agent_row(standby, "NIGHT-02")["status"] == "active")
    assert agent_row(standby, "NIGHT-02")["connected"] is False
    # A server that is started again has only the row.
    master.stop()
    master.start()
    row = agent_row(master, "NIGHT-02")
    assert (row["status"], row["connected"], row["connected_since"]) == ("active", False, None)
    master.agent("/agents/NIGHT-02/heartbeat", {"runs": [], "pid": 1}).raise_for_status()
    until(lambda: agent_row(master, "NIGHT-02")["status"] == "inactive")
    assert agent_row(master, "NIGHT-02")["connected"] is False


def test_an_unknown_agent_is_refused(master: Server) -> None:
    assert code(master.agent("/agents/NIGHT-99/heartbeat", {"runs": [], "pid": 1})) == (404, "unknown_agent")


def beat(server: Server, runs: list[str], unknown: list[str]) -> list[str]:
    said = {"runs": runs, "pid": 1, "unknown": unknown}
    return list(server.agent("/agents/NIGHT-01/heartbeat", said).raise_for_status().json()["asks"])


def test_a_run_lost_between_fetch_and_ledger_is_put_back(master: Server) -> None:
    lost, held = take(master), take(master)
    assert lost not in beat(master, [held], [])
    until(lambda: {lost} & set(beat(master, [held], [])))
    assert held not in beat(master, [held], [])
    assert status_of(master, lost) == ("doing", "queued", None)
    # Not on the agent's word alone: the server must have asked.
    beat(master, [], [held])
    assert status_of(master, held)[0] == "doing"
    master.act("/queues/lock", {"all": True}).raise_for_status()
    beat(master, [held], [lost])
    assert status_of(master, lost) == ("todo", "queued", None)
    (row,) = [item for item in master.get("/runs?limit=1000")["items"] if item["id"] == lost]
    assert row["attempts"] == 1


# Replication


def test_the_counter_reads_one_while_a_connected_standby_is_before_the_marker(
    master: Server, standby: Server
) -> None:
    master.act("/scheduler/stop").raise_for_status()
    until(lambda: master.get("/replication")["requests"] == 0)
    standby.sql("SELECT pg_wal_replay_pause()")
    until(lambda: standby.sql("SELECT pg_get_wal_replay_pause_state()") == [("paused",)])
    try:
        target = master.act("/marker", {"id": "run-1"}).raise_for_status().json()["position"]
        reading = master.get("/replication")
        assert reading["marker"] == target
        assert reading["requests"] == 1
        assert reading["link"]["state"] == "streaming"
    finally:
        standby.sql("SELECT pg_wal_replay_resume()")
    until(lambda: master.get("/replication")["requests"] == 0)
    passed = master.sql(
        "SELECT %s::pg_lsn >= %s::pg_lsn", master.get("/replication")["link"]["replayed"], target
    )
    assert passed == [(True,)]
    until(lambda: standby.get("/replication")["marker"] == target)
    assert standby.get("/replication")["requests"] == 0


def test_the_trap_a_zero_over_a_dead_link(master: Server, standby: Server) -> None:
    until(lambda: master.get("/replication")["requests"] == 0)
    (conninfo,) = standby.sql("SHOW primary_conninfo")[0]
    standby.sql("ALTER SYSTEM SET primary_conninfo = ''")
    standby.sql("SELECT pg_reload_conf()")
    try:
        until(lambda: master.get("/replication")["link"]["state"] == "none")
        master.act("/marker", {"id": "run-2"}).raise_for_status()
        reading = master.get("/replication")
        assert (reading["requests"], reading["link"]["standby"]) == (0, None)
        assert master.get("/standby-status") == {"status": "Not connected"}
        assert standby.get("/replication")["link"]["state"] == "none"
        assert standby.get("/standby-status") == {"status": "active and connecting to the master"}
        page = standby.http.get(standby.node.url).text
        assert "The standby server is active and connecting to the master server sky-a." in page
    finally:
        standby.sql("ALTER SYSTEM SET primary_conninfo = '" + conninfo.replace("'", "''") + "'")
        standby.sql("SELECT pg_reload_conf()")
    until(lambda: master.get("/standby-status") == {"status": "Active"})


def test_reading_writes_nothing(master: Server, standby: Server) -> None:
    master.act("/scheduler/stop").raise_for_status()
    master.act("/queues/lock", {"all": True}).raise_for_status()
    until(lambda: master.get("/replication")["requests"] == 0)
    next_id = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"
    before = master.sql(next_id)
    for path in (
        "/replication",
        "/queues",
        "/agents",
        "/runs",
        "/missed",
        "/scheduler",
        "/database",
        "/replication/seed",
    ):
        master.get(path)
        if path != "/replication/seed":
            standby.get(path)
    assert master.sql(next_id) == before


def test_the_pages_say_what_operators_know(master: Server, standby: Server) -> None:
    until(lambda: master.get("/standby-status") == {"status": "Active"})
    page = master.http.get(master.node.url)
    assert page.headers["content-type"].startswith("text/html")
    assert "STANDBY SERVER" in page.text
    assert ">Active<" in page.text
    text = "The standby server is active and connected to the master server sky-a."
    assert text in standby.http.get(standby.node.url).text


def test_seed_and_properties(master: Server, standby: Server) -> None:
    seed = master.get("/replication/seed")
    assert (seed["slot"], seed["user"], seed["port"]) == ("sky_b", "replicator", master.node.postgres.port)
    assert seed["bytes"] == master.get("/database")["bytes"] > 1_000_000
    assert code(standby.ask("GET", "/replication/seed")) == (409, "standby")
    assert master.get("/properties") == {"address": "127.0.0.1", "port": master.node.http.port}


def test_only_the_peer_gives_files_and_only_to_a_standby(master: Server, standby: Server) -> None:
    path, data = f"/files/{file_name(f'often@{WHEN}')}", b"from the peer"
    sent: dict[str, Any] = {"content": data, "headers": {"X-SHA256": hashlib.sha256(data).hexdigest()}}
    assert code(standby.ask("PUT", path, **sent)) == (401, "login")
    assert code(master.ask("PUT", path, token=master.secrets.peer, **sent)) == (409, "master")
    wrong = {"content": data + b"!", "headers": sent["headers"]}
    assert code(standby.ask("PUT", path, token=standby.secrets.peer, **wrong)) == (400, "bad_hash")
    assert standby.ask("PUT", path, token=standby.secrets.peer, **sent).status_code == 200


# When the database is not there


def test_without_its_database_a_server_says_so_at_once_and_recovers_by_itself(master: Server) -> None:
    begin = datetime.now(UTC)
    etag = master.etag
    master.cluster.stop()
    try:
        for _ in range(3):
            asked = time.monotonic()
            assert code(master.ask("GET", "/queues")) == (503, "database")
            assert time.monotonic() - asked < 1.5
        reply = master.act("/queues/lock", {"all": True}, match=etag)
        assert code(reply) == (503, "database")
        assert "not known" in reply.json()["error"]["message"]
        time.sleep(7)  # longer than a tick may be late
    finally:
        master.cluster.start()
    until(lambda: master.ask("GET", "/queues").status_code == 200, 5)
    until(
        lambda: master.sql("SELECT 1 FROM sky.run WHERE due > %s", datetime.now(UTC) - timedelta(seconds=1))
    )
    assert accounted(master, begin, datetime.now(UTC) - timedelta(seconds=2)) == set()
    reasons = master.sql("SELECT DISTINCT reason FROM sky.missed WHERE due > %s", begin)
    assert reasons == [("could not be queued in time",)]


def test_a_frozen_database_is_a_database_that_does_not_answer(master: Server) -> None:
    pids = master.cluster.pids()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        asked = time.monotonic()
        assert code(master.ask("GET", "/queues")) == (503, "database")
        assert time.monotonic() - asked < 6
        asked = time.monotonic()
        assert code(master.ask("GET", "/queues")) == (503, "database")
        assert time.monotonic() - asked < 1.5
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    until(lambda: master.ask("GET", "/queues").status_code == 200, 15)


# Last, because there is no way back


def test_a_database_promoted_under_its_service(pair: Pair) -> None:
    master, standby = pair
    run = take(master)
    until(lambda: standby.sql("SELECT 1 FROM sky.run WHERE id = %s", run))
    until(lambda: standby.sql("SELECT 1 FROM procrastinate_jobs WHERE status = 'todo'"))
    master.stop()
    master.cluster.stop()
    standby.cluster.promote()
    until(lambda: standby.etag == '"sky-b/master/2"')
    said = standby.get("/identity")
    assert (said["role"], said["service_role"]) == ("master", "standby")
    assert code(standby.act("/queues/unlock", {"all": True})) == (412, "role_changed")
    # Nobody has put this timeline to work: nothing is fetched, though the replicated rows say open.
    assert fetch(standby, "NIGHT-01") is None
    assert all(queue["held"] for queue in standby.get("/queues")["items"])
    standby.stop()
    standby.start()
    said = standby.get("/identity")
    assert (said["role"], said["service_role"], said["timeline"]) == ("master", "master", 2)
    assert all(queue["held"] and queue["locked"] for queue in standby.get("/queues")["items"])
    assert standby.get("/scheduler")["state"] == "stopped"
    assert fetch(standby, "NIGHT-01") is None
    standby.act("/queues/unlock", {"names": ["NIGHT-01"]}).raise_for_status()
    assert fetch(standby, "NIGHT-01") is not None
    assert standby.act("/scheduler/start").json()["changed"] is True
    until(lambda: standby.get("/scheduler")["ticks"] > 0)
