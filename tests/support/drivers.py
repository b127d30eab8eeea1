"""Tiny drivers over a world, whose answers can be written down beforehand."""

import asyncio
from collections.abc import AsyncIterator, Callable

from skytui.drivers.driver import Said
from skytui.pair.logline import LogLine
from skytui.pair.mark import Mark, Marking, Unmarked
from skytui.pair.order import Order, Outcome, Result
from skytui.pair.vocabulary import Role, ServerReading
from tests.support.world import NEW, OLD, World

Answer = Outcome | Exception | None
"""What an action or a probe comes back with; None: never."""


class WorldDriver:
    """One server of a world. Without an answer written down, an action is carried out.

    `before` is called inside `act`, before anything is done. Each poll moves the world on by a second. While
    `unmarkable` says why, the host cannot be marked; it marks only after `marks_wait`, and of the next
    `marks_unheard` marks the answer does not come.
    """

    def __init__(self, world: World, server: str) -> None:
        self._world = world
        self._server = server
        self.answers: list[Answer] = []
        self.probe_answers: list[Answer] = []
        self.before: Callable[[Order], None] = lambda order: None
        self.acted: list[Order] = []
        self.probed: list[Order] = []
        self.lines: asyncio.Queue[LogLine] = asyncio.Queue()
        self.wrong_password = ""
        self.reads = 0
        self.looked_again = 0
        self.follows = 0
        self.closed = False
        self.marked: list[Mark] = []
        self.unmarkable = ""
        self.marks_unheard = 0
        self.marks_wait: asyncio.Event | None = None

    @property
    def server(self) -> str:
        return self._server

    @property
    def logs(self) -> tuple[str, ...]:
        return ("server",)

    async def read(self) -> ServerReading:
        self.reads += 1
        if self._server == OLD:
            self._world.tick(1.0)
            if self._world.new.role is Role.MASTER and not any(self._world.new.queues[q] for q in ("night",)):
                self._world.job_completes()
        return self._world.read(self._server)

    def look_again(self) -> None:
        self.looked_again += 1

    async def act(self, order: Order, said: Said) -> Outcome:
        self.acted.append(order)
        self.before(order)
        said(f"{order.action} begins")
        if self.answers:
            return await _give(self.answers.pop(0))
        return self._world.act(order)

    async def probe(self, order: Order, said: Said) -> Outcome:
        self.probed.append(order)
        if self.probe_answers:
            return await _give(self.probe_answers.pop(0))
        return Outcome(Result.UNKNOWN, "no answer")

    async def mark(self, mark: Mark, *, take: Mark | None = None, stale: float = 0.0) -> Marking:
        if self.unmarkable:
            return Unmarked(self.unmarkable)
        self.marked.append(mark)
        if self.marks_wait:
            await self.marks_wait.wait()
        found = self._world.servers[self._server].run_mark.set(mark, take, stale)
        if self.marks_unheard:
            self.marks_unheard -= 1
            return Unmarked("no answer in time")
        return found

    async def unmark(self, mark: Mark) -> str:
        return self.unmarkable or self._world.servers[self._server].run_mark.clear(self._server, mark)

    async def try_login(self) -> str:
        return self.wrong_password

    def preview(self, order: Order) -> str:
        return f"{order.action} on {order.server}"

    def percent(self, order: Order, line: str) -> float | None:
        head, sign, _ = line.partition("%")
        return float(head.split()[-1]) if sign else None

    async def follow(self, log: str) -> AsyncIterator[LogLine]:
        self.follows += 1
        while True:
            yield await self.lines.get()

    async def close(self) -> None:
        self.closed = True


async def _give(answer: Answer) -> Outcome:
    if answer is None:
        await asyncio.Event().wait()
        raise AssertionError("never reached")
    if isinstance(answer, Exception):
        raise answer
    return answer


def drivers_of(world: World) -> dict[str, WorldDriver]:
    return {name: WorldDriver(world, name) for name in (OLD, NEW)}
