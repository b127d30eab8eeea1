"""Users, jobs and the Job Scheduler."""

from skytui.runbook.model import Run
from skytui.runbook.proofs.proof import Found
from skytui.runbook.sight import Missing, Sight


def nobody_logged_in(run: Run, sight: Sight) -> Found:
    """No user is logged in on the master but this console."""
    users = sight.take("the list of users", sight.server(run.old).users)
    others = [user for user in users if not user.own]
    if others:
        names = ", ".join(f"{user.user} from {user.address or 'unknown'}" for user in others)
        return False, f"{len(others)} logged in: {names}"
    return True, "nobody is logged in but this console"


def no_job_running(run: Run, sight: Sight) -> Found:
    """No job is running."""
    jobs = sight.take("the list of running jobs", sight.server(run.old).running_jobs)
    if jobs:
        names = ", ".join(f"{job.job or job.id} on {job.agent}" for job in jobs)
        return False, f"{len(jobs)} running: {names}"
    return True, "no job is running"


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


def a_run_completed(run: Run, sight: Sight) -> Found:
    """A run that started after the queues were unlocked has completed on the new master."""
    if run.unlocked_at is None:
        return False, "when the queues were unlocked is not known"
    runs = sight.take("the list of finished runs", sight.server(run.new).finished_runs)
    for finished in runs:
        if not finished.started_at or not finished.ended_at:
            continue
        if (finished.started_at.tzinfo is None) != (run.unlocked_at.tzinfo is None):
            raise Missing(f"{run.new} gives times with and without a zone: they cannot be compared")
        if finished.started_at > run.unlocked_at:
            return True, f"{finished.id} started and completed (exit code {finished.code})"
    return False, "no run has started and completed since the queues were unlocked"
