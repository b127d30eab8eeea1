"""The runbook at the left; on a narrow screen, in one line."""

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Region

from skytui.tui.glyphs import Look
from skytui.tui.scene import Scene
from skytui.tui.view.stepper import stepper_view, strip_view
from skytui.tui.widgets.pane import Pane


class Stepper(VerticalScroll, can_focus=False):
    """All steps; the current one is kept in sight."""

    def __init__(self, look: Look) -> None:
        super().__init__(id="stepper")
        self.border_title = "Runbook"
        self._look = look
        self._current = -1
        self._scene: Scene | None = None
        self._lines = Pane(id="steps", grows=True)

    def compose(self) -> ComposeResult:
        """All lines in one piece."""
        yield self._lines

    def show(self, scene: Scene) -> None:
        """Show where the run stands."""
        self._scene = scene
        self.border_subtitle = Content(f"SSH keys of {scene.shown.keys_of}")
        view = stepper_view(scene, self._look, max(20, self.scrollable_content_region.width))
        self._lines.draw(Content("\n").join(view.lines))
        if view.current != self._current:
            self._current = view.current
            self.call_after_refresh(self._keep_in_sight)

    def on_resize(self) -> None:
        """Fill the new width; the current step may have gone out of sight."""
        if self._scene is not None:
            self._current = -1
            self.show(self._scene)

    def _keep_in_sight(self) -> None:
        # Some lines around the current step are kept in sight with it: what was, and what comes.
        around = Region(0, max(0, self._current - 3), 1, 7)
        self.scroll_to_region(around, animate=False, force=True)


class Strip(Pane):
    """The runbook in one line."""

    def __init__(self, look: Look) -> None:
        super().__init__(id="strip")
        self._look = look

    def show(self, scene: Scene) -> None:
        """Show where the run stands."""
        self.draw(strip_view(scene, self._look, self.app.size.width))
