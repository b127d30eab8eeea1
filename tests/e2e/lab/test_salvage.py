"""What only a former master has is saved before it is converted, and it never serves meanwhile."""

import hashlib
import json
import shutil
from dataclasses import replace

import pytest

from skytui.lab import faults
from skytui.lab.jobset import file_name
from skytui.lab.places import Places
from skytui.lab.postgres import Cluster
from tests.e2e.lab.hands import ask, convert_input, node, running, ssh, state

pytestmark = [pytest.mark.pair, pytest.mark.slow]

RUN = "only-here@2026-01-01T00:00:00Z"
OUTPUT = b"the only copy\n"
ALIKE = "SELECT count(*) FROM sky.run WHERE job = 'only-here'"


def completes_unseen(lab: Places) -> None:
    """A run that ended on sky-a, with its output, while the standby received nothing; no agent knows it."""
    digest = hashlib.sha256(OUTPUT).hexdigest()
    ask(
        lab,
        "sky-a",
        f"""
        INSERT INTO sky.run
            (id, job, agent, queue, due, state, started_at, ended_at, code, sha256, queued_job)
        SELECT '{RUN}', 'only-here', agent, name, '2026-01-01T00:00:00Z', 'ended',
               '2026-01-01T00:00:01Z', '2026-01-01T00:00:02Z', 3, '{digest}', -1
        FROM sky.queue ORDER BY name LIMIT 1
        """,
    )
    ask(lab, "sky-a", f"INSERT INTO sky.output_file VALUES ('{RUN}', {len(OUTPUT)}, '{digest}', true)")
    (lab.home("sky-a") / "files" / file_name(RUN)).write_bytes(OUTPUT)


def dies_and_is_replaced(lab: Places) -> None:
    faults.inject("kill-host", "sky-a")
    assert ssh(lab, "sky-b", "bin/standbyToMaster.sh").code == 0
    (lab.home("sky-a") / "conf" / "autostart").write_text("no\n")
    faults.undo("kill-host", "sky-a")
    assert running(lab, "sky-a") == []


def test_what_a_dead_master_alone_had_is_saved_and_it_is_rewound_afterwards(lab: Places) -> None:
    assert state(lab, "sky-a")["salvage"] == {"mark": ""}
    refused = ssh(lab, "sky-a", "bin/salvage.sh run-1")
    assert (refused.code, refused.out) == (3, "")
    assert "server and database of sky-a runs" in refused.err

    faults.inject("cut-walreceiver")
    completes_unseen(lab)
    dies_and_is_replaced(lab)
    assert ask(lab, "sky-b", ALIKE) == [(0,)]
    done = ssh(lab, "sky-a", "bin/salvage.sh run-1")
    assert done.code == 0, done
    assert running(lab, "sky-a") == []
    assert state(lab, "sky-a")["control"]["state"] == "shut down"

    saved = state(lab, "sky-a")["salvage"]
    assert (saved["mark"], saved["aside"]) == ("run-1", False)
    (found,) = [run for run in saved["runs"] if run["id"] == RUN]
    assert (found["code"], found["ended_at"]) == (3, "2026-01-01T00:00:02Z")
    assert saved["counted"] >= 1
    assert saved["files"] >= 1
    folder = lab.home("sky-a") / "salvage" / "run-1"
    rows = [json.loads(line) for line in (folder / "runs.jsonl").read_text().splitlines()]
    assert RUN in [row["id"] for row in rows]
    assert (folder / "files" / file_name(RUN)).read_bytes() == OUTPUT
    assert "saved before" in ssh(lab, "sky-a", "bin/salvage.sh run-1").out

    converted = ssh(lab, "sky-a", "bin/masterToStandby.sh", stdin=convert_input(lab, "sky-b"))
    assert converted.code == 0, converted
    assert "pg_rewind: Done!" in converted.out, converted.out
    assert ask(lab, "sky-a", ALIKE) == [(0,)]
    assert state(lab, "sky-a")["salvage"] == saved
    assert ssh(lab, "sky-a", "bin/salvage.sh run-2").code == 3, "a standby has nothing to save"


def test_nothing_is_saved_of_a_master_that_went_down_in_order(lab: Places) -> None:
    assert ssh(lab, "sky-a", "bin/stop.sh").code == 0
    no_master = ssh(lab, "sky-a", "bin/salvage.sh run-1")
    assert no_master.code == 3, no_master
    assert "sky-b is a standby" in no_master.err
    assert ssh(lab, "sky-b", "bin/standbyToMaster.sh").code == 0
    assert ssh(lab, "sky-a", "bin/salvage.sh").code == 2
    assert ssh(lab, "sky-a", "bin/salvage.sh ../elsewhere").code == 2
    done = ssh(lab, "sky-a", "bin/salvage.sh run-1")
    assert (done.code, running(lab, "sky-a")) == (0, []), done
    saved = state(lab, "sky-a")["salvage"]
    # A job that ran while the master stopped may be recorded by nobody yet; its agent delivers it later.
    assert (saved["counted"], saved["files"]) == (0, 0) or saved["runs"]


def test_the_data_of_a_database_that_does_not_start_is_kept_as_it_is(lab: Places) -> None:
    dies_and_is_replaced(lab)
    data = Cluster.of(node(lab, "sky-a")).data
    for segment in (data / "pg_wal").iterdir():
        if segment.is_file():
            segment.unlink()
    done = ssh(lab, "sky-a", "bin/salvage.sh run-1")
    assert done.code == 0, done
    saved = state(lab, "sky-a")["salvage"]
    assert (saved["mark"], saved["aside"], saved["counted"]) == ("run-1", True, 0)
    kept = lab.home("sky-a") / "salvage" / "run-1" / "data"
    assert (kept / "PG_VERSION").read_text() == (data / "PG_VERSION").read_text()
    converted = ssh(lab, "sky-a", "bin/masterToStandby.sh", stdin=convert_input(lab, "sky-b"))
    assert converted.code == 0, converted


def test_a_salvage_that_was_cut_off_is_taken_up_again(lab: Places) -> None:
    """The script died while the database ran on its private socket: that one is known, and stopped first."""
    dies_and_is_replaced(lab)
    of = node(lab, "sky-a")
    private = of.postgres.data.with_name("own")
    private.mkdir(mode=0o700)
    cluster = Cluster.of(of)
    if cluster.account is not None:
        shutil.chown(private, cluster.account.uid, cluster.account.gid)
    replace(cluster, socket_dir=private, address="").start()
    assert running(lab, "sky-a") == ["database"]
    done = ssh(lab, "sky-a", "bin/salvage.sh run-1")
    assert (done.code, running(lab, "sky-a")) == (0, []), done
    assert "stopping it first" in done.out
