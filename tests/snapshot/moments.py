"""The moments that are pictured: a scenario, a window, and the keys that were pressed in it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from textual.pilot import Pilot

from skytui.tui.console import Console
from skytui.tui.leaving import Leaving
from tests.tui.consoles import console_of
from tests.tui.scenarios import SCENARIOS
from tests.tui.scripted import ScriptedSession

WIDE, NARROW = (120, 36), (80, 24)


@dataclass(frozen=True)
class Moment:
    """`picture`: it is one of the screenshots that the README shows."""

    name: str
    scenario: str
    size: tuple[int, int] = WIDE
    keys: tuple[str, ...] = ()
    drill: bool = False
    ascii_only: bool = False
    ansi: bool = False
    secrets: tuple[str, ...] = ()
    picture: bool = False

    def console(self) -> tuple[ScriptedSession, Console]:
        session = SCENARIOS[self.scenario]()
        if self.secrets:
            session.show(secrets_wanted=self.secrets)
        return session, console_of(session, drill=self.drill, ascii_only=self.ascii_only, ansi=self.ansi)

    def play(self, session: ScriptedSession) -> Callable[[Pilot[Leaving]], Awaitable[None]]:
        """Press the keys, each with the screen painted and looked at."""

        async def run(pilot: Pilot[Leaving]) -> None:
            await pilot.pause()
            await pilot.pause()
            session.clock.advance(1.0)
            for key in self.keys:
                await pilot.press(key)
                await pilot.pause()
                session.clock.advance(0.1)
            app = pilot.app
            assert isinstance(app, Console)
            app.main.log_panel.flush()
            app.tick()
            await pilot.pause()

        return run


MOMENTS = (
    Moment("idle", "idle", picture=True),
    Moment("users", "users-in"),
    Moment("draining", "draining"),
    Moment("replication", "counting", picture=True),
    Moment("dead-link", "dead-link", picture=True),
    Moment("blocked", "blocked"),
    Moment("shut-down", "shut-down", picture=True),
    Moment("shut-down-name", "shut-down", keys=("enter",), picture=True),
    Moment("no-way-back", "no-way-back", picture=True),
    Moment("agents-missing", "agents-missing", picture=True),
    Moment("failed", "failed", picture=True),
    Moment("doubtful", "doubtful"),
    Moment("doubtful-80x24", "doubtful", NARROW),
    Moment("doubtful-repeatable", "doubtful-and-repeatable"),
    Moment("company", "company"),
    Moment("observer", "observer", picture=True),
    Moment("observer-80x24", "observer", NARROW),
    Moment("observer-waiting-80x24", "observer-waiting", NARROW),
    Moment("elsewhere", "elsewhere"),
    Moment("watched", "watched"),
    Moment("watcher", "watcher"),
    Moment("watcher-80x24", "watcher", NARROW),
    Moment("vacant", "vacant"),
    Moment("vacant-80x24", "vacant", NARROW),
    Moment("resumed", "resumed"),
    Moment("resumed-80x24", "resumed", NARROW),
    Moment("aborting", "aborting"),
    Moment("aborting-80x24", "aborting", NARROW),
    Moment("undo-failed", "undo-failed"),
    Moment("aborted", "aborted"),
    Moment("held", "held"),
    Moment("two-masters", "two-masters", picture=True),
    Moment("unverified", "unverified"),
    Moment("unverified-80x24", "unverified", NARROW),
    Moment("stale", "stale"),
    Moment("lost", "lost"),
    Moment("prod", "prod"),
    Moment("done", "done", picture=True),
    Moment("replication-80x24", "counting", NARROW, picture=True),
    Moment("shut-down-80x24", "shut-down", NARROW),
    Moment("failed-80x24", "failed", NARROW),
    Moment("done-80x24", "done", NARROW),
    Moment("too-small", "counting", (70, 20)),
    Moment("ascii-80x24", "counting", NARROW, ascii_only=True),
    Moment("ansi", "blocked", ansi=True),
    Moment("modal-start", "idle", keys=("s",)),
    Moment("modal-name-80x24", "no-way-back", NARROW, keys=("enter",)),
    Moment("modal-name-wrong", "shut-down", keys=("enter", *"sky-b", "enter")),
    Moment("modal-waive", "users-in", keys=("w",)),
    Moment("modal-hold", "shut-down", keys=("h",)),
    Moment("modal-abort", "no-way-back", keys=("a",)),
    Moment("modal-abort-80x24", "no-way-back", NARROW, keys=("a",)),
    Moment("modal-abort-unchanged", "users-in", keys=("a",)),
    Moment("modal-take", "observer", keys=("t",)),
    Moment("modal-take-80x24", "observer", NARROW, keys=("t",)),
    Moment("modal-take-elsewhere", "elsewhere", keys=("t",)),
    Moment("modal-hand-over", "watched", keys=("t",)),
    Moment("modal-hand-over-80x24", "watched", NARROW, keys=("t",)),
    Moment("modal-help-here", "watched", keys=("question_mark",)),
    Moment("modal-secret", "idle", secrets=("admin password of sky-a",), keys=("s", *"abc")),
    Moment("modal-leave-run", "counting", drill=True, keys=("q",)),
    Moment("modal-leave-idle", "idle", drill=True, keys=("q",)),
    Moment("modal-help", "idle", keys=("question_mark",)),
    Moment("log-only", "agents-missing", keys=("l",)),
    Moment("find", "agents-missing", keys=("slash", *"sky-a", "enter")),
)
