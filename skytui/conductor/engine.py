"""Carries a run: events go through the machine, onto disk, and out as effects.

The order is always the same: the machine says whether an event counts; the journal has it on disk; then the
run is the changed one; then effects begin. What cannot be written did not happen.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping

import msgspec

from skytui.clock import Clock
from skytui.conductor.journal import Journal
from skytui.conductor.succession import SAME, Succession
from skytui.drivers.driver import Driver, Said
from skytui.errors import StateError
from skytui.pair.order import Order, Outcome, Result
from skytui.pair.pair import PairReading
from skytui.runbook.effects import Effect, Look, Perform, Probe, Raise, Refuse, RunHook
from skytui.runbook.events import Finished, Hooked, Observed, Opened, Recorded, Resumed
from skytui.runbook.machine import advance
from skytui.runbook.model import Doubtful, Run

PROBE_PAUSE = 2.0
"""Seconds between two questions after an outcome that was lost."""
WRITE_PAUSE = 2.0
"""Seconds between two attempts to record an outcome that is known but could not be written."""

TAIL, LONGEST = 20, 1000
"""How many of a command's last lines are recorded with its outcome, and how many characters of each."""

Ask = Callable[[Order, Said], Coroutine[None, None, Outcome]]

_LOG = logging.getLogger(__name__)


async def nothing_against_it() -> str:
    """Every action may be carried out."""
    return ""


async def no_hook(_name: str, _run: Run) -> tuple[bool, str]:
    """There are no hooks."""
    return False, "there is no such hook here"


class Engine:
    """One run, from its first event to its last.

    `recorded` is told every event with the run after it; `said` every line a command says; `trouble` every
    sentence that no client asked for. `objection` is asked immediately before each action: why it must not be
    carried out, empty when it may. `run_hook` runs a hook: whether it succeeded, and what it said.
    """

    def __init__(
        self,
        journal: Journal,
        drivers: Mapping[str, Driver],
        clock: Clock,
        *,
        look: Callable[[bool], None],
        recorded: Callable[[Recorded, Run], None],
        said: Callable[[Order, str], None],
        trouble: Callable[[str], None],
        objection: Callable[[], Awaitable[str]] = nothing_against_it,
        run_hook: Callable[[str, Run], Awaitable[tuple[bool, str]]] = no_hook,
    ) -> None:
        self._journal = journal
        self._drivers = drivers
        self._clock = clock
        self._look = look
        self._recorded = recorded
        self._said = said
        self._trouble = trouble
        self._objection = objection
        self._run_hook = run_hook
        self._tasks: set[asyncio.Task[None]] = set()
        self.run: Run | None = None

    @property
    def hash(self) -> str:
        """The hash of the last event that is on disk."""
        return self._journal.hash

    def open(self, event: Opened) -> str:
        """Start the run. Why not, when it cannot be written."""
        return self.feed(event)

    def resume(self, run: Run, who: str, how: Succession = SAME, host: str = "") -> str:
        """Take up a run that another process left, `run` being the fold of its journal."""
        self.run = run
        resumed = Resumed(
            at=self._clock.instant(),
            wall=self._clock.now(),
            who=who,
            host=host,
            after=how.after,
            silent=how.silent,
            reason=how.reason,
        )
        return self.feed(resumed)

    def observe(self, reading: PairReading) -> None:
        """A poll came back."""
        try:
            refused = self.feed(Observed(at=reading.now, wall=reading.wall, reading=reading))
        except StateError as error:
            refused = str(error)
        if refused:
            self._trouble(refused)

    def feed(self, event: Recorded | Observed) -> str:
        """Let an event happen. Returns why it does not count, empty when it does.

        Raises StateError when it, or one that follows from it, cannot be written: that one did not happen.
        """
        run, effects = advance(self.run, event)
        for effect in effects:
            if isinstance(effect, Refuse):
                return effect.reason
        if not isinstance(event, Observed) and run is not None:
            self._journal.append(event)
            self.run = run
            if run.over:
                self._journal.close()
            self._recorded(event, run)
        for effect in effects:
            refused = self._begin(effect)
            if refused:
                return refused
        return ""

    async def close(self) -> None:
        """Stop waiting for outcomes (what runs on a server goes on there) and close the journal."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._journal.close()

    def _begin(self, effect: Effect) -> str:
        match effect:
            case Raise(event=event):
                return self.feed(event)
            case Perform(order=order):
                self._spawn(self._perform(order))
            case Probe(order=order):
                self._spawn(self._probe(order))
            case RunHook(hook=hook):
                self._spawn(self._hook(hook))
            case Look(everything=everything):
                self._look(everything)
            case Refuse(reason=reason):
                return reason
        return ""

    async def _perform(self, order: Order) -> None:
        try:
            reason = await self._objection()
        except Exception as error:  # noqa: BLE001 - a defect of ours; nothing was started
            _LOG.exception("whether %s may be carried out could not be found out", order.token)
            reason = f"skytui itself failed here ({type(error).__name__}: {error})"
        if reason:
            refused = Outcome(Result.REFUSED, f"{reason[:LONGEST]}; nothing was started.")
            await self._finish(order, refused)
        else:
            await self._finish(order, await self._outcome(order, lambda driver: driver.act))

    async def _outcome(self, order: Order, ask: Callable[[Driver], Ask]) -> Outcome:
        """What a driver answers; UNKNOWN where it raises, whatever it was."""
        try:
            outcome = await ask(self._drivers[order.server])(order, lambda line: self._said(order, line))
        except Exception as error:  # noqa: BLE001 - the outcome is lost, and is asked for again
            # A driver never raises for what a server does: this is a defect of ours.
            _LOG.exception("the driver of %s failed at %s", order.server, order.token)
            return Outcome(Result.UNKNOWN, f"skytui itself failed here ({type(error).__name__}: {error})")
        tail = tuple(line[:LONGEST] for line in outcome.tail[-TAIL:])
        return msgspec.structs.replace(outcome, says=outcome.says[:LONGEST], tail=tail)

    async def _probe(self, order: Order) -> None:
        """Ask until the answer is one, or until the gate has answered in its place."""
        while self._in_doubt(order):
            outcome = await self._outcome(order, lambda driver: driver.probe)
            if outcome.result is not Result.UNKNOWN:
                if self._in_doubt(order):
                    await self._finish(order, outcome)
                return
            await asyncio.sleep(PROBE_PAUSE)

    async def _hook(self, name: str) -> None:
        """Run a hook and record what came of it, however long the disk takes to have room for it."""
        if self.run is None:
            return
        try:
            ok, says = await self._run_hook(name, self.run)
        except Exception as error:  # noqa: BLE001 - a defect of ours; what became of the hook is not known
            _LOG.exception("the hook %s could not be run", name)
            ok, says = False, f"skytui itself failed here ({type(error).__name__}: {error})"
        when, _, phase = name.partition(" ")
        told = False
        while not self.run.over:
            now, wall = self._clock.instant(), self._clock.now()
            hooked = Hooked(at=now, wall=wall, phase=phase, when=when, ok=ok, says=says[:LONGEST])
            try:
                refused = self.feed(hooked)
            except StateError as error:
                if not told:
                    self._trouble(f"the hook {name} {says}, but this cannot be recorded yet. {error}")
                told = True
                await asyncio.sleep(WRITE_PAUSE)
                continue
            if refused:
                _LOG.warning("what came of the hook %s came too late: %s", name, refused)
            return

    def _in_doubt(self, order: Order) -> bool:
        stage = self.run.stage if self.run else None
        return isinstance(stage, Doubtful) and stage.token == order.token

    async def _finish(self, order: Order, outcome: Outcome) -> None:
        """Record an outcome, however long the disk takes to have room for it again."""
        told = False
        while (step := self.run.step if self.run else None) is not None:
            now, wall = self._clock.instant(), self._clock.now()
            finished = Finished(at=now, wall=wall, step=step.id, token=order.token, outcome=outcome)
            try:
                refused = self.feed(finished)
            except StateError as error:
                if not told:
                    self._trouble(
                        f"{step.id} ended ({outcome.says}), but this cannot be recorded yet. {error}"
                    )
                told = True
                await asyncio.sleep(WRITE_PAUSE)
                continue
            if refused:
                _LOG.warning("the outcome of %s came too late: %s", order.token, refused)
            return

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("a task of the run failed", exc_info=error)
            self._trouble(f"skytui itself failed here ({type(error).__name__}: {error}); see conductor.log.")
