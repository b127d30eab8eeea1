"""What a person decided, held against the list as it is read now; and what a person attested."""

from skytui.runbook import rows
from skytui.runbook.model import Run
from skytui.runbook.proofs.proof import Found
from skytui.runbook.sight import Missing, Sight


def no_job_runs_unaccepted(run: Run, sight: Sight) -> Found:
    """No job is running that was not accepted by name."""
    jobs = rows.running(run, sight.take("the list of running jobs", sight.server(run.old).running_jobs))
    left = [row.says for row in jobs if row.open]
    if left:
        return False, f"{len(left)} running: {'; '.join(left)}"
    if not jobs:
        return True, "no job is running"
    names = ", ".join(f"{row.id} (by {row.decision.who})" for row in jobs if row.decision)
    return True, f"{len(jobs)} running and accepted: {names}"


def schedule_goes_on(run: Run, sight: Sight) -> Found:
    """A run that started after the queues were unlocked has completed, or the next start time is accepted."""
    accepted = run.decided("first-job", rows.NEXT_START)
    if accepted is not None:
        at = sight.take("the next start time", sight.server(run.new).next_start)
        return bool(at), f"the next start, {at or 'not known'}, was shown and accepted by {accepted.who}"
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


def missed_runs_decided(run: Run, sight: Sight) -> Found:
    """Every run that was missed while there was no scheduler is decided: run now, or leave."""
    late = sight.take("the list of late runs", sight.server(run.new).late_runs)
    listed = rows.late(run, late)
    left = [row.id for row in listed if row.open]
    if left:
        return False, f"{len(left)} missed and not decided: {', '.join(left)}"
    missed = [row for row in listed if row.wanted]
    chosen = sum(row.decision is not None and row.decision.decision == rows.RUN_NOW for row in missed)
    queued = len(listed) - len(missed)
    return True, f"{len(missed)} missed ({chosen} to run now), {queued} queued late"


def chosen_runs_queued(run: Run, sight: Sight) -> Found:
    """None of the missed runs that were chosen to run now is missed any more."""
    late = sight.take("the list of late runs", sight.server(run.new).late_runs)
    chosen = rows.chosen(run)
    if not chosen:
        return True, "no missed run was chosen to run now"
    left = [each.id for each in late if each.state == "missed" and each.id in chosen]
    if left:
        return False, f"{len(left)} of {len(chosen)} chosen runs still missed: {', '.join(left)}"
    return True, f"queued: {', '.join(chosen)}"


def completions_decided(run: Run, sight: Sight) -> Found:
    """Every completion not recognised, every saved run and every accepted job without an end is decided."""
    unrecognised = sight.take("Server History", sight.server(run.new).server_history)
    finished = sight.take("the list of finished runs", sight.server(run.new).finished_runs)
    listed = rows.completions(run, unrecognised, finished)
    left = [row.says for row in listed if row.open]
    if left:
        return False, f"{len(left)} not decided: {'; '.join(left)}"
    if not listed:
        return True, "every completion was recognised"
    return True, "; ".join(f"{row.id}: {row.decision.decision}" for row in listed if row.decision)


def nothing_owed(run: Run, sight: Sight) -> Found:
    """The ledger is empty: nothing is suppressed any more."""
    owed = [f"{debt.what} on {debt.server}" for debt in run.ledger]
    return not owed, f"still owed: {', '.join(owed)}" if owed else "the ledger is empty"


def said_done(run: Run, sight: Sight) -> Found:
    """The operator says that it is done; nothing is read."""
    who = run.said_done.get(run.step.id) if run.step else None
    return who is not None, f"{who} says that it is done" if who else "nobody has said that it is done"
