"""Queues and scheduler of a practice server: what is locked, queued, missed."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from skytui.lab.node import AGENT_ROLE
from tests.contract.lab.servers import FETCH, Server, code, everything, fetch, take, unaccounted, until

pytestmark = pytest.mark.pair

WHEN = "2026-11-22T12:00:00Z"
Pair = tuple[Server, Server]


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
    assert unaccounted(master, begin, datetime.now(UTC) - timedelta(seconds=2)) == set()
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
    assert unaccounted(master, begin, datetime.now(UTC) - timedelta(seconds=2)) == set()
    reasons = master.sql("SELECT DISTINCT reason FROM sky.missed WHERE due > %s", begin)
    assert reasons == [("server was not running",)]
    assert master.get("/scheduler")["ticks"] < 20


def test_due_jobs_come_from_the_job_set(master: Server) -> None:
    due = master.get("/jobs/due?seconds=3")
    assert {item["job"] for item in due["items"]} == {"often"}
    assert due["next_start"] == due["items"][0]["due"]
    year = master.sql("SELECT 1 FROM sky.job WHERE name = 'yearly [bold]'")
    assert year == [(1,)]
