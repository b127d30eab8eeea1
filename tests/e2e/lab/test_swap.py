"""The scripts exchange the roles for real: seen in both databases, not through our API."""

from pathlib import Path

import pytest

from skytui.lab import faults, pair, processes, service
from skytui.lab.binaries import VARIABLE
from skytui.lab.places import HOSTS, Places
from skytui.lab.postgres import Cluster
from tests.e2e.lab.hands import ask, convert_input, node, running, ssh, state

pytestmark = pytest.mark.pair

SYSTEM_POSTGRES = Path("/usr/lib/postgresql/15/bin")
WAIT = 15.0


def check_roles(places: Places, master: str, standby: str, timeline: int) -> None:
    assert ask(places, master, "SELECT pg_is_in_recovery()") == [(False,)]
    assert ask(places, standby, "SELECT pg_is_in_recovery()") == [(True,)]
    identifier = "SELECT system_identifier FROM pg_control_system()"
    assert ask(places, master, identifier) == ask(places, standby, identifier)
    on_timeline = "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
    assert ask(places, master, on_timeline) == [(f"{timeline:08X}",)]
    assert ask(places, master, "SELECT application_name, state, sync_state FROM pg_stat_replication") == [
        (standby, "streaming", "async")
    ]
    assert ask(places, master, "SELECT slot_name, active FROM pg_replication_slots") == [
        (node(places, standby).slot, True)
    ]
    assert ask(places, standby, "SELECT count(*) FROM pg_replication_slots") == [(0,)]
    ask(places, master, f"CREATE TABLE seen_{timeline} AS SELECT {timeline} AS value")
    arrived = f"SELECT to_regclass('seen_{timeline}') IS NOT NULL"
    assert processes.wait_for(lambda: ask(places, standby, arrived) == [(True,)], WAIT)


def swap(places: Places, master: str, standby: str) -> None:
    stopped = ssh(places, master, "bin/stop.sh")
    assert (stopped.code, running(places, master)) == (0, []), stopped
    assert state(places, master)["control"]["state"] == "shut down"
    promoted = ssh(places, standby, "bin/standbyToMaster.sh")
    assert promoted.code == 0, promoted
    converted = ssh(places, master, "bin/masterToStandby.sh", stdin=convert_input(places, standby))
    assert converted.code == 0, converted


def test_a_swap_and_the_swap_back_exchange_the_roles(lab: Places) -> None:
    check_roles(lab, "sky-a", "sky-b", timeline=1)
    swap(lab, "sky-a", "sky-b")
    check_roles(lab, "sky-b", "sky-a", timeline=2)
    assert state(lab, "sky-a")["autostart"] == "yes"
    swap(lab, "sky-b", "sky-a")
    check_roles(lab, "sky-a", "sky-b", timeline=3)


def test_a_system_s_own_postgresql_does_it_too(
    places: Places, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if not SYSTEM_POSTGRES.is_dir():
        pytest.skip(f"{SYSTEM_POSTGRES} is not installed")
    monkeypatch.setenv(VARIABLE, str(SYSTEM_POSTGRES))
    pair.up(print, fast=True)
    assert ask(places, "sky-a", "SHOW server_version_num")[0][0].startswith("15")
    swap(places, "sky-a", "sky-b")
    check_roles(places, "sky-b", "sky-a", timeline=2)


def test_promotion_starts_nothing_by_itself(lab: Places) -> None:
    assert ssh(lab, "sky-a", "bin/stop.sh").code == 0
    assert ssh(lab, "sky-b", "bin/standbyToMaster.sh").code == 0
    assert ask(lab, "sky-b", "SELECT state FROM sky.scheduler") == [("stopped",)]
    assert ask(lab, "sky-b", "SELECT bool_and(held) FROM sky.queue") == [(True,)]
    assert state(lab, "sky-b")["control"]["timeline"] == 2


def test_a_promotion_that_was_cut_off_is_taken_up(lab: Places) -> None:
    """The script died between the promotion and the hold: nothing starts until it has run to its end."""
    assert ssh(lab, "sky-a", "bin/stop.sh").code == 0
    promoted = node(lab, "sky-b")
    service.promotion_note(promoted).touch()
    Cluster.of(promoted).promote()
    assert ssh(lab, "sky-b", "bin/stop.sh").code == 0
    refused = ssh(lab, "sky-b", "bin/start.sh")
    assert (refused.code, running(lab, "sky-b")) == (3, [])
    assert "standbyToMaster.sh" in refused.err
    assert ssh(lab, "sky-b", "bin/standbyToMaster.sh").code == 0
    assert ask(lab, "sky-b", "SELECT state FROM sky.scheduler") == [("stopped",)]
    assert ask(lab, "sky-b", "SELECT bool_and(held) FROM sky.queue") == [(True,)]
    assert ssh(lab, "sky-b", "bin/standbyToMaster.sh").code == 3


def running_postmaster(lab: Places, host: str) -> int:
    return Cluster.of(node(lab, host)).pids()[0]


def test_a_master_that_was_cut_off_is_rewound(lab: Places) -> None:
    """It has rows that its successor never saw; after the rewind it has its successor's instead."""
    faults.inject("cut-walreceiver")
    ask(lab, "sky-a", "CREATE TABLE only_here AS SELECT generate_series(1, 10000) AS value")
    faults.inject("kill-host", "sky-a")
    assert ssh(lab, "sky-b", "bin/standbyToMaster.sh").code == 0
    ask(lab, "sky-b", "CREATE TABLE only_there AS SELECT 1 AS value")
    (lab.home("sky-a") / "conf" / "autostart").write_text("no\n")
    faults.undo("kill-host", "sky-a")
    assert running(lab, "sky-a") == []
    # The number of the killed postmaster is another process's by now, and one of the same account's.
    lock = Cluster.of(node(lab, "sky-a")).data / "postmaster.pid"
    _, *rest = lock.read_text().splitlines(keepends=True)
    lock.write_text("".join([f"{running_postmaster(lab, 'sky-b')}\n", *rest]))
    converted = ssh(lab, "sky-a", "bin/masterToStandby.sh", stdin=convert_input(lab, "sky-b"))
    assert converted.code == 0, converted
    assert "pg_rewind: Done!" in converted.out, converted.out
    assert "100%" in converted.out
    assert "pg_basebackup" not in converted.out
    assert ask(lab, "sky-a", "SELECT to_regclass('only_here'), to_regclass('only_there')::text") == [
        (None, "only_there")
    ]
    check_roles(lab, "sky-b", "sky-a", timeline=2)
    assert state(lab, "sky-a")["autostart"] == "yes"


def test_a_master_whose_wal_is_lost_gets_a_fresh_copy(lab: Places) -> None:
    assert ssh(lab, "sky-a", "bin/stop.sh").code == 0
    assert ssh(lab, "sky-b", "bin/standbyToMaster.sh").code == 0
    for segment in (Cluster.of(node(lab, "sky-a")).data / "pg_wal").iterdir():
        if segment.is_file():
            segment.unlink()
    converted = ssh(lab, "sky-a", "bin/masterToStandby.sh", stdin=convert_input(lab, "sky-b"))
    assert converted.code == 0, converted
    assert "pg_basebackup: " in converted.out
    assert "(100%)" in converted.out
    check_roles(lab, "sky-b", "sky-a", timeline=2)


def test_an_old_master_that_is_started_again_comes_back_as_a_master(lab: Places) -> None:
    assert ssh(lab, "sky-a", "bin/stop.sh").code == 0
    assert ssh(lab, "sky-b", "bin/standbyToMaster.sh").code == 0
    assert ssh(lab, "sky-a", "bin/start.sh").code == 0
    for host in HOSTS:
        assert ask(lab, host, "SELECT pg_is_in_recovery()") == [(False,)]
        assert ssh(lab, host, "bin/identity.sh").out == f"{host} master\n"


def test_a_conversion_that_failed_half_way_can_be_run_again(lab: Places) -> None:
    """The copy is cut short by a full disk's equivalent: the place it goes to cannot be written."""
    assert ssh(lab, "sky-a", "bin/stop.sh").code == 0
    assert ssh(lab, "sky-b", "bin/standbyToMaster.sh").code == 0
    data = Cluster.of(node(lab, "sky-a")).data
    wal = data / "pg_wal"
    for segment in [each for each in wal.iterdir() if each.is_file()]:
        segment.unlink()
    aside = data.with_name("data.new")
    aside.write_text("not a folder")
    failed = ssh(lab, "sky-a", "bin/masterToStandby.sh", stdin=convert_input(lab, "sky-b"))
    assert failed.code == 7, failed
    assert len(failed.err.splitlines()) == 1
    assert running(lab, "sky-a") == []
    refused = ssh(lab, "sky-a", "bin/start.sh")
    assert (refused.code, running(lab, "sky-a")) == (3, [])
    assert "masterToStandby.sh" in refused.err
    aside.unlink()
    again = ssh(lab, "sky-a", "bin/masterToStandby.sh", stdin=convert_input(lab, "sky-b"))
    assert again.code == 0, again
    check_roles(lab, "sky-b", "sky-a", timeline=2)
