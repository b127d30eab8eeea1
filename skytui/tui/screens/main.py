"""The main screen: both servers, the runbook, the step card, the log."""

import dataclasses
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import ActiveBinding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer

from skytui.tui import keys
from skytui.tui.arming import Armed, KeyTimes
from skytui.tui.glyphs import Look
from skytui.tui.operator import DESK, Operator
from skytui.tui.scene import Scene
from skytui.tui.session import Session
from skytui.tui.view.flow import flow_view
from skytui.tui.view.topline import banner_view, topline_view
from skytui.tui.widgets.card import Card, card_id
from skytui.tui.widgets.log_panel import LogPanel
from skytui.tui.widgets.pane import Pane
from skytui.tui.widgets.server_panel import ServerPanel
from skytui.tui.widgets.stepper import Stepper, Strip

TOO_SMALL = (
    "This window is too small for the console: it needs 80 columns and 24 rows.\n"
    "The run goes on. Nothing can be confirmed here; make the window larger, or use skytui status."
)


FOOTER_KEYS = 8
"""How many keys the footer has room for in a window of 80 columns."""


class MainScreen(Screen[None]):
    """Shows scenes, and hands keys to the operator's desk."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.MAIN]
    AUTO_FOCUS = ""

    def __init__(self, session: Session, look: Look, times: KeyTimes, desk: Operator) -> None:
        super().__init__()
        self._look = look
        self._times = times
        self._desk = desk
        self.armed = Armed()
        self._footer_state: object = None
        self._top = Pane(id="top")
        self._banner = Pane(id="banner", grows=True)
        self._servers = (ServerPanel(0, look), ServerPanel(1, look))
        self._flow = Pane(id="flow")
        self._strip = Strip(look)
        self._stepper = Stepper(look)
        self._card = Card(look, session.log)
        self._log = LogPanel(look, session.log)
        self._scene: Scene | None = None

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        small = Pane(id="too-small")
        small.draw(Content(TOO_SMALL))
        yield small
        with Vertical(id="board"):
            yield self._top
            yield self._banner
            with Horizontal(id="pair"):
                yield self._servers[0]
                yield self._flow
                yield self._servers[1]
            yield self._strip
            with Horizontal(id="desk"):
                yield self._stepper
                with Vertical(id="right"):
                    yield self._card
                    yield self._log
        yield Footer(show_command_palette=False)

    @property
    def log_panel(self) -> LogPanel:
        """The log."""
        return self._log

    @property
    def card_in_sight(self) -> bool:
        """Whether the operator can read the card: the window is large enough, and the log not over it."""
        app = self.app
        return not (app.has_class("-too-small") or self.has_class("-log-only") or app.screen is not self)

    def show(self, scene: Scene) -> None:
        """Show this moment."""
        self._scene = scene
        self._top.draw(topline_view(scene, self._look, self.app.size.width))
        banner = banner_view(scene, self._look)
        self._banner.draw(banner)
        self._banner.display = bool(banner)
        for panel in self._servers:
            panel.show(scene)
        self._flow.draw(flow_view(scene, self._look))
        self._strip.show(scene)
        self._stepper.show(scene)
        self._card.show(scene)
        self._log.show(scene)
        self.set_class(self._card.has_class("-long"), "-long-card")
        self._arm(card_id(scene))
        self._refresh_footer()

    def rearm(self) -> None:
        """The card comes into sight again: keys count for it only from `SETTLE` seconds after that on."""
        card = self.armed.card
        self.armed.change(card)
        self._card.when_painted(lambda: self.armed.painted(card, self._times.now()))

    def on_screen_resume(self) -> None:
        """A dialog was closed over us."""
        self.rearm()

    def on_log_panel_find_closed(self) -> None:
        """The Enter that ended the search must not be followed by one that confirms."""
        self.rearm()

    def on_key(self, event: events.Key) -> None:
        """A key that is greyed, or hidden from a watcher, says why."""
        actions = [b.action for b in self._look.keys.main if event.key == b.key]
        if self.focused is not None or any(self.check_action(action, ()) for action in actions):
            return
        why = next((why for action in actions if (why := self._desk.why_not(action))), "")
        if why:
            event.stop()
            self._desk.refuse(why)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a key does something now: True; None greys it, False hides it."""
        if action == "confirm" and self.focused is not None:
            return False  # Enter belongs to the search line
        return self._desk.allows(action)

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """What the footer shows. A watcher's has room for the filter, which others find under `?`.

        Where there are more than fit 80 columns, keys that do nothing now give way first, then the search.
        """
        active = super().active_bindings
        key = next(b.key for b in self._look.keys.main if b.id == "filter")
        shown = active.get(key)
        if shown and self._desk.watches:
            active[key] = shown._replace(binding=dataclasses.replace(shown.binding, show=True))
        visible = [key for key, shown in active.items() if shown.binding.show]
        greyed = [key for key in visible if not active[key].enabled and active[key].binding.id != "confirm"]
        search = [key for key in visible if active[key].binding.id == "find"]
        for key in (*greyed, *search)[: max(0, len(visible) - FOOTER_KEYS)]:
            hidden = active[key]
            active[key] = hidden._replace(binding=dataclasses.replace(hidden.binding, show=False))
        return active

    async def action_confirm(self) -> None:
        """Go on with the step whose card is on the screen."""
        await self._desk.confirm(self.armed, in_sight=self.card_in_sight)

    async def action_start(self) -> None:
        """Start a run."""
        await self._desk.start()

    async def action_waive(self) -> None:
        """Waive the gate of the current step."""
        await self._desk.waive()

    def action_decide(self) -> None:
        """Decide about the rows of the current step's list."""
        self._desk.decide()

    def action_abort(self) -> None:
        """Take the run back."""
        self._desk.abort()

    async def action_hold(self) -> None:
        """Hold the run, or release it."""
        await self._desk.hold()

    def action_take(self) -> None:
        """Operate the run from here."""
        self._desk.take()

    def action_hand_over(self) -> None:
        """Pass the run on."""
        self._desk.hand_over()

    def action_checks(self) -> None:
        """Show all checks."""
        self._desk.checks()

    def action_unplanned(self) -> None:
        """Start an unplanned swap, or make one of the open run."""
        self._desk.lost.unplanned()

    def action_state(self) -> None:
        """State that the original master is powered off."""
        self._desk.lost.state()

    def action_later(self) -> None:
        """Leave the conversion for later."""
        self._desk.lost.later()

    def action_secret(self) -> None:
        """Try a secret again, or give it."""
        self._desk.try_secrets()

    def action_help(self) -> None:
        """Show all keys."""
        self._desk.help()

    def action_leave(self) -> None:
        """Leave the console."""
        self._desk.leave()

    def action_log(self) -> None:
        """The log on the whole screen, and back."""
        self.toggle_class("-log-only")
        self.rearm()

    def action_back(self) -> None:
        """Out of the search, or out of the log."""
        if not self._log.close_find() and self.has_class("-log-only"):
            self.action_log()

    def action_filter(self) -> None:
        """Show other lines."""
        self._log.cycle_filter()

    def action_pause(self) -> None:
        """Stand still, or follow."""
        self._log.toggle_pause()

    def action_find(self) -> None:
        """Search the log."""
        self._log.open_find()

    def action_older(self) -> None:
        """The match before."""
        if not self._log.step_match(-1):
            self._desk.refuse("No older match.")

    def action_newer(self) -> None:
        """The match after."""
        if not self._log.step_match(1):
            self._desk.refuse("No newer match.")

    def action_card(self, lines: int) -> None:
        """Scroll the card."""
        self._card.scroll_by(lines)

    def action_scroll_log(self, direction: int) -> None:
        """Scroll the log by a page."""
        self._log.scroll_page(direction)

    def action_follow(self) -> None:
        """Follow the log again."""
        self._log.follow()

    def _arm(self, card: object) -> None:
        if card != self.armed.card:
            self.armed.change(card)
            self._card.when_painted(lambda: self.armed.painted(card, self._times.now()))

    def _refresh_footer(self) -> None:
        state = tuple(self._desk.allows(name) for name in DESK)
        if state != self._footer_state:
            self._footer_state = state
            self.refresh_bindings()
