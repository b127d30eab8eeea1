"""A conductor over a world, on a real Unix socket, in the process of the test."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from skytui.conductor.conductor import Conductor
from skytui.conductor.socket import Door
from skytui.config.hooks import Hooks
from skytui.config.pairs import PairConfig, ServerConfig
from skytui.config.secrets import SecretSource, SecretStore
from skytui.link.address import SOCKET, listen_in
from skytui.link.client import Client
from skytui.link.wire import LINE_LIMIT, Confirm, Message, NewEvent, Open
from skytui.pair.thresholds import Thresholds
from skytui.remote.credentials import Credentials
from skytui.runbook.model import Run, Waiting
from tests.support.drivers import WorldDriver, drivers_of
from tests.support.world import NEW, OLD, World

SECONDS = 20.0
"""How long anything in a test may take; nothing waits for this to pass."""


class Conducted(msgspec.Struct):
    """What a test can get hold of."""

    folder: Path
    world: World
    drivers: dict[str, WorldDriver]
    conductor: Conductor
    left: asyncio.Event
    clients: list[Client] = []
    writers: list[asyncio.StreamWriter] = []

    async def client(self, kind: str = "console") -> Client:
        """A client; hung up at the end."""
        client = await Client.connect(self.folder, kind)
        self.clients.append(client)
        return client

    async def hang_up(self, client: Client) -> None:
        """Let a client go, and wait until the conductor has noticed."""
        await client.close()
        async with asyncio.timeout(SECONDS):
            while client.welcome.you in (  # noqa: ASYNC110
                self.conductor.seats.present.operator,
                *self.conductor.seats.present.others,
            ):
                await asyncio.sleep(0)

    async def raw(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection that has said nothing yet; closed at the end."""
        reader, writer = await asyncio.open_unix_connection(self.folder / SOCKET, limit=2 * LINE_LIMIT)
        self.writers.append(writer)
        return reader, writer


@asynccontextmanager
async def conducted(
    folder: Path,
    *,
    world: World | None = None,
    secrets: dict[str, SecretSource] | None = None,
    operators: Sequence[str] = (),
    heartbeat_seconds: float = 10.0,
    credentials: Credentials | None = None,
    remarks: tuple[str, ...] = (),
    hooks: Hooks | None = None,
) -> AsyncIterator[Conducted]:
    """A conductor that polls as fast as it can, until the block ends."""
    world = world or World()
    config = PairConfig(
        name="test",
        file=folder / "config.toml",
        profile="skybot",
        servers={
            name: ServerConfig(name=name, address=f"{name}.example", listen_port=8443) for name in (OLD, NEW)
        },
        secrets=secrets or {},
        operators=list(operators),
        hooks=hooks or Hooks(),
        thresholds=Thresholds(poll_seconds=0.001, heartbeat_seconds=heartbeat_seconds),
    )
    drivers = drivers_of(world)
    conductor = Conductor(
        config,
        drivers=drivers,
        secrets=SecretStore(config.secrets),
        credentials=credentials,
        remarks=remarks,
        clock=world.clock,
        folder=folder,
        owner="ann",
    )
    left = asyncio.Event()
    here = Conducted(folder, world, drivers, conductor, left)
    callers: set[asyncio.Task[None]] = set()
    door = Door(conductor, lambda: None, left.set)

    async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        callers.add(task)
        await door(reader, writer)

    server = await asyncio.start_unix_server(call, sock=listen_in(folder), limit=LINE_LIMIT)
    work = asyncio.create_task(conductor.serve())
    try:
        yield here
        assert not work.done() or work.exception() is None
    finally:
        for client in here.clients:
            await client.close()
        for writer in here.writers:
            writer.transport.abort()
        server.close()
        work.cancel()
        for caller in callers:
            caller.cancel()
        await asyncio.gather(work, *callers, return_exceptions=True)


async def until(client: Client, wanted: Callable[[Message], bool]) -> Message:
    """The first message that is wanted."""
    async with asyncio.timeout(SECONDS):
        async for message in client:
            if wanted(message):
                return message
    raise AssertionError(f"the connection ended: {client.why_lost}")


async def until_run(client: Client, wanted: Callable[[Run], bool]) -> Run:
    """The run as soon as an event makes it what is wanted."""
    message = await until(client, lambda m: isinstance(m, NewEvent) and wanted(m.run))
    assert isinstance(message, NewEvent)
    return message.run


async def until_read(client: Client) -> None:
    """Until both servers have been read."""
    if client.welcome.reading is None:
        await until(client, lambda m: type(m).__name__ == "NewReading")


async def open_run(client: Client) -> Run:
    """Start a run; its first card is up, and it is known which servers carry its mark."""
    await until_read(client)
    assert (await client.request(Open)).refused == ""
    return await until_run(client, lambda run: isinstance(run.stage, Waiting) and len(run.marks) == 2)


async def confirm(client: Client, run: Run, phrase: str | None = None) -> str:
    """Confirm the step whose card is up. Why it was refused, or nothing."""
    step = run.step
    assert step is not None
    typed = run.phrase(step) if phrase is None else phrase
    reply = await client.request(lambda number: Confirm(number, run.id, step.id, typed))
    return reply.refused


async def go_to(client: Client, run: Run, step: str) -> Run:
    """Confirm one step after the other until the card of `step` is up."""
    while run.step is not None and run.step.id != step:
        here = run.step.id
        assert await confirm(client, run) == ""
        run = await until_run(client, lambda r, here=here: _beyond(r, here))  # type: ignore[misc]
    return run


def _beyond(run: Run, step: str) -> bool:
    return run.over or (isinstance(run.stage, Waiting) and run.stage.step != step)
