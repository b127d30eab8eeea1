"""The judge must find every way in which a run can be lost, doubled or changed."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from skytui.lab.jobset import run_id
from skytui.lab.judge import Cron, MasterRows, Terminal, Waiting, judge_rows
from skytui.lab.ledger import Entry

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
WINDOW = (NOON, NOON + timedelta(seconds=30))


def at(second: int) -> str:
    return run_id("export", NOON + timedelta(seconds=second))


@dataclass(frozen=True)
class World:
    """Ticks at 5, 10, … 30: four ran (15 and 20 there, 20 unrecognised), one was missed, one waits."""

    here: tuple[Entry, ...]
    there: tuple[Entry, ...]
    terminal: tuple[Terminal, ...]
    waiting: tuple[Waiting, ...]
    missed: tuple[str, ...]
    hashes: dict[str, str]

    def faults(self) -> list[str]:
        jobs = [Cron("export", "*/5 * * * * *")]
        rows = MasterRows(self.terminal, self.waiting, self.missed, jobs)
        return judge_rows({"N1": self.here, "N2": self.there}, rows, self.hashes, WINDOW).faults


def ran(run: str, code: int = 0, sha256: str | None = None) -> tuple[Entry, Entry]:
    return Entry(run, "started", NOON), Entry(run, "ended", NOON, code, sha256)


@pytest.fixture
def world() -> World:
    return World(
        here=(*ran(at(5), 0, "aa"), *ran(at(10), 3)),
        there=(*ran(at(15)), *ran(at(20))),
        terminal=(
            Terminal(at(5), "N1", 0, "aa"),
            Terminal(at(10), "N1", 3, None),
            Terminal(at(15), "N2", 0, None),
            Terminal(at(20), "N2", 0, None, history=True),
        ),
        waiting=(Waiting(at(30), "locked"),),
        missed=(at(25), at(20)),
        hashes={at(5): "aa"},
    )


def test_a_clean_swap_has_no_fault(world: World) -> None:
    assert world.faults() == []


def test_runs_are_counted_once(world: World) -> None:
    rows = MasterRows(world.terminal, world.waiting, world.missed, [])
    assert judge_rows({"N1": world.here, "N2": world.there}, rows, world.hashes, WINDOW).runs == 4


def one(faults: list[str]) -> str:
    assert len(faults) == 1, faults
    return faults[0]


def test_a_deleted_row(world: World) -> None:
    assert "has 0 terminal rows" in one(replace(world, terminal=world.terminal[1:]).faults())


def test_a_doubled_row(world: World) -> None:
    doubled = (*world.terminal, Terminal(at(5), "N1", 0, "aa", history=True))
    assert "has 2 terminal rows" in one(replace(world, terminal=doubled).faults())


def test_a_run_started_twice_by_one_agent(world: World) -> None:
    assert "was started 2 times (N1)" in one(replace(world, here=(*world.here, world.here[0])).faults())


def test_a_run_started_by_two_agents(world: World) -> None:
    faults = replace(world, there=(*world.there, *ran(at(5), 0, "aa"))).faults()
    assert any("was started 2 times (N1, N2)" in fault for fault in faults)


def test_a_run_that_has_not_ended(world: World) -> None:
    faults = replace(world, here=(*world.here, Entry(at(30), "started", NOON)), waiting=()).faults()
    assert "has not ended" in one(faults)


def test_an_end_without_a_start(world: World) -> None:
    faults = replace(world, here=(world.here[1], *world.here[2:])).faults()
    assert any("was never started there" in fault for fault in faults)


def test_an_end_written_twice(world: World) -> None:
    assert any("ended twice" in fault for fault in replace(world, here=(*world.here, world.here[1])).faults())


def test_another_code(world: World) -> None:
    changed = (world.terminal[0], Terminal(at(10), "N1", 0, None), *world.terminal[2:])
    assert "ended with 3 on N1, and the master says 0" in one(replace(world, terminal=changed).faults())


def test_another_agent(world: World) -> None:
    changed = (world.terminal[0], Terminal(at(10), "N2", 3, None), *world.terminal[2:])
    assert "the master says N2" in one(replace(world, terminal=changed).faults())


def test_another_hash_in_the_row(world: World) -> None:
    changed = (Terminal(at(5), "N1", 0, "bb"), *world.terminal[1:])
    assert "hash in the master's row" in one(replace(world, terminal=changed).faults())


def test_another_file_on_the_disk(world: World) -> None:
    assert "another hash" in one(replace(world, hashes={at(5): "bb"}).faults())


def test_a_missing_file(world: World) -> None:
    assert "is missing" in one(replace(world, hashes={}).faults())


def test_a_row_no_ledger_knows(world: World) -> None:
    more = (*world.terminal, Terminal("ghost@2026-11-22T11:00:00Z", "N1", 0, None))
    assert "no ledger knows it" in one(replace(world, terminal=more).faults())


def test_a_vanished_tick(world: World) -> None:
    assert "has vanished" in one(replace(world, missed=(at(20),)).faults())


def test_a_run_that_waits_though_nothing_keeps_it(world: World) -> None:
    assert "queue that is open" in one(replace(world, waiting=(Waiting(at(30), ""),)).faults())


def test_a_tick_both_missed_and_run(world: World) -> None:
    assert "missed, and as a run too" in one(replace(world, missed=(*world.missed, at(5))).faults())


def test_a_tick_both_missed_and_waiting(world: World) -> None:
    assert "missed, and as a run too" in one(replace(world, missed=(*world.missed, at(30))).faults())
