"""Polls: what is kept when a reading fails, the trail of counts, and polls that are asked for at once."""

import asyncio

import msgspec
import pytest

from skytui.clock import Instant
from skytui.conductor.poller import TRAIL_SECONDS, Poller, merge
from skytui.pair.pair import PairReading
from skytui.pair.reading import NEVER_ASKED, Known, Stale, Unknown
from skytui.pair.vocabulary import READINGS, Role, ServerReading
from tests.support.drivers import WorldDriver, drivers_of
from tests.support.world import NEW, OLD, World


def at(seconds: float) -> Instant:
    return Instant("manual", seconds)


def counted(reading: Known[int] | Unknown) -> ServerReading:
    return ServerReading(replication_pending=reading)


def test_a_failure_keeps_the_last_value_as_stale_with_its_time_and_the_new_reason() -> None:
    known = counted(Known(7, at(1), "GET /files"))
    once = merge(known, counted(Unknown("HTTP 500", at(2))))
    assert once.replication_pending == Stale(7, at(1), "HTTP 500", "GET /files")
    twice = merge(once, counted(Unknown("timed out", at(3))))
    assert twice.replication_pending == Stale(7, at(1), "timed out", "GET /files")
    again = merge(twice, counted(Known(6, at(4))))
    assert again.replication_pending == Known(6, at(4))


def test_what_was_never_known_stays_unknown_with_the_latest_reason() -> None:
    first = merge(ServerReading(), counted(Unknown("refused", at(1))))
    assert first.replication_pending == Unknown("refused", at(1))
    second = merge(first, counted(Unknown("HTTP 401", at(2))))
    assert second.replication_pending == Unknown("HTTP 401", at(2))


def test_every_reading_is_merged() -> None:
    world = World()
    whole = world.read(OLD)
    merged = merge(whole, ServerReading())
    for name in READINGS:
        before, now = getattr(whole, name), getattr(merged, name)
        if isinstance(before, Known):
            stale = Stale(before.value, before.at, NEVER_ASKED.reason, before.source, NEVER_ASKED.cause)
            assert now == stale, name


def test_a_stale_0_is_not_a_reading_of_0() -> None:
    stale = merge(counted(Known(0, at(1))), counted(Unknown("cut"))).replication_pending
    assert stale != Known(0, at(1))
    assert isinstance(stale, Stale)


def poller(drivers: dict[str, WorldDriver], world: World, found: list[PairReading], pause: float) -> Poller:
    return Poller(drivers, world.clock, pause, found.append)


@pytest.fixture
def world() -> World:
    return World()


async def test_a_poll_asks_both_and_says_when_it_began(world: World) -> None:
    reading = await poller(drivers_of(world), world, [], 1.0).poll()
    assert reading.master() == OLD
    assert reading.standby() == NEW
    assert reading.poll == 1
    for server in (OLD, NEW):
        role = reading.server(server).role
        assert isinstance(role, Known)
        assert not reading.began.later_than(role.at)


async def test_a_server_that_goes_away_has_no_role_any_more(world: World) -> None:
    one = poller(drivers_of(world), world, [], 1.0)
    await one.poll()
    world.old.up = False
    reading = await one.poll()
    assert isinstance(reading.server(OLD).role, Stale)
    assert reading.role(OLD) is None
    assert reading.master() is None


async def test_the_trail_holds_fresh_counts_of_the_last_minute_oldest_first(world: World) -> None:
    one = poller(drivers_of(world), world, [], 1.0)
    for pending in range(100):
        world.old.pending = pending
        reading = await one.poll()
    samples = [sample for sample in reading.trail if sample.server == OLD]
    assert [sample.pending for sample in samples] == list(range(100 - len(samples), 100))
    assert reading.now.since(samples[0].at) <= TRAIL_SECONDS
    assert len(samples) == TRAIL_SECONDS + 1


async def test_a_failed_count_leaves_a_gap_and_no_number(world: World) -> None:
    one = poller(drivers_of(world), world, [], 1.0)
    await one.poll()
    world.old.up = False
    reading = await one.poll()
    assert [sample.pending for sample in reading.trail if sample.server == OLD] == [0, None]


async def test_a_count_asked_for_before_the_poll_is_not_sampled_again(world: World) -> None:
    drivers = drivers_of(world)
    one = poller(drivers, world, [], 1.0)
    kept = await drivers[OLD].read()

    class Cached(WorldDriver):
        async def read(self) -> ServerReading:
            return msgspec.structs.replace(kept, role=Known(Role.MASTER, world.clock.instant()))

    drivers[OLD] = Cached(world, OLD)
    world.tick(5)
    reading = await one.poll()
    assert [sample.pending for sample in reading.trail if sample.server == OLD] == [None]


async def ends(task: asyncio.Task[None]) -> None:
    """Cancelled, it ends, also when a look came in the same moment."""
    task.cancel()
    await asyncio.wait({task}, timeout=10)
    assert task.cancelled()


async def test_a_look_starts_the_next_poll_at_once(world: World) -> None:
    found: asyncio.Queue[PairReading] = asyncio.Queue()
    one = Poller(drivers_of(world), world.clock, 3600.0, found.put_nowait)
    task = asyncio.create_task(one.run())
    async with asyncio.timeout(10):
        for expected in (1, 2, 3):
            assert (await found.get()).poll == expected
            one.look()
    await ends(task)


async def test_a_look_during_a_poll_is_not_lost(world: World) -> None:
    found: list[PairReading] = []
    drivers = drivers_of(world)
    begun, go_on, second = asyncio.Event(), asyncio.Event(), asyncio.Event()

    class Slow(WorldDriver):
        async def read(self) -> ServerReading:
            begun.set()
            await go_on.wait()
            return await super().read()

    drivers[OLD] = Slow(world, OLD)

    def keep(reading: PairReading) -> None:
        found.append(reading)
        if len(found) == 2:
            second.set()

    one = Poller(drivers, world.clock, 3600.0, keep)
    task = asyncio.create_task(one.run())
    async with asyncio.timeout(10):
        await begun.wait()
        one.look()
        go_on.set()
        await second.wait()
    await ends(task)
