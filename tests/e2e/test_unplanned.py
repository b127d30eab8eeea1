"""The unplanned swap on the practice pair: the master's whole host is killed while jobs run."""

import time
from collections.abc import Callable

import pytest

from skytui.conductor.runs import StoredRun, load_run, stored_runs
from skytui.lab.faults import inject, undo
from skytui.link.wire import TurnRun
from skytui.paths import PRACTICE, pair_state_dir
from skytui.runbook.events import Intended, Stated
from skytui.runbook.model import Ended, Ending
from skytui.runbook.steps import Kind
from tests.e2e.conftest import Practice
from tests.e2e.roles import check_replication, check_roles
from tests.e2e.walk import Walk

pytestmark = pytest.mark.pair

WORDS = "I confirm sky-a is powered off"
UNPLANNED = (
    "swap", PRACTICE, "--headless", "--unplanned", "--yes", "--accept-loss",
    "--confirm", "fence-master=sky-a", "--confirm", "promote=sky-b",
    "--decide", "first-job=leave",
)  # fmt: skip


def last() -> StoredRun:
    return load_run(stored_runs(pair_state_dir(PRACTICE))[-1])


def timeline_of(practice: Practice) -> int:
    return int(practice.psql("sky-a", "SELECT timeline_id FROM pg_control_checkpoint()"))


def test_stated_to_be_off_activated_and_converted_when_the_host_is_back(practice: Practice) -> None:
    timeline = timeline_of(practice)
    locked = practice.psql("sky-b", "SELECT count(*) FROM sky.queue WHERE locked")
    inject("kill-host", "sky-a")

    refused = practice.skytui("swap", PRACTICE, "--headless", "--unplanned", "--yes")
    assert refused.returncode == 10
    assert "--accept-loss" in refused.stderr
    assert not stored_runs(pair_state_dir(PRACTICE))

    done = practice.skytui(*UNPLANNED, "--attest", WORDS, "--postpone", "the host is dead")
    assert done.returncode == 14, done.stderr
    stored = last()
    assert stored.run.stage == Ended(Ending.NOT_CLEAN)
    assert [debt.what for debt in stored.run.ledger] == ["guard-master"]
    assert any(isinstance(event, Stated) for event in stored.contents.events)
    assert practice.psql("sky-b", "SELECT pg_is_in_recovery()") == "f"
    assert practice.psql("sky-b", "SELECT count(*) FROM sky.queue WHERE locked") == locked
    assert practice.psql("sky-b", "SELECT count(*) FROM sky.queue WHERE held") == "0"

    # Nobody set the guard: the host boots its server, and it is a second master until it is fenced.
    undo("kill-host", "sky-a")
    until(lambda: "ALARM" in practice.skytui("status", PRACTICE).stdout)
    assert "TWO MASTERS: sky-a and sky-b" in practice.skytui("status", PRACTICE).stdout
    options = ("--confirm", "fence-master=sky-a", "--confirm", "convert=sky-a")
    decided = ("--decide", "server-history=recorded")
    later = practice.skytui("swap", PRACTICE, "--headless", "--convert", "--yes", *options, *decided)
    assert later.returncode == 0, later.stderr
    assert last().run.kind is Kind.CONVERT
    assert last().run.ledger == ()
    # What comes after is watched, until somebody says that it is enough.
    until(lambda: f"Run {last().run.id} is watched" in practice.skytui("status", PRACTICE).stdout)
    assert practice.skytui("unwatch", PRACTICE, "--reason", "seen enough").returncode == 0
    assert "is watched" not in practice.skytui("status", PRACTICE).stdout
    check_roles(practice, master="sky-b", standby="sky-a", timeline=timeline + 1)
    check_replication(practice, master="sky-b", standby="sky-a", mark="after_conversion")


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "not within a minute"
        time.sleep(0.2)


async def test_a_planned_run_whose_master_dies_is_turned_and_goes_to_its_end(practice: Practice) -> None:
    timeline = timeline_of(practice)
    async with await Walk.attached() as walk:
        await walk.to("guard-master")
        assert walk.run is not None
        run, baseline = walk.run.id, walk.run.baseline
        inject("orphan-database")  # the service is gone, its database goes on
        await walk.until(lambda: walk.reading is not None and walk.reading.role("sky-a") is None)
        reply = await walk.ask(lambda number: TurnRun(number, run, "its server is dead"))
        assert not reply.refused, reply.refused
        await walk.to("promote")
        assert walk.run.baseline == baseline
        assert walk.run.kind is Kind.UNPLANNED
        await walk.to_the_end()
        assert walk.run.stage == Ended(Ending.NOT_CLEAN)
        assert walk.run.ledger == ()
        fenced = [
            event for event in walk.events if isinstance(event, Intended) and event.step == "fence-master"
        ]
        assert len(fenced) == 1
    check_roles(practice, master="sky-b", standby="sky-a", timeline=timeline + 1)
