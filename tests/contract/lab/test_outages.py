"""A practice server whose database stops, freezes, or is promoted under it."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.contract.lab.servers import Server, code, fetch, take, two_servers, unaccounted, until

pytestmark = pytest.mark.pair

WHEN = "2026-11-22T12:00:00Z"
Pair = tuple[Server, Server]


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
    assert unaccounted(master, begin, datetime.now(UTC) - timedelta(seconds=2)) == set()
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


@pytest.fixture
def doomed(tmp_path: Path) -> Iterator[Pair]:
    """A pair of this test's own: there is no way back."""
    with two_servers(tmp_path) as servers:
        yield servers


def test_a_database_promoted_under_its_service(doomed: Pair) -> None:
    master, standby = doomed
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
