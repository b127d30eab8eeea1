"""One suite for every driver: the scripted one and the practice pair behind its profile."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import msgspec
import pytest

from skytui import paths
from skytui.drivers.driver import Driver
from skytui.pair.mark import Carried, Foreign, Mark
from skytui.pair.order import Expectation, Order, Outcome, Result
from skytui.pair.position import parse_position, reached
from skytui.pair.reading import Known, Unknown
from skytui.pair.vocabulary import READINGS, Action, Role, ServerReading, value_type
from tests.contract.rigs import PracticeRig, Rig, ScriptedRig

ASKED_OF_MASTER = {
    "due_jobs",
    "next_start",
    "finished_runs",
    "late_runs",
    "server_history",
    "scheduler",
}
ON_HOST = {
    *("process", "ports", "control", "guard", "disk_free", "marker", "salvage"),
    *("scripts", "reaches_peer", "run_mark", "last_boot"),
}


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeRig]:
    from skytui.lab import pair  # noqa: PLC0415 (the fast half needs no lab)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.delenv("SKYTUI_CONFIG", raising=False)
        pair.up(lambda *_: None, fast=True)
        try:
            yield PracticeRig(paths.lab_dir())
        finally:
            pair.down(lambda *_: None)


@pytest.fixture(params=["scripted", pytest.param("practice", marks=pytest.mark.pair)])
def rig(request: pytest.FixtureRequest) -> Rig:
    if request.param == "scripted":
        return ScriptedRig()
    found: PracticeRig = request.getfixturevalue("practice")
    return found


@pytest.fixture
async def drivers(rig: Rig) -> AsyncIterator[dict[str, Driver]]:
    drivers = rig.open()
    yield drivers
    for driver in drivers.values():
        await driver.close()


def ignore(_line: str) -> None:
    pass


def order(
    action: Action,
    server: str = "sky-a",
    role: Role = Role.MASTER,
    *,
    timeline: int = 0,
    queues: tuple[str, ...] = (),
    name: str = "",
    deadline: float = 60.0,
) -> Order:
    return Order(
        token=f"contract-{uuid.uuid4().hex}",
        action=action,
        server=server,
        expects=Expectation(name or server, role, timeline),
        peer="sky-b" if server == "sky-a" else "sky-a",
        queues=queues,
        mark="contract",
        deadline=deadline,
    )


async def until(driver: Driver, holds: Callable[[ServerReading], bool]) -> ServerReading:
    async with asyncio.timeout(30):
        while True:
            reading = await driver.read()
            if holds(reading):
                return reading
            await asyncio.sleep(0.1)


def known(reading: object) -> Any:
    assert isinstance(reading, Known), reading
    return reading.value


async def locked(driver: Driver) -> set[str]:
    return {queue.name for queue in known((await driver.read()).queues) if queue.locked}


async def test_the_master_answers_everything_in_the_right_type(drivers: dict[str, Driver]) -> None:
    reading = await drivers["sky-a"].read()
    for name in READINGS:
        value = known(getattr(reading, name))
        assert msgspec.convert(msgspec.to_builtins(value), value_type(name)) == value, name
    assert known(reading.role) is Role.MASTER
    assert known(reading.identity).name == "sky-a"
    assert known(reading.identity).practice is True
    assert known(reading.replication_link).alive
    assert known(reading.replication_link).peer == "sky-b"
    assert known(reading.guard) is False
    assert {process.running for process in known(reading.process)} == {True}
    assert {port.state for port in known(reading.ports)} == {"open"}


async def test_the_standby_is_not_asked_what_only_a_master_knows(drivers: dict[str, Driver]) -> None:
    reading = await drivers["sky-b"].read()
    assert known(reading.role) is Role.STANDBY
    for name in READINGS:
        one = getattr(reading, name)
        if name in ASKED_OF_MASTER:
            assert isinstance(one, Unknown)
            assert "asked of the master only" in one.reason
        else:
            known(one)


async def test_a_reading_is_as_old_as_its_request(drivers: dict[str, Driver], rig: Rig) -> None:
    for driver in drivers.values():
        before = rig.clock.instant()
        reading = await driver.read()
        after = rig.clock.instant()
        for name in READINGS:
            at = getattr(reading, name).at
            if at is not None:
                assert at.boot == before.boot
                assert before.seconds <= at.seconds <= after.seconds, name
    assert await drivers["sky-a"].try_login() == ""


async def test_only_the_named_queues_are_locked_and_unlocked(drivers: dict[str, Driver]) -> None:
    master = drivers["sky-a"]
    before = await locked(master)
    names = ("NIGHT-01", "NIGHT-02")
    assert not before & set(names)
    assert (await master.act(order(Action.LOCK_QUEUES, queues=names), ignore)).result is Result.DONE
    assert await locked(master) == before | set(names)
    done = await master.act(order(Action.UNLOCK_QUEUES, queues=names[:1]), ignore)
    assert done.result is Result.DONE
    assert await locked(master) == before | {"NIGHT-02"}
    await master.act(order(Action.UNLOCK_QUEUES, queues=names[1:]), ignore)
    assert await locked(master) == before


async def test_an_unknown_queue_is_refused_and_nothing_is_changed(drivers: dict[str, Driver]) -> None:
    master = drivers["sky-a"]
    before = await locked(master)
    outcome = await master.act(order(Action.LOCK_QUEUES, queues=("NIGHT-01", "NO-SUCH")), ignore)
    assert outcome.result is Result.REFUSED
    assert "NO-SUCH" in outcome.says
    assert await locked(master) == before


@pytest.mark.parametrize(
    "expects",
    [{"role": Role.STANDBY}, {"timeline": 77}, {"name": "sky-b"}, {"role": Role.STANDBY, "timeline": 1}],
    ids=["role", "timeline", "name", "role and timeline"],
)
async def test_over_http_an_unexpected_server_refuses(drivers: dict[str, Driver], expects: Any) -> None:
    master = drivers["sky-a"]
    outcome = await master.act(order(Action.STOP_SCHEDULER, **expects), ignore)
    assert outcome.result is Result.REFUSED, outcome
    assert known((await master.read()).scheduler).state == "running"


@pytest.mark.parametrize("expects", [{"role": Role.STANDBY}, {"name": "sky-b"}], ids=["role", "name"])
async def test_on_the_host_an_unexpected_server_starts_nothing(
    drivers: dict[str, Driver],
    rig: Rig,
    expects: Any,
) -> None:
    before = rig.ran("sky-a", Action.SET_GUARD)
    outcome = await drivers["sky-a"].act(order(Action.SET_GUARD, **expects), ignore)
    assert outcome.result is Result.REFUSED, outcome
    assert rig.ran("sky-a", Action.SET_GUARD) == before


async def test_a_master_only_action_is_refused_by_a_standby(drivers: dict[str, Driver]) -> None:
    wanted = order(Action.LOCK_QUEUES, "sky-b", Role.STANDBY, queues=("NIGHT-01",))
    outcome = await drivers["sky-b"].act(wanted, ignore)
    assert outcome.result is Result.REFUSED
    assert "standby" in outcome.says


async def test_the_same_token_runs_once_in_this_process_and_in_another(
    drivers: dict[str, Driver], rig: Rig
) -> None:
    before = rig.ran("sky-a", Action.SET_GUARD)
    wanted = order(Action.SET_GUARD)
    outcomes = [await drivers["sky-a"].act(wanted, ignore) for _ in range(2)]
    others = rig.open()
    try:
        outcomes.append(await others["sky-a"].act(wanted, ignore))
        outcomes.append(await others["sky-a"].probe(wanted, ignore))
    finally:
        for driver in others.values():
            await driver.close()
    assert {outcome.result for outcome in outcomes} == {Result.DONE}
    assert rig.ran("sky-a", Action.SET_GUARD) == before + 1
    assert known((await drivers["sky-a"].read()).guard) is True
    assert (await drivers["sky-a"].act(order(Action.CLEAR_GUARD), ignore)).result is Result.DONE
    assert known((await drivers["sky-a"].read()).guard) is False


async def test_a_probe_of_what_never_started_says_so_and_keeps_it_so(
    drivers: dict[str, Driver], rig: Rig
) -> None:
    before = rig.ran("sky-a", Action.SET_GUARD)
    wanted = order(Action.SET_GUARD)
    assert (await drivers["sky-a"].probe(wanted, ignore)).result is Result.NOT_STARTED
    assert (await drivers["sky-a"].act(wanted, ignore)).result is Result.REFUSED
    assert rig.ran("sky-a", Action.SET_GUARD) == before


async def test_a_probe_over_http_does_not_guess(drivers: dict[str, Driver]) -> None:
    wanted = order(Action.LOCK_QUEUES, queues=("NIGHT-01",))
    assert (await drivers["sky-a"].probe(wanted, ignore)).result is Result.UNKNOWN


async def test_a_marker_gives_the_position_that_the_standby_reaches(drivers: dict[str, Driver]) -> None:
    outcome = await drivers["sky-a"].act(order(Action.WRITE_MARKER), ignore)
    assert outcome.result is Result.DONE
    assert parse_position(outcome.position) is not None
    await drivers["sky-a"].read()
    await until(drivers["sky-b"], lambda seen: reached(known(seen.wal_position), outcome.position))


def mark(who: str = "ann", content: str = "") -> Mark:
    key = {"ann": "a1", "bob": "b2"}[who]
    return Mark(pair="practice", run="20261122-120000", key=key, who=who, host=f"jump-of-{who}", hash=content)


async def test_a_mark_is_set_refreshed_and_cleared(drivers: dict[str, Driver], rig: Rig) -> None:
    driver = drivers["sky-a"]
    assert await driver.mark(mark()) == Carried()
    rig.silence("sky-a", 30)
    kept = await driver.mark(mark(content="abc"))
    assert isinstance(kept, Carried)
    assert kept.before == mark()
    assert 30 <= kept.silent < 60
    again = await driver.mark(mark(content="abc"))
    assert isinstance(again, Carried)
    assert again.before == mark(content="abc")
    assert again.silent < 30
    assert await driver.unmark(mark()) == ""
    assert await driver.unmark(mark()) == "", "what is gone is gone"
    assert await driver.mark(mark("bob")) == Carried()
    assert await driver.unmark(mark("bob")) == ""


async def test_another_runs_mark_stays_whoever_asks(drivers: dict[str, Driver], rig: Rig) -> None:
    """Also from another process; the runs are of the same second."""
    others = rig.open()
    try:
        await drivers["sky-a"].mark(mark())
        rig.silence("sky-a", 100)
        found = await others["sky-a"].mark(mark("bob"))
        assert isinstance(found, Foreign)
        assert found.mark == mark()
        assert 100 <= found.silent < 130
        assert mark().words in await others["sky-a"].unmark(mark("bob"))
        assert isinstance(await others["sky-b"].mark(mark("bob")), Carried), "each host has its own"
        assert isinstance(await drivers["sky-a"].mark(mark()), Carried)
    finally:
        await others["sky-b"].unmark(mark("bob"))
        await drivers["sky-a"].unmark(mark())
        for driver in others.values():
            await driver.close()


async def test_only_a_silent_mark_that_is_meant_is_taken_over(drivers: dict[str, Driver], rig: Rig) -> None:
    driver = drivers["sky-a"]
    await driver.mark(mark())
    try:
        assert isinstance(await driver.mark(mark("bob"), take=mark(), stale=60), Foreign), "it is fresh"
        rig.silence("sky-a", 100)
        assert isinstance(await driver.mark(mark("bob"), take=mark("bob"), stale=60), Foreign)
        taken = await driver.mark(mark("bob"), take=mark(), stale=60)
        assert isinstance(taken, Carried)
        assert taken.before == mark()
        assert 100 <= taken.silent < 130
        lost = await driver.mark(mark())
        assert isinstance(lost, Foreign)
        assert lost.mark == mark("bob")
    finally:
        assert await driver.unmark(mark("bob")) == ""


async def test_no_preview_shows_a_secret(drivers: dict[str, Driver], rig: Rig) -> None:
    for action in Action:
        text = drivers["sky-a"].preview(order(action, queues=("NIGHT-01",)))
        assert text
        assert rig.secret not in text
        assert "\n" not in text
    assert "{secret.admin}" in drivers["sky-a"].preview(order(Action.CONVERT))


async def test_nothing_is_salvaged_under_a_server_that_runs(drivers: dict[str, Driver]) -> None:
    outcome = await drivers["sky-a"].act(order(Action.SALVAGE), ignore)
    assert outcome.result in {Result.REFUSED, Result.FAILED}
    assert "runs" in outcome.says


async def test_an_order_for_the_other_server_is_refused(drivers: dict[str, Driver]) -> None:
    outcome = await drivers["sky-a"].act(order(Action.SET_GUARD, "sky-b", Role.STANDBY), ignore)
    assert outcome.result is Result.REFUSED


async def test_logs_are_followed(drivers: dict[str, Driver]) -> None:
    driver = drivers["sky-a"]
    assert "server" in driver.logs
    await driver.act(order(Action.STOP_SCHEDULER), ignore)
    await driver.act(order(Action.START_SCHEDULER), ignore)
    lines = driver.follow("server")
    async with asyncio.timeout(15):
        line = await anext(lines)
    await lines.aclose()  # type: ignore[attr-defined]
    assert (line.server, line.log) == ("sky-a", "server")
    assert line.text


async def test_a_stopped_server_is_unknown_with_a_reason_and_its_host_still_answers(
    drivers: dict[str, Driver],
) -> None:
    standby = drivers["sky-b"]
    said: list[str] = []
    stopped: Outcome = await standby.act(order(Action.SHUT_DOWN, "sky-b", Role.STANDBY), said.append)
    assert stopped.result is Result.DONE, stopped
    assert said
    reading = await standby.read()
    for name in READINGS:
        one = getattr(reading, name)
        if name in ON_HOST:
            known(one)
        else:
            assert isinstance(one, Unknown), name
            assert one.reason
    assert not any(process.running for process in known(reading.process))
    assert {port.state for port in known(reading.ports)} == {"refused"}
    assert known(reading.control).state == "shut down in recovery"
    unsent = await standby.act(order(Action.LOCK_QUEUES, "sky-b", queues=("NIGHT-01",)), ignore)
    assert unsent.result is Result.NOT_STARTED
    assert "nothing was sent" in unsent.says.lower()
    started = await standby.act(order(Action.START, "sky-b", Role.STANDBY), said.append)
    assert started.result is Result.DONE, started
    await until(standby, lambda seen: isinstance(seen.role, Known) and known(seen.replication_link).alive)
