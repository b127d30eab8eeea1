"""A run over the socket: asked for, refused in sentences, seen by everybody, left and taken up again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skytui.conductor.journal import read_journal
from skytui.conductor.runs import stored_runs
from skytui.config.secrets import SecretSource
from skytui.errors import StateError
from skytui.link.client import Client
from skytui.link.wire import (
    Confirm,
    Decide,
    GiveSecret,
    HoldRun,
    Leave,
    NewEvent,
    NewLines,
    NewReading,
    Notice,
    Open,
    ReleaseRun,
    SecretsWanted,
    Waive,
)
from skytui.pair.logline import LogLine
from skytui.pair.order import Outcome, Result
from skytui.pair.vocabulary import Job, Role, User
from skytui.runbook.events import Decided, Held, Recorded, Resumed, Waived
from skytui.runbook.machine import fold
from skytui.runbook.model import Doubtful, Ended, Ending, Failed, Waiting
from tests.support.conducted import (
    Conducted,
    conducted,
    confirm,
    go_to,
    open_run,
    until,
    until_read,
    until_run,
)
from tests.support.world import NEW, OLD, START, World


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Conducted]:
    async with conducted(tmp_path) as one:
        yield one


def journal_of(folder: Path) -> tuple[Recorded, ...]:
    (run,) = stored_runs(folder)
    return read_journal(run / "journal.jsonl").events


async def test_the_whole_swap_over_the_socket(here: Conducted) -> None:
    client = await here.client()
    run = await go_to(client, await open_run(client), "")
    assert run.stage == Ended(Ending.DONE)
    events = journal_of(here.folder)
    assert fold(events) == run == here.conductor.run
    assert not here.conductor.busy
    tokens = [order.token for driver in here.drivers.values() for order in driver.acted]
    assert len(tokens) == len(set(tokens)) == 9


async def test_everybody_sees_the_same_events_as_the_journal(here: Conducted) -> None:
    operator, watcher, other = await here.client(), await here.client("watch"), await here.client()
    run = await go_to(operator, await open_run(operator), "stop-scheduler")
    journal = journal_of(here.folder)
    for client in (watcher, other):
        seen: list[Recorded] = []
        while len(seen) < len(journal):
            message = await until(client, lambda m: isinstance(m, NewEvent))
            assert isinstance(message, NewEvent)
            seen.append(message.event)
        assert tuple(seen) == journal
    late = await here.client("watch")
    assert late.welcome.events == journal
    assert late.welcome.run == run


async def test_a_second_run_after_the_first(here: Conducted) -> None:
    client = await here.client()
    first = await go_to(client, await open_run(client), "")
    assert (await client.request(Open)).refused == ""
    second = await until_run(client, lambda r: r.id != first.id and isinstance(r.stage, Waiting))
    assert (second.old, second.new) == (NEW, OLD)
    assert len(stored_runs(here.folder)) == 2


async def test_a_password_typed_where_nothing_is_asked_for_reaches_no_event_and_no_file(
    here: Conducted,
) -> None:
    client = await here.client()
    run = await open_run(client)
    assert await confirm(client, run, "pa55word") == ""
    run = await until_run(client, lambda r: r.record("preflight") is not None)
    run = await go_to(client, run, "shut-down")
    assert (await confirm(client, run, "pa55word")).startswith("type the host's name")
    files = [file for file in here.folder.rglob("*") if file.is_file()]
    assert any(file.name == "journal.jsonl" for file in files)
    assert not [file for file in files if b"pa55word" in file.read_bytes()]
    assert "pa55word" not in repr(journal_of(here.folder))


class TestRefusedWithASentence:
    async def test_a_second_run_beside_the_first(self, here: Conducted) -> None:
        client, other = await here.client(), await here.client()
        run = await open_run(client)
        reply = await other.request(Open)
        assert reply.refused.startswith(f"run {run.id} is open, since 02:00 UTC; it is operated by ")
        assert reply.refused.endswith(client.welcome.you.words)

    async def test_a_run_without_one_master_and_one_standby(self, tmp_path: Path) -> None:
        world = World()
        world.new.up = False
        async with conducted(tmp_path, world=world) as here:
            client = await here.client()
            await until_read(client)
            refused = (await client.request(Open)).refused
            assert "one server that reads master and one that reads standby" in refused
            assert stored_runs(tmp_path) == []

    async def test_without_a_run(self, here: Conducted) -> None:
        client = await here.client()
        assert (await client.request(lambda n: Confirm(n, "r", "baseline"))).refused == "no run is open"
        assert (await client.request(lambda n: HoldRun(n, "stop"))).refused == "no run is open"
        assert (await client.request(ReleaseRun)).refused == "no run is open"
        waived = await client.request(lambda n: Waive(n, "r", "users-out", "because"))
        assert waived.refused == "this waiver was for another run"

    async def test_the_wrong_phrase_the_wrong_step_the_wrong_run(self, here: Conducted) -> None:
        client = await here.client()
        run = await go_to(client, await open_run(client), "shut-down")
        assert await confirm(client, run, "sky-b") == "type the host's name, sky-a, to confirm this step"
        wrong = await client.request(lambda n: Confirm(n, run.id, "promote", "sky-b"))
        assert wrong.refused == "this confirmation was for another step"
        wrong = await client.request(lambda n: Confirm(n, "20250101-000000", "shut-down", "sky-a"))
        assert wrong.refused == "this confirmation was for another step"

    async def test_a_waiver_without_a_reason(self, here: Conducted) -> None:
        client = await here.client()
        run = await go_to(client, await open_run(client), "users-out")
        waived = await client.request(lambda n: Waive(n, run.id, "users-out", "  "))
        assert waived.refused == "a waiver needs a reason"

    async def test_leaving_an_open_run_alone(self, here: Conducted) -> None:
        client = await here.client()
        await open_run(client)
        assert (await client.request(Leave)).refused == "a run is open; it is not left alone"
        assert not here.left.is_set()

    async def test_a_disk_without_room_for_a_run(
        self, here: Conducted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = await here.client()
        await until_read(client)

        def full(*_: object) -> None:
            raise StateError("The journal cannot be written: No space left on device.")

        with monkeypatch.context() as patch:
            patch.setattr("skytui.conductor.journal.Journal.append", full)
            assert "No space left on device" in (await client.request(Open)).refused
            assert not here.conductor.busy
        await open_run(client)


async def test_leaving_is_possible_without_a_run(here: Conducted) -> None:
    client = await here.client()
    assert (await client.request(Leave)).refused == ""
    assert here.left.is_set()


async def test_a_waiver_records_who_why_and_what_was_unproven(here: Conducted) -> None:
    here.world.old.users.append(User("ann", address="10.0.0.9"))
    client = await here.client()
    run = await go_to(client, await open_run(client), "users-out")
    await client.request(lambda n: Waive(n, run.id, "users-out", "goes\x1b[2J on \x07anyway"))
    waived = journal_of(here.folder)[-1]
    assert isinstance(waived, Waived)
    assert waived.who
    assert waived.reason == "goes on \ufffdanyway"
    assert waived.unproven == ("1 logged in: ann from 10.0.0.9",)


async def test_a_decision_records_who_what_and_the_row_as_it_was_shown(here: Conducted) -> None:
    here.world.old.running.append(Job("7", "nightly", "agent-1"))
    client = await here.client()
    run = await go_to(client, await open_run(client), "drain-jobs")

    async def decide(row: str, decision: str) -> str:
        return (await client.request(lambda n: Decide(n, run.id, run_step, {row: decision}, "known"))).refused

    run_step = "drain-jobs"
    await until(client, lambda m: isinstance(m, NewReading))
    assert await decide("8", "accept") == "drain-jobs does not list that now"
    assert await decide("7", "leave") == "7 takes accept, not leave"
    assert await decide("7", "accept") == ""
    decided = journal_of(here.folder)[-1]
    assert isinstance(decided, Decided)
    assert (decided.row, decided.decision, decided.reason) == ("7", "accept", "known")
    assert decided.says == "nightly on agent-1"
    assert decided.who


async def test_a_hold_says_by_whom_and_why_in_harmless_text(here: Conducted) -> None:
    client, other = await here.client(), await here.client()
    run = await open_run(client)
    assert (await other.request(lambda n: HoldRun(n, "lunch\x1b]52;c;aGk=\x07"))).refused == ""
    held = journal_of(here.folder)[-1]
    assert isinstance(held, Held)
    assert held.reason == "lunch"
    assert await confirm(client, run) == f"held by {held.who}: lunch"
    assert (await client.request(ReleaseRun)).refused == ""
    assert await confirm(client, run) == ""


async def test_two_masters_are_cried_out_once(here: Conducted) -> None:
    client = await here.client()
    await until_read(client)
    here.world.new.role = Role.MASTER
    notice = await until(client, lambda m: isinstance(m, Notice))
    assert isinstance(notice, Notice)
    assert notice.says.startswith("TWO MASTERS: sky-a and sky-b both read master")
    assert "both" in notice.says
    refused = (await client.request(Open)).refused
    assert "one server that reads master" in refused


async def test_lines_of_logs_and_commands_reach_everybody_and_latecomers(here: Conducted) -> None:
    client = await here.client()
    here.drivers[OLD].lines.put_nowait(LogLine(OLD, "server", "scheduler stopped", START))
    here.drivers[NEW].lines.put_nowait(LogLine(NEW, "server", "x" * 100_000, START))
    texts: list[str] = []
    while len(texts) < 2:
        message = await until(client, lambda m: isinstance(m, NewLines))
        assert isinstance(message, NewLines)
        texts += [line.text for line in message.lines]
    assert "scheduler stopped" in texts
    assert max(map(len, texts)) < 5000
    late = await here.client("watch")
    assert [line.text for line in late.welcome.lines] == texts


async def test_a_flood_of_long_lines_does_not_lock_anybody_out(here: Conducted) -> None:
    client = await here.client()
    for part in range(10):
        for number in range(100):
            text = f"{part}-{number} " + "🐘" * 4096
            here.drivers[OLD].lines.put_nowait(LogLine(OLD, "server", text, START))
        await until(client, lambda m, last=f"{part}-99 ": _brings(m, last))  # type: ignore[misc]
    late = await here.client("watch")
    assert late.welcome.lines[-1].text.startswith("9-99 ")


def _brings(message: object, text: str) -> bool:
    return isinstance(message, NewLines) and any(line.text.startswith(text) for line in message.lines)


class TestSecrets:
    @pytest.fixture
    async def asking(self, tmp_path: Path) -> AsyncIterator[Conducted]:
        secrets = {"admin": SecretSource(prompt="password of admin")}
        async with conducted(tmp_path, secrets=secrets) as one:
            yield one

    async def give(self, client: Client, name: str, value: str) -> str:
        return (await client.request(lambda n: GiveSecret(n, name, value))).refused

    async def test_no_run_is_opened_while_one_is_wanted(self, asking: Conducted) -> None:
        client = await asking.client()
        assert client.welcome.secrets_wanted == ("admin",)
        await until_read(client)
        assert (await client.request(Open)).refused == "a secret is wanted first: admin"

    async def test_a_wrong_one_is_refused_and_still_wanted(self, asking: Conducted) -> None:
        client = await asking.client()
        asking.drivers[NEW].wrong_password = "sky-b refused the login of admin"
        assert await self.give(client, "admin", "guess") == "sky-b refused the login of admin"
        late = await asking.client()
        assert late.welcome.secrets_wanted == ("admin",)

    async def test_the_right_one_is_taken_once_and_written_nowhere(self, asking: Conducted) -> None:
        client = await asking.client()
        assert await self.give(client, "admin", "hunter2-marked") == ""
        assert await self.give(client, "admin", "again") == "no secret admin is wanted"
        assert await self.give(client, "root", "x") == "no secret root is wanted"
        wanted = await until(client, lambda m: isinstance(m, SecretsWanted))
        assert wanted == SecretsWanted(())
        await go_to(client, await open_run(client), "lock-queues")
        files = [path for path in asking.folder.rglob("*") if path.is_file()]
        assert files
        assert not [path for path in files if b"hunter2-marked" in path.read_bytes()]


class TestLeft:
    """The conductor dies, and another one takes the run up."""

    async def test_at_a_card_the_run_waits_there(self, tmp_path: Path) -> None:
        world = World()
        async with conducted(tmp_path, world=world) as here:
            client = await here.client()
            before = await go_to(client, await open_run(client), "guard-master")
        async with conducted(tmp_path, world=world) as here:
            client = await here.client()
            run = client.welcome.run
            assert run is not None
            assert run.stage == before.stage
            assert isinstance(client.welcome.events[-1], Resumed)
            done = await go_to(client, run, "")
            assert done.stage == Ended(Ending.DONE)

    async def test_in_the_middle_of_promotion_it_asks_and_does_not_repeat(self, tmp_path: Path) -> None:
        world = World()
        async with conducted(tmp_path, world=world) as here:
            client = await here.client()
            run = await go_to(client, await open_run(client), "promote")
            here.drivers[NEW].answers = [None]
            assert await confirm(client, run) == ""
            await until_run(client, lambda r: r.no_way_back)
        async with conducted(tmp_path, world=world) as here:
            here.drivers[NEW].probe_answers = [Outcome(Result.FAILED, "exit code 3", 3)]
            client = await here.client()
            left = client.welcome.run
            assert left is not None
            failed = left
            if isinstance(left.stage, Doubtful):
                failed = await until_run(client, lambda r: isinstance(r.stage, Failed))
            assert isinstance(failed.stage, Failed)
            assert here.drivers[NEW].acted == []
            assert len(here.drivers[NEW].probed) == 1
            done = await go_to(client, failed, "")
            assert done.stage == Ended(Ending.DONE)
            assert here.drivers[NEW].acted[0].token.endswith("promote-2")

    async def test_a_journal_that_was_changed_is_not_taken_up(self, tmp_path: Path) -> None:
        async with conducted(tmp_path) as here:
            client = await here.client()
            await open_run(client)
        (folder,) = stored_runs(tmp_path)
        path = folder / "journal.jsonl"
        path.write_bytes(path.read_bytes().replace(b'"old":"sky-a"', b'"old":"sky-b"'))
        with pytest.raises(StateError, match="was changed at record 1"):
            async with conducted(tmp_path) as here:
                await here.conductor.serve()
