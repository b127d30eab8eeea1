"""`skytui watch`: it says what it is, starts no run and no second conductor, and takes up nothing."""

import asyncio
from pathlib import Path

import pytest

from skytui import paths
from skytui.commands import console
from skytui.conductor.journal import Journal
from skytui.conductor.runs import JOURNAL
from skytui.errors import StateError
from skytui.link.client import Client
from skytui.tui.leaving import Leaving
from skytui.tui.link_session import LinkSession
from tests.tui.scenarios import idle, shut_down
from tests.tui.test_link_session import Conductor, until


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return paths.private(paths.pair_state_dir("night"))


async def test_a_watcher_says_so_each_time_it_calls_and_starts_no_conductor_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    connect = Client.connect

    async def counted(folder: Path, client: str, seconds: float = 10.0) -> Client:
        called.append(client)
        return await connect(folder, client, seconds)

    async def attach_once(pair: str, client: str) -> Client:
        assert pair == "night"
        assert not called, "a watcher that lost its conductor starts no other"
        return await Client.connect(folder, client)

    async def show(session: LinkSession, **_how: object) -> Leaving:
        await conductor.stop()
        await until(session, lambda: "Attempt 1" in session.shown.lost)
        (folder / "conductor.sock").unlink(missing_ok=True)
        await conductor.start()
        await until(session, lambda: not session.shown.lost)
        return Leaving("left")

    conductor = Conductor(folder, idle())
    await conductor.start()
    monkeypatch.setattr(Client, "connect", counted)
    monkeypatch.setattr(console, "attach", attach_once)
    monkeypatch.setattr(console, "run_console", show)
    try:
        async with asyncio.timeout(20):
            assert (await console._watch("night", slow_link=False, ascii_only=False)).says == "left"
    finally:
        await conductor.stop()
    assert len(called) >= 2
    assert set(called) == {"watch"}


async def test_a_run_whose_conductor_died_is_not_taken_up_by_a_watcher(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def attach(pair: str, client: str) -> Client:
        raise AssertionError("a conductor that is started takes the run up")

    monkeypatch.setattr(console, "attach", attach)
    run = folder / "runs" / "2026-11-22-0300"
    run.mkdir(parents=True)
    journal = Journal.create(run / JOURNAL, "2026-11-22-0300")
    for event in shut_down().shown.events:
        journal.append(event)
    journal.close()
    with pytest.raises(StateError, match="a watcher does not take it up") as refused:
        await console._watch("night", slow_link=False, ascii_only=False)
    assert "skytui night" in refused.value.hint
