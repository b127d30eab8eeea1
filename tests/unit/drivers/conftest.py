"""A small HTTP server in memory, a profile for it, and a driver on both (and on a real SSH server)."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from skytui.clock import SystemClock
from skytui.config.pairs import PairConfig, ServerConfig, SshConfig
from skytui.config.profile import Profile
from skytui.config.profile_file import read_profile
from skytui.config.secrets import Secret, SecretSource, SecretStore
from skytui.config.tables import Document
from skytui.drivers.profiled import ProfiledDriver
from tests.unit.remote.conftest import SshServer, sshd

__all__ = ["FakeServer", "Make", "sshd"]

PASSWORD = "xyzzy-plugh"

PROFILE = """
schema = 1
[login]
post = "/login"
json = { user = "admin", password = "{secret.admin}" }
pick = "token"
logout = "/login"
[check]
run = ["cat", "{home}/identity"]
headers = { If-Match = '"{expect.name}/{expect.role}/{expect.timeline}"' }
[reading.identity]
get = "/who"
pick = "{name: name, timeline: timeline}"
[reading.role]
get = "/who"
pick = "role"
[reading.clock]
get = "/who"
pick = "clock"
[reading.users]
get = "/users"
pick = "items"
[reading.agents]
get = "/agents"
on = "master"
pick = "items[].{name: name, state: state}"
[reading.standby_status]
get = "/status"
on = "standby"
pick = "status"
[reading.version]
run = ["cat", "{home}/version"]
reply = "text"
[reading.disk_free]
shell = 'wc -c <"$1/version"'
args = ["{home}"]
reply = "text"
[reading.guard]
absent = true
[reading.next_start]
manual = "the Schedule page"
[action.lock_queues]
post = "/lock"
json = { names = "{queues}" }
[action.write_marker]
post = "/marker"
pick = "position"
[action.promote]
run = ["{home}/bin/promote", "{peer.name}"]
refused = [3]
[action.convert]
run = ["{home}/bin/convert"]
stdin = ["{secret.admin}", "{peer.listen_port}"]
[action.salvage]
manual = "Save the files"
[log.server]
follow = "{home}/server.log"
"""


class FakeServer:
    """Answers from `replies`: path to body, response or error. Keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.tokens = 0
        self.password = PASSWORD
        self.token = "t"
        self.down = False
        self.replies: dict[str, object] = {
            "/who": {"name": "sky-a", "role": "master", "timeline": 4, "clock": "2026-11-22T12:00:00Z"},
            "/users": {"items": [{"user": "admin"}]},
            "/agents": {"items": [{"name": "A", "state": "active"}]},
            "/status": {"status": "Active"},
            "/lock": {"locked": []},
            "/marker": {"position": "0/3000028"},
        }

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path == "/login":
            return self._login(request)
        if (
            request.url.path != "/who"
            and request.headers.get("authorization") != f"Bearer {self.token}{self.tokens}"
        ):
            return httpx.Response(401, json={"error": {"code": "login", "message": "log in first"}})
        reply = self.replies.get(request.url.path, httpx.Response(404))
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, httpx.Response) else httpx.Response(200, json=reply)

    def _login(self, request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            return httpx.Response(204)
        if self.down:
            return httpx.Response(503, json={"error": {"message": "starting"}})
        if json.loads(request.content)["password"] != self.password:
            return httpx.Response(401, json={"error": {"code": "x", "message": "wrong password"}})
        self.tokens += 1
        return httpx.Response(200, json={"token": f"{self.token}{self.tokens}"})

    def asked(self, path: str, method: str = "") -> list[httpx.Request]:
        return [one for one in self.requests if one.url.path == path and method in {"", one.method}]


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def profile() -> Profile:
    return read_profile(Document(Path("fake.toml"), PROFILE))


Make = Callable[..., ProfiledDriver]


@pytest.fixture
async def make(server: FakeServer, profile: Profile, tmp_path: Path) -> AsyncIterator[Make]:
    made: list[ProfiledDriver] = []

    def driver(
        *,
        ssh: SshConfig | None = None,
        secret: str | None = PASSWORD,
        using: Profile = profile,
        home: str = "",
        transport: httpx.MockTransport | None = None,
    ) -> ProfiledDriver:
        pair = PairConfig(
            name="test",
            file=tmp_path / "config.toml",
            profile="fake",
            servers={
                "sky-a": ServerConfig(
                    name="sky-a", address="127.0.0.1", listen_port=1, url="https://a", ssh=ssh, home=home
                ),
                "sky-b": ServerConfig(name="sky-b", address="127.0.0.2", listen_port=2),
            },
            secrets={"admin": SecretSource(prompt="password")},
        )
        secrets = SecretStore(pair.secrets)
        if secret is not None:
            secrets.put("admin", Secret(secret))
        made.append(
            ProfiledDriver(
                pair,
                "sky-a",
                using,
                SystemClock(),
                secrets,
                transport=transport or httpx.MockTransport(server),
            )
        )
        return made[-1]

    yield driver
    for one in made:
        await one.close()


@pytest.fixture
def host_home(sshd: SshServer) -> Path:
    """The home on the real SSH server, with what the profile wants there."""
    (sshd.home / "bin").mkdir()
    (sshd.home / "identity").write_text("sky-a standby\n")
    (sshd.home / "version").write_text("v 1\n")
    return sshd.home


def script(home: Path, name: str, text: str) -> None:
    file = home / "bin" / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
