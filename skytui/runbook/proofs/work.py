"""Users, jobs and the Job Scheduler."""

from skytui.runbook.model import Run
from skytui.runbook.proofs.proof import Found
from skytui.runbook.sight import Sight


def nobody_logged_in(run: Run, sight: Sight) -> Found:
    """No user is logged in on the master but this console."""
    users = sight.take("the list of users", sight.server(run.old).users)
    others = [user for user in users if not user.own]
    if others:
        names = ", ".join(f"{user.user} from {user.address or 'unknown'}" for user in others)
        return False, f"{len(others)} logged in: {names}"
    return True, "nobody is logged in but this console"


def scheduler_stopped(run: Run, sight: Sight) -> Found:
    """The Job Scheduler of the original master reads stopped."""
    scheduler = sight.take("the Job Scheduler's state", sight.server(run.old).scheduler)
    return scheduler.state == "stopped", f"the Job Scheduler on {run.old} reads {scheduler.state}"


def scheduler_ticked(run: Run, sight: Sight) -> Found:
    """The Job Scheduler of the new master runs, and its loop has turned."""
    return _ticked(run.new, sight)


def old_scheduler_ticked(run: Run, sight: Sight) -> Found:
    """The Job Scheduler of the original master runs, and its loop has turned."""
    return _ticked(run.old, sight)


def scheduler_as_before(run: Run, sight: Sight) -> Found:
    """The Job Scheduler of the original master is as it was before the run."""
    before = run.baseline.scheduler if run.baseline else ""
    if before == "running":
        return _ticked(run.old, sight)
    scheduler = sight.take("the Job Scheduler's state", sight.server(run.old).scheduler)
    if not before:
        return True, f"the Job Scheduler on {run.old} reads {scheduler.state}; how it was before is not known"
    says = f"the Job Scheduler on {run.old} reads {scheduler.state}, before it read {before or 'unknown'}"
    return scheduler.state == before, says


def _ticked(master: str, sight: Sight) -> Found:
    scheduler = sight.take("the Job Scheduler's state", sight.server(master).scheduler)
    if scheduler.state != "running":
        return False, f"the Job Scheduler on {master} reads {scheduler.state}"
    says = f"the Job Scheduler on {master} runs, {scheduler.ticks} ticks since its start"
    return scheduler.ticks > 0, says
