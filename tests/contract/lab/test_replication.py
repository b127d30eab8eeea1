"""File Replication Requests, link, marker and the pages."""

import hashlib
from typing import Any

import pytest

from skytui.lab.jobset import file_name
from tests.contract.lab.servers import Server, code, until

pytestmark = pytest.mark.pair

WHEN = "2026-11-22T12:00:00Z"
Pair = tuple[Server, Server]


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
