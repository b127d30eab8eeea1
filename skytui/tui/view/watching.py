"""The watch after a run: until when, and what it found."""

from textual.content import Content

from skytui.tui.glyphs import Look
from skytui.tui.scene import Scene
from skytui.tui.view.wrap import labelled


def watch_lines(scene: Scene, look: Look, width: int) -> list[Content]:
    """For the card that says how the run ended."""
    watched = scene.shown.watched
    run = scene.run
    if watched is None or run is None or watched.watch.run != run.id:
        return []
    if watched.ended:
        return [labelled("Watch", Content.styled(f"ended: {watched.ended}", "$quiet"), width)]
    until = look.day(watched.watch.until)
    text = Content(f"for two masters and agents that leave {watched.watch.master}, until {until}")
    for alarm in watched.open:
        style = "bold $alarm" if alarm.serious else "$attention"
        text += Content.styled(f"\n{look.glyphs.bad} since {look.clock(alarm.since)}: {alarm.says}", style)
    return [labelled("Watch", text, width)]


def watch_alarm(scene: Scene) -> str:
    """What must not be overlooked, for the banner; empty when nothing was found."""
    watched = scene.shown.watched
    serious = [alarm.says for alarm in watched.open if alarm.serious] if watched else []
    return f"AFTER THE SWAP: {'; '.join(serious)}." if serious else ""
