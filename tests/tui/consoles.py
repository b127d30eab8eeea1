"""A console over a scripted session, with everything in it standing still."""

from textual.message import Message

from skytui.tui.console import Console
from skytui.tui.glyphs import ASCII, UNICODE, Look
from tests.tui.scripted import ScriptedSession


class ScriptedTimes:
    """Keys are read at the moment the session's clock stands at."""

    def __init__(self, session: ScriptedSession) -> None:
        self._session = session
        self.read_at: float | None = None

    def now(self) -> float:
        return self._session.clock.instant().seconds

    def read(self, key: Message) -> float:
        return self.now() if self.read_at is None else self.read_at


def console_of(
    session: ScriptedSession, *, drill: bool = False, ansi: bool = False, ascii_only: bool = False
) -> Console:
    return Console(
        session,
        clock=session.clock,
        look=Look(ASCII if ascii_only else UNICODE),
        drill=drill,
        ansi=ansi,
        times=ScriptedTimes(session),
    )
