"""Killing things in the middle of a run on the practice pair, going on, and counting what really ran.

What is counted is written by the practice pair itself: each script's invocations, each server's requests.
"""

import json
import os
import signal
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from skytui import paths
from skytui.conductor.runs import load_run
from skytui.lab import processes
from skytui.lab.bringup import start_host
from skytui.lab.node import NodeConfig
from skytui.runbook.events import Balked, Confirmed, Finished, Intended, Passed, Recorded
from skytui.runbook.model import Doubtful, Failed, Waiting
from skytui.runbook.prospect import Turn
from skytui.runbook.refusals import confirmable
from skytui.runbook.steps import STEPS
from tests.e2e.conftest import Practice
from tests.e2e.walk import Walk

PATIENCE = 6
"""How many polls a person waits for the servers to answer before doing again what may be done again."""

ONCE = {
    "original master": {
        "POST /api/v1/queues/lock", "POST /api/v1/scheduler/stop", "POST /api/v1/marker",
        "setAutostart.sh no", "stop.sh", "masterToStandby.sh",
    },
    "original standby": {
        "standbyToMaster.sh", "POST /api/v1/scheduler/start", "POST /api/v1/queues/unlock",
    },
}  # fmt: skip
"""What a planned swap does, where: each once."""


def happened(walk: Walk, step: str, kind: type[Recorded]) -> Callable[[], bool]:
    """Whether the journal has such an event of that step."""
    return lambda: any(
        isinstance(event, kind) and getattr(event, "step", "") == step for event in walk.events
    )


def _acts(step: str) -> bool:
    """Whether an undisturbed swap carries out its action; salvage finds nothing to save then."""
    return STEPS[step].action is not None and not STEPS[step].only_if_needed


def before_the_intent(step: str) -> type[Recorded] | None:
    """The event after which to strike; None: while the card is up."""
    return Confirmed if _acts(step) else None


def between_intent_and_outcome(step: str) -> type[Recorded] | None:
    return Intended if _acts(step) else Confirmed


def after_the_outcome(step: str) -> type[Recorded] | None:
    return Finished if _acts(step) else Passed


Moment = Callable[[str], type[Recorded] | None]


async def reach(walk: Walk, step: str, after: type[Recorded] | None) -> None:
    """Put up the card of `step`; then, where an event is given, confirm it and return at once after that."""
    await walk.to(step)
    if after is None:
        return
    there = happened(walk, step, after)
    while not there():
        await walk.until(lambda: walk.prospect.turn is Turn.OPERATOR)
        refused = (await walk.confirm()).refused
        assert not refused, refused
        # Where a connection is not back yet the step balks, and its card is up again.
        balks = sum(isinstance(event, Balked) for event in walk.events)
        await walk.until(
            lambda seen=balks: there() or sum(isinstance(event, Balked) for event in walk.events) > seen  # type: ignore[misc]
        )


async def finish(walk: Walk, step: str) -> bool:
    """Go on with `step` as a careful person would. Whether something in doubt had to be done again."""
    again = False
    answered: object = None
    doubted: tuple[object, int] = (None, 0)

    def turn() -> bool:
        run, reading = walk.run, walk.reading
        assert run is not None
        assert not isinstance(run.stage, Failed), run.stage
        if run.record(step) is not None:
            return not run.complete or run.over  # the end is an event of its own
        if (
            reading is None
            or (run.stage, run.stage_at) == answered
            or walk.prospect.turn is not Turn.OPERATOR
        ):
            return False
        if isinstance(run.stage, Doubtful):
            nonlocal doubted
            if doubted[0] != run.stage:
                doubted = (run.stage, reading.poll)
            return confirmable(run, reading.wall) and reading.poll - doubted[1] >= PATIENCE
        return isinstance(run.stage, Waiting)

    while True:
        await walk.until(turn, 120)
        assert walk.run is not None
        if walk.run.record(step) is not None:
            return again
        again = again or isinstance(walk.run.stage, Doubtful)
        answered = (walk.run.stage, walk.run.stage_at)
        refused = (await walk.confirm()).refused
        assert not refused, refused


def kill_conductor() -> None:
    """kill -9, and wait until it is gone."""
    pid = int((paths.pair_state_dir(paths.PRACTICE) / "conductor.lock").read_text())
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)  # this test started it


def drop_ssh(practice: Practice) -> None:
    """All SSH connections to both hosts end at once; then the endpoints answer again."""
    for host in ("sky-a", "sky-b"):
        node = practice.node(host)
        found = [f for f in processes.find(practice.places) if f.runs("skytui.lab.host", node.path)]
        assert len(found) == 1, found
        processes.kill(found)
        start_host(node, boots=False)
        assert processes.wait_for(lambda node=node: answers(node), 20), f"{host} has no SSH endpoint again"  # type: ignore[misc]


def answers(node: NodeConfig) -> bool:
    """Whether the SSH endpoint of a host can be connected to."""
    try:
        socket.create_connection((node.ssh.address, node.ssh.port), timeout=2).close()
    except OSError:
        return False
    return True


def last_recorded(practice: Practice) -> Recorded:
    """The last event that was on disk when the conductor died."""
    return load_run(sorted(practice.runs.iterdir())[-1]).contents.events[-1]


def did(practice: Practice, host: str) -> Counter[str]:
    """What ran on a host since the pair came up, and what its server was made to change, by its own logs."""
    logs = practice.node(host).logs
    counts: Counter[str] = Counter()
    for call in _lines(logs / "invocations.jsonl"):
        if call["phase"] == "begin":
            counts[" ".join([call["script"], *call["args"]])] += 1
    for request in _lines(logs / "requests.jsonl"):
        if request["status"] == 200:
            counts[f"{request['method']} {request['path']}"] += 1
    return counts


def _lines(file: Path) -> list[dict[str, Any]]:
    """The lines of a log of JSON; none while nothing was written into it."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
