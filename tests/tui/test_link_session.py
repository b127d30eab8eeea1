"""The session over a socket: what comes in is shown, what is asked is sent, who is lost is called again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from skytui.clock import ManualClock
from skytui.link.address import SOCKET
from skytui.link.client import Client
from skytui.link.wire import (
    PROTOCOL,
    GiveSecret,
    Hello,
    Message,
    NewEvent,
    NewLines,
    NewReading,
    Notice,
    Present,
    Previews,
    Reply,
    Request,
    Seat,
    SecretsWanted,
    Welcome,
)
from skytui.runbook.steps import Kind
from skytui.tui.link_session import LinkSession
from tests.tui.scenarios import counting, idle
from tests.tui.scripted import FACTS, ScriptedSession
from tests.tui.world import START

SECONDS = 10.0


YOU = Seat(1, "jo", "console", 4711, START)


class Conductor:
    """The other end: greets, remembers what is asked, answers, and says what it is told to."""

    def __init__(self, folder: Path, scripted: ScriptedSession) -> None:
        self.folder = folder
        self.asked: list[Request] = []
        self.refuse = ""
        self._scripted = scripted
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self.folder / SOCKET)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        self._writers.clear()
        await self._server.wait_closed()

    def say(self, message: Message) -> None:
        for writer in self._writers:
            writer.write(msgspec.json.encode(message) + b"\n")

    def welcome(self) -> Welcome:
        shown = self._scripted.shown
        return Welcome(
            protocol=PROTOCOL,
            version="0",
            pair="practice",
            practice=True,
            keys_of="jo",
            you=YOU,
            may=("open", "confirm"),
            present=Present(YOU),
            servers=FACTS,
            secrets_wanted=(),
            reading=shown.reading,
            run=shown.run,
            events=shown.events,
            lines=self._scripted.log.lines(),
        )

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(msgspec.json.encode(self.welcome()) + b"\n")
        self._writers.append(writer)
        while line := await reader.readline():
            request = msgspec.json.decode(line, type=Request)
            self.asked.append(request)
            assert not isinstance(request, Hello)
            number = request.number
            writer.write(msgspec.json.encode(Reply(number, self.refuse)) + b"\n")


@asynccontextmanager
async def linked(folder: Path) -> AsyncIterator[tuple[Conductor, LinkSession]]:
    conductor = Conductor(folder, idle())
    await conductor.start()
    session = LinkSession(
        await Client.connect(folder, "console"), lambda: Client.connect(folder, "console"), ManualClock(START)
    )
    task = asyncio.create_task(session.run())
    try:
        yield conductor, session
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await conductor.stop()


async def until(session: LinkSession, holds: Callable[[], bool]) -> None:
    changed = asyncio.Event()
    session.watch(changed.set)
    async with asyncio.timeout(SECONDS):
        while not holds():
            changed.clear()
            await changed.wait()


async def test_what_the_conductor_says_is_shown(tmp_path: Path) -> None:
    later = counting()
    run, reading = later.shown.run, later.shown.reading
    assert run is not None
    assert reading is not None
    async with linked(tmp_path) as (conductor, session):
        assert session.shown.pair == "practice"
        assert len(session.log.lines()) == 4
        conductor.say(NewLines(later.log.lines()[:2]))
        conductor.say(NewReading(reading))
        conductor.say(NewEvent(later.shown.events[0], run))
        conductor.say(NewEvent(later.shown.events[1], run))
        conductor.say(Previews({"promote": "bin/standbyToMaster.sh"}))
        conductor.say(SecretsWanted(("passphrase",)))
        conductor.say(Notice(START, "hello"))
        await until(session, lambda: session.shown.noticed == 1)
        assert session.shown.reading == reading
        assert session.shown.run == run
        assert session.shown.events == later.shown.events[:2]
        assert session.shown.previews == {"promote": "bin/standbyToMaster.sh"}
        assert session.shown.secrets_wanted == ("passphrase",)
        assert session.log.total == 6


async def test_requests_are_sent_and_refusals_come_back(tmp_path: Path) -> None:
    async with linked(tmp_path) as (conductor, session):
        assert await session.open_run(Kind.PLANNED) == ""
        assert await session.confirm("r1", "shut-down", "sky-a") == ""
        conductor.refuse = "no"
        assert await session.waive("r1", "users-out", "late") == "no"
        assert await session.state("r1", "fence-master", "I confirm it") == "no"
        assert await session.turn("r1", "it is dead") == "no"
        assert await session.postpone("r1", "it is broken") == "no"
        assert await session.hold("phone") == "no"
        assert await session.release() == "no"
        assert await session.take("r1", "ann is ill") == "no"
        assert await session.hand_over("r1", "bob") == "no"
        assert await session.give_secret("passphrase", "hush") == "no"
        kinds = [type(request).__name__ for request in conductor.asked]
        assert kinds == [
            "Open",
            "Confirm",
            "Waive",
            "State",
            "TurnRun",
            "Postpone",
            "HoldRun",
            "ReleaseRun",
            "Take",
            "HandOver",
            "GiveSecret",
        ]
        secret = conductor.asked[-1]
        assert isinstance(secret, GiveSecret)
        assert secret.value == "hush"
        assert "hush" not in repr(session.shown)


async def test_a_lost_conductor_is_said_and_called_again(tmp_path: Path) -> None:
    async with linked(tmp_path) as (conductor, session):
        await conductor.stop()
        await until(session, lambda: bool(session.shown.lost))
        assert "has ended" in session.shown.lost
        refused = await session.confirm("r1", "shut-down", "sky-a")
        assert "cannot be asked" in refused
        await until(session, lambda: "Attempt 1" in session.shown.lost)
        (tmp_path / SOCKET).unlink(missing_ok=True)
        await conductor.start()
        await until(session, lambda: not session.shown.lost)
        assert await session.confirm("r1", "shut-down", "sky-a") == ""
