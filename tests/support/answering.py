"""A real HTTP server on a free loopback port that answers what a test tells it to."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

Reply = tuple[int, bytes] | tuple[int, bytes, dict[str, str]]


class Answering(http.server.ThreadingHTTPServer):
    """Answers a path (with its query) from `replies`, else 404. Keeps the paths it was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies: dict[str, Reply] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Answering
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        status, body, *more = self.server.replies.get(self.path, (404, b""))
        self.send_response(status)
        for name, value in (more[0] if more else {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Nothing: a test's output is its own."""


@contextmanager
def answering() -> Iterator[Answering]:
    """Such a server, while the block lasts."""
    server = Answering()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
