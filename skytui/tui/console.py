"""The textual application: one reactive scene, the main screen that shows it, and how it is left."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import ClassVar, TypeVar

from rich.segment import Segments
from rich.traceback import Traceback
from textual import events
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.screen import Screen

from skytui import paths
from skytui.clock import Clock
from skytui.plaintext import plain
from skytui.runbook.events import HandedOver
from skytui.runbook.model import Doubtful, Failed, Run
from skytui.runbook.paper import remaining_steps
from skytui.runbook.prospect import Prospect, Turn
from skytui.runbook.steps import Step
from skytui.tui import keys, theme
from skytui.tui.arming import KeyTimes, TerminalTimes
from skytui.tui.glyphs import ASCII, Look
from skytui.tui.leaving import DrillEnding, Leaving
from skytui.tui.operator import TOO_EARLY, Operator
from skytui.tui.scene import Scene, scene_of
from skytui.tui.screens.dialog import Dialog
from skytui.tui.screens.main import MainScreen
from skytui.tui.screens.secret import SecretDialog
from skytui.tui.session import Session, Shown
from skytui.tui.standing import Standing
from skytui.tui.terminal import terminal_is_gone
from skytui.tui.view.people import handed_words

T = TypeVar("T")

STYLES = ("base.tcss", "servers.tcss", "desk.tcss", "dialogs.tcss")
MIN_COLUMNS, MIN_ROWS = 80, 24
WIDE_COLUMNS, TALL_ROWS = 110, 32
HUNG_UP = 128 + signal.SIGHUP
"""The exit code of a console whose terminal was closed, as a shell gives it."""
TICK = 1.0
"""Seconds between two scenes when nothing comes in: ages and durations go on."""
NOTICE_SECONDS = 6.0


NOTHING_YET = Scene(
    shown=Shown(pair="", practice=False, keys_of="", servers=()),
    reading=None,
    wall=datetime.min.replace(tzinfo=UTC),
    prospect=Prospect(Turn.NOBODY),
)


class Console(App[Leaving]):
    """The console of one pair."""

    CSS_PATH: ClassVar[list[str]] = [str(paths.own_style(name)) for name in STYLES]  # type: ignore[assignment]
    BINDINGS: ClassVar[list[BindingType]] = [*keys.APP]
    TITLE = "skytui"
    scene: reactive[Scene] = reactive(NOTHING_YET, init=False)

    class Changed(Message):
        """The session shows something else. Many of these become one repaint."""

        def can_replace(self, message: Message) -> bool:
            """The latest is enough."""
            return isinstance(message, Console.Changed)

    def __init__(
        self,
        session: Session,
        *,
        clock: Clock,
        look: Look,
        drill: bool = False,
        ansi: bool = False,
        times: KeyTimes | None = None,
    ) -> None:
        # Without colour the terminal's own palette is stripped to plain text; greys would be left otherwise.
        ansi = ansi or "NO_COLOR" in os.environ
        super().__init__(ansi_color=ansi)
        self.animation_level = "none"
        self._session = session
        self._clock = clock
        self._times: KeyTimes = times or TerminalTimes()
        self._drill = drill
        self._noticed = session.shown.noticed
        self._told = (session.shown.run.id if session.shown.run else "", len(session.shown.events))
        self._asked_for: tuple[str, ...] = ()
        self._said = ("", 0.0)
        self.key_read = 0.0
        self._keys = look.keys
        self.set_reactive(Console.scene, scene_of(session.shown, clock))
        self._desk = Operator(self, session, look, self._times, drill=drill)
        self.main = MainScreen(session, look, self._times, self._desk)
        self.register_theme(theme.COLOUR)
        self.register_theme(theme.ANSI)
        self.theme = theme.ANSI.name if ansi else theme.COLOUR.name
        self.set_class(look.glyphs is ASCII, "-ascii")

    def get_default_screen(self) -> Screen[None]:
        """The main screen."""
        return self.main

    def on_mount(self) -> None:
        """Show what comes. What is known already is shown when the window's size is."""
        self.set_keymap(dict(self._keys.changed))
        self._session.watch(self._session_changed)
        self.set_interval(TICK, self.tick)
        self._leave_on_signals()

    def on_resize(self, event: events.Resize) -> None:
        """Sort the window into a size class."""
        width, height = event.size
        self.set_class(width < MIN_COLUMNS or height < MIN_ROWS, "-too-small")
        self.set_class(width < WIDE_COLUMNS, "-narrow")
        self.set_class(height < TALL_ROWS, "-short")
        self.main.rearm()
        self.call_after_refresh(self._show_again)

    async def on_event(self, event: events.Event) -> None:
        """Note when a key was read; drop what was typed before the dialog it would reach was painted."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self.key_read = self._times.read(event)
            screen = self.screen
            if isinstance(screen, Dialog) and not screen.admits(self.key_read):
                self.say(TOO_EARLY, bad=True)
                return
        await super().on_event(event)

    def on_console_changed(self) -> None:
        """Something came in."""
        self.tick()

    def watch_scene(self, scene: Scene) -> None:
        """Show the new moment, on the main screen also while a dialog is over it."""
        if not self.main.is_mounted:
            return
        self.main.show(scene)
        shown = scene.shown
        if shown.noticed > self._noticed:
            for notice in shown.notices[-(shown.noticed - self._noticed) :]:
                self.notify(plain(notice.says), timeout=NOTICE_SECONDS, markup=False)
            self._noticed = shown.noticed
        if not self._dialog_open() or not shown.asked:
            if shown.asked and shown.asked != self._asked_for:
                self._desk.ask_secret()
            self._asked_for = shown.asked
        self._close_what_went_by(scene)
        self._tell_of_hand_over(shown)
        if isinstance(self.screen, SecretDialog) and self.screen.secret not in shown.asked:
            self.screen.answer(True)

    def _close_what_went_by(self, scene: Scene) -> None:
        """Close a dialog whose question is none any more: another confirmed the step, or took the run."""
        screen = self.screen
        if isinstance(screen, Dialog) and (why := screen.passed_by(scene)):
            self.say(why, bad=True)
            screen.action_cancel()

    def _tell_of_hand_over(self, shown: Shown) -> None:
        """Say it to everybody when somebody else operates the run from now on."""
        run = shown.run.id if shown.run else ""
        told = self._told[1] if run == self._told[0] else 0
        for event in shown.events[told:]:
            if isinstance(event, HandedOver):
                self.notify(plain(handed_words(event)), timeout=NOTICE_SECONDS, markup=False)
        self._told = (run, len(shown.events))

    def action_interrupt(self) -> None:
        """Ctrl+C: close a dialog; otherwise the same as leaving."""
        if isinstance(self.screen, Dialog):
            self.screen.action_cancel()
        elif self.screen is self.main:
            self._desk.leave()
        else:
            self.pop_screen()  # the palette

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the palette offers: nothing in it changes a server."""
        yield SystemCommand("Keys", "Show all keys", self._desk.help)
        yield SystemCommand("Log", "The log on the whole screen, and back", self.main.action_log)
        yield SystemCommand("Filter", "Show other lines of the log", self.main.action_filter)
        yield SystemCommand("Theme", "Change the colours", self.action_change_theme)
        yield SystemCommand("Leave", "Leave the console; a run goes on to its next gate", self._desk.leave)

    # What the operator's desk stands on.

    def ask(self, dialog: Dialog[T], answered: Callable[[T], None]) -> None:
        """Show a dialog; `answered` is called with its answer, unless it was cancelled."""

        def closed(answer: T | None) -> None:
            if answer is not None:
                answered(answer)

        self.push_screen(dialog, closed)

    def send(self, request: Awaitable[str], done: Callable[[str], None]) -> None:
        """Await a request beside the screen; `done` is called with why it was refused."""

        async def ask() -> None:
            done(await request)

        self.run_worker(ask())

    def say(self, sentence: str, *, bad: bool) -> None:
        """A short notice; it takes the place of the one before, so that a burst of keys makes one."""
        now = self._times.now()
        if sentence == self._said[0] and now - self._said[1] < NOTICE_SECONDS:
            return  # it is on the screen
        self._said = (sentence, now)
        self.clear_notifications()
        self.notify(
            plain(sentence),
            severity="warning" if bad else "information",
            timeout=NOTICE_SECONDS,
            markup=False,
        )

    def go(self, ending: DrillEnding | None) -> None:
        """Leave the console."""
        self.exit(Leaving(self._farewell(ending), ending))

    def _farewell(self, ending: DrillEnding | None) -> str:
        """What the operator reads after leaving."""
        run = self.scene.run
        if ending is DrillEnding.BRING_DOWN:
            return "The practice pair is brought down."
        pair = self.scene.shown.pair
        again = "`skytui drill`" if self._drill else f"`skytui {pair}`"
        if self.scene.standing is Standing.WATCHER:
            only = "This console only watched: nothing was changed from here."
            return f"{only} {_where(run)} `skytui watch {pair}` watches again; {again} opens the console."
        if run is None or run.step is None:
            running = " The practice pair goes on running." if self._drill else ""
            return f"No run is open.{running} {again} attaches again."
        if not self.scene.operates:
            return f"{run.operator} operates the run. {_where(run)} {again} attaches again."
        place = _place(run, run.step)
        goes_on = (
            f"The run goes on to its next gate and waits there; it is at {place}. {again} attaches again."
        )
        return f"{goes_on}{self._left_to_do(run)}"

    def _left_to_do(self, run: Run) -> str:
        """The steps that are left, where the run has stopped half-way: its server may need a person now."""
        stopped = isinstance(run.stage, Failed | Doubtful) or self.scene.prospect.overdue > 0
        if not stopped:
            return f" `skytui plan {run.pair}` prints the steps that are left."
        past = self.scene.shown.past
        usual = past.usual_of(run) if past else {}
        return f" It has stopped half-way.\n\n{remaining_steps(run, self.scene.shown.previews, usual)}"

    def _leave_on_signals(self) -> None:
        """Textual dies of these without giving the terminal back (measured on 8.2.8)."""
        if self.is_headless:
            return
        ending = DrillEnding.LEAVE_RUNNING if self._drill else None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._signalled, ending)
        # Not every terminal that goes away sends a signal.
        self.set_interval(TICK, self._end_without_terminal)

    def _signalled(self, ending: DrillEnding | None) -> None:
        self._end_without_terminal()
        self.go(ending)

    def _end_without_terminal(self) -> None:
        """End at once when the terminal is gone: there is nothing to give back, and nobody to tell.

        A hang-up comes with SIGCONT, at which textual takes the terminal once more and then reads a dead one
        for ever (measured on 8.2.8). The conductor sees our socket close; the run is not ours.
        """
        if terminal_is_gone():
            os._exit(HUNG_UP)

    def _fatal_error(self) -> None:
        """As textual does it, but without the values of variables: a secret may be among them."""
        self.bell()
        trace = Traceback(show_locals=False, width=None)
        self._exit_renderables.append(Segments(self.console.render(trace, self.console.options)))
        self._close_messages_no_wait()

    def _session_changed(self) -> None:
        self.post_message(self.Changed())

    def _show_again(self) -> None:
        """The same moment, in another size."""
        self.watch_scene(self.scene)

    def tick(self) -> None:
        """Show this moment: what is known, aged to now."""
        self.scene = scene_of(self._session.shown, self._clock)

    def _dialog_open(self) -> bool:
        return self.screen is not self.main


def _where(run: Run | None) -> str:
    if run is None or run.step is None:
        return "No run is open."
    return f"The run is at {_place(run, run.step)}."


def _place(run: Run, step: Step) -> str:
    return f"step {run.number(step.id)} of {len(run.plan)}, {step.id}"
