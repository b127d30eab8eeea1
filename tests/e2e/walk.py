"""Walks a run over the conductor's socket, as the console and the headless client do, step by step."""

import asyncio
from collections.abc import Callable
from typing import Self

from skytui.link.client import Client
from skytui.link.start import attach
from skytui.link.wire import Confirm, Decide, NewEvent, NewLines, NewReading, Open, Reply, Request
from skytui.pair.logline import LogLine
from skytui.pair.pair import PairReading
from skytui.runbook.events import Confirmed, Finished, Intended, Passed, Recorded, Waived
from skytui.runbook.model import Failed, Run, Waiting
from skytui.runbook.prospect import Prospect, Turn, prospect
from skytui.runbook.rows import rows

DECISIONS = {"first-job": "leave", "server-history": "recorded"}
"""What is decided about every row that waits for it, by step."""


class Walk:
    """A client that knows the run and the latest reading, and waits for conditions with a deadline.

    What a step lists is decided at once, as `decisions` say.
    """

    def __init__(self, client: Client) -> None:
        self.decisions = dict(DECISIONS)
        self._deciding: asyncio.Task[Reply] | None = None
        self._client = client
        self._changed = asyncio.Event()
        self.reading: PairReading | None = client.welcome.reading
        self.run: Run | None = client.welcome.run
        self.events: list[Recorded] = list(client.welcome.events)
        self.lines: list[LogLine] = list(client.welcome.lines)
        self._listener = asyncio.create_task(self._listen())

    @classmethod
    async def attached(cls, pair: str = "practice") -> Self:
        return cls(await attach(pair, "headless"))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [self._listener, *([self._deciding] if self._deciding else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.close()

    async def _listen(self) -> None:
        async for message in self._client:
            match message:
                case NewReading(reading=reading):
                    self.reading = reading
                case NewEvent(event=event, run=run):
                    self.events.append(event)
                    self.run = run
                case NewLines(lines=lines):
                    self.lines.extend(lines)
                case _:
                    continue
            self._decide()
            self._changed.set()

    def _decide(self) -> None:
        """Ask for a decision about each row that waits for one, if the last such question was answered."""
        run = self.run
        if run is None or run.step is None or (self._deciding and not self._deciding.done()):
            return
        step, decision = run.step.id, self.decisions.get(run.step.id, "")
        wanted = {row.id: decision for row in rows(run, self.reading) if row.open and decision in row.choices}
        if wanted:
            asked = self.ask(lambda number: Decide(number, run.id, step, wanted))
            self._deciding = asyncio.create_task(asked)

    def cut(self) -> None:
        """Be gone without a word, as a killed console is."""
        self._client._writer.transport.abort()

    @property
    def stage(self) -> str:
        run = self.run
        return "no run" if run is None else f"{run.step.id if run.step else 'end'}: {run.stage}"

    @property
    def prospect(self) -> Prospect:
        assert self.run is not None
        return prospect(self.run, self.reading)

    async def ask(self, make: Callable[[int], Request]) -> Reply:
        return await self._client.request(make)

    async def until(self, holds: Callable[[], bool], seconds: float = 60.0) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not holds():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            reasons = self.prospect.reasons if self.run else ()
            raise AssertionError(f"not within {seconds:.0f} s; {self.stage}; {reasons}") from None

    async def open(self) -> None:
        await self.until(lambda: self.reading is not None and bool(self.reading.master()))
        await self.until(lambda: self.reading is not None and bool(self.reading.standby()))
        reply = await self.ask(Open)
        assert not reply.refused, reply.refused
        await self.until(lambda: self.run is not None and not self.run.over)

    async def confirm(self) -> Reply:
        run = self.run
        assert run is not None
        assert run.step is not None
        step = run.step
        return await self.ask(lambda number: Confirm(number, run.id, step.id, run.phrase(step)))

    async def pass_step(self, seconds: float = 120.0) -> None:
        """Confirm the step that waits, and wait until it has passed."""
        run = self.run
        assert run is not None
        assert run.step is not None
        step = run.step.id
        await self.until(lambda: self.prospect.turn is Turn.OPERATOR, seconds)
        reply = await self.confirm()
        assert not reply.refused, reply.refused

        def passed() -> bool:
            assert self.run is not None
            assert not isinstance(self.run.stage, Failed), self.run.stage
            return self.run.record(step) is not None

        await self.until(passed, seconds)

    async def to(self, step: str, seconds: float = 120.0) -> None:
        """Go on until the card of `step` is up."""
        if self.run is None or self.run.over:
            await self.open()
        while True:
            assert self.run is not None
            assert self.run.step is not None, "the run is over"
            if self.run.step.id == step and isinstance(self.run.stage, Waiting):
                return
            await self.pass_step(seconds)

    async def to_the_end(self, seconds: float = 120.0) -> None:
        await self.to("close", seconds)
        await self.pass_step(seconds)
        await self.until(lambda: self.run is not None and self.run.over)


def sequence(events: list[Recorded]) -> list[tuple[str, str]]:
    """What happened to each step, as (step, confirmed | intent | outcome | passed | waived)."""
    names = {Confirmed: "confirmed", Intended: "intent", Passed: "passed", Waived: "waived"}
    told: list[tuple[str, str]] = []
    for event in events:
        if isinstance(event, Finished):
            told.append((event.step, event.outcome.result.value))
        elif isinstance(event, Confirmed | Intended | Passed | Waived):
            told.append((event.step, names[type(event)]))
    return told


def planned_sequence(run: Run) -> list[tuple[str, str]]:
    """The sequence of an undisturbed planned swap."""
    told: list[tuple[str, str]] = []
    for step in run.steps:
        told.append((step.id, "confirmed"))
        if step.action and not step.only_if_needed:
            told += [(step.id, "intent"), (step.id, "done")]
        told.append((step.id, "passed"))
    return told
