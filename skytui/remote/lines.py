"""Bytes to harmless lines."""

from collections.abc import Callable

from skytui.plaintext import plain_bytes

Said = Callable[[str], None]
"""Called with every line."""

LONGEST_LINE = 64 * 1024


class LineSplitter:
    """Cuts a stream into lines and hands each on, made harmless.

    A carriage return ends a line too: programs that draw progress use it. A line longer than `longest` bytes
    is handed on in pieces.
    """

    def __init__(self, said: Said, longest: int = LONGEST_LINE) -> None:
        self._said = said
        self._longest = longest
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        data = self._rest + chunk
        held = b""
        if data.endswith(b"\r"):  # half of a line end, perhaps
            data, held = data[:-1], b"\r"
        *lines, rest = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            self._said(plain_bytes(self._cut(line)))
        self._rest = self._cut(rest) + held

    def end(self) -> None:
        """Hand on what is left without a line end."""
        rest, self._rest = self._rest.rstrip(b"\r"), b""
        if rest:
            self._said(plain_bytes(rest))

    def _cut(self, line: bytes) -> bytes:
        """Hand on what is too long of a line, and return the rest of it."""
        while len(line) > self._longest:
            self._said(plain_bytes(line[: self._longest]))
            line = line[self._longest :]
        return line
