"""`skytui verify`: a run by its id, wherever it is."""

from pathlib import Path

import pytest

from skytui import paths
from skytui.commands.runs import verify
from skytui.conductor.fixed import FOLDER
from skytui.conductor.journal import Journal
from skytui.conductor.runs import JOURNAL, stored_runs
from skytui.errors import StateError, UsageError
from tests.support.conducted import conducted, go_to, open_run
from tests.support.walk import Walk

RUN = "20260301-020000"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("SKYTUI_CONFIG", raising=False)
    monkeypatch.setattr("skytui.config.pairs.SYSTEM_FILE", tmp_path / "etc.toml")
    return tmp_path


def stored(pair: str, run: str = RUN) -> Path:
    journal = Journal.create(paths.pair_state_dir(pair) / "runs" / run / JOURNAL, run)
    for event in Walk().to("lock-queues").events:
        journal.append(event)
    journal.close()
    return paths.pair_state_dir(pair) / "runs" / run


def test_a_run_is_found_by_its_id_alone() -> None:
    stored("day", "20260101-000000")
    stored("night")
    assert verify(RUN).startswith(f"{RUN} of test: ")
    assert "it kept no copy" in verify(RUN)


def test_one_that_two_pairs_have_is_told_apart() -> None:
    stored("day")
    stored("night")
    with pytest.raises(UsageError, match=r"More than one pair has .*Say which: --pair day .*; --pair night "):
        verify(RUN)
    assert verify(RUN, "night")


def test_one_that_is_not_there_says_what_is() -> None:
    with pytest.raises(UsageError, match=r"There is no run x on this machine\. There are: none\."):
        verify("x")
    stored("day")
    stored("night", "20260301-020000-2")
    with pytest.raises(UsageError, match=rf"There are: {RUN} of day, {RUN}-2 of night\."):
        verify("x")
    with pytest.raises(UsageError, match=rf"no run {RUN} of night .*There are: {RUN}-2 of night\."):
        verify(RUN, "night")


def test_what_could_not_be_looked_into_is_said(state: Path) -> None:
    (state / "etc.toml").write_text(f'[pair.x]\nstate = "{state}/gone"\n')
    with pytest.raises(UsageError, match=r"Not looked at: The team folder .*/gone is not there"):
        verify(RUN)


async def test_the_run_of_a_living_conductor_is_checked_and_left_alone() -> None:
    async with conducted(paths.private(paths.pair_state_dir("night"))) as here:
        client = await here.client()
        run = await open_run(client)
        for step in ("users-out", "lock-queues", "stop-scheduler", ""):
            said = verify(run.id)
            assert said.startswith(f"{run.id} of test: {len(here.conductor._events)} records, unchanged")
            assert said.endswith("what it goes by is unchanged.")
            run = await go_to(client, run, step)


async def test_a_changed_copy_and_a_changed_journal_are_both_found(state: Path) -> None:
    async with conducted(paths.private(paths.pair_state_dir("night"))) as here:
        run = await open_run(await here.client())
    (folder,) = stored_runs(paths.pair_state_dir("night"))
    plan = folder / FOLDER / "plan.json"
    kept = plan.read_bytes()
    plan.write_bytes(kept.replace(b'"users-out",\n', b""))
    with pytest.raises(StateError, match=f"What run {run.id} goes by was changed in"):
        verify(run.id)
    plan.unlink()
    with pytest.raises(StateError, match=r"cannot be read: .*plan\.json: No such file"):
        verify(run.id)
    plan.write_bytes(kept)
    verify(run.id)
    journal = folder / JOURNAL
    journal.write_bytes(journal.read_bytes().replace(b'"old":"sky-a"', b'"old":"sky-b"'))
    with pytest.raises(StateError, match="was changed at record 1"):
        verify(run.id)
