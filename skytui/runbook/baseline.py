"""How things were before the run changed anything."""

from typing import TypeVar

from skytui.pair.pair import PairReading
from skytui.pair.reading import Known, Stale, Unknown, shown
from skytui.runbook.model import Baseline, Run

T = TypeVar("T")


def record_baseline(run: Run, reading: PairReading) -> Baseline:
    """The baseline of a run, from a reading that the gate of `baseline` has let pass.

    Raises ValueError when something it records was not read; the gate makes sure that it was.
    """
    old = reading.server(run.old)
    identity = _known("identity", old.identity)
    return Baseline(
        agents=tuple(_known("agents", old.agents)),
        queues=tuple(_known("queues", old.queues)),
        running=tuple(_known("running jobs", old.running_jobs)),
        due=tuple(_known("due jobs", old.due_jobs)),
        users=tuple(_known("users", old.users)),
        addresses={
            name: f"{_known('address', server.address)}:{_known('listen port', server.listen_port)}"
            for name, server in reading.servers.items()
        },
        database_bytes=_known("database size", old.database_bytes),
        timeline=identity.timeline,
        unrecognised=tuple(each.id for each in _known("Server History", old.server_history)),
        next_start=shown(old.next_start) or "",
        system_identifier=identity.system_identifier,
        scheduler=_known("the Job Scheduler's state", old.scheduler).state,
    )


def _known(what: str, reading: Known[T] | Stale[T] | Unknown) -> T:
    if isinstance(reading, Known):
        return reading.value
    raise ValueError(f"the baseline needs {what}, which was not read")
