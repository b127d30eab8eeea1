"""What is known when the master is lost, and what may be lost with it, in words for a tired person."""

from skytui.clock import Instant
from skytui.pair.pair import PairReading
from skytui.pair.reading import Known, Stale, shown
from skytui.pair.vocabulary import Role, ServerReading
from skytui.runbook.model import Run

_OF_THE_HOST = frozenset({"process", "ports", "control", "guard", "disk_free", "marker"})


def assessment(run: Run, reading: PairReading) -> tuple[str, ...]:
    """The sentences: what was last heard of the original master, and what may be lost."""
    return (*_contact(run, reading), _files(run, reading), _database(run), _jobs(run, reading))


def last_contact(server: ServerReading) -> Instant | None:
    """When the request started that the server itself last answered; None when it never did.

    What its host says, and a port that was tried, is no answer of the server.
    """
    readings = (getattr(server, name) for name in server.__struct_fields__ if name not in _OF_THE_HOST)
    instants = [reading.at for reading in readings if isinstance(reading, Known | Stale)]
    return max(instants, key=lambda at: at.seconds, default=None)


def _contact(run: Run, reading: PairReading) -> tuple[str, ...]:
    server = reading.server(run.old)
    if isinstance(server.role, Known) and server.role.value is Role.MASTER:
        return (f"{run.old} answers and reads master: a planned swap would lose nothing.",)
    at = last_contact(server)
    if at is None:
        return (f"{run.old} has not answered since the conductor of this pair was started.",)
    return (f"{run.old} last answered {_ago(reading, at)} ago.",)


def _files(run: Run, reading: PairReading) -> str:
    pending = reading.server(run.old).replication_pending
    if not isinstance(pending, Known | Stale):
        return (
            f"How many files {run.old} had not duplicated was never read here:"
            " output files of the last jobs may be lost."
        )
    when = f"read {_ago(reading, pending.at)} ago"
    if pending.value:
        return f"{pending.value} File Replication Requests were left on {run.old}, {when}: they may be lost."
    return f"No File Replication Request was left on {run.old}, {when}; what came after that may be lost."


def _database(run: Run) -> str:
    return (
        f"What {run.old} wrote in its last moments (ends of jobs, changed settings) may not have reached"
        f" {run.new}. Before {run.old} is converted, salvage looks for it."
    )


def _jobs(run: Run, reading: PairReading) -> str:
    known, source = reading.server(run.old).running_jobs, run.old
    if shown(known) is None:
        known, source = reading.server(run.new).running_jobs, f"the rows replicated to {run.new}"
    jobs = shown(known)
    if jobs is None:
        return "Which jobs were running then is not known."
    if not jobs:
        return f"No job was running then, by {source}."
    named = ", ".join(f"{job.job or job.id} on {job.agent}" for job in jobs[:5])
    more = f" and {len(jobs) - 5} more" if len(jobs) > 5 else ""
    return f"{len(jobs)} running then, by {source}: {named}{more}. They may still run, or end unseen."


def _ago(reading: PairReading, at: Instant) -> str:
    seconds = reading.now.since(at)
    if seconds == float("inf"):
        return "some time"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
