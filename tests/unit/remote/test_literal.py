"""Whatever a placeholder stands for reaches the program on the host as one literal argument.

Readings and actions, over asyncssh's server and over a real OpenSSH server, both with the system's sh behind.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skytui.clock import SystemClock
from skytui.config.pairs import PairConfig, ServerConfig
from skytui.config.placeholders import text
from skytui.config.reading_spec import ReadingSpec
from skytui.drivers.asking import request_for
from skytui.drivers.scope import Scope
from skytui.remote.durable import Command, Progress, State, follow, start
from skytui.remote.ssh import Host
from tests.support.openssh import SSHD, openssh_server
from tests.unit.remote.conftest import SshServer

SECONDS = 60.0
TEMPLATES = ["{home}", "{peer.address}", "--home={home}"]
SHOW = "#!/bin/sh\nprintf '%s\\0' \"$@\"\n"
TELL = "#!/bin/sh\nprintf '%s\\0' \"$@\" | od -An -v -tx1 | tr -d ' \\n'\n"

ODD = [
    "a b",
    " ",
    "",
    "'",
    '"',
    "it's",
    'say "hi"',
    "$(touch pwned)",
    "`touch pwned`",
    "${HOME}",
    "$HOME",
    "a\nb",
    "\n",
    "a\r\nb",
    "\t",
    "-n",
    "--",
    "-",
    "--help",
    "-e\\n",
    "; touch pwned",
    "&& touch pwned",
    "| touch pwned",
    "> pwned",
    "*",
    "?",
    "[a-z]",
    "{a,b}",
    "~",
    "~root",
    "=ls",
    "A=b",
    "#",
    "!",
    "!!",
    "\\",
    "a\\",
    "\\n",
    "%s",
    "%PATH%",
    "{home}",
    "{{home}}",
    "ä ö \u2019 \U0001f600",
    "\x1b[2J",
    "\x7f",
    "x" * 5000,
]
PIECES = ["'", '"', "$(touch pwned)", "`", "\\", "\n", " ", "-", "$", "!", "a", "{home}", ";", "\t", "ü"]
WORDS = st.one_of(
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20),
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
)


def scope_of(home: str, address: str) -> Scope:
    """What placeholders stand for where the pair's own values are as odd as can be."""
    servers = {
        name: ServerConfig(name=name, address=address, listen_port=1, home=home)
        for name in ("sky-a", "sky-b")
    }
    pair = PairConfig(name="night", file=Path("/none"), profile="x", servers=servers)
    return Scope(pair, "sky-a")


def shown(output: bytes) -> list[str]:
    """The arguments the program had."""
    return output.decode().split("\0")[:-1]


def lines_for(program: Path, scope: Scope) -> list[str]:
    """The command lines of a reading that names the program, and of one that is a text for sh."""
    specs = (
        ReadingSpec(run=[str(program), *TEMPLATES]),
        ReadingSpec(shell='exec "$HOME/show me\'s" "$@"', args=TEMPLATES),  # noqa: S604
    )
    return [request.what for spec in specs if (request := request_for(spec, scope)) is not None]


async def check(host: Host, home: Path, values: list[str]) -> None:
    """Each value in a reading and in an action, alone and inside of a word."""
    program, teller = home / "show me's", home / "tell me"
    for file, script in ((program, SHOW), (teller, TELL)):  # what an action says has to be printable
        file.write_text(script)
        file.chmod(0o755)
    scopes = [scope_of(value, value[::-1]) for value in values]
    expected = [[value, value[::-1], f"--home={value}"] for value in values]

    readings = [line for scope in scopes for line in lines_for(program, scope)]
    done = await host.run("\n".join(readings), deadline=SECONDS)
    assert shown(done.stdout) == [word for words in expected for _ in range(2) for word in words]

    command = Command(
        token="odd",
        check=["printf", "%s", *(text("{home}", scope) for scope in scopes), "|"],
        expect="".join(values) + "|",
        argv=[str(teller), *(text(template, scope) for scope in scopes for template in TEMPLATES)],
    )
    await start(host, command)
    said: list[str] = []
    assert await follow(host, command.token, said.append, SECONDS) == State(Progress.ENDED, 0)
    assert shown(bytes.fromhex("".join(said))) == [word for words in expected for word in words]
    assert not [file for file in home.rglob("*") if file.name == "pwned"]


@asynccontextmanager
async def over_asyncssh(folder: Path) -> AsyncIterator[tuple[Host, Path]]:
    server = SshServer(folder)
    await server.start()
    host = Host("sky-a", server.config, SystemClock())
    try:
        yield host, server.home
    finally:
        await host.close()
        await server.stop()


@asynccontextmanager
async def over_openssh(folder: Path) -> AsyncIterator[tuple[Host, Path]]:
    async with openssh_server(folder) as server:
        host = Host("sky-a", server.config, SystemClock())
        try:
            yield host, server.home
        finally:
            await host.close()


needs_sshd = pytest.mark.skipif(SSHD is None, reason="openssh-server is not installed")
ways = pytest.mark.parametrize("way", [over_asyncssh, pytest.param(over_openssh, marks=needs_sshd)])


@ways
async def test_odd_values(way: Callable[..., AsyncIterator[tuple[Host, Path]]], tmp_path: Path) -> None:
    async with way(tmp_path) as (host, home):  # type: ignore[attr-defined]
        await check(host, home, ODD)


@ways
@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(values=st.lists(WORDS, min_size=5, max_size=12))
def test_any_values(way: Callable[..., AsyncIterator[tuple[Host, Path]]], values: list[str]) -> None:
    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with way(Path(folder)) as (host, home):  # type: ignore[attr-defined]
                await check(host, home, values)

    asyncio.run(run())
