"""Two `skytui swap` at once: one runs, the other changes nothing and says who holds the run."""

import subprocess
import sys

import pytest

from skytui.conductor.runs import load_run, stored_runs
from skytui.paths import PRACTICE, pair_state_dir
from skytui.runbook.events import Intended
from skytui.runbook.model import Ended, Ending
from skytui.runbook.steps import PLANNED
from tests.e2e.conftest import Practice
from tests.e2e.test_headless_swap import swap_options

pytestmark = pytest.mark.pair


def test_of_two_swaps_at_once_one_runs(practice: Practice) -> None:
    command = [sys.executable, "-m", "skytui", "swap", PRACTICE, "--headless", "--yes"]
    both = [
        subprocess.Popen(
            [*command, *swap_options("sky-a", "sky-b")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = {process.pid: process.communicate(timeout=240)[1] for process in both}
    ended = {process.pid: process.returncode for process in both}
    assert sorted(ended.values()) == [0, 10], said
    ran = next(pid for pid, code in ended.items() if code == 0)
    refused = next(said[pid] for pid, code in ended.items() if code == 10)
    (folder,) = stored_runs(pair_state_dir(PRACTICE))
    run = load_run(folder).run
    assert run.id in refused
    assert f"{run.who} (headless, process {ran}, " in refused
    assert run.stage == Ended(Ending.DONE)
    intents = [event for event in load_run(folder).contents.events if isinstance(event, Intended)]
    assert len(intents) == sum(step.action is not None and not step.only_if_needed for step in PLANNED)
