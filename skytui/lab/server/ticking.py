"""The Job Scheduler of one server process: apscheduler says when, `schedule` does what is due.

Whether it should run is in the database, so a server that is started again goes on as it was. What it has
done since its start (`ticks`, `last_tick`) is in this process alone: a row replicated from another server is
no sign of life.
"""

import asyncio
import contextlib
import logging
from datetime import UTC, datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from skytui.clock import Clock
from skytui.lab.jobset import trigger
from skytui.lab.server import schedule
from skytui.lab.server.database import Connection, Database, DatabaseDownError

_GRACE_SECONDS = 60
_FOLLOW_EVERY = 0.5


class TickLoop:
    """Queues what is due while the database says that the scheduler runs."""

    def __init__(self, database: Database, clock: Clock, log: logging.Logger) -> None:
        self._database = database
        self._clock = clock
        self._log = log
        self._begun = clock.now()
        self._scheduler: AsyncIOScheduler | None = None
        self._wanted = asyncio.Event()
        self.ticks = 0
        self.last_tick: datetime | None = None

    @property
    def running(self) -> bool:
        """Whether this process's loop runs."""
        return self._scheduler is not None

    def look(self) -> None:
        """Look at the database now: the scheduler has been started or stopped there."""
        self._wanted.set()

    async def follow(self) -> None:
        """Start and stop the loop as the database says; runs until cancelled. For a master's service only."""
        try:
            while True:
                await self._adjust()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_FOLLOW_EVERY):
                        await self._wanted.wait()
                self._wanted.clear()
        finally:
            self._end()

    async def _adjust(self) -> None:
        try:
            wanted = await self._database.read(_wanted)
        except DatabaseDownError:
            # Goes on ticking: those ticks fail, stay behind the mark, and are recorded as missed later.
            return
        if wanted is None:
            self._end()
        elif not self.running:
            await self._begin(wanted)

    async def _begin(self, jobs: list[schedule.Scheduled]) -> None:
        try:
            while (done := await self._pass(None)) is not None and done.more:
                pass
        except DatabaseDownError:
            return
        if done is None:
            return
        self.ticks, self.last_tick = 0, None
        defaults = {"coalesce": False, "misfire_grace_time": _GRACE_SECONDS, "max_instances": 8}
        scheduler = AsyncIOScheduler(timezone=UTC, job_defaults=defaults)
        for job in jobs:
            scheduler.add_job(self._tick, trigger(job.cron), args=[job.name], id=f"job {job.name}")
        # Once a second over all jobs: records what could not be queued, and shows that the loop is alive even
        # when no job is due for a while.
        pulse = IntervalTrigger(seconds=1, timezone=UTC)
        scheduler.add_job(self._tick, pulse, args=[None], id="pulse", coalesce=True)
        scheduler.start()
        self._scheduler = scheduler
        self._log.info("scheduler started with %d jobs", len(jobs))

    def _end(self) -> None:
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None
            self._log.info("scheduler stopped after %d ticks", self.ticks)

    async def _tick(self, job: str | None) -> None:
        try:
            done = await self._pass(job)
        except DatabaseDownError as error:
            self._log.warning("a tick of %s could not be queued: %s", job or "the scheduler", error)
            return
        if done is not None:
            self.ticks += 1
            self.last_tick = self._clock.now()

    async def _pass(self, job: str | None) -> schedule.Pass | None:
        async def work(conn: Connection) -> schedule.Pass | None:
            await schedule.share_lock(conn)
            since = await schedule.running_since(conn)
            if since is None:
                return None
            return await schedule.cover(conn, job, self._clock.now(), since, self._begun)

        done = await self._database.write(work)
        if done is not None:
            for run in done.queued:
                self._log.info("queued %s", run)
            for run in done.missed:
                self._log.warning("missed %s", run)
        return done


async def _wanted(conn: Connection) -> list[schedule.Scheduled] | None:
    return None if await schedule.running_since(conn) is None else await schedule.scheduled_jobs(conn)


async def start(conn: Connection, now: datetime) -> bool:
    """Set the scheduler running; False when it was. Ticks since its stop are recorded as missed."""
    await schedule.own_lock(conn)
    if await schedule.running_since(conn) is not None:
        return False
    await conn.execute(
        "UPDATE sky.scheduler SET state = 'running', since = %s, timeline = sky.timeline()", [now]
    )
    await schedule.cover(conn, None, now, now, now)
    return True


async def stop(conn: Connection, now: datetime) -> bool:
    """Set the scheduler stopped; False when it was. No tick is queued after the commit."""
    await schedule.own_lock(conn)
    if await schedule.running_since(conn) is None:
        return False
    await conn.execute("UPDATE sky.scheduler SET state = 'stopped', since = %s", [now])
    return True
