"""One practice pair, driven from two jump hosts: each has state and configuration of its own."""

import asyncio
import contextlib
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from skytui.commands.lab import forget_practice
from skytui.conductor.marks import WHO
from skytui.conductor.runs import load_run
from skytui.link.wire import HoldRun, Open
from skytui.paths import PRACTICE, pair_state_dir
from skytui.runbook.events import Confirmed, Intended, Marked, Recorded, Resumed
from skytui.runbook.model import Failed
from tests.e2e.conftest import Practice
from tests.e2e.deaths import did, kill_conductor
from tests.e2e.test_headless_swap import swap_options
from tests.e2e.walk import Walk

pytestmark = [pytest.mark.pair, pytest.mark.slow]

HEADLESS = ("swap", PRACTICE, "--headless", "--yes", *swap_options("sky-a", "sky-b"))


class JumpHost:
    """Folders of its own; inside the block of `at` this process works there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextlib.contextmanager
    def at(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_STATE_HOME", str(self._folder / "state"))
            patch.setenv("XDG_CONFIG_HOME", str(self._folder / "config"))
            yield

    def events(self) -> list[Recorded]:
        """What stands in the journal of its last run."""
        with self.at():
            runs = pair_state_dir(PRACTICE) / "runs"
            return list(load_run(sorted(runs.iterdir())[-1]).contents.events) if runs.exists() else []


@pytest.fixture
def here(tmp_path: Path) -> JumpHost:
    """The jump host that the practice pair was started from."""
    return JumpHost(tmp_path)


@pytest.fixture
def there(practice: Practice, tmp_path: Path) -> Iterator[JumpHost]:
    """Another one, which knows the pair by its configuration only. Its conductor is ended after the test."""
    config = tmp_path / "there/config/skytui"
    config.mkdir(parents=True)
    shutil.copy(practice.places.pair_toml, config / "config.toml")
    jump_host = JumpHost(tmp_path / "there")
    try:
        yield jump_host
    finally:
        with jump_host.at():
            forget_practice()


def changes(practice: Practice) -> dict[str, Counter[str]]:
    """All that was changed on either server. Whoever looks logs in and runs scripts that only look."""
    return {
        host: Counter({what: number for what, number in did(practice, host).items() if not looks(what)})
        for host in ("sky-a", "sky-b")
    }


def looks(what: str) -> bool:
    return what.startswith(("GET ", "identity.sh", "state.sh")) or what.endswith("/login")


async def test_two_jump_hosts_exclude_each_other(practice: Practice, here: JumpHost, there: JumpHost) -> None:
    async with await Walk.attached() as walk:
        await walk.to("stop-scheduler")
        run = walk.run
        assert run is not None
        whose = f"the mark of run {run.id} by {run.who} from {run.host}"
        before = changes(practice)
        assert before["sky-a"]["POST /api/v1/queues/lock"] == 1
        for more in ((), ("--take-over", "I want it")):
            with there.at():
                refused = practice.skytui(*HEADLESS, *more)
            assert refused.returncode == 10, refused.stderr
            assert f"No run was started: sky-a carries {whose}" in refused.stderr
            assert not there.events()
        assert changes(practice) == before
        await walk.pass_step()
        assert walk.run is not None
        assert walk.run.hold is None
        kill_conductor()

    before = changes(practice)
    with there.at():
        async with await Walk.attached() as walk:
            await walk.until(lambda: walk.reading is not None and bool(walk.reading.standby()))
            why = ""
            async with asyncio.timeout(30):
                while "take it over, for a reason" not in why:
                    why = (await walk.ask(Open)).refused
                    assert why.startswith(f"sky-a carries {whose}")
            reply = await walk.ask(lambda number: Open(number, take_over="its jump host is dead"))
            assert reply.refused == ""
            await walk.until(lambda: walk.run is not None and len(walk.run.marks) == 2)
            taken = [event for event in walk.events if isinstance(event, Marked)]
            assert [event.server for event in taken] == ["sky-a", "sky-b"]
            for event in taken:
                assert whose in f"the mark of {event.after}"
                assert event.silent >= 6
                assert event.reason == "its jump host is dead"
            assert (await walk.ask(lambda number: HoldRun(number, "look at the other one"))).refused == ""

    # The first one comes back: it is held at once, and nothing gets past that.
    async with await Walk.attached() as walk:
        await walk.until(lambda: walk.run is not None and walk.run.hold is not None, 30)
        run = walk.run
        assert run is not None
        assert run.hold is not None
        assert run.hold.who == WHO
        assert run.hold.reason.startswith("sky-a now carries the mark of run ")
        assert (await walk.confirm()).refused == f"held by {WHO}: {run.hold.reason}"
        kill_conductor()
    mine = here.events()
    resumed = max(place for place, event in enumerate(mine) if isinstance(event, Resumed))
    assert not any(isinstance(event, Confirmed | Intended) for event in mine[resumed:])
    assert changes(practice) == before

    with there.at():
        async with await Walk.attached() as walk:
            assert walk.run is not None
            assert walk.run.hold is not None
            assert walk.run.hold.who != WHO, "it has lost nothing to the one that came back"
            assert not isinstance(walk.run.stage, Failed)


async def test_a_run_that_ends_leaves_the_pair_to_the_next_jump_host(
    practice: Practice, there: JumpHost
) -> None:
    with there.at():
        done = practice.skytui(*HEADLESS)
        assert done.returncode == 0, done.stderr
    async with await Walk.attached() as walk:
        await walk.until(lambda: walk.reading is not None and bool(walk.reading.standby()))
        why = "not asked"
        async with asyncio.timeout(30):
            while why:
                # Its marks are cleared a moment after its last event was told.
                why = (await walk.ask(Open)).refused
                assert not why or "; its heartbeat is " in why
                assert "take it over" not in why, "the marks were not cleared"
        assert walk.run is None or walk.run.old == "sky-b"
