"""The step card, and what can be confirmed on it."""

from collections.abc import Callable, Hashable

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content

from skytui.runbook.model import Doubtful, Failed, Run
from skytui.runbook.prospect import Turn
from skytui.tui.glyphs import Look
from skytui.tui.logring import LogRing
from skytui.tui.scene import Scene
from skytui.tui.view.act import Tone
from skytui.tui.view.card import TAIL, CardView, step_card
from skytui.tui.view.logs import script_tail
from skytui.tui.view.summary import idle_card, summary_card
from skytui.tui.widgets.pane import Pane


def card_id(scene: Scene) -> Hashable:
    """What makes a card another one: the run, its step, its stage, and whether Enter here would count."""
    run = scene.run
    if run is None or run.step is None:
        return None
    yours = scene.operates and scene.prospect.turn is Turn.OPERATOR
    return (run.id, run.step.id, type(run.stage).__name__, run.stage_at, yours)


class Card(Vertical):
    """The card. Its last lines say what Enter does; they stay in sight however long the rest is."""

    def __init__(self, look: Look, log: LogRing) -> None:
        super().__init__(id="card")
        self._look = look
        self._log = log
        self._scene: Scene | None = None
        self._body = Pane(id="card-text", grows=True)
        self._act = Pane(id="act", grows=True)
        self._scroll = VerticalScroll(self._body, id="card-body", can_focus=False)
        self._border = ("", "")
        self._tail_shown: Hashable = None

    def compose(self) -> ComposeResult:
        """The text, and below it what Enter does."""
        yield self._scroll
        yield self._act

    def show(self, scene: Scene) -> None:
        """Show the card of this moment."""
        self._scene = scene
        view = self._view(scene, max(30, self._scroll.scrollable_content_region.width))
        if (view.title, view.place) != self._border:
            self._border = (view.title, view.place)  # setting them repaints the whole card
            self.border_title, self.border_subtitle = Content(view.title), Content(view.place)
        self._body.draw(view.body)
        self._act.draw(view.act)
        self.set_class(view.long, "-long")
        for tone in Tone:
            self.set_class(view.tone is tone, f"-{tone}")
        self._to_the_end_of_a_tail(scene)

    def on_resize(self) -> None:
        """Wrap to the new width."""
        if self._scene is not None:
            self.show(self._scene)

    def scroll_by(self, lines: int) -> None:
        """Move the text of the card, when there is more than fits."""
        self._scroll.scroll_relative(y=lines, animate=False)

    def when_painted(self, call: Callable[[], object]) -> None:
        """Call back after what `show` changed is on the screen."""
        self._act.call_after_refresh(call)

    def _view(self, scene: Scene, width: int) -> CardView:
        run = scene.run
        if run is None:
            return idle_card(scene, self._look, width)
        step = run.step
        if step is None:
            return summary_card(scene, run, self._look, width)
        return step_card(scene, run, step, self._look, width, tail=self._tail(scene, run))

    def _tail(self, scene: Scene, run: Run) -> tuple[str, ...]:
        step = run.step
        if step is None or not isinstance(run.stage, Failed | Doubtful):
            return ()
        return script_tail(self._log.lines(), run.name_of(step.side), scene.shown.servers, TAIL)

    def _to_the_end_of_a_tail(self, scene: Scene) -> None:
        """A script's last line says most: scroll to it once, and back up for the next card."""
        card = card_id(scene)
        if card == self._tail_shown:
            return
        self._tail_shown = card
        failed = scene.run is not None and isinstance(scene.run.stage, Failed)
        if failed:
            # Not anchor(): a text that is shorter than the card would stand at its foot (seen in 8.2.8).
            self.call_after_refresh(self._scroll.scroll_end, animate=False)
        else:
            self._scroll.scroll_home(animate=False)
