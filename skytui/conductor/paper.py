"""What a run would still do where, and `plan.md`: what an operator goes on by when skytui itself is gone."""

import logging
from collections.abc import Mapping
from pathlib import Path

from skytui.conductor.runs import PLAN, write_whole
from skytui.drivers.driver import Driver
from skytui.pair.pair import PairReading
from skytui.runbook.events import Aborted, Closed, Intended, Opened, Passed, Recorded, Resumed, Turned, Waived
from skytui.runbook.history import UsualTime
from skytui.runbook.model import Run
from skytui.runbook.orders import expectation, next_token, order_for
from skytui.runbook.paper import remaining_steps
from skytui.runbook.steps import STEPS

_LOG = logging.getLogger(__name__)


def previews_of(run: Run, drivers: Mapping[str, Driver], reading: PairReading | None) -> dict[str, str]:
    """What each action of the run would run where, by step. No server is asked."""
    previews: dict[str, str] = {}
    for step in run.steps:
        if step.action is not None:
            order = order_for(run, step, next_token(run, step), expectation(run, step, reading))
            previews[step.id] = drivers[order.server].preview(order)
    return previews


def changes_the_plan(event: Recorded) -> bool:
    """Whether after this event something else is left to do, or there is no way back any more."""
    if isinstance(event, Intended):
        return STEPS[event.step].no_way_back
    return isinstance(event, Opened | Aborted | Turned | Passed | Waived | Resumed | Closed)


def put_on_paper(
    folder: Path, run: Run, previews: Mapping[str, str], usual: Mapping[str, UsualTime] | None = None
) -> None:
    """Write down in the run's folder what is left to do. No run stops for want of it."""
    try:
        write_whole(folder / PLAN, remaining_steps(run, previews, usual).encode())
    except OSError as error:
        _LOG.warning("%s cannot be written: %s", folder / PLAN, error.strerror)
