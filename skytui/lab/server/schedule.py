"""Which ticks are due, and how each of them ends up queued or missed. Runs inside a transaction.

Every job has a mark, `covered_until`: each of its ticks up to the mark is in `sky.run` or in `sky.missed`,
none after it is. Mark and rows change in one transaction, so a tick whose commit was lost is found again by
the next pass: it is behind the mark, or still to be done.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from procrastinate import App, PsycopgConnector

from skytui.lab.jobset import TASK, run_id, ticks
from skytui.lab.server.database import Connection, every, maybe

LATE = timedelta(seconds=5)
"""A tick found later than this after its time is not queued any more; it is missed."""

MOST = 300
"""Ticks of one job in one transaction: a server that was down for a night catches up in steps."""

STOPPED = "scheduler stopped"
DOWN = "server was not running"
FAILED = "could not be queued in time"

# Taken shared by whoever queues a tick, exclusively by whoever starts or stops the scheduler: once a stop has
# been answered nothing more is queued.
_LOCK = 4712

_JOBS = "SELECT name, agent, queue, cron, command, output, covered_until FROM sky.job"


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
    """What one pass over the due ticks did: ids queued, ids missed and why, whether more are due."""

    queued: list[str]
    missed: list[str]
    more: bool


# Never opened: jobs are deferred on the connection of the transaction that writes their row.
_procrastinate = App(connector=PsycopgConnector())


async def scheduled_jobs(conn: Connection) -> list[Scheduled]:
    """All jobs, by name."""
    rows = await every(conn, f"{_JOBS} ORDER BY name")
    return [msgspec.convert(row, Scheduled) for row in rows]


async def running_since(conn: Connection) -> datetime | None:
    """Since when the scheduler runs, on the timeline it was put to work on; None: it does not."""
    query = "SELECT since FROM sky.scheduler WHERE state = 'running' AND timeline = sky.timeline()"
    row = await maybe(conn, query)
    return msgspec.convert(row["since"], datetime) if row else None


async def share_lock(conn: Connection) -> None:
    """Keep the scheduler from being started or stopped until the end of the transaction."""
    await conn.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_LOCK])


async def own_lock(conn: Connection) -> None:
    """Wait for ticks under way, and let none begin until the end of the transaction."""
    await conn.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


async def cover(conn: Connection, job: str | None, now: datetime, since: datetime, begun: datetime) -> Pass:
    """Move the mark of `job` (None: of all) towards `now`, by at most `MOST` ticks a job.

    `since`: when the scheduler was started; `begun`: when this process was. A tick due before `since`, or
    older than `LATE`, is recorded as missed; the others are queued.
    """
    result = Pass([], [], more=False)
    # Rows are locked only where there is something to do: a lock is written, and a pass comes every second.
    jobs = [each for each in await scheduled_jobs(conn) if job in (None, each.name)]
    todo = [each.name for each in jobs if _has_work(each, now)]
    if not todo:
        return result
    for row in await every(conn, f"{_JOBS} WHERE name = ANY(%s) ORDER BY name FOR UPDATE", todo):
        each = msgspec.convert(row, Scheduled)
        if each.covered_until is None:
            await _mark(conn, each.name, now)
            continue
        due = ticks(each.cron, each.covered_until, now, MOST)
        if not due:
            continue
        missed = {at: reason for at in due if (reason := why_missed(at, now, since, begun)) is not None}
        await _miss(conn, each.name, missed)
        result.missed += [f"{run_id(each.name, at)}: {reason}" for at, reason in missed.items()]
        for at in due:
            if at not in missed:
                result.queued.append(await queue(conn, each, at))
        await _mark(conn, each.name, due[-1])
        result.more |= len(due) == MOST
    return result


def why_missed(due: datetime, now: datetime, since: datetime, begun: datetime) -> str | None:
    """Why a tick that is found now is not queued any more; None: it is."""
    if due <= since:
        return STOPPED
    if now - due <= LATE:
        return None
    return DOWN if due <= begun else FAILED


async def _mark(conn: Connection, job: str, until: datetime) -> None:
    await conn.execute("UPDATE sky.job SET covered_until = %s WHERE name = %s", [until, job])


def _has_work(job: Scheduled, now: datetime) -> bool:
    return job.covered_until is None or bool(ticks(job.cron, job.covered_until, now, 1))


async def _miss(conn: Connection, job: str, missed: dict[datetime, str]) -> None:
    query = """
        INSERT INTO sky.missed (job, due, reason) SELECT %s, * FROM unnest(%s::timestamptz[], %s::text[])
        ON CONFLICT DO NOTHING
    """
    await conn.execute(query, [job, list(missed), list(missed.values())])


async def queue(conn: Connection, job: Scheduled, due: datetime) -> str:
    """Queue a run of `job`; its id."""
    run = run_id(job.name, due)
    deferrer = _procrastinate.configure_task(TASK, queue=job.queue, connection=conn)
    # In one transaction with the row: a job without a row, or a row without a job, cannot come to be.
    queued = await deferrer.defer_async(run=run, job=job.name, command=job.command, output=job.output)
    query = "INSERT INTO sky.run (id, job, agent, queue, due, queued_job) VALUES (%s, %s, %s, %s, %s, %s)"
    await conn.execute(query, [run, job.name, job.agent, job.queue, due, queued])
    return run


def uncovered(jobs: Iterable[Scheduled], now: datetime) -> list[tuple[Scheduled, datetime]]:
    """The ticks after each job's mark: what a stopped scheduler has missed so far, up to an hour back."""
    known = ((job, job.covered_until) for job in jobs)
    hour = now - timedelta(hours=1)
    return [
        (job, at) for job, mark in known if mark is not None for at in ticks(job.cron, max(mark, hour), now)
    ]


def coming(jobs: Iterable[Scheduled], now: datetime, within: timedelta) -> list[tuple[Scheduled, datetime]]:
    """The ticks of the next `within`, earliest first."""
    found = [(job, moment) for job in jobs for moment in ticks(job.cron, now, now + within)]
    return sorted(found, key=lambda tick: (tick[1], tick[0].name))
