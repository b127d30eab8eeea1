"""The signs on the screen, in Unicode and in plain ASCII."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

import msgspec

from skytui.tui.keyboard import USUAL, Keyboard, keyboard


class Glyphs(msgspec.Struct, frozen=True, kw_only=True):
    """Every sign the console draws by itself."""

    done: str = "✔"
    current: str = "▶"
    later: str = "·"
    bad: str = "✘"
    held: str = "‖"
    waived: str = "~"
    master: str = "●"
    standby: str = "○"
    down: str = "■"
    unknown: str = "?"
    rule: str = "─"
    flow: str = "═"
    broken: str = "╌"
    cross: str = "╳"
    right: str = "▶"
    left: str = "◀"
    spark: str = "▁▂▃▄▅▆▇█"
    dot: str = "·"
    bang: str = "▲"
    ellipsis: str = "…"


UNICODE = Glyphs()
ASCII = Glyphs(
    done="+",
    current=">",
    later=".",
    bad="x",
    held="=",
    waived="~",
    master="*",
    standby="o",
    down="#",
    unknown="?",
    rule="-",
    flow="=",
    broken="-",
    cross="X",
    right=">",
    left="<",
    spark="_.-=+*%#",
    dot="-",
    bang="!",
    ellipsis="...",
)


class Look(msgspec.Struct, frozen=True):
    """How things are drawn: with which signs, in which time zone clocks are shown, and what the keys are."""

    glyphs: Glyphs = UNICODE
    zone: tzinfo = UTC
    keys: Keyboard = USUAL

    def clock(self, wall: datetime) -> str:
        """The time of day, as the operator's own clock shows it."""
        return f"{wall.astimezone(self.zone):%H:%M:%S}"

    def day(self, wall: datetime) -> str:
        """Day and time of day, to the minute, as the operator's own clock shows them."""
        return f"{wall.astimezone(self.zone):%d %b %H:%M}"


def local_look(*, ascii_only: bool, keys: Mapping[str, object] | None = None) -> Look:
    """The look on this machine. Of `keys`, a `[keys]` table, faulty ones are left where they usually are."""
    zone = datetime.now(UTC).astimezone().tzinfo or UTC
    board, _ = keyboard(keys or {})
    return Look(ASCII if ascii_only else UNICODE, zone, board)
