"""How things were before the run changed anything."""

from typing import TypeVar

import msgspec

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


def baseline_of_the_standby(run: Run, reading: PairReading) -> Baseline:
    """The baseline of a run whose master is lost: what the standby holds, and the last news of the master.

    Queues and timeline are the standby's own and fresh. Agents and jobs are the last news there are, from
    the master or from its rows on the standby: whom to look for afterwards, never evidence. Raises ValueError
    when the standby's identity or queues were not read; the gate of `assess` makes sure that they were.
    """
    old, new = reading.server(run.old), reading.server(run.new)
    identity = _known("identity", new.identity)
    rows = [msgspec.structs.replace(agent, connected=None) for agent in shown(new.agents) or []]
    return Baseline(
        agents=tuple(shown(old.agents) or rows),
        queues=tuple(_known("queues", new.queues)),
        running=tuple(shown(old.running_jobs) or shown(new.running_jobs) or []),
        due=tuple(shown(old.due_jobs) or []),
        users=(),
        addresses={},
        database_bytes=shown(new.database_bytes) or 0,
        timeline=identity.timeline,
        system_identifier=identity.system_identifier,
        scheduler="",
    )


def _known(what: str, reading: Known[T] | Stale[T] | Unknown) -> T:
    if isinstance(reading, Known):
        return reading.value
    raise ValueError(f"the baseline needs {what}, which was not read")
