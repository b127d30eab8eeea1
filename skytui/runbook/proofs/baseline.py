"""That everything was read that a baseline records."""

from skytui.runbook.model import Run
from skytui.runbook.proofs.proof import Found
from skytui.runbook.sight import Sight


def baseline_complete(run: Run, sight: Sight) -> Found:
    """Everything the baseline records was read."""
    server = sight.server(run.old)
    agents = sight.take("the list of agents", server.agents)
    queues = sight.take("the list of queues", server.queues)
    jobs = sight.take("the list of running jobs", server.running_jobs)
    due = sight.take("the list of due jobs", server.due_jobs)
    users = sight.take("the list of users", server.users)
    sight.take("the database's size", server.database_bytes)
    sight.take("Server History", server.server_history)
    scheduler = sight.take("the Job Scheduler's state", server.scheduler)
    for name in (run.old, run.new):
        sight.take(f"{name}'s address", sight.server(name).address)
        sight.take(f"{name}'s listen port", sight.server(name).listen_port)
    return True, (
        f"{len(agents)} agents, {len(queues)} queues ({sum(queue.locked for queue in queues)} locked before),"
        f" {len(jobs)} running jobs, {len(due)} due, {len(users)} users, the scheduler {scheduler.state}"
    )
