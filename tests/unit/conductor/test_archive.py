"""What is kept of runs that are over: their reports beside the journal, and the usual times of the next."""

import logging
import shutil
from pathlib import Path

import msgspec
import pytest

from skytui.conductor.history import History
from skytui.conductor.journal import Journal
from skytui.conductor.reporting import has_report, report_of, write_reports
from skytui.conductor.runs import JOURNAL, stored_runs
from skytui.link.wire import Notice, Open, Past, Waive
from skytui.pair.logline import LogLine
from skytui.runbook.events import Recorded
from skytui.runbook.model import Ended, Ending
from skytui.runbook.report import Report
from tests.support.conducted import conducted, go_to, open_run, until, until_read
from tests.support.pages import Page
from tests.support.walk import Walk
from tests.support.world import NEW, OLD, START

RUN = "20260301-020000"


def stored(folder: Path, events: list[Recorded], run: str = RUN) -> Path:
    journal = Journal.create(folder / "runs" / run / JOURNAL, run)
    for event in events:
        journal.append(event)
    journal.close()
    return folder / "runs" / run


def read(folder: Path) -> Report:
    return msgspec.json.decode((folder / "report.json").read_bytes(), type=Report)


async def test_a_run_that_ends_leaves_its_report_beside_its_journal(tmp_path: Path) -> None:
    async with conducted(tmp_path) as here:
        client = await here.client()
        await until_read(client)
        why = "quarter\x1b[2J's end"
        reply = await client.request(lambda number: Open(number, why=why, ticket=" OPS-7 "))
        assert reply.refused == ""
        run = here.conductor.run
        assert run is not None
        run = await go_to(client, run, "")
        # Whoever is told that it has ended finds the report.
        (folder,) = stored_runs(tmp_path)
        made = read(folder)
    assert (made.why, made.ticket) == ("quarter's end", "OPS-7")
    assert (made.clean, made.exit_code, made.run) == (True, 0, run.id)
    assert "Done and clean" in (folder / "report.md").read_text()
    assert Page((folder / "report.html").read_text()).doctypes
    assert [path.name for path in folder.iterdir() if path.name.endswith(".new")] == []
    assert any("lock_queues begins" in line for excerpt in made.excerpts for line in excerpt.lines)


async def test_a_run_that_was_taken_back_has_a_report_too(tmp_path: Path) -> None:
    walk = Walk().to("lock-queues")
    walk.abort("not tonight")
    while not walk.run.over:
        walk.poll()
    folder = stored(tmp_path, walk.events)
    made = report_of(folder, History(tmp_path))
    assert write_reports(folder, made) == ""
    assert (read(folder).ending, read(folder).exit_code) == ("rolled back", 11)


async def test_a_waived_run_is_not_called_clean_in_it(tmp_path: Path) -> None:
    async with conducted(tmp_path) as here:
        client = await here.client()
        run = await go_to(client, await open_run(client), "agents-back")
        reply = await client.request(lambda number: Waive(number, run.id, "agents-back", "they come later"))
        assert reply.refused == ""
        waived = here.conductor.run
        assert waived is not None
        run = await go_to(client, waived, "")
        assert run.stage == Ended(Ending.NOT_CLEAN)
        (folder,) = stored_runs(tmp_path)
        assert (read(folder).clean, read(folder).exit_code) == (False, 14)


async def test_the_report_that_a_death_kept_from_being_written_is_made_up_for(tmp_path: Path) -> None:
    folder = stored(tmp_path, Walk().to_end().events)
    async with conducted(tmp_path) as here:
        client = await here.client()
        if client.welcome.past is None:
            await until(client, lambda message: isinstance(message, Past))
        await until_read(client)
    assert has_report(folder)


async def test_one_that_cannot_be_written_is_said_and_the_run_ends_all_the_same(tmp_path: Path) -> None:
    async with conducted(tmp_path) as here:
        client = await here.client()
        run = await go_to(client, await open_run(client), "standby-active")
        (folder,) = stored_runs(tmp_path)
        (folder / "report.md").mkdir()  # in the way
        (folder / "report.md" / "x").touch()
        watcher = await here.client("watch")
        run = await go_to(client, run, "")
        assert run.over
        notice = await until(watcher, lambda message: isinstance(message, Notice))
        assert isinstance(notice, Notice)
        assert "was not written" in notice.says
        assert f"skytui report {run.id}" in notice.says


async def test_clients_are_told_what_earlier_runs_took(tmp_path: Path) -> None:
    stored(tmp_path, Walk().to_end().events)
    async with conducted(tmp_path) as here:
        client = await here.client()
        past = client.welcome.past
        if past is None:
            message = await until(client, lambda m: isinstance(m, Past))
            assert isinstance(message, Past)
            past = message
        assert past.usual["planned"]["promote"].runs == 1
        assert past.cadence.last is not None
        assert past.cadence.last.master == NEW
        run = await open_run(client)
        (_, folder) = stored_runs(tmp_path)
        assert "usually 2 s (of 1 run)" in (folder / "plan.md").read_text()
        assert past.usual_of(run)
        run = await go_to(client, run, "")
        message = await until(client, lambda m: isinstance(m, Past))
        assert isinstance(message, Past)
        assert message.usual["planned"]["promote"].runs == 2
        assert message.cadence.last is not None
        assert message.cadence.last.run == run.id
        assert read(folder).earlier == 1


def test_a_journal_that_cannot_be_trusted_is_said_and_the_others_count(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    events = Walk().to_end().events
    stored(tmp_path, events, "20260101-000000")
    bad = stored(tmp_path, events, "20260102-000000")
    journal = bad / JOURNAL
    journal.write_bytes(journal.read_bytes().replace(b'"old":"sky-a"', b'"old":"sky-x"'))
    foreign = stored(tmp_path, events, "20260103-000000")
    journal = foreign / JOURNAL
    journal.write_bytes(journal.read_bytes().replace(b'"schema":1', b'"schema":9', 1))
    history = History(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert len(history.past()) == 1
        assert len(history.past()) == 1
    changed, newer = history.troubles
    assert "run 20260102-000000 is not counted" in changed
    assert "has schema 9" in newer
    assert len(caplog.records) == 2  # said once each
    made = report_of(tmp_path / "runs" / "20260101-000000", history)
    assert made.notes == history.troubles


def test_each_journal_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(tmp_path, Walk().to_end().events, "20260101-000000")
    stored(tmp_path, Walk().to("promote").events, "20260102-000000")
    history = History(tmp_path)
    assert [history.take_in_one() for _ in range(3)] == [True, True, False]
    shutil.rmtree(tmp_path / "runs" / "20260101-000000")
    assert len(history.past()) == 1
    stored(tmp_path, Walk().to_end().events, "20260103-000000")
    assert len(history.past()) == 2


def test_a_folder_that_cannot_be_looked_into_is_said(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    history = History(tmp_path)
    assert history.past() == ()
    (says,) = history.troubles
    assert "cannot be looked into" in says


def test_the_logs_of_a_run_stand_in_its_report(tmp_path: Path) -> None:
    folder = stored(tmp_path, Walk().to("promote").events)
    logs = folder / "logs"
    logs.mkdir()
    line = LogLine(OLD, "server", "[active] \x1b]52;c;x\x07ready", START)
    (logs / f"{OLD}-server.log").write_text(f"{line.wall:%Y-%m-%dT%H:%M:%S.%f}Z {line.text}\nhalf a li")
    made = report_of(folder, History(tmp_path))
    (excerpt,) = made.excerpts
    assert excerpt.title == f"{OLD}, server: the last lines"
    assert excerpt.lines == (f"{START:%H:%M:%S} [active] ready",)
