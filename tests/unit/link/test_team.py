"""Who gets onto a team's conductor. Real processes of other users, on a real socket."""

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from skytui import __version__
from skytui.conductor.socket import why_not_in
from skytui.link.address import SOCKET, Peer, listen_in
from skytui.link.wire import PROTOCOL
from tests.support.conducted import Conducted, conducted, confirm, go_to, open_run
from tests.support.users import BOB, CAROL, TEAM, needs_root, place_for_all, run_as, team_in

CALL = """\
import json, socket, sys
caller = socket.socket(socket.AF_UNIX)
caller.settimeout(20)
try:
    caller.connect(sys.argv[1])
except OSError as error:
    print(json.dumps({"type": "refused by the kernel", "reason": error.strerror}))
    raise SystemExit
lines = caller.makefile("rb")
for line in sys.argv[2:]:
    caller.sendall(line.encode() + b"\\n")
said = json.loads(lines.readline())
while len(sys.argv) > 3 and said["type"] not in ("reply", "denied"):
    said = {"welcome": said.get("you"), **json.loads(lines.readline())}
print(json.dumps({key: said.get(key) for key in ("type", "you", "reason", "refused")}))
"""

HELLO = {
    "type": "hello", "protocol": PROTOCOL, "version": __version__, "client": "console",
    "who": "root", "uid": 0, "you": {"who": "root"},
}  # fmt: skip
"""It claims to be somebody else."""


@pytest.fixture
def place() -> Iterator[Path]:
    with place_for_all() as folder:
        yield folder


@pytest.fixture
async def team(place: Path) -> AsyncIterator[Conducted]:
    async with conducted(team_in(place)) as here:
        yield here


async def call(here: Conducted, uid: int, *said: object, groups: tuple[int, ...] = ()) -> dict[str, object]:
    """The first word a process of that user hears, or what the answer to its last request was."""
    lines = [json.dumps(each) for each in (HELLO, *said)]
    done = await asyncio.to_thread(
        run_as, uid, CALL, str(here.folder / SOCKET), *lines, groups=groups, imports="import json, socket"
    )
    assert done.returncode == 0, done.stderr
    heard: dict[str, object] = json.loads(done.stdout)
    return heard


@needs_root
async def test_a_member_of_the_group_is_let_in_under_its_own_name_whatever_it_claims(team: Conducted) -> None:
    heard = await call(team, BOB, groups=(TEAM,))
    assert heard["type"] == "welcome", heard
    you = heard["you"]
    assert isinstance(you, dict)
    assert you["who"] == str(BOB)
    assert you["client"] == "console"


@needs_root
async def test_a_member_cannot_confirm_what_somebody_else_operates(team: Conducted) -> None:
    client = await team.client()
    run = await go_to(client, await open_run(client), "lock-queues")
    request = {"type": "confirm", "number": 1, "run": run.id, "step": "lock-queues", "who": "root"}
    heard = await call(team, BOB, request, groups=(TEAM,))
    assert heard["type"] == "reply"
    assert "operates this run" in str(heard["refused"])
    assert [driver.acted for driver in team.drivers.values()] == [[], []]
    assert await confirm(client, run) == ""


@needs_root
async def test_outside_the_group_the_kernel_shuts_the_door(team: Conducted) -> None:
    client = await team.client()
    run = await go_to(client, await open_run(client), "lock-queues")
    assert await call(team, CAROL) == {"type": "refused by the kernel", "reason": "Permission denied"}
    await go_to(client, run, "drain-jobs")


@needs_root
async def test_where_the_modes_let_anybody_through_the_conductor_does_not(team: Conducted) -> None:
    client = await team.client()
    run = await go_to(client, await open_run(client), "lock-queues")
    team.folder.chmod(0o2771)
    (team.folder / SOCKET).chmod(0o666)
    heard = await call(team, CAROL)
    assert heard["type"] == "denied"
    assert heard["reason"] == f"{CAROL} is not in the group {TEAM}, whose folder this is"
    assert [seat.who for seat in team.conductor.seats.present.others] == []
    await go_to(client, run, "drain-jobs")


@needs_root
async def test_a_private_conductor_lets_no_other_user_in(place: Path) -> None:
    folder = place / "private"
    folder.mkdir()
    async with conducted(folder) as here:
        (folder / SOCKET).chmod(0o666)
        heard = await call(here, BOB, groups=(TEAM,))
        assert heard["type"] == "denied"
        assert heard["reason"] == "this conductor belongs to root"


@pytest.mark.parametrize(
    ("peer", "let_in"),
    [
        (Peer(1, 0, 0, ()), True),
        (Peer(1, os.getuid(), 1, ()), True),
        (Peer(1, BOB, BOB, (7, TEAM)), True),
        (Peer(1, BOB, TEAM, ()), True),
        (Peer(1, BOB, BOB, ()), False),
        (Peer(1, BOB, TEAM, None), True),
        (Peer(1, BOB, BOB, None), False),
    ],
)
@needs_root
def test_who_may_come_in(place: Path, peer: Peer, *, let_in: bool) -> None:
    folder = team_in(place)
    assert (why_not_in(peer, folder) == "") is let_in
    folder.chmod(0o2750)
    assert (why_not_in(peer, folder) == "") is (peer.uid in (0, os.getuid()))


@pytest.mark.parametrize(("mode", "socket"), [(0o2770, 0o660), (0o700, 0o600), (0o755, 0o600)])
def test_the_socket_is_open_to_whom_the_folder_is(tmp_path: Path, mode: int, socket: int) -> None:
    tmp_path.chmod(mode)
    listen_in(tmp_path).close()
    assert stat.S_IMODE((tmp_path / SOCKET).stat().st_mode) == socket
