"""procrastinate's worker, made anew after every database error.

A procrastinate worker ends at its first database error, and during a role swap there are many. So each round
here waits for a database that takes writes, runs a fresh worker on it until that one ends, and begins again.
Runs belong to the `Runner`, not to the worker: they go on in between.

*Who ends a job.* The server does, in the transaction that records the run's result, and nobody else: the job
manager below leaves `finish_job` out. Were the worker to end it as well, it would do so on whatever database
it is connected to, once more or before the result is there. So on every database, at every moment, a job that
reads *doing* has no recorded result, and one that has ended has exactly one.
"""

import asyncio
import logging
from typing import Any

import psycopg
from procrastinate import App, PsycopgConnector, exceptions, jobs, manager
from psycopg_pool import AsyncNullConnectionPool

from skytui.lab.agent.commands import Order
from skytui.lab.agent.runner import AT_ONCE, Runner
from skytui.lab.jobset import TASK
from skytui.lab.node import AgentConfig

_BACKOFF = (0.2, 1.0)
"""Seconds between two workers: the first time, and the most after rounds that ended at once."""
_SHORT_ROUND = 5.0
_CONNECT_SECONDS = 2
_FETCH_SECONDS = 10.0
_POLL_SECONDS = 1.0


class _Jobs(manager.JobManager):
    """procrastinate's job manager, which fetches within a deadline and leaves ending a job to the server."""

    def __init__(self, connector: PsycopgConnector) -> None:
        super().__init__(connector)
        self.fetching_since: float | None = None

    async def fetch_job(self, queues: Any, worker_id: int) -> jobs.Job | None:
        """As procrastinate does; notes since when, for the watchdog."""
        self.fetching_since = asyncio.get_running_loop().time()
        try:
            return await super().fetch_job(queues, worker_id)
        finally:
            self.fetching_since = None

    async def finish_job(self, job: jobs.Job, status: jobs.Status, delete_job: bool) -> None:
        """Left to the server (see the module's text)."""


class WorkerLoop:
    """Keeps one worker alive on whichever database takes writes."""

    def __init__(self, config: AgentConfig, runner: Runner, log: logging.Logger) -> None:
        self._config = config
        self._runner = runner
        self._log = log
        self._said = ""
        self._abandoned: set[asyncio.Task[None]] = set()

    async def work(self) -> None:
        """Work for ever."""
        loop = asyncio.get_running_loop()
        shortest, longest = _BACKOFF
        pause = shortest
        while True:
            begun = loop.time()
            try:
                await self._one_worker(await self._find_database())
                self._say("worker ended; a fresh one is made")
            except (psycopg.Error, exceptions.ConnectorException, OSError) as error:
                self._say(f"no database: {_first_line(error)}")
            pause = shortest if loop.time() - begun > _SHORT_ROUND else min(2 * pause, longest)
            await asyncio.sleep(pause)

    async def _find_database(self) -> tuple[str, int]:
        conn = await psycopg.AsyncConnection.connect(**self._parameters(None))
        async with conn:
            info = conn.info
            return info.host, info.port

    async def _one_worker(self, first: tuple[str, int]) -> None:
        connector = PsycopgConnector(
            # A connection per question: a dead one is noticed when it is made, at once, and not after a pool
            # has waited for a better one.
            pool_factory=AsyncNullConnectionPool,
            kwargs=self._parameters(first),
            min_size=0,
            max_size=4,
            timeout=float(_CONNECT_SECONDS * len(self._config.server)),
        )
        app = App(connector=connector)
        app.job_manager = fetcher = _Jobs(connector)

        @app.task(name=TASK)
        async def run(run: str, job: str, command: str, output: bool) -> None:
            await self._runner.take(Order(run, job, command, output))

        async with app.open_async():
            self._say(f"working on the database at {first[0]}:{first[1]}")
            worker = asyncio.create_task(
                app.run_worker_async(
                    queues=list(self._config.queues),
                    name=self._config.name,
                    concurrency=AT_ONCE,
                    fetch_job_polling_interval=_POLL_SECONDS,
                    shutdown_graceful_timeout=0.0,
                    install_signal_handlers=False,
                )
            )
            await self._watch(worker, fetcher)

    async def _watch(self, worker: asyncio.Task[None], fetcher: _Jobs) -> None:
        # A database that is frozen answers neither a fetch nor psycopg's request to cancel it. Such a worker
        # is left to end by itself.
        loop = asyncio.get_running_loop()
        try:
            while not worker.done():
                await asyncio.wait({worker}, timeout=1.0)
                since = fetcher.fetching_since
                if since is not None and loop.time() - since > _FETCH_SECONDS:
                    self._abandon(worker)
                    self._say(f"the database has not answered for {_FETCH_SECONDS:.0f} s")
                    return
        except asyncio.CancelledError:
            self._abandon(worker)
            raise
        worker.result()

    def _abandon(self, worker: asyncio.Task[None]) -> None:
        worker.cancel()
        self._abandoned.add(worker)
        worker.add_done_callback(self._forget)

    def _forget(self, worker: asyncio.Task[None]) -> None:
        self._abandoned.discard(worker)
        if not worker.cancelled() and worker.exception() is not None:
            self._log.info("an abandoned worker ended: %s", worker.exception())

    def _parameters(self, first: tuple[str, int] | None) -> dict[str, Any]:
        # The one that answered last is asked first: a host that swallows packets costs its timeout only once.
        places = [(server.pg_address, server.pg_port) for server in self._config.server]
        places.sort(key=lambda place: place != first)
        return {
            "host": ",".join(address for address, _ in places),
            "port": ",".join(str(port) for _, port in places),
            "dbname": self._config.database,
            "user": self._config.user,
            "password": self._config.password,
            "target_session_attrs": "read-write",
            "connect_timeout": _CONNECT_SECONDS,
            "application_name": self._config.name,
            "options": "-c statement_timeout=8000",
        }

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._log.info("%s", text)


def _first_line(error: BaseException) -> str:
    cause = error.__cause__ if isinstance(error, exceptions.ConnectorException) and error.__cause__ else error
    return (str(cause) or type(cause).__name__).splitlines()[0]
