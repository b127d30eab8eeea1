"""`skytui runs`, `skytui verify`: what the journals of a pair hold."""

from pathlib import Path

from skytui import paths
from skytui.conductor.runs import StoredRun, load_run, stored_runs
from skytui.errors import StateError, UsageError
from skytui.runbook.model import Ended


def listing(pair: str) -> str:
    """One line a run, oldest first. A journal that cannot be trusted is listed with the reason."""
    lines = [_line(folder) for folder in stored_runs(paths.pair_state_dir(pair))]
    return "\n".join(lines) or f"{pair} has no runs on this machine."


def _line(folder: Path) -> str:
    try:
        run = load_run(folder).run
    except StateError as error:
        return f"{folder.name}  {error}"
    ending = run.stage.ending.value if isinstance(run.stage, Ended) else "open"
    return (
        f"{run.id}  {run.kind}  {run.old} → {run.new}  {ending}  by {run.who}, {len(run.records)} steps done"
    )


def verify(pair: str, run_id: str) -> str:
    """Check a journal; a sentence when it is sound.

    Raises StateError when it is not, UsageError when there is no such run.
    """
    folders = {folder.name: folder for folder in stored_runs(paths.pair_state_dir(pair))}
    if run_id not in folders:
        raise UsageError(f"{pair} has no run {run_id}.", hint=f"It has: {', '.join(folders) or 'none'}.")
    stored: StoredRun = load_run(folders[run_id])
    return (
        f"{run_id}: {len(stored.contents.events)} records, unchanged, last hash {stored.contents.hash[:16]}."
    )
