import asyncio
from datetime import UTC, datetime

import pytest

from skytui.clock import ManualClock
from skytui.drivers.scripted import ON_HOST, ScriptedDriver
from skytui.drivers.scripted_world import Fate, ScriptedPair
from skytui.pair.order import Expectation, Order, Outcome, Result
from skytui.pair.reading import Known, Unknown
from skytui.pair.vocabulary import Action, Role

A, B, MASTER, STANDBY = "sky-a", "sky-b", Role.MASTER, Role.STANDBY


@pytest.fixture
def pair() -> ScriptedPair:
    return ScriptedPair(ManualClock(datetime(2026, 11, 22, tzinfo=UTC)))


async def act(
    pair: ScriptedPair, action: Action, server: str = A, role: Role = MASTER, *queues: str, token: str = ""
) -> Outcome:
    order = Order(
        token or f"{action}-{server}",
        action,
        server,
        Expectation(server, role),
        pair.peer(server).name,
        queues,
    )
    return await ScriptedDriver(pair, server).act(order, lambda _: None)


async def test_a_whole_swap(pair: ScriptedPair) -> None:
    a, b = ScriptedDriver(pair, A), ScriptedDriver(pair, B)
    pair.pending = 3
    steps = [
        (Action.LOCK_QUEUES, A, MASTER),
        (Action.STOP_SCHEDULER, A, MASTER),
        (Action.WRITE_MARKER, A, MASTER),
        (Action.SET_GUARD, A, MASTER),
        (Action.SHUT_DOWN, A, MASTER),
        (Action.PROMOTE, B, STANDBY),
        (Action.START_SCHEDULER, B, MASTER),
        (Action.UNLOCK_QUEUES, B, MASTER),
        (Action.CONVERT, A, MASTER),
    ]
    open_before = tuple(name for name, locked in pair.queues.items() if not locked)
    for action, server, role in steps:
        if action is Action.SHUT_DOWN:
            counts = [getattr((await a.read()).replication_pending, "value", None) for _ in range(4)]
            assert counts == [2, 1, 0, 0]
        outcome = await act(pair, action, server, role, *open_before)
        assert outcome.result is Result.DONE, (action, outcome)
    assert [(name, action) for name, action in pair.done] == [(server, action) for action, server, _ in steps]
    for _ in range(4):
        old, new = await a.read(), await b.read()
    assert isinstance(old.role, Known)
    assert isinstance(new.role, Known)
    assert (old.role.value, new.role.value) == (STANDBY, MASTER)
    assert isinstance(new.agents, Known)
    assert all(agent.connected for agent in new.agents.value)
    assert isinstance(new.finished_runs, Known)
    assert new.finished_runs.value
    assert isinstance(old.guard, Known)
    assert old.guard.value is False
    assert isinstance(new.standby_status, Known)
    assert new.standby_status.value == "Active"
    assert {name for name, locked in pair.queues.items() if locked} == {"ARCHIVE", "PAYROLL"}


@pytest.mark.parametrize(
    ("fate", "result", "effects"),
    [
        (Fate.FAIL, Result.FAILED, 0),
        (Fate.REFUSE, Result.REFUSED, 0),
        (Fate.LOST_AFTER, Result.UNKNOWN, 1),
        (Fate.LOST_BEFORE, Result.UNKNOWN, 0),
    ],
)
@pytest.mark.parametrize("action", [Action.SET_GUARD, Action.STOP_SCHEDULER])
async def test_fates(pair: ScriptedPair, action: Action, fate: Fate, result: Result, effects: int) -> None:
    pair.fates[action] = [fate]
    assert (await act(pair, action)).result is result
    assert len(pair.done) == effects
    assert pair.fates[action] == []


async def test_a_lost_outcome_on_the_host_is_found_by_a_probe_from_elsewhere(pair: ScriptedPair) -> None:
    order = Order("t", Action.SET_GUARD, A, Expectation(A, MASTER), B)
    for fate, found in ((Fate.LOST_AFTER, Result.DONE), (Fate.LOST_BEFORE, Result.NOT_STARTED)):
        pair.records.clear()
        pair.fates[Action.SET_GUARD] = [fate]
        await act(pair, Action.SET_GUARD, token="t")
        assert (await ScriptedDriver(pair, A).probe(order, lambda _: None)).result is found


async def test_an_action_waits_at_its_gate(pair: ScriptedPair) -> None:
    pair.gates[Action.SET_GUARD] = asyncio.Event()
    acting = asyncio.create_task(act(pair, Action.SET_GUARD))
    await asyncio.sleep(0)
    assert pair.done == []
    pair.gates[Action.SET_GUARD].set()
    assert (await acting).result is Result.DONE


async def test_a_dead_link_counts_nothing_down_and_moves_nobody(pair: ScriptedPair) -> None:
    pair.link_up, pair.pending = False, 2
    a, b = ScriptedDriver(pair, A), ScriptedDriver(pair, B)
    before = (await b.read()).wal_position
    reading = await a.read()
    assert isinstance(reading.replication_link, Known)
    assert not reading.replication_link.value.alive
    assert (await b.read()).wal_position == before
    assert pair.pending == 2


async def test_a_host_that_is_gone_proves_nothing(pair: ScriptedPair) -> None:
    pair.servers[A].host_up = False
    reading = await ScriptedDriver(pair, A).read()
    assert isinstance(reading.process, Unknown)
    assert isinstance(reading.ports, Known)
    assert {port.state for port in reading.ports.value} == {"no answer"}
    for action in (Action.SET_GUARD, Action.LOCK_QUEUES):
        assert (await act(pair, action)).result is Result.NOT_STARTED


async def test_missing_agents_stay_away(pair: ScriptedPair) -> None:
    pair.missing = {"NIGHT-02"}
    await act(pair, Action.SHUT_DOWN)
    await act(pair, Action.PROMOTE, B, STANDBY)
    driver = ScriptedDriver(pair, B)
    for _ in range(5):
        reading = await driver.read()
    assert isinstance(reading.agents, Known)
    assert {agent.name for agent in reading.agents.value if not agent.connected} == {"NIGHT-02"}
    assert {agent.state for agent in reading.agents.value} == {"active"}


def test_every_action_runs_somewhere() -> None:
    http = {
        Action.LOCK_QUEUES,
        Action.UNLOCK_QUEUES,
        Action.STOP_SCHEDULER,
        Action.START_SCHEDULER,
        Action.RUN_NOW,
        Action.WRITE_MARKER,
    }
    assert http | ON_HOST | {Action.CLEAR_MARKER} == set(Action)
