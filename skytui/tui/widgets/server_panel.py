"""The panel of one server."""

from textual.content import Content

from skytui.tui.glyphs import Look
from skytui.tui.scene import Scene
from skytui.tui.view.face import State
from skytui.tui.view.server import server_view
from skytui.tui.widgets.pane import Pane


class ServerPanel(Pane):
    """One server at its fixed place, whatever its role is."""

    def __init__(self, place: int, look: Look) -> None:
        super().__init__(id=f"server-{place}", classes="server")
        self._place = place
        self._look = look
        self._border = (Content(""), Content(""))

    def show(self, scene: Scene) -> None:
        """Show the server of this place."""
        if self._place >= len(scene.names):
            return
        view = server_view(scene, scene.names[self._place], self._look, max(20, self.content_size.width))
        self.draw(view.body)
        border = (view.title, view.foot)
        if not all(now.is_same(before) for now, before in zip(border, self._border, strict=True)):
            self._border = border
            self.border_title, self.border_subtitle = border
        for state in State:
            self.set_class(view.state is state, f"-{state.lower()}")
        self.set_class(view.faded, "-faded")
