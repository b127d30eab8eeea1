"""Each fault does what it says, and its undo takes it back."""

import pytest

from skytui.errors import LabError, UsageError
from skytui.lab import faults, pair, processes
from skytui.lab.places import Places
from tests.e2e.lab.hands import ask, convert_input, running, ssh, state

pytestmark = [pytest.mark.pair, pytest.mark.slow]

WAIT = 30.0
BOTH = ["server", "database"]


def ready() -> bool:
    return pair.status().ready


def test_the_walreceiver_is_cut_and_mended(lab: Places) -> None:
    senders = "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'sky-b'"
    faults.inject("cut-walreceiver")
    assert ask(lab, "sky-b", "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'") == [(0,)]
    assert processes.wait_for(lambda: ask(lab, "sky-a", senders) == [(0,)], WAIT)
    assert running(lab, "sky-a") == BOTH
    assert "standby is" in pair.status().lacking
    faults.undo("cut-walreceiver")
    assert processes.wait_for(ready, WAIT), pair.status().lacking


def test_agents_hang_and_go_on(lab: Places) -> None:
    faults.inject("stop-agents")
    assert processes.wait_for(
        lambda: pair.status().lacking == "not connected: NIGHT-01, NIGHT-02, NIGHT-03", WAIT
    )
    faults.undo("stop-agents")
    assert processes.wait_for(ready, WAIT), pair.status().lacking


def test_an_orphaned_database_is_taken_up_again(lab: Places) -> None:
    faults.inject("orphan-database")
    assert running(lab, "sky-a") == ["database"]
    faults.undo("orphan-database")
    assert processes.wait_for(ready, WAIT), pair.status().lacking


def test_a_host_reboots_with_and_without_the_guard(lab: Places) -> None:
    faults.inject("reboot", "sky-b")
    assert processes.wait_for(lambda: running(lab, "sky-b") == BOTH, WAIT)
    assert ssh(lab, "sky-b", "bin/setAutostart.sh no").code == 0
    faults.inject("reboot", "sky-b")
    assert processes.wait_for(
        lambda: "autostart is no" in (lab.home("sky-b") / "logs" / "ssh.log").read_text(), WAIT
    )
    assert running(lab, "sky-b") == []
    assert ssh(lab, "sky-b", "bin/identity.sh").out == "sky-b standby\n"


def test_a_host_without_power(lab: Places) -> None:
    faults.inject("kill-host", "sky-a")
    assert not [found for found in processes.find(lab) if found.host == "sky-a"]
    with pytest.raises(OSError, match=r"refused|Connect"):
        ssh(lab, "sky-a", "true")
    faults.undo("kill-host", "sky-a")
    with pytest.raises(LabError, match="on already"):
        faults.undo("kill-host", "sky-a")
    assert processes.wait_for(ready, WAIT), pair.status().lacking


def test_a_fault_that_cannot_be_is_refused(lab: Places) -> None:
    for name, host, words in (
        ("nonsense", "", "no fault"),
        ("reboot", "", "needs a host"),
        ("reboot", "sky-c", "no host"),
        ("stop-agents", "sky-a", "takes no host"),
    ):
        with pytest.raises(UsageError, match=words):
            faults.inject(name, host)
    with pytest.raises(UsageError, match="cannot be undone"):
        faults.undo("reboot", "sky-a")


def test_a_disk_is_made_small_and_a_conversion_refuses(lab: Places) -> None:
    faults.inject("small-disk", "sky-a")
    assert state(lab, "sky-a")["disk_free"] == 16 * 2**20
    assert ssh(lab, "sky-a", "bin/stop.sh").code == 0
    assert ssh(lab, "sky-b", "bin/standbyToMaster.sh").code == 0
    refused = ssh(lab, "sky-a", "bin/masterToStandby.sh", stdin=convert_input(lab, "sky-b"))
    assert (refused.code, refused.out) == (6, "")
    assert "16 MiB free" in refused.err
    faults.undo("small-disk", "sky-a")
    assert state(lab, "sky-a")["disk_free"] > 16 * 2**20
    converted = ssh(lab, "sky-a", "bin/masterToStandby.sh", stdin=convert_input(lab, "sky-b"))
    assert converted.code == 0, converted


def test_a_job_hangs_and_goes_on_and_one_that_was_forgotten_lands_in_server_history(lab: Places) -> None:
    doing = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'"
    unrecognised = "SELECT count(*) FROM sky.server_history"
    faults.inject("hang-jobs")
    try:
        assert processes.wait_for(lambda: ask(lab, "sky-a", doing)[0][0] > 0, WAIT)
        # What hangs is under way as long as we like: nothing is in a hurry here.
        faults.inject("forget-run")
        assert ask(lab, "sky-a", unrecognised) == [(0,)]
    finally:
        faults.undo("hang-jobs")
    assert processes.wait_for(lambda: ask(lab, "sky-a", unrecognised) == [(1,)], 90.0)
    with pytest.raises(UsageError, match="stays in Server History"):
        faults.undo("forget-run")
