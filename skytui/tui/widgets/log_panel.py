"""The log: a window on the last lines, which follows them until it is paused."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from skytui.link.wire import ServerFacts
from skytui.pair.logline import LogLine
from skytui.tui.glyphs import Look
from skytui.tui.logring import LogRing
from skytui.tui.scene import Scene
from skytui.tui.view.figures import plural
from skytui.tui.view.logs import Filter, chosen, log_line, matches
from skytui.tui.view.wrap import cut
from skytui.tui.widgets.pane import Pane

FLUSH = 0.2
"""Seconds between two looks at the ring: five repaints a second are as many as a slow link takes."""


class LogPanel(Vertical):
    """The last lines of the log. Paused, it stands still, however much comes in."""

    class FindClosed(Message):
        """The search line was closed; keys go to the screen again."""

    def __init__(self, look: Look, ring: LogRing) -> None:
        super().__init__(id="log")
        self._look = look
        self._ring = ring
        self._servers: tuple[ServerFacts, ...] = ()
        self._filter = Filter.BOTH
        self._frozen: tuple[LogLine, ...] | None = None
        self._end = 0
        self._paused_at = 0
        self._flushed = -1
        self._found = ""
        self._text = Pane(id="log-text")
        self._find = Input(id="find", placeholder="find in the log; Enter keeps, Esc ends")

    @property
    def paused(self) -> bool:
        """Whether the window stands still."""
        return self._frozen is not None

    def compose(self) -> ComposeResult:
        """The window, and the search line below it."""
        yield self._text
        yield self._find

    def on_mount(self) -> None:
        """Start to follow."""
        self._find.display = False
        self._find.cursor_blink = False
        self.set_interval(FLUSH, self.flush)

    def on_resize(self) -> None:
        """Fill the new height."""
        self._redraw()

    def show(self, scene: Scene) -> None:
        """Take the names of servers and logs."""
        if scene.shown.servers != self._servers:
            self._servers = scene.shown.servers
            self._redraw()

    def cycle_filter(self) -> None:
        """Show the next kind of lines."""
        self._filter = self._filter.after()
        if self.paused:
            self._freeze()
        self._redraw()

    def toggle_pause(self) -> None:
        """Stand still, or follow again."""
        if self.paused:
            self.follow()
        else:
            self._freeze()
            self._redraw()

    def follow(self) -> None:
        """Go to the end and stay there."""
        self._frozen = None
        self._redraw()

    def scroll_page(self, direction: int) -> None:
        """Go a page back or on; back pauses, the end follows again."""
        if not self.paused:
            if direction > 0:
                return
            self._freeze()
        lines = self._frozen or ()
        page = max(1, self._height() - 1)
        self._end = max(min(self._height(), len(lines)), min(len(lines), self._end + direction * page))
        if direction > 0 and self._end == len(lines):
            self.follow()
        else:
            self._redraw()

    def open_find(self) -> None:
        """Show the search line and type into it."""
        self._find.display = True
        self._find.value = ""
        self._find.focus()

    def close_find(self) -> bool:
        """Put the search line away, and what was searched for; whether there was any."""
        had = bool(self._find.display or self._found)
        self._found = ""
        self._hide_find()
        self._redraw()
        return had

    def step_match(self, direction: int) -> bool:
        """Go to the match before (-1) or after (1); whether there is one."""
        lines = self._frozen if self._frozen is not None else self._chosen()
        current = self._end - 1 if self.paused else len(lines)
        places = [index for index, line in enumerate(lines) if matches(line, self._found)]
        wanted = [index for index in places if (index < current if direction < 0 else index > current)]
        if not wanted:
            return False
        self._freeze(lines)
        self._end = (wanted[-1] if direction < 0 else wanted[0]) + 1
        self._redraw()
        return True

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search while it is typed, from the end back."""
        event.stop()
        self._found = event.value
        self._frozen = None
        if self._found:
            self.step_match(-1)
        self._redraw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep what was found marked, and give the keys back."""
        event.stop()
        self._hide_find()

    def _hide_find(self) -> None:
        if self._find.display:
            self._find.display = False
            self.screen.set_focus(None)
            self.post_message(self.FindClosed())

    def _chosen(self) -> tuple[LogLine, ...]:
        return chosen(self._ring.lines(), self._filter, self._servers)

    def _freeze(self, lines: tuple[LogLine, ...] | None = None) -> None:
        if self._frozen is None or lines is None:
            self._paused_at = self._ring.total
        self._frozen = self._chosen() if lines is None else lines
        self._end = len(self._frozen)

    def _height(self) -> int:
        return max(1, self._text.size.height)

    def flush(self) -> None:
        """Show what has come in since the last look."""
        if self._ring.total != self._flushed:
            self._redraw()

    def _redraw(self) -> None:
        self._flushed = self._ring.total
        if self._frozen is None:
            window = self._chosen()[-self._height() :]
        else:
            window = self._frozen[max(0, self._end - self._height()) : self._end]
        width = max(20, self._text.size.width)
        rows = (log_line(line, self._look, self._servers, self._found) for line in window)
        self._text.draw(Content("\n").join(cut(row, width, self._look.glyphs) for row in rows))
        self._entitle()

    def _entitle(self) -> None:
        dot = self._look.glyphs.dot
        if self.paused:
            fresh = self._ring.total - self._paused_at
            state = f"paused, {plural(fresh, 'new line')}" if fresh else "paused"
        else:
            state = "follow"
        title = Content(f"Log {dot} {self._filter.word(self._servers)} {dot} {state}")
        if not title.is_same(Content(str(self.border_title or ""))):
            self.border_title = title
        self.border_subtitle = Content("")
        if self._found:
            count = sum(matches(line, self._found) for line in self._frozen or self._chosen())
            self.border_subtitle = Content(f"{plural(count, 'match', 'matches')} of {self._found!r}, n N")
