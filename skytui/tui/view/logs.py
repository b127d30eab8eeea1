"""Log lines: which of them are shown, and how one is written."""

import enum
import re
from collections.abc import Iterable
from datetime import datetime

from textual.content import Content

from skytui.link.wire import ServerFacts
from skytui.pair.logline import LogLine
from skytui.tui.glyphs import Look

SOURCE = 11
"""Width of the column that names the log."""
STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)) +(?=\S)", re.ASCII)
"""The time with its zone that a line begins with (ISO 8601)."""


class Filter(enum.Enum):
    """What is shown of the log: everything, one server's, or only what scripts say."""

    BOTH = "both"
    FIRST = "first"
    SECOND = "second"
    SCRIPTS = "scripts"

    def after(self) -> "Filter":
        """The next one, in a ring."""
        ring = list(Filter)
        return ring[(ring.index(self) + 1) % len(ring)]

    def word(self, servers: tuple[ServerFacts, ...]) -> str:
        """What is shown, in a word for the panel's title."""
        if self is Filter.FIRST and servers:
            return servers[0].name
        if self is Filter.SECOND and len(servers) > 1:
            return servers[1].name
        return self.value


def is_script(line: LogLine, servers: tuple[ServerFacts, ...]) -> bool:
    """Whether the line was said by a command, not by a server's log."""
    return not any(facts.name == line.server and line.log in facts.logs for facts in servers)


def chosen(lines: Iterable[LogLine], what: Filter, servers: tuple[ServerFacts, ...]) -> tuple[LogLine, ...]:
    """The lines that a filter lets through, in their order."""
    if what is Filter.BOTH:
        return tuple(lines)
    if what is Filter.SCRIPTS:
        return tuple(line for line in lines if is_script(line, servers))
    wanted = what.word(servers)
    return tuple(line for line in lines if line.server == wanted)


def script_tail(
    lines: Iterable[LogLine], server: str, servers: tuple[ServerFacts, ...], count: int
) -> tuple[str, ...]:
    """The last lines that commands said on a server."""
    said = [line.text for line in lines if line.server == server and is_script(line, servers)]
    return tuple(said[-count:])


def log_line(line: LogLine, look: Look, servers: tuple[ServerFacts, ...], found: str = "") -> Content:
    """One line: when, which server, which log, what. `found` is marked wherever it stands, in any case.

    Where the line itself begins with its time, that one is shown, once: it may have reached us much later.
    """
    wall, said = own_time(line)
    first = not servers or line.server == servers[0].name
    source = line.log[:SOURCE].ljust(SOURCE)
    text = Content(said)
    if found:
        for match in re.finditer(re.escape(found), said, re.IGNORECASE):
            text = text.stylize("$ink on $attention", match.start(), match.end())
    return Content.assemble(
        (look.clock(wall), "$quiet"),
        " ",
        (line.server, "bold $sky" if first else "bold $foreground"),
        " ",
        (source, "bold $attention" if is_script(line, servers) else "$quiet"),
        " ",
        text,
    )


def own_time(line: LogLine) -> tuple[datetime, str]:
    """When the line was written, and what it says; when it reached us, where it does not begin with that."""
    stamp = STAMP.match(line.text)
    if stamp is None:
        return line.wall, line.text
    try:
        return datetime.fromisoformat(stamp[1]), line.text[stamp.end() :]
    except ValueError:  # the 31st of June
        return line.wall, line.text


def matches(line: LogLine, found: str) -> bool:
    """Whether the line holds what is searched for, in any case."""
    return bool(found) and found.casefold() in f"{line.server} {line.log} {line.text}".casefold()
