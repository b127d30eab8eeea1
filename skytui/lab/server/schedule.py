"""Which ticks are due, and how each of them ends up queued or missed. Runs inside a transaction.

Every job has a mark, `covered_until`: each of its ticks up to the mark is in `sky.run` or in `sky.missed`,
none after it is. Mark and rows change in one transaction, so a tick whose commit was lost is found again by
the next pass: it is behind the mark, or still to be done.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from procrastinate import App, PsycopgConnector

from skytui.lab.jobset import run_id, ticks
from skytui.lab.server.database import Connection, every

TASK = "skytui.run"
LATE = timedelta(seconds=5)
"""A tick found later than this after its time is not queued any more; it is missed."""

STOPPED = "scheduler stopped"
DOWN = "server was not running"
FAILED = "could not be queued in time"

# Taken shared by whoever queues a tick, exclusively by whoever starts or stops the scheduler: once a stop has
# been answered nothing more is queued.
_LOCK = 4712


class Scheduled(msgspec.Struct, frozen=True):
    """A job as the database has it."""

    name: str
    agent: str
    queue: str
    cron: str
    command: str
    output: bool
    covered_until: datetime | None


class Pass(msgspec.Struct):
    """What one pass over the due ticks did: ids queued, ids missed."""

    queued: list[str]
    missed: list[str]


# Never opened: jobs are deferred on the connection of the transaction that writes their row.
_procrastinate = App(connector=PsycopgConnector())


async def scheduled_jobs(conn: Connection) -> list[Scheduled]:
    """All jobs, by name."""
    rows = await every(
        conn, "SELECT name, agent, queue, cron, command, output, covered_until FROM sky.job ORDER BY name"
    )
    return [msgspec.convert(row, Scheduled) for row in rows]


async def is_running(conn: Connection) -> bool:
    """Whether the database says that the scheduler runs, on the timeline it was put to work on."""
    query = "SELECT 1 FROM sky.scheduler WHERE state = 'running' AND timeline = sky.timeline()"
    return bool(await every(conn, query))


async def share_lock(conn: Connection) -> None:
    """Keep the scheduler from being started or stopped until the end of the transaction."""
    await conn.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_LOCK])


async def own_lock(conn: Connection) -> None:
    """Wait for ticks under way, and let none begin until the end of the transaction."""
    await conn.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


async def cover(conn: Connection, job: str | None, now: datetime, late: timedelta, reason: str) -> Pass:
    """Bring the mark of `job` (None: of all) to `now`.

    Ticks not older than `late` are queued, older ones recorded as missed for `reason`.
    """
    result = Pass([], [])
    query = (
        "SELECT name, agent, queue, cron, command, output, covered_until FROM sky.job"
        " WHERE %s::text IS NULL OR name = %s ORDER BY name FOR UPDATE"
    )
    for row in await every(conn, query, job, job):
        each = msgspec.convert(row, Scheduled)
        if each.covered_until is None:
            await conn.execute("UPDATE sky.job SET covered_until = %s WHERE name = %s", [now, each.name])
            continue
        due = ticks(each.cron, each.covered_until, now)
        if not due:
            continue
        missed = [moment for moment in due if now - moment > late]
        await _miss(conn, each.name, missed, reason)
        result.missed += [run_id(each.name, moment) for moment in missed]
        for moment in due[len(missed) :]:
            result.queued.append(await _queue(conn, each, moment))
        await conn.execute("UPDATE sky.job SET covered_until = %s WHERE name = %s", [due[-1], each.name])
    return result


async def _miss(conn: Connection, job: str, moments: Iterable[datetime], reason: str) -> None:
    query = """
        INSERT INTO sky.missed (job, due, reason)
        SELECT %s, due, %s FROM unnest(%s::timestamptz[]) AS due ON CONFLICT DO NOTHING
    """
    await conn.execute(query, [job, reason, list(moments)])


async def _queue(conn: Connection, job: Scheduled, due: datetime) -> str:
    run = run_id(job.name, due)
    deferrer = _procrastinate.configure_task(TASK, queue=job.queue, connection=conn)
    # In one transaction with the row: a job without a row, or a row without a job, cannot come to be.
    queued = await deferrer.defer_async(run=run, job=job.name, command=job.command, output=job.output)
    query = "INSERT INTO sky.run (id, job, agent, queue, due, queued_job) VALUES (%s, %s, %s, %s, %s, %s)"
    await conn.execute(query, [run, job.name, job.agent, job.queue, due, queued])
    return run


def uncovered(jobs: Iterable[Scheduled], now: datetime) -> list[tuple[Scheduled, datetime]]:
    """The ticks after each job's mark up to `now`: with a stopped scheduler, what has been missed so far."""
    known = ((job, job.covered_until) for job in jobs)
    return [(job, at) for job, mark in known if mark is not None for at in ticks(job.cron, mark, now)]


def coming(jobs: Iterable[Scheduled], now: datetime, within: timedelta) -> list[tuple[Scheduled, datetime]]:
    """The ticks of the next `within`, earliest first."""
    found = [(job, moment) for job in jobs for moment in ticks(job.cron, now, now + within)]
    return sorted(found, key=lambda tick: (tick[1], tick[0].name))
