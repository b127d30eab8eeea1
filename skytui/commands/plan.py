"""`skytui plan`: the remaining steps with exact commands, hosts and gates, as Markdown."""

import asyncio
from pathlib import Path

from skytui.commands.headless import imagined_run
from skytui.commands.look import Looked, look
from skytui.config.state import pair_folder
from skytui.errors import StateError, UsageError
from skytui.runbook.history import UsualTime, usual_steps
from skytui.runbook.model import Run
from skytui.runbook.paper import remaining_steps
from skytui.runbook.sides import sides_of
from skytui.runbook.steps import Kind


def plan(pair: str, run_id: str = "") -> str:
    """The plan of the open run, of the run named, or of a swap as it would start now.

    With no master to be read it is the unplanned one.

    Raises StateError when no plan can be made, because roles are not known or a journal cannot be trusted.
    """
    if run_id:
        run, folder = _stored(pair, run_id)
        return remaining_steps(run, _previews(pair, run, folder), _usual(pair, run))
    looked = asyncio.run(look(pair))
    run = _open_or_imagined(looked)
    kept = pair_folder(pair) / "runs" / run.id if run is looked.run else None
    return remaining_steps(run, looked.previews or _previews(pair, run, kept), _usual(pair, run))


def _open_or_imagined(looked: Looked) -> Run:
    if looked.run is not None and not looked.run.over:
        return looked.run
    planned, unplanned = (sides_of(kind, looked.reading) for kind in (Kind.PLANNED, Kind.UNPLANNED))
    if not planned.why_not:
        return imagined_run(Kind.PLANNED, looked.pair, planned, looked.reading)
    if not unplanned.why_not:
        return imagined_run(Kind.UNPLANNED, looked.pair, unplanned, looked.reading)
    raise StateError(
        f"No plan can be made for {looked.pair}: {planned.why_not}.",
        hint=f"Look at both with: skytui status {looked.pair}",
    )


def _stored(pair: str, run_id: str) -> tuple[Run, Path]:
    from skytui.conductor.runs import load_run, stored_runs  # noqa: PLC0415

    folders = {folder.name: folder for folder in stored_runs(pair_folder(pair))}
    if run_id not in folders:
        raise UsageError(f"{pair} has no run {run_id}.", hint=f"It has: {', '.join(folders) or 'none'}.")
    return load_run(folders[run_id]).run, folders[run_id]


def _usual(pair: str, run: Run) -> dict[str, UsualTime]:
    """How long the steps took in the earlier runs whose journals can be read here."""
    from skytui.conductor.history import History  # noqa: PLC0415

    earlier = [past for past in History(pair_folder(pair)).past() if past.id != run.id]
    return usual_steps(earlier, run.kind)


def _previews(pair: str, run: Run, folder: Path | None) -> dict[str, str]:
    """What each action would run where: no server is asked.

    A run goes by the copy of configuration and profile in its folder; one that was not started has none.
    """
    from skytui.clock import SystemClock  # noqa: PLC0415 - the drivers bring asyncssh and httpx
    from skytui.conductor import fixed  # noqa: PLC0415
    from skytui.conductor.paper import previews_of  # noqa: PLC0415
    from skytui.config.inputs import load  # noqa: PLC0415
    from skytui.config.secrets import SecretStore  # noqa: PLC0415
    from skytui.drivers.build import open_drivers  # noqa: PLC0415

    loaded = fixed.loaded(folder, run) if folder is not None and run.fixed else load(pair)
    config = loaded.pair

    async def preview() -> dict[str, str]:
        drivers = open_drivers(config, SystemClock(), SecretStore(config.secrets), loaded.profile)
        try:
            return previews_of(run, drivers, None)
        finally:
            for driver in drivers.values():
                await driver.close()

    return asyncio.run(preview())
