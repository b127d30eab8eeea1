"""Every step of the planned swap, three moments of each, and every way to die there: on the scripted pair.

The conductor is thrown away, journal and servers stay; or all connections to both servers are lost; or the
console's. Then the run is gone on with to its end. The same deaths on the practice pair are in
tests/e2e/test_kill_matrix.py.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from skytui.conductor import engine
from skytui.conductor.runs import load_run, stored_runs
from skytui.drivers.scripted import ON_HOST
from skytui.drivers.scripted_world import Fate
from skytui.link.wire import NewEvent
from skytui.pair.order import Result
from skytui.pair.vocabulary import Action, Role
from skytui.runbook.events import Confirmed, Finished, Intended, Opened, Passed, Recorded, Resumed
from skytui.runbook.machine import fold
from skytui.runbook.model import Ended, Ending, Run, Waiting
from skytui.runbook.steps import PLANNED, STEPS, Side, Step
from tests.simulation.lives import InAction, Life, Servers, Strike
from tests.support.conducted import SECONDS, conducted, confirm, open_run

PLAN = [step.id for step in PLANNED]
ACTIONS = [step.id for step in PLANNED if step.action]


def place_of(step: Step) -> tuple[str, Action | None]:
    """Where the action of a step is carried out."""
    return "sky-a" if step.side is Side.OLD else "sky-b", step.action


ONCE = Counter(place_of(step) for step in PLANNED if step.action)


def card_up(step: str) -> Strike:
    """Its card is up and nothing is confirmed: the step before has passed, or the run was opened."""
    return lambda event, run: isinstance(event, Opened | Passed) and run.stage == Waiting(step)


def recorded(kind: type[Recorded], step: str) -> Strike:
    return lambda event, run: isinstance(event, kind) and getattr(event, "step", "") == step


MOMENTS: dict[str, Callable[[str], Strike]] = {
    "the card is up": card_up,
    "confirmed": lambda step: recorded(Confirmed, step),
    "intended": lambda step: recorded(Intended, step),
    "finished": lambda step: recorded(Finished, step),
    "passed": lambda step: recorded(Passed, step),
}
"""Before the intent (the first two), between intent and outcome, after the outcome (the last two)."""
WITHOUT_ACTION = ("the card is up", "confirmed", "passed")


def steps_with(moment: str) -> list[str]:
    """The steps that have such a moment."""
    return PLAN if moment in WITHOUT_ACTION else ACTIONS


def check(folder: Path, servers: Servers, run: Run, again: set[str]) -> None:
    """Done and clean, the roles exchanged, and nothing done twice that was not confirmed twice."""
    assert run.stage == Ended(Ending.DONE)
    assert run.ledger == ()
    pair = servers.pair
    assert pair.servers["sky-b"].role is Role.MASTER
    assert pair.servers["sky-a"].role is Role.STANDBY
    assert {name for name, locked in pair.queues.items() if locked} == {"ARCHIVE", "PAYROLL"}
    assert pair.scheduler == "running"
    wanted = ONCE + Counter(place_of(STEPS[step]) for step in again)
    assert Counter(pair.done) == wanted
    nothing_is_repeated(load_run(stored_runs(folder)[-1]).contents.events)


def nothing_is_repeated(events: tuple[Recorded, ...]) -> None:
    """From the journal alone: no token twice; a second intent only on a new confirmation, and of what takes a
    server down or changes its role only when the first is known to have failed, or never began."""
    tokens = [event.token for event in events if isinstance(event, Intended)]
    assert len(tokens) == len(set(tokens))
    for step in ACTIONS:
        confirmed, known_ended = False, True
        for event in events:
            if getattr(event, "step", "") != step:
                continue
            match event:
                case Confirmed():
                    confirmed = True
                case Intended():
                    assert confirmed, f"{step} was begun on a confirmation that was used up"
                    assert known_ended or STEPS[step].repeatable, f"{step} may have been done twice"
                    confirmed = known_ended = False
                case Finished(outcome=outcome):
                    known_ended = outcome.result is not Result.UNKNOWN


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Servers:
    monkeypatch.setattr(engine, "PROBE_PAUSE", 0.0)  # the clock of these servers is not the wall's
    return Servers.new()


@pytest.mark.parametrize("moment", MOMENTS)
async def test_the_conductor_dies_between_two_events_of_every_step(
    tmp_path: Path, servers: Servers, moment: str
) -> None:
    again: set[str] = set()
    for step in steps_with(moment):
        life = Life(tmp_path, servers, MOMENTS[moment](step))
        await life.until_dead()
        again |= life.again
    life = Life(tmp_path, servers)
    run = await life.until_over()
    again |= life.again
    # Intended and not begun: a host knows that. Over HTTP nobody does: a person has it sent again.
    unsure = {step for step in ACTIONS if STEPS[step].action not in ON_HOST}
    assert again == (unsure if moment == "intended" else set())
    check(tmp_path, servers, run, set())
    events = load_run(stored_runs(tmp_path)[-1]).contents.events
    assert sum(isinstance(event, Resumed) for event in events) == len(steps_with(moment))


@pytest.mark.parametrize("where", InAction)
async def test_the_conductor_dies_in_every_action(tmp_path: Path, servers: Servers, where: InAction) -> None:
    again: set[str] = set()
    for step in [*ACTIONS, ""]:
        life = Life(tmp_path, servers)
        life.dies_in(step, where)
        await (life.until_dead() if step else life.until_over())
        again |= life.again
    run = load_run(stored_runs(tmp_path)[-1]).run
    # The marker's position came with the answer that was lost: a person has it written anew.
    assert again == {"replication-zero"}
    check(tmp_path, servers, run, again)


@pytest.mark.parametrize("moment", MOMENTS)
async def test_all_connections_are_lost_at_every_step(tmp_path: Path, servers: Servers, moment: str) -> None:
    strikes = {step: MOMENTS[moment](step) for step in steps_with(moment)}

    def cut(event: Recorded, run: Run) -> bool:
        for step in [step for step, strike in strikes.items() if strike(event, run)]:
            del strikes[step]
            servers.cut()
        return False

    run = await Life(tmp_path, servers, cut).until_over()
    assert not strikes
    check(tmp_path, servers, run, set())


@pytest.mark.parametrize("fate", [Fate.LOST_BEFORE, Fate.LOST_AFTER])
async def test_all_connections_are_lost_in_every_action(tmp_path: Path, servers: Servers, fate: Fate) -> None:
    servers.pair.fates = {step.action: [fate] for step in PLANNED if step.action}
    cut: set[str] = set()

    def strike(event: Recorded, run: Run) -> bool:
        if isinstance(event, Finished) and event.step not in cut:
            assert event.outcome.result is Result.UNKNOWN
            cut.add(event.step)
            servers.cut()
        return False

    life = Life(tmp_path, servers, strike)
    run = await life.until_over()
    assert cut == set(ACTIONS)
    over_http = {step for step in ACTIONS if STEPS[step].action not in ON_HOST}
    if fate is Fate.LOST_BEFORE:
        assert life.again == over_http, "never begun: a host knows that, over HTTP a person has to say it"
        check(tmp_path, servers, run, set())
    else:
        assert life.again == {"replication-zero"}, "all others are answered by what the servers read"
        check(tmp_path, servers, run, life.again)


@pytest.mark.parametrize("moment", MOMENTS)
async def test_the_console_dies_at_every_step(tmp_path: Path, moment: str) -> None:
    async with conducted(tmp_path) as here:
        here.world.touched = True
        strikes = {step: MOMENTS[moment](step) for step in steps_with(moment)}
        watcher = await here.client("watch")
        console = await here.client()
        await open_run(console)
        dead: list[str] = []
        seen = 0
        run = here.conductor.run
        while run and not run.over:
            now = here.conductor.run
            if now and now.step and isinstance(now.stage, Waiting):
                await confirm(console, now)
            async with asyncio.timeout(SECONDS):
                message = await anext(aiter(watcher))
            if not isinstance(message, NewEvent):
                continue
            seen, run = seen + 1, message.run
            for step in [step for step in strikes if strikes[step](message.event, message.run)]:
                dead.append(step)
                console._writer.transport.abort()
                console = await here.client()
                assert fold(console.welcome.events) == console.welcome.run
                assert len(console.welcome.events) >= seen
        assert set(dead) >= set(steps_with(moment)) - {"preflight", "baseline"}
        acted = [order.action for driver in here.drivers.values() for order in driver.acted]
    assert Counter(acted) == Counter(step.action for step in PLANNED if step.action)
    assert load_run(stored_runs(tmp_path)[-1]).run == run
