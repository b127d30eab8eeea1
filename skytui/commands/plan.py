"""`skytui plan`: the remaining steps with exact commands, hosts and gates, as Markdown."""

import asyncio

from skytui import paths
from skytui.commands.headless import imagined_run
from skytui.commands.look import Looked, look
from skytui.errors import StateError, UsageError
from skytui.runbook.model import Run
from skytui.runbook.orders import expectation, next_token, order_for
from skytui.runbook.paper import remaining_steps


def plan(pair: str, run_id: str = "") -> str:
    """The plan of the open run, of the run named, or of a planned swap as it would start now.

    Raises StateError when no plan can be made, because roles are not known or a journal cannot be trusted.
    """
    if run_id:
        run = _stored(pair, run_id)
        return remaining_steps(run, _previews(pair, run))
    looked = asyncio.run(look(pair))
    run = _open_or_imagined(looked)
    return remaining_steps(run, looked.previews or _previews(pair, run))


def _open_or_imagined(looked: Looked) -> Run:
    if looked.run is not None and not looked.run.over:
        return looked.run
    old, new = looked.reading.master(), looked.reading.standby()
    if old is None or new is None:
        raise StateError(
            f"No plan can be made for {looked.pair}: a planned swap needs one master and one standby.",
            hint=f"Look at both with: skytui status {looked.pair}",
        )
    return imagined_run(looked.pair, old, new, looked.reading)


def _stored(pair: str, run_id: str) -> Run:
    from skytui.conductor.runs import load_run, stored_runs  # noqa: PLC0415

    folders = {folder.name: folder for folder in stored_runs(paths.pair_state_dir(pair))}
    if run_id not in folders:
        raise UsageError(f"{pair} has no run {run_id}.", hint=f"It has: {', '.join(folders) or 'none'}.")
    return load_run(folders[run_id]).run


def _previews(pair: str, run: Run) -> dict[str, str]:
    """What each action would run where, from configuration and profile alone: no server is asked."""
    from skytui.clock import SystemClock  # noqa: PLC0415 - the drivers bring asyncssh and httpx
    from skytui.config.pairs import load_pair  # noqa: PLC0415
    from skytui.config.secrets import SecretStore  # noqa: PLC0415
    from skytui.drivers.build import open_drivers  # noqa: PLC0415

    config = load_pair(pair)

    async def preview() -> dict[str, str]:
        drivers = open_drivers(config, SystemClock(), SecretStore(config.secrets))
        try:
            return {
                step.id: drivers[order.server].preview(order)
                for step in run.steps
                if step.action is not None
                for order in (order_for(run, step, next_token(run, step), expectation(run, step, None)),)
            }
        finally:
            for driver in drivers.values():
                await driver.close()

    return asyncio.run(preview())
