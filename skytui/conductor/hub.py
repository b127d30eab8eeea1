"""Everybody who listens. Nobody is waited for: who does not read is dropped and may call again."""

import asyncio

import msgspec

from skytui.link.wire import Message

BACKLOG_BYTES = 8 * 1024 * 1024
"""How much may lie unread for one client before it is dropped."""


class Hub:
    """The connected clients."""

    def __init__(self) -> None:
        self._writers: set[asyncio.StreamWriter] = set()

    def __len__(self) -> int:
        return len(self._writers)

    def join(self, writer: asyncio.StreamWriter) -> None:
        """From now on this client hears everything."""
        self._writers.add(writer)

    def leave(self, writer: asyncio.StreamWriter) -> None:
        """This client is gone."""
        self._writers.discard(writer)

    def publish(self, message: Message) -> None:
        """Tell everybody. Encoded once, however many there are."""
        line = msgspec.json.encode(message) + b"\n"
        for writer in tuple(self._writers):
            self._send(writer, line)

    def tell(self, writer: asyncio.StreamWriter, message: Message) -> None:
        """Tell one client."""
        self._send(writer, msgspec.json.encode(message) + b"\n")

    def _send(self, writer: asyncio.StreamWriter, line: bytes) -> None:
        if writer.transport.get_write_buffer_size() > BACKLOG_BYTES:
            self.leave(writer)
            writer.transport.abort()
        elif not writer.is_closing():
            writer.write(line)
