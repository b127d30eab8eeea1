"""A pair that is configured, on two servers that answer over HTTP, for conductors that are real processes.

The servers say which role they have and nothing else: a run on them opens, and stays at its first gate.
"""

import contextlib
import http.server
import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skytui import paths
from skytui.conductor.lock import LOCK, sole_owner
from skytui.config.state import pair_folder

NAME = "night"

PROFILE = """\
schema = 1
[reading.role]
get = "/role"
pick = "role"
[action.lock_queues]
post = "/lock"
[check]
headers = { "If-Match" = "{expect.name}" }
"""

CONFIG = """\
schema = 1
[pair.night]
profile = "mine.toml"
practice = true
{more}
[pair.night.thresholds]
zero_seconds = 30.0
poll_seconds = 0.05
[pair.night.server.sky-a]
address = "127.0.0.1"
listen_port = 8443
url = "http://127.0.0.1:{a}"
[pair.night.server.sky-b]
address = "127.0.0.1"
listen_port = 8443
url = "http://127.0.0.1:{b}"
"""


class Configured:
    """The configuration of one pair, as files that can be edited."""

    def __init__(self, a: int, b: int, more: str = "") -> None:
        self.file = paths.config_dir() / "config.toml"
        self.profile = self.file.with_name("mine.toml")
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(CONFIG.format(a=a, b=b, more=more))
        self.profile.write_text(PROFILE)
        self.ports = (a, b)

    def edit(self, file: Path, before: str, after: str) -> None:
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after))

    @property
    def folder(self) -> Path:
        return pair_folder(NAME)

    def kill(self) -> None:
        """kill -9 the conductor, and wait until it is gone."""
        pid = int((self.folder / LOCK).read_text())
        os.kill(pid, signal.SIGKILL)
        with sole_owner(self.folder, 20):
            pass  # the kernel lets go of its lock when it is gone
        with contextlib.suppress(ChildProcessError):  # where a command of ours started it
            os.waitpid(pid, 0)


@contextmanager
def two_servers() -> Iterator[tuple[int, int]]:
    """The ports of a server that reads master and one that reads standby."""
    servers = [_Server(role) for role in ("master", "standby")]
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,)) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield servers[0].server_port, servers[1].server_port
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    def __init__(self, role: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.role = role


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps({"role": self.server.role}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Nothing: a test's output is its own."""
