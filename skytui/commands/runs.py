"""`skytui runs`, `skytui verify`: what the journals of the pairs hold."""

from pathlib import Path

from skytui.clock import SystemClock
from skytui.commands.look import cadence_here, timing_of
from skytui.conductor import fixed
from skytui.conductor.runs import load_run, stored_runs
from skytui.config.state import known_folders, pair_folder
from skytui.errors import ConfigError, StateError, UsageError
from skytui.runbook.cadence import Timing, cadence_words
from skytui.runbook.model import Ended


def listing(pair: str) -> str:
    """One line a run, oldest first. A journal that cannot be trusted is listed with the reason."""
    lines = [_line(folder) for folder in stored_runs(pair_folder(pair))]
    if not lines:
        return f"{pair} has no runs on this machine."
    return "\n".join([*lines, "", *_cadence(pair)])


def _cadence(pair: str) -> tuple[str, ...]:
    """Last swap, next due and quiet window; why that is not known, where the configuration is faulty."""
    now = SystemClock().now()
    timing = Timing()
    trouble: tuple[str, ...] = ()
    try:
        timing = timing_of(pair)
    except ConfigError as error:
        trouble = (f"when the next swap is due is not known: {error}",)
    return (*cadence_words(cadence_here(pair, timing, now), now), *trouble)


def _line(folder: Path) -> str:
    try:
        run = load_run(folder).run
    except StateError as error:
        return f"{folder.name}  {error}"
    ending = run.stage.ending.value if isinstance(run.stage, Ended) else "open"
    return (
        f"{run.id}  {run.kind}  {run.old} → {run.new}  {ending}  by {run.who}, {len(run.records)} steps done"
    )


def verify(run_id: str, pair: str = "") -> str:
    """Check a run's journal, and the copy of what it goes by; a sentence when both are as they were written.

    Raises StateError when one is not, UsageError when there is no such run, or more than one.
    """
    folder = find_run(run_id, pair)
    stored = load_run(folder)
    run = stored.run
    if run.fixed:
        fixed.check(folder, run)
    goes_by = "what it goes by is unchanged" if run.fixed else "it kept no copy of what it goes by"
    return (
        f"{run.id} of {run.pair}: {len(stored.contents.events)} records, unchanged, last hash"
        f" {stored.contents.hash[:16]}; {goes_by}."
    )


def find_run(run_id: str, pair: str) -> Path:
    """The folder of a run, of whichever pair it is, or of the one named.

    Raises UsageError when there is no such run, or more than one.
    """
    folders, troubles = known_folders()
    there: list[tuple[str, Path]] = []
    for name, folder in folders:
        try:
            there += [(name, run) for run in stored_runs(folder) if pair in ("", name)]
        except StateError as error:
            troubles.append(str(error))
    found = [(name, run) for name, run in there if run.name == run_id]
    if len(found) == 1:
        return found[0][1]
    if found:
        listed = "; ".join(f"--pair {name} ({run})" for name, run in found)
        raise UsageError(f"More than one pair has a run {run_id}.", hint=f"Say which: {listed}.")
    have = ", ".join(f"{run.name} of {name}" for name, run in there) or "none"
    blind = f" Not looked at: {' '.join(troubles)}" if troubles else ""
    of = f" of {pair}" if pair else ""
    raise UsageError(f"There is no run {run_id}{of} on this machine.", hint=f"There are: {have}.{blind}")
