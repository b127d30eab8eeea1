"""Agent job queues: which are locked, and by whom."""

from skytui.runbook.model import Run
from skytui.runbook.proofs.proof import Found
from skytui.runbook.sight import Sight


def queues_locked(run: Run, sight: Sight) -> Found:
    """Every agent job queue reads locked."""
    queues = sight.take("the list of queues", sight.server(run.old).queues)
    if not queues:
        return False, f"{run.old} lists no queue at all: nothing shows that jobs are held back"
    still_open = [queue.name for queue in queues if not queue.locked]
    if still_open:
        return False, f"{len(still_open)} of {len(queues)} queues open: {', '.join(still_open)}"
    before = run.baseline.queues if run.baseline else ()
    gone = {queue.name for queue in before} - {queue.name for queue in queues}
    if gone:
        return False, f"queues of the baseline are not listed: {', '.join(sorted(gone))}"
    return True, f"{len(queues)} of {len(queues)} queues locked"


def our_queues_open(run: Run, sight: Sight) -> Found:
    """Every queue this run locked reads open."""
    return _ours_open(run, run.new, sight)


def our_queues_open_again(run: Run, sight: Sight) -> Found:
    """Every queue this run locked reads open on the original master."""
    return _ours_open(run, run.old, sight)


def _ours_open(run: Run, master: str, sight: Sight) -> Found:
    queues = {queue.name: queue for queue in sight.take("the list of queues", sight.server(master).queues)}
    ours = run.baseline.open_queues() if run.baseline else ()
    shut = [name for name in ours if name not in queues or queues[name].locked]
    if shut:
        return False, f"{len(shut)} of our {len(ours)} queues not open: {', '.join(shut)}"
    return True, f"our {len(ours)} queues read open"


def others_still_locked(run: Run, sight: Sight) -> Found:
    """Every queue that was locked before still reads locked."""
    return _theirs_locked(run, run.new, sight)


def others_still_locked_on_old(run: Run, sight: Sight) -> Found:
    """Every queue that was locked before still reads locked on the original master."""
    return _theirs_locked(run, run.old, sight)


def _theirs_locked(run: Run, master: str, sight: Sight) -> Found:
    queues = {queue.name: queue for queue in sight.take("the list of queues", sight.server(master).queues)}
    theirs = run.baseline.locked_queues() if run.baseline else ()
    opened = [name for name in theirs if name not in queues or not queues[name].locked]
    if opened:
        return False, f"locked before, but not read as locked now: {', '.join(opened)}"
    return True, f"the {len(theirs)} locked before are still locked"
