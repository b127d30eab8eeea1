"""Three terminals on one run, as three people have them: one operates, one looks on, one only watches."""

import re
from collections.abc import Iterator

import pytest

from skytui.conductor.runs import load_run, stored_runs
from skytui.paths import PRACTICE, pair_state_dir
from skytui.runbook.events import HandedOver
from skytui.runbook.model import Ended, Ending
from tests.e2e.conftest import SHORT_JOBS, PairUp
from tests.e2e.terminal import Terminal, command, confirm, console_process, start_swap, step_on

pytestmark = pytest.mark.pair


@pytest.fixture
def terminals(pair_up: PairUp) -> Iterator[list[Terminal]]:
    assert pair_up is not None  # it sets the folders, and cleans up whatever is left
    opened = [Terminal(), Terminal(), Terminal(80, 24)]
    yield opened
    for terminal in opened:
        terminal.close()


def squeezed(screen: str) -> str:
    return " ".join(screen.split())


def test_a_run_is_looked_on_taken_over_and_taken_back(pair_up: PairUp, terminals: list[Terminal]) -> None:
    pair_up(SHORT_JOBS)
    first, second, watcher = terminals
    first.line(command(PRACTICE))
    start_swap(first)
    for step in (1, 2, 3):
        confirm(first, step)
    operator = console_process(first).pid

    second.line(command(PRACTICE))
    screen = second.until(lambda screen: step_on(screen) == 4)
    assert f"operated by your process {operator}" in screen
    second.keys("Enter")
    second.until(
        lambda screen: f"Your own console in process {operator} operates this run" in squeezed(screen)
    )

    watcher.line(command("watch", PRACTICE))
    watcher.until("WATCHING")
    watcher.keys("Enter")
    watcher.until(lambda screen: "This console only watches." in squeezed(screen))
    first.until("watching: ")

    second.keys("t")
    second.until("Take the run over?")
    second.type("the first terminal hangs")
    second.until("the first terminal hangs")
    second.keys("Enter")
    second.until("you operate")
    first.until(f"operated by your process {console_process(second).pid}")
    confirm(second, 4)

    second.keys("a")
    second.until("Take the run back?")
    second.type("a rehearsal")
    second.until("a rehearsal")
    second.keys("Enter")
    for terminal in (second, first):
        terminal.until("rolled back: sky-a is the master, sky-b its standby, as before.", seconds=120)
    watcher.until("rolled back", seconds=30)

    for terminal in terminals:
        terminal.keys("q")
        terminal.until(re.compile(r"left with 0").search)
    stored = load_run(stored_runs(pair_state_dir(PRACTICE))[-1])
    assert stored.run.stage == Ended(Ending.ROLLED_BACK)
    handed = [event for event in stored.contents.events if isinstance(event, HandedOver)]
    assert [event.reason for event in handed] == ["the first terminal hangs"]
