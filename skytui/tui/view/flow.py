"""What flows between the two panels: from the master to its standby, or nothing."""

from textual.content import Content

from skytui.pair.reading import Known
from skytui.pair.vocabulary import Link
from skytui.tui.glyphs import Look
from skytui.tui.scene import Scene
from skytui.tui.view.face import State, face_of

WIDTH = 6


def flow_view(scene: Scene, look: Look) -> Content:
    """An arrow from the master to the standby with the number of files that wait, or a broken line."""
    glyphs = look.glyphs
    faces = [face_of(scene, name).state for name in scene.names]
    if len(faces) != 2:
        return Content("")
    masters = [index for index, state in enumerate(faces) if state is State.MASTER]
    alive = _alive(scene)
    if len(masters) == 1 and alive:
        count = _pending(scene, scene.names[masters[0]])
        label = f"{count}" if count is not None else "?"
        line = label.center(WIDTH - 1, glyphs.flow)
        text = line + glyphs.right if masters[0] == 0 else glyphs.left + line
        return Content.styled(text, "bold $sky")
    text = glyphs.cross.center(WIDTH, glyphs.broken)
    return Content.styled(text, "bold $alarm" if masters else "$quiet")


def _alive(scene: Scene) -> bool:
    """Whether every side that can be heard says that data flows, and at least one says so."""
    heard = [link for name in scene.names if (link := _link(scene, name)) is not None]
    return bool(heard) and all(link.alive for link in heard)


def _link(scene: Scene, name: str) -> Link | None:
    reading = scene.server(name).replication_link
    fresh = isinstance(reading, Known) and scene.age(reading.at) <= scene.limit
    return reading.value if isinstance(reading, Known) and fresh else None


def _pending(scene: Scene, master: str) -> int | None:
    reading = scene.server(master).replication_pending
    return reading.value if isinstance(reading, Known) else None
