"""The planned swap and the swap back in the console, as an operator types them, on a real pair."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from skytui.clock import SystemClock
from skytui.conductor.runs import load_run, stored_runs
from skytui.link.start import attach
from skytui.pair.reading import Known
from skytui.pair.vocabulary import Queue
from skytui.paths import PRACTICE, pair_state_dir
from skytui.runbook.model import Ended, Ending, Run, Waiting
from skytui.runbook.prospect import Turn
from skytui.runbook.rows import rows
from skytui.tui.console import Console
from skytui.tui.glyphs import Look
from skytui.tui.leaving import Leaving
from skytui.tui.link_session import LinkSession
from skytui.tui.screens.confirm import ConfirmDialog, StartDialog
from skytui.tui.screens.decide import DecideDialog
from tests.e2e.conftest import Practice
from tests.e2e.roles import check_replication, check_roles
from tests.e2e.walk import DECISIONS, planned_sequence, sequence

pytestmark = pytest.mark.pair

LOCKED_BEFORE = ("ARCHIVE", "PAYROLL")


class Hands:
    """An operator at the console: looks at what is shown, and types."""

    def __init__(self, console: Console, pilot: Pilot[Leaving]) -> None:
        self.console = console
        self.pilot = pilot

    @property
    def run(self) -> Run | None:
        return self.console.scene.run

    async def until(self, holds: Callable[[], bool], what: str, seconds: float = 90.0) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, (
                f"not within {seconds:.0f} s: {what}; {self.console.scene.prospect}"
            )
            await self.pilot.pause(0.05)

    async def start(self) -> None:
        await self.until(lambda: self.console.scene.reading is not None, "a first reading")
        await self.until(lambda: not self.console._desk.why_not("start"), "s to count")
        await self.pilot.press("s")
        await self.until(
            lambda: isinstance(self.console.screen, StartDialog), "the question whether to start"
        )
        await self.pilot.pause(1.0)
        await self.pilot.press("tab", "enter")
        await self.until(lambda: self.run is not None and not self.run.over, "the run")

    async def confirm(self) -> None:
        """Confirm the step whose card is up, with Enter or with the host's name, and see it pass."""
        run = self.run
        assert run is not None
        assert run.step is not None
        step = run.step
        await self.until(
            lambda: self.console.scene.prospect.turn is Turn.OPERATOR, f"{step.id} to be confirmable"
        )
        deadline = time.monotonic() + 30
        while self.run is not None and self.run.step is step and isinstance(self.run.stage, Waiting):
            assert time.monotonic() < deadline, f"{step.id} does not take its confirmation"
            if isinstance(self.console.screen, ConfirmDialog):
                await self.pilot.press(*run.phrase(step), "enter")
            else:
                await self.pilot.press("enter")
            await self.pilot.pause(0.4)

        def passed() -> bool:
            run = self.run
            if run is None or run.record(step.id) is None:
                return False
            return not run.complete or run.over  # the end is an event of its own

        if step.id in DECISIONS:
            await self.until(lambda: passed() or self.listed(), f"{step.id} to list what is to be decided")
            if not passed():
                await self.decide(f"rest-{DECISIONS[step.id]}")
        await self.until(passed, f"{step.id} to pass")

    def listed(self) -> bool:
        """Whether the step's list waits for a decision."""
        run = self.run
        return run is not None and any(row.open for row in rows(run, self.console.scene.reading))

    async def decide(self, button: str) -> None:
        """Open the list, and decide about all the rest of it in one go."""
        await self.pilot.press("d")
        await self.until(lambda: isinstance(self.console.screen, DecideDialog), "the list")
        await self.until(lambda: self.console.screen.focused is not None, "a button in focus")
        for _ in range(10):
            focused = self.console.screen.focused
            if focused is not None and focused.id == button:
                break
            await self.pilot.press("tab")
        await self.until(lambda: getattr(self.console.screen.focused, "id", "") == button, button)
        await self.pilot.press("enter")
        await self.until(lambda: not isinstance(self.console.screen, DecideDialog), "the list to close")

    async def to_the_end(self) -> None:
        while self.run is not None and not self.run.over:
            await self.confirm()


@asynccontextmanager
async def console_on(pair: str) -> AsyncIterator[Hands]:
    session = LinkSession(await attach(pair, "console"), lambda: attach(pair, "console"), SystemClock())
    listening = asyncio.create_task(session.run())
    console = Console(session, clock=SystemClock(), look=Look(), drill=True)
    try:
        async with console.run_test(size=(120, 36)) as pilot:
            yield Hands(console, pilot)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


def queues(hands: Hands, server: str) -> dict[str, bool]:
    reading = hands.console.scene.reading
    assert reading is not None
    known = reading.server(server).queues
    assert isinstance(known, Known)
    found: list[Queue] = known.value
    return {queue.name: queue.locked for queue in found}


async def test_swap_and_swap_back(practice: Practice) -> None:
    names = ", ".join(f"'{name}'" for name in LOCKED_BEFORE)
    practice.psql("sky-a", f"UPDATE sky.queue SET locked = true WHERE name IN ({names})")
    timeline = int(practice.psql("sky-a", "SELECT timeline_id FROM pg_control_checkpoint()"))
    for turn, (old, new) in enumerate((("sky-a", "sky-b"), ("sky-b", "sky-a")), start=1):
        async with console_on(PRACTICE) as hands:
            await hands.until(lambda: hands.console.scene.reading is not None, "a reading")
            before = queues(hands, old)
            assert {name for name, locked in before.items() if locked} == set(LOCKED_BEFORE)
            await hands.start()
            await hands.to_the_end()
            assert queues(hands, new) == before, "queues are as they were, those locked before still locked"
        stored = load_run(stored_runs(pair_state_dir(PRACTICE))[-1])
        assert isinstance(stored.run.stage, Ended)
        assert stored.run.stage.ending is Ending.DONE
        assert sequence(list(stored.contents.events)) == planned_sequence(stored.run)
        check_roles(practice, master=new, standby=old, timeline=timeline + turn)
        check_replication(practice, master=new, standby=old, mark=f"mark_{turn}")


async def test_a_console_that_is_left_in_the_middle_finds_the_run_again(practice: Practice) -> None:
    async with console_on(PRACTICE) as hands:
        await hands.start()
        for _ in range(3):
            await hands.confirm()
        assert hands.run is not None
        assert hands.run.step is not None
        waits_at, run = hands.run.step.id, hands.run.id
    status = json.loads(practice.skytui("status", PRACTICE, "--json").stdout)
    assert status["run"]["id"] == run
    assert status["conductor"] is True
    async with console_on(PRACTICE) as hands:
        await hands.until(lambda: hands.run is not None, "the run")
        assert hands.run is not None
        assert hands.run.step is not None
        assert (hands.run.id, hands.run.step.id) == (run, waits_at)
        await hands.to_the_end()
    check_roles(practice, master="sky-b", standby="sky-a", timeline=2)
