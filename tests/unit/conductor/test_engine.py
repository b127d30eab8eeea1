"""What the engine does with a disk and drivers that go wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from skytui.conductor import engine as module
from skytui.conductor.engine import LONGEST, TAIL, Engine
from skytui.conductor.journal import Journal, read_journal
from skytui.errors import StateError
from skytui.pair.order import Order, Outcome, Result
from skytui.runbook.events import Closed, Confirmed, Finished, Intended, Observed, Recorded
from skytui.runbook.machine import fold
from skytui.runbook.model import Checking, Doubtful, Ended, Ending, Failed, Proving, Run, Running, Waiting
from tests.support.drivers import WorldDriver, drivers_of
from tests.support.walk import PLAN, Walk
from tests.support.world import NEW, OLD, World

LOST = Outcome(Result.UNKNOWN, "the connection was cut")


class Carried:
    """An engine over a world, a journal on disk, and everything it says."""

    def __init__(self, folder: Path, walk: Walk) -> None:
        self.world: World = walk.world
        self.path = folder / "journal.jsonl"
        self.drivers: dict[str, WorldDriver] = drivers_of(walk.world)
        self.journal = Journal.create(self.path, walk.run.id)
        for event in walk.events:
            self.journal.append(event)
        self.told: list[Recorded] = []
        self.says: list[str] = []
        self.looks = 0
        self.answer: str | Exception = ""
        self.engine = Engine(
            self.journal,
            self.drivers,
            self.world.clock,
            look=self.look,
            recorded=lambda event, run: self.told.append(event),
            said=lambda order, line: None,
            trouble=self.says.append,
            objection=self.objection,
        )
        self.engine.run = walk.run

    def look(self, everything: bool) -> None:
        self.looks += 1

    async def objection(self) -> str:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    @property
    def run(self) -> Run:
        assert self.engine.run is not None
        return self.engine.run

    def on_disk(self) -> tuple[Recorded, ...]:
        return read_journal(self.path).events

    def confirm(self) -> str:
        run, step = self.run, self.run.step
        assert step is not None
        at, wall = self.world.tick(0.1), self.world.clock.now()
        return self.engine.feed(
            Confirmed(at=at, wall=wall, run=run.id, step=step.id, who="ann", phrase=run.phrase(step))
        )

    def poll(self) -> None:
        self.engine.observe(self.world.poll())

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Let the tasks go on, turn by turn, until it is so."""
        for _ in range(10_000):
            if wanted():
                return
            await asyncio.sleep(0)
        raise AssertionError(f"the run stays at {self.run.stage}")


@asynccontextmanager
async def carried(folder: Path, step: str) -> AsyncIterator[Carried]:
    """A run whose card of `step` is up, taken over by an engine."""
    one = Carried(folder, Walk().to(step))
    try:
        yield one
    finally:
        await one.engine.close()


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROBE_PAUSE", 0.0)
    monkeypatch.setattr(module, "WRITE_PAUSE", 0.0)


def full(monkeypatch: pytest.MonkeyPatch, when: Callable[[Recorded], bool]) -> list[Recorded]:
    """A disk without room for these events; the list of what was turned away."""
    turned_away: list[Recorded] = []
    append = Journal.append

    def refuse(journal: Journal, event: Recorded) -> None:
        if when(event):
            turned_away.append(event)
            raise StateError("The journal cannot be written: No space left on device.")
        append(journal, event)

    monkeypatch.setattr(Journal, "append", refuse)
    return turned_away


@pytest.mark.parametrize("step", ["lock-queues", "shut-down", "promote", "convert"])
async def test_the_intent_is_on_disk_before_the_action_begins(tmp_path: Path, step: str) -> None:
    async with carried(tmp_path, step) as one:
        found: list[Recorded] = []

        def look_at_the_disk(order: Order) -> None:
            last = one.on_disk()[-1]
            assert isinstance(last, Intended)
            assert last.token == order.token
            found.append(last)

        driver = one.drivers[NEW if step == "promote" else OLD]
        driver.before = look_at_the_disk
        one.confirm()
        one.poll()
        await one.until(lambda: isinstance(one.run.stage, Checking))
        assert len(found) == 1
        assert one.on_disk()[-1] == one.told[-1]


async def test_a_driver_that_raises_leaves_a_doubt_and_is_asked_again(tmp_path: Path) -> None:
    async with carried(tmp_path, "promote") as one:
        driver = one.drivers[NEW]
        driver.answers = [RuntimeError("a defect")]
        driver.probe_answers = [RuntimeError("another one"), LOST, Outcome(Result.DONE, "exit code 0", 0)]
        one.confirm()
        one.poll()
        await one.until(lambda: isinstance(one.run.stage, Checking))
        assert len(driver.acted) == 1
        assert len(driver.probed) == 3
        outcomes = [e.outcome for e in one.told if isinstance(e, Finished)]
        assert [outcome.result for outcome in outcomes] == [Result.UNKNOWN, Result.DONE]
        assert "RuntimeError: a defect" in outcomes[0].says


async def test_a_full_disk_at_the_intent_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with carried(tmp_path, "lock-queues") as one:
        one.confirm()
        turned_away = full(monkeypatch, lambda event: isinstance(event, Intended))
        for _ in range(3):
            one.poll()
        assert len(turned_away) == 3
        assert isinstance(one.run.stage, Proving)
        assert one.drivers[OLD].acted == []
        assert any("No space left on device" in says for says in one.says)
        assert not any(isinstance(event, Intended) for event in one.on_disk())
        assert fold(one.on_disk()) == one.run


async def test_a_confirmation_that_waited_too_long_for_room_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with carried(tmp_path, "lock-queues") as one:
        one.confirm()
        with monkeypatch.context() as patch:
            full(patch, lambda event: True)
            one.poll()
        one.world.tick(600)
        one.poll()
        assert one.drivers[OLD].acted == []
        assert isinstance(one.run.stage, Waiting)
        assert "confirm again" in one.run.stage.note


async def test_a_full_disk_at_the_confirmation_is_told_to_whoever_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with carried(tmp_path, "lock-queues") as one:
        full(monkeypatch, lambda event: isinstance(event, Confirmed))
        with pytest.raises(StateError, match="No space left"):
            one.confirm()
        assert one.run.stage == Waiting("lock-queues")


async def test_a_full_disk_at_the_outcome_records_it_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with carried(tmp_path, "lock-queues") as one:
        one.confirm()
        with monkeypatch.context() as patch:
            turned_away = full(patch, lambda event: isinstance(event, Finished))
            one.poll()
            await one.until(lambda: len(turned_away) >= 3)
            assert isinstance(one.run.stage, Running)
        await one.until(lambda: isinstance(one.run.stage, Checking))
        assert len(one.drivers[OLD].acted) == 1
        finished = [e for e in one.on_disk() if isinstance(e, Finished)]
        assert [e.outcome.result for e in finished] == [Result.DONE]
        told = [says for says in one.says if "cannot be recorded yet" in says]
        assert len(told) == 1, "said once, not at every attempt"


async def test_a_full_disk_at_the_end_ends_the_run_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with carried(tmp_path, PLAN[-1]) as one:
        one.confirm()
        with monkeypatch.context() as patch:
            full(patch, lambda event: isinstance(event, Closed))
            one.poll()
            assert not one.run.over
        one.poll()
        assert one.run.stage == Ended(Ending.DONE)
        run = fold(one.on_disk())
        assert run == one.run
        assert [record.step for record in one.run.records] == list(PLAN)


async def test_the_asking_ends_when_the_gate_answers(tmp_path: Path) -> None:
    async with carried(tmp_path, "lock-queues") as one:
        driver = one.drivers[OLD]
        driver.answers = [LOST]
        one.confirm()
        one.poll()
        await one.until(lambda: len(driver.probed) >= 3)
        assert isinstance(one.run.stage, Doubtful)
        one.world.act(driver.acted[0])
        one.poll()
        assert one.run.record("lock-queues") is not None
        asked = len(driver.probed)
        await one.until(lambda: not one.engine._tasks)
        assert len(driver.probed) <= asked + 1
        assert len(driver.acted) == 1


@pytest.mark.parametrize(
    ("answer", "stage"),
    [(Result.DONE, Checking), (Result.FAILED, Failed), (Result.NOT_STARTED, Waiting)],
)
async def test_the_asking_ends_with_the_first_answer(
    tmp_path: Path, answer: Result, stage: type[object]
) -> None:
    async with carried(tmp_path, "promote") as one:
        driver = one.drivers[NEW]
        driver.answers = [LOST]
        driver.probe_answers = [LOST, LOST, Outcome(answer, "found")]
        one.confirm()
        one.poll()
        await one.until(lambda: isinstance(one.run.stage, stage) and not one.engine._tasks)
        assert len(driver.probed) == 3
        assert len(driver.acted) == 1


async def test_a_run_that_was_left_in_the_middle_of_an_action_asks_and_does_not_repeat(
    tmp_path: Path,
) -> None:
    walk = Walk().to("promote")
    walk.act = lambda order: None
    walk.confirm()
    walk.poll()
    one = Carried(tmp_path, walk)
    driver = one.drivers[NEW]
    driver.probe_answers = [Outcome(Result.DONE, "exit code 0", 0)]
    assert one.engine.resume(walk.run, "bob") == ""
    await one.until(lambda: isinstance(one.run.stage, Checking))
    assert driver.acted == []
    assert [order.token for order in driver.probed] == [walk.performed[-1].token]
    assert fold(one.on_disk()) == one.run
    await one.engine.close()


async def test_what_a_command_says_is_recorded_within_bounds(tmp_path: Path) -> None:
    async with carried(tmp_path, "promote") as one:
        tail = tuple("x" * 100_000 for _ in range(500))
        one.drivers[NEW].answers = [Outcome(Result.FAILED, "y" * 100_000, 1, tail=tail)]
        one.confirm()
        one.poll()
        await one.until(lambda: isinstance(one.run.stage, Failed))
        stage = one.run.stage
        assert isinstance(stage, Failed)
        assert len(stage.outcome.says) == LONGEST
        assert [len(line) for line in stage.outcome.tail] == [LONGEST] * TAIL


async def test_a_refused_event_is_not_recorded(tmp_path: Path) -> None:
    async with carried(tmp_path, "shut-down") as one:
        before = one.path.read_bytes()
        at, wall = one.world.tick(), one.world.clock.now()
        refused = one.engine.feed(
            Confirmed(at=at, wall=wall, run=one.run.id, step="shut-down", who="ann", phrase="sky-b")
        )
        assert "type the host's name, sky-a" in refused
        assert one.path.read_bytes() == before
        assert one.told == []


async def test_an_observation_is_never_recorded(tmp_path: Path) -> None:
    async with carried(tmp_path, "lock-queues") as one:
        before = one.path.read_bytes()
        reading = one.world.poll()
        assert one.engine.feed(Observed(at=reading.now, wall=reading.wall, reading=reading)) == ""
        assert one.path.read_bytes() == before


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("sky-a is taken", "sky-a is taken; nothing was started."),
        (RuntimeError("boom"), "skytui itself failed here (RuntimeError: boom); nothing was started."),
    ],
)
async def test_an_action_that_something_is_said_against_is_not_started(
    tmp_path: Path, answer: str | Exception, says: str
) -> None:
    async with carried(tmp_path, "shut-down") as one:
        one.answer = answer
        one.confirm()
        one.poll()
        await one.until(lambda: isinstance(one.run.stage, Failed))
        assert isinstance(one.run.stage, Failed)
        assert one.run.stage.outcome == Outcome(Result.REFUSED, says)
        assert not one.drivers[OLD].acted
