"""Bytes to harmless lines."""

from collections.abc import Callable

from skytui.plaintext import plain_bytes

Said = Callable[[str], None]
"""Called with every line."""

LONGEST_LINE = 64 * 1024


class LineSplitter:
    """Cuts a stream into lines and hands each on, made harmless.

    A carriage return ends a line too: programs that draw progress use it. A line longer than `LONGEST_LINE`
    bytes is handed on in pieces.
    """

    def __init__(self, said: Said) -> None:
        self._said = said
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        data = self._rest + chunk
        held = b""
        if data.endswith(b"\r"):  # half of a line end, perhaps
            data, held = data[:-1], b"\r"
        *lines, rest = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            self._said(plain_bytes(line))
        while len(rest) > LONGEST_LINE:
            self._said(plain_bytes(rest[:LONGEST_LINE]))
            rest = rest[LONGEST_LINE:]
        self._rest = rest + held

    def end(self) -> None:
        """Hand on what is left without a line end."""
        rest, self._rest = self._rest.rstrip(b"\r"), b""
        if rest:
            self._said(plain_bytes(rest))
