"""A run without a screen over a conductor on a real socket: what it says, prints and ends with."""

import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from skytui import paths
from skytui.commands import headless
from skytui.commands.answers import Answers
from skytui.commands.headless import abort, swap
from skytui.commands.starting import Start
from skytui.conductor import engine
from skytui.conductor.journal import read_journal
from skytui.conductor.runs import stored_runs
from skytui.config.hooks import Hooks
from skytui.errors import RunRefusedError, UnreachableError
from skytui.link.wire import HoldRun
from skytui.pair.order import Outcome, Result
from skytui.pair.vocabulary import Agent, Job, LateRun, ServerReading, User
from skytui.runbook.events import Aborted, Confirmed, Decided, Finished, Intended, Passed, Recorded
from skytui.runbook.model import Ended, Ending, Waiting
from tests.support.conducted import Conducted, conducted, go_to, open_run
from tests.support.drivers import WorldDriver
from tests.support.walk import Walk
from tests.support.world import LOCKED_QUEUES, NEW, OLD, START

ALL = Answers(yes=True, confirm={"shut-down": OLD, "promote": NEW, "convert": OLD})


@pytest.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Conducted]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with conducted(paths.private(paths.pair_state_dir("test"))) as one:
        yield one


class Told:
    """Everything that was said and printed."""

    def __init__(self) -> None:
        self.out = io.StringIO()
        self.says: list[str] = []

    async def swap(self, answers: Answers) -> int:
        return await swap("test", answers, self.out, self.says.append)

    @property
    def events(self) -> list[Recorded]:
        return [msgspec.json.decode(line, type=Recorded) for line in self.out.getvalue().splitlines()]


@pytest.fixture
def told() -> Told:
    return Told()


def sequence(events: list[Recorded]) -> list[tuple[str, str]]:
    return [
        (type(event).__name__, event.step)
        for event in events
        if isinstance(event, Confirmed | Intended | Finished | Passed)
    ]


async def test_a_whole_swap_ends_with_0_and_prints_the_journal(here: Conducted, told: Told) -> None:
    assert await told.swap(ALL) == 0
    (folder,) = stored_runs(here.folder)
    assert tuple(told.events) == read_journal(folder / "journal.jsonl").events
    assert told.says[-2].endswith(": done")
    assert f"{folder}/report.md" in told.says[-1]
    assert (folder / "report.html").is_file()


async def test_it_does_the_same_as_a_run_confirmed_by_hand(here: Conducted, told: Told) -> None:
    await told.swap(ALL)
    assert sequence(told.events) == sequence(Walk().to_end().events)


@pytest.mark.parametrize(
    ("answers", "missing"),
    [
        (Answers(), "--yes --confirm shut-down=sky-a"),
        (Answers(yes=True), "--confirm shut-down=sky-a --confirm promote=sky-b --confirm convert=sky-a"),
        (
            Answers(yes=True, confirm={"shut-down": OLD, "promote": OLD, "convert": OLD}),
            "--confirm promote=sky-b",
        ),
    ],
    ids=["nothing", "yes alone", "a wrong name"],
)
async def test_an_answer_that_is_missing_is_foreseen_with_10_and_nothing_is_opened(
    here: Conducted, told: Told, answers: Answers, missing: str
) -> None:
    with pytest.raises(RunRefusedError, match="Nothing was started") as raised:
        await told.swap(answers)
    assert raised.value.exit_code == 10
    assert missing in str(raised.value)
    assert stored_runs(here.folder) == []
    assert [driver.acted for driver in here.drivers.values()] == [[], []]


async def test_a_failed_action_ends_with_12_and_the_remaining_steps(here: Conducted, told: Told) -> None:
    here.drivers[NEW].answers = [Outcome(Result.FAILED, "exit code 3", 3)]
    assert await told.swap(ALL) == 12
    said = "\n".join(told.says)
    assert "promote failed: exit code 3" in said
    assert "The point of no return is behind this run" in said
    assert "(`convert`)" in said
    assert "convert on sky-a" in said
    assert "(`lock-queues`)" not in said


async def test_a_gate_that_stays_shut_ends_with_12_when_it_is_overdue(here: Conducted, told: Told) -> None:
    class Alone(WorldDriver):
        """A new master no agent connects to."""

        async def read(self) -> ServerReading:
            reading = await super().read()
            return _without_agents(reading)

    here.drivers[NEW].__class__ = Alone
    assert await told.swap(ALL) == 12
    assert any("agents-back is overdue: 3 of 3 agents missing" in says for says in told.says)


def _without_agents(reading: ServerReading) -> ServerReading:
    agents = getattr(reading.agents, "value", None)
    if agents is None:
        return reading
    lost = [Agent(agent.name, "active", connected=False) for agent in agents]
    return msgspec.structs.replace(reading, agents=msgspec.structs.replace(reading.agents, value=lost))


async def test_a_gate_that_stays_shut_before_anything_was_done_ends_with_10(
    here: Conducted, told: Told
) -> None:
    here.world.old.users.append(User("ann", address="10.0.0.9"))
    assert await told.swap(ALL) == 10
    assert any("users-out is overdue: 1 logged in: ann from 10.0.0.9" in says for says in told.says)
    assert here.drivers[OLD].acted == []


async def test_a_lost_outcome_that_stays_lost_ends_with_13(
    here: Conducted, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "PROBE_PAUSE", 0.001)
    here.drivers[NEW].answers = [Outcome(Result.UNKNOWN, "the connection was cut")]
    assert await told.swap(ALL) == 13
    assert any("promote is overdue: the connection was cut" in says for says in told.says)
    assert len(here.drivers[NEW].acted) == 1


async def test_a_waiver_that_was_needed_ends_with_14(here: Conducted, told: Told) -> None:
    here.world.old.users.append(User("ann"))
    answers = msgspec.structs.replace(ALL, waive={"users-out": "agreed with operations"})
    assert await told.swap(answers) == 14
    assert told.says[-2].endswith("done, but not clean")


async def test_a_waiver_that_was_not_needed_is_not_used(here: Conducted, told: Told) -> None:
    answers = msgspec.structs.replace(ALL, waive={"users-out": "nobody minds", "first-job": "it will"})
    assert await told.swap(answers) == 0


async def test_a_run_that_is_open_is_gone_on_with(here: Conducted, told: Told) -> None:
    client = await here.client()
    run = await go_to(client, await open_run(client), "guard-master")
    await here.hang_up(client)
    assert await told.swap(ALL) == 0
    assert told.says[0] == f"run {run.id} is open; going on with it"
    assert len(stored_runs(here.folder)) == 1


async def test_a_held_run_is_not_gone_on_with(here: Conducted, told: Told) -> None:
    client = await here.client()
    await go_to(client, await open_run(client), "lock-queues")
    await client.request(lambda number: HoldRun(number, "lunch"))
    await here.hang_up(client)
    assert await told.swap(ALL) == 10
    assert any("held by" in says and "lunch" in says for says in told.says)
    assert here.conductor.run is not None
    assert isinstance(here.conductor.run.stage, Waiting)
    assert here.drivers[OLD].acted == []


async def test_a_step_that_cannot_start_ends_with_12_and_says_why(here: Conducted, told: Told) -> None:
    client = await here.client()
    await go_to(client, await open_run(client), "shut-down")
    await here.hang_up(client)
    here.world.old.guard = False
    assert await told.swap(ALL) == 12
    assert "shut-down cannot start: the guard on sky-a reads not set" in told.says
    assert here.world.old.up


async def test_a_host_out_of_reach_for_a_moment_is_asked_again(here: Conducted, told: Told) -> None:
    here.drivers[OLD].answers = [Outcome(Result.NOT_STARTED, "sky-a: no connection. Nothing was sent.")] * 2
    assert await told.swap(ALL) == 0
    intents = [event.token for event in told.events if isinstance(event, Intended)][:3]
    assert [token.rpartition("lock-queues")[2] for token in intents] == ["-1", "-2", "-3"]


async def test_a_host_that_stays_out_of_reach_ends_with_12(here: Conducted, told: Told) -> None:
    here.drivers[OLD].answers = [Outcome(Result.NOT_STARTED, "sky-a: no connection. Nothing was sent.")] * 500
    assert await told.swap(ALL) == 12
    assert "lock-queues does not start: sky-a: no connection. Nothing was sent." in told.says


class TestAbort:
    @pytest.mark.parametrize("step", ["baseline", "drain-jobs", "guard-master", "promote"])
    async def test_before_the_point_of_no_return_it_ends_with_11(
        self, here: Conducted, told: Told, step: str
    ) -> None:
        client = await here.client()
        await go_to(client, await open_run(client), step)
        await here.hang_up(client)
        assert await abort("test", "not tonight", told.out, told.says.append) == 11
        run = here.conductor.run
        assert run is not None
        assert run.stage == Ended(Ending.ROLLED_BACK)
        assert run.ledger == ()
        old = here.world.old
        assert (old.up, old.guard, old.scheduler.state) == (True, False, "running")
        assert {queue for queue, locked in old.queues.items() if locked} == set(LOCKED_QUEUES)
        assert isinstance(told.events[0], Aborted)
        assert told.events[0].reason == "not tonight"

    async def test_after_it_it_is_refused_with_10_and_the_way_forward(
        self, here: Conducted, told: Told
    ) -> None:
        client = await here.client()
        run = await go_to(client, await open_run(client), "agents-back")
        await here.hang_up(client)
        with pytest.raises(RunRefusedError, match="finish the run, then swap back") as raised:
            await abort("test", "not tonight", told.out, told.says.append)
        assert raised.value.exit_code == 10
        assert here.conductor.run == run

    async def test_without_a_run_there_is_nothing_to_abort(self, here: Conducted, told: Told) -> None:
        with pytest.raises(RunRefusedError, match="no open run"):
            await abort("test", "not tonight", told.out, told.says.append)

    async def test_an_undo_that_fails_ends_with_12_and_what_is_owed(
        self, here: Conducted, told: Told
    ) -> None:
        client = await here.client()
        await go_to(client, await open_run(client), "promote")
        await here.hang_up(client)
        here.drivers[OLD].answers = [Outcome(Result.FAILED, "exit code 1: no room", 1)]
        assert await abort("test", "not tonight", told.out, told.says.append) == 12
        said = "\n".join(told.says)
        assert "start-again failed: exit code 1: no room" in said
        assert "shut-down on sky-a: undo it" in said
        assert await abort("test", "again", told.out, told.says.append) == 12, "it is not repeated by itself"
        assert len(here.drivers[OLD].acted) == 6


async def test_a_pair_without_a_standby_ends_with_10(
    here: Conducted, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headless, "FIRST_READING_SECONDS", 0.2)
    here.world.new.up = False
    with pytest.raises(RunRefusedError, match="sky-a reads master, sky-b reads unknown") as raised:
        await told.swap(ALL)
    assert raised.value.exit_code == 10
    assert stored_runs(here.folder) == []


async def test_a_conductor_that_is_lost_says_how_to_go_on(tmp_path: Path, told: Told) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path))
        async with conducted(paths.private(paths.pair_state_dir("test"))) as here:

            def lost(_order: object) -> None:
                for writer in here.conductor.hub._writers:
                    writer.close()

            here.drivers[OLD].before = lost
            with pytest.raises(UnreachableError, match="Run the same command again to go on"):
                await told.swap(ALL)


async def test_a_hook_that_fails_stops_it_before_anything_of_its_phase_and_is_run_again_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    flag = tmp_path / "flag"
    hooks = Hooks(before_shut_down=["sh", "-c", f"echo not yet; test -e {flag}"], after_activate=["false"])
    folder = paths.private(paths.pair_state_dir("test"))
    async with conducted(folder, hooks=hooks):
        assert await told.swap(ALL) == 10
        assert (
            "users-out does not begin: the hook before shut-down failed: ended with 1: not yet" in told.says
        )
        assert not any(isinstance(event, Intended) for event in told.events)
        flag.touch()
        again = Told()
        assert await again.swap(ALL) == 0
        assert "The hook after activate failed: ended with 1." in again.says


async def test_what_was_decided_in_advance_is_decided_once_and_by_name(here: Conducted, told: Told) -> None:
    here.world.old.running = [Job("7", "nightly", "agent-1"), Job("8", "weekly", "agent-1")]
    decided = {"drain-jobs/7": "accept", "drain-jobs": "accept", "server-history": "recorded"}
    assert await told.swap(msgspec.structs.replace(ALL, decide=decided)) == 0
    rows = [(event.step, event.row, event.decision) for event in told.events if isinstance(event, Decided)]
    assert rows[:2] == [("drain-jobs", "7", "accept"), ("drain-jobs", "8", "accept")]
    assert sorted(row for step, row, _ in rows if step == "server-history") == ["7", "8"]


async def test_a_row_nobody_decided_about_stops_the_run(here: Conducted, told: Told) -> None:
    due = START + timedelta(days=1)
    here.world.new.late = [LateRun(f"{name}@late", name, due, "missed") for name in ("hourly", "weekly")]
    assert await told.swap(msgspec.structs.replace(ALL, decide={"first-job/hourly@late": "leave"})) == 12
    assert any("first-job is overdue: 1 missed and not decided: weekly@late" in says for says in told.says)


async def test_past_the_latest_time_promote_is_not_confirmed(here: Conducted, told: Told) -> None:
    assert await swap("test", ALL, told.out, told.says.append, start=Start(promote_before=START)) == 12
    said = "\n".join(told.says)
    assert "promote is not confirmed: it is past 2026-03-01 02:00 UTC" in said
    assert "skytui abort test" in said
    assert here.drivers[NEW].acted == []
    assert here.conductor.run is not None
    assert here.conductor.run.abort is None
