"""What the conversion of the old master would overwrite, and whether the copy fits."""

from skytui.runbook.model import Run
from skytui.runbook.proofs.proof import Found
from skytui.runbook.sight import Missing, Sight

_MIB = 2**20


def room_needed(database_bytes: int) -> int:
    """How many bytes a copy of the database needs: itself, a tenth, and room for the log."""
    return database_bytes + database_bytes // 10 + 64 * _MIB


def copy_fits(run: Run, sight: Sight) -> Found:
    """The new master's database fits on the old master's disk."""
    size = sight.take(f"the database's size on {run.new}", sight.server(run.new).database_bytes)
    free = sight.take(f"the free disk on {run.old}", sight.server(run.old).disk_free)
    needed = room_needed(size)
    says = f"{run.old} has {_mib(free)} free, the copy needs {_mib(needed)}"
    return free >= needed, says if free >= needed else f"{says}: make room there"


def nothing_left_behind(run: Run, sight: Sight) -> Found:
    """What only the old master has is saved, or `last-byte` proved that there is nothing."""
    saved = _saved(run, sight)
    if saved:
        return True, saved
    proven = run.record("last-byte")
    if proven is None or proven.waived or not run.last_checkpoint:
        return (
            False,
            f"what only {run.old} has is not saved, and nothing proves that there is nothing to save",
        )
    control = sight.take(f"the control data of {run.old}", sight.server(run.old).control)
    if control.shut_down and control.checkpoint == run.last_checkpoint:
        return True, f"nothing to save: {run.old} is as it was when {run.new} was proven to be past it"
    return False, f"the database of {run.old} was started since it was compared with {run.new}"


def _saved(run: Run, sight: Sight) -> str:
    """What this run saved, in a sentence; empty for nothing, or where that cannot be read."""
    try:
        salvage = sight.take(f"what was saved on {run.old}", sight.server(run.old).salvage)
    except Missing:
        return ""
    if salvage.mark != run.id:
        return ""
    if salvage.aside:
        return f"the data directory of {run.old} is kept in {salvage.folder}"
    names = ", ".join(saved.id for saved in salvage.runs)
    more = salvage.counted - len(salvage.runs)
    listed = f": {names}" + (f" and {more} more" if more > 0 else "") if names else ""
    return f"{salvage.counted} runs and {salvage.files} output files saved in {salvage.folder}{listed}"


def _mib(size: int) -> str:
    return f"{size // _MIB} MiB"
