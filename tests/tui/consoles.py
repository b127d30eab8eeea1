"""A console over a scripted session, with everything in it standing still; and what is on its screen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.message import Message
from textual.pilot import Pilot

from skytui.tui.console import Console
from skytui.tui.glyphs import ASCII, UNICODE, Look
from skytui.tui.keyboard import USUAL, Keyboard
from skytui.tui.leaving import Leaving
from tests.tui.scripted import ScriptedSession


class ScriptedTimes:
    """Keys are read at the moment the session's clock stands at, or at one laid down."""

    def __init__(self, session: ScriptedSession) -> None:
        self._session = session
        self.read_at: float | None = None

    def now(self) -> float:
        return self._session.clock.instant().seconds

    def read(self, key: Message) -> float:
        return self.now() if self.read_at is None else self.read_at


def console_of(
    session: ScriptedSession,
    *,
    drill: bool = False,
    ansi: bool = False,
    ascii_only: bool = False,
    times: ScriptedTimes | None = None,
    keys: Keyboard = USUAL,
) -> Console:
    return Console(
        session,
        clock=session.clock,
        look=Look(ASCII if ascii_only else UNICODE, keys=keys),
        drill=drill,
        ansi=ansi,
        times=times or ScriptedTimes(session),
    )


class Desk:
    """A console as an operator has it: keys go in, the screen comes out."""

    def __init__(self, session: ScriptedSession, console: Console, pilot: Pilot[Leaving]) -> None:
        self.session = session
        self.console = console
        self.pilot = pilot

    async def settle(self, seconds: float = 1.0) -> None:
        """Let everything be painted, and look at it for a while."""
        await self.pilot.pause()
        await self.pilot.pause()
        self.session.clock.advance(seconds)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        await self.press(*text)

    async def poll(self, times: int = 1) -> None:
        self.session.poll(times)
        await self.settle()

    async def flush(self) -> None:
        """Until the log panel has looked at the ring once more."""
        panel = self.console.main.log_panel
        panel.flush()
        await self.pilot.pause()

    def screen(self) -> str:
        """What the compositor puts on the terminal."""
        strips = self.console.screen._compositor.render_strips(self.console.size)
        return "\n".join(strip.text.rstrip() for strip in strips)

    def notices(self) -> list[str]:
        """The notices that are up; on the screen they may stand beside other words."""
        return [notice.message for notice in self.console._notifications]

    def asked(self, what: str) -> list[tuple[str, ...]]:
        return [request for request in self.session.asked if request[0] == what]

    def left(self) -> Leaving | None:
        """How the console was left, if it was."""
        return self.console.return_value

    @property
    def step(self) -> str:
        run = self.session.shown.run
        return run.step.id if run and run.step else ""

    @property
    def stage(self) -> str:
        run = self.session.shown.run
        return type(run.stage).__name__ if run else ""


@asynccontextmanager
async def desk(
    session: ScriptedSession,
    size: tuple[int, int] = (120, 36),
    *,
    drill: bool = False,
    ascii_only: bool = False,
) -> AsyncIterator[Desk]:
    console = console_of(session, drill=drill, ascii_only=ascii_only)
    async with console.run_test(size=size, notifications=True) as pilot:
        at = Desk(session, console, pilot)
        await at.settle()
        yield at
