"""Runs and agents as a practice server records them."""

import base64
import hashlib
from typing import Any

import pytest

from skytui.lab.jobset import file_name
from tests.contract.lab.servers import Server, code, take, until

pytestmark = pytest.mark.pair

WHEN = "2026-11-22T12:00:00Z"
Pair = tuple[Server, Server]


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


def test_what_was_missed_is_late_and_runs_after_all_when_it_is_chosen_once(master: Server) -> None:
    assert master.act("/scheduler/stop").is_success
    until(lambda: sum(item["state"] == "missed" for item in master.get("/late")["items"]) >= 2)
    assert master.act("/scheduler/start").is_success
    late = [item for item in master.get("/late")["items"] if item["state"] == "missed"]
    assert {item["reason"] for item in late} == {"scheduler stopped"}
    run = late[0]["id"]
    assert run == f"{late[0]['job']}@{late[0]['due']}"
    assert master.act("/missed/run", {"ids": [run]}).json() == {"queued": [run]}
    assert master.act("/missed/run", {"ids": [run]}).json() == {"queued": []}, "it is a run already"
    assert run not in [item["id"] for item in master.get("/late")["items"] if item["state"] == "missed"]
    assert master.sql("SELECT count(*) FROM sky.run WHERE id = %s", run) == [(1,)]
    unknown = "often@2020-01-01T00:00:00Z"
    assert code(master.act("/missed/run", {"ids": [late[1]["id"], unknown]})) == (404, "unknown_run")
    assert master.sql("SELECT count(*) FROM sky.run WHERE id = %s", late[1]["id"]) == [(0,)], "all or none"


def test_what_a_former_master_has_is_compared_with_what_is_here(master: Server) -> None:
    run = take(master)
    sent = result(run, code=3, **output("out"))
    master.agent(f"/runs/{run}/result", sent).raise_for_status()
    told = {"id": run, "state": "ended", "code": 3, "sha256": sent["sha256"]}
    lost = {**told, "id": "often@2020-01-01T00:00:00Z"}

    def lacking(*runs: dict[str, Any], **more: Any) -> Any:
        body = {"runs": list(runs), **more}
        token = master.secrets.peer
        return master.ask("POST", "/salvage/lacking", token=token, json=body).raise_for_status().json()

    assert lacking(told) == {"runs": [], "unrecognised": [], "files": []}
    assert lacking(lost, {**told, "code": 0})["runs"] == [lost["id"], run]
    assert lacking({**told, "state": "running", "code": None})["runs"] == []
    assert lacking(unrecognised=[run, lost["id"]])["unrecognised"] == [lost["id"]]
    there = {run: sent["sha256"], lost["id"]: sent["sha256"]}
    assert lacking(files=there)["files"] == [lost["id"]]
    assert master.ask("POST", "/salvage/lacking", token="nobody", json={}).status_code == 401
