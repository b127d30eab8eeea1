"""What a server is, as far as can be said now. Unreachable is not down."""

import enum

import msgspec

from skytui.pair.pair import why_unknown
from skytui.pair.reading import Known, Stale
from skytui.pair.vocabulary import Role, ServerReading
from skytui.tui.glyphs import Glyphs
from skytui.tui.scene import Scene


class State(enum.StrEnum):
    """The word on a server's panel."""

    MASTER = "MASTER"
    STANDBY = "STANDBY"
    DOWN = "DOWN"
    UNKNOWN = "UNKNOWN"


class Face(msgspec.Struct, frozen=True):
    """The state of a server, and why it is not known where it is not."""

    state: State
    why: str = ""

    def sign(self, glyphs: Glyphs) -> str:
        """The glyph that goes with the word."""
        return {
            State.MASTER: glyphs.master,
            State.STANDBY: glyphs.standby,
            State.DOWN: glyphs.down,
            State.UNKNOWN: glyphs.unknown,
        }[self.state]


def face_of(scene: Scene, name: str) -> Face:
    """What the server is, by readings that are not too old to count."""
    reading = scene.server(name)
    role = reading.role
    if isinstance(role, Known) and scene.age(role.at) <= scene.limit:
        return Face(State.MASTER if role.value is Role.MASTER else State.STANDBY)
    if proven_down(scene, reading):
        return Face(State.DOWN)
    if isinstance(role, Known):
        return Face(State.UNKNOWN, f"read {scene.age(role.at):.0f} s ago, too old to count")
    return Face(State.UNKNOWN, why_unknown(role))


def proven_down(scene: Scene, reading: ServerReading) -> bool:
    """Whether every port refuses and every process is gone, both seen just now."""
    ports, processes = reading.ports, reading.process
    return (
        isinstance(ports, Known)
        and isinstance(processes, Known)
        and scene.age(ports.at) <= scene.limit
        and scene.age(processes.at) <= scene.limit
        and bool(ports.value)
        and bool(processes.value)
        and all(port.state == "refused" for port in ports.value)
        and not any(process.running for process in processes.value)
    )


def last_role(scene: Scene, name: str) -> str:
    """What the server was when it was last read, as `was master 34 s ago`; empty when that is not known."""
    role = scene.server(name).role
    if isinstance(role, Stale | Known):
        return f"was {role.value} {scene.age(role.at):.0f} s ago"
    return ""


def two_masters(scene: Scene) -> tuple[str, ...]:
    """Both names, when both servers read master; otherwise empty."""
    masters = tuple(name for name in scene.names if face_of(scene, name).state is State.MASTER)
    return masters if len(masters) > 1 else ()
