"""The server's own PostgreSQL, asked within a deadline, and what it says it is.

Nothing here caches a role: whether this is a master is answered by the database, in the transaction that
asks.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

import msgspec
from psycopg import AsyncConnection, InterfaceError, OperationalError
from psycopg import errors as pg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

Connection = AsyncConnection[DictRow]
Role = Literal["master", "standby"]
T = TypeVar("T")

DEADLINE = 4.0
"""Seconds after which a transaction counts as lost."""
_GET_CONNECTION = 2.0
_PROBE_EVERY = 0.3
_LOST = (OperationalError, InterfaceError, PoolTimeout, PoolClosed, pg.ReadOnlySqlTransaction)

_STATE = """
    SELECT pg_is_in_recovery() AS standby,
           (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier,
           CASE WHEN pg_is_in_recovery()
                THEN COALESCE(
                        (SELECT received_tli FROM pg_stat_wal_receiver WHERE status = 'streaming'),
                        GREATEST((SELECT timeline_id FROM pg_control_checkpoint()),
                                 (SELECT min_recovery_end_timeline FROM pg_control_recovery())))
                ELSE sky.timeline() END AS timeline
"""


class DatabaseDownError(Exception):
    """The database did not answer in time, or broke off. What was written then may or may not be there."""


class State(msgspec.Struct, frozen=True):
    """What the database is at this moment."""

    role: Role
    timeline: int
    system_identifier: str

    def etag(self, name: str) -> str:
        """The quoted form used in `ETag` and `If-Match`."""
        return f'"{name}/{self.role}/{self.timeline}"'


async def read_state(conn: Connection) -> State:
    """Role and timeline as the database has them now."""
    row = await one(conn, _STATE)
    return State("standby" if row["standby"] else "master", row["timeline"], row["system_identifier"])


async def one(conn: Connection, query: str, *values: object) -> DictRow:
    """The single row of `query`. Raises `LookupError` when there is none."""
    row = await maybe(conn, query, *values)
    if row is None:
        raise LookupError("a query that always has a row had none")
    return row


async def maybe(conn: Connection, query: str, *values: object) -> DictRow | None:
    """The first row of `query`, if there is one."""
    return await (await conn.execute(query.encode(), values)).fetchone()


async def every(conn: Connection, query: str, *values: object) -> list[DictRow]:
    """All rows of `query`."""
    return await (await conn.execute(query.encode(), values)).fetchall()


class Database:
    """A pool of connections that answers fast when there is no database, and comes back by itself.

    psycopg's pool waits out its timeout for every caller while nothing can be reached. So the first failure
    marks the database as down; callers are refused at once until a probe of ours has got through.
    """

    def __init__(self, log: logging.Logger, **parameters: str | int) -> None:
        self._parameters = parameters
        self._log = log
        self._pool: AsyncConnectionPool[Connection] | None = None
        self._down = "not connected yet"
        self._abandoned: set[asyncio.Task[Any]] = set()

    async def read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """`work` in one read-only transaction. Raises `DatabaseDownError`."""
        return await self._transact(work, read_only=True)

    async def write(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """`work` in one transaction. Raises `DatabaseDownError`; then the outcome is not known."""
        return await self._transact(work, read_only=False)

    async def watch(self) -> None:
        """Open the pool, notice when the database goes, open it again; runs until cancelled."""
        try:
            while True:
                try:
                    async with asyncio.timeout(DEADLINE):
                        guard = await AsyncConnection.connect(autocommit=True, **self._connection_arguments())
                    async with guard:
                        await self._open()
                        await self._stand_guard(guard)
                except (OSError, TimeoutError, *_LOST) as error:
                    self._lost(_sentence(error))
                await asyncio.sleep(_PROBE_EVERY)
        finally:
            await self._close()

    async def _open(self) -> None:
        await self._close()
        pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            kwargs={**self._connection_arguments(), "row_factory": dict_row},
            connection_class=AsyncConnection[DictRow],
            min_size=2,
            max_size=8,
            timeout=_GET_CONNECTION,
            reconnect_timeout=1.0,
            check=AsyncConnectionPool.check_connection,
            open=False,
        )
        await pool.open(wait=True, timeout=_GET_CONNECTION)
        self._pool, self._down = pool, ""
        self._log.info("database answers")

    async def _stand_guard(self, guard: AsyncConnection[Any]) -> None:
        # A connection that only listens: it hears at once when the database closes it, so the next caller is
        # refused at once and does not wait for a connection there cannot be.
        while not self._down:
            async for _ in guard.notifies(timeout=_PROBE_EVERY):
                pass

    def _connection_arguments(self) -> dict[str, Any]:
        options = (
            "-c statement_timeout=3500 -c lock_timeout=3000 -c idle_in_transaction_session_timeout=10000"
        )
        return {
            **self._parameters,
            "connect_timeout": 2,
            "options": options,
            "application_name": "skytui-server",
        }

    async def _transact(self, work: Callable[[Connection], Awaitable[T]], *, read_only: bool) -> T:
        if self._pool is None or self._down:
            raise DatabaseDownError(self._down)
        task = asyncio.create_task(self._attempt(self._pool, work, read_only))
        try:
            await asyncio.wait({task}, timeout=DEADLINE)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not task.done():
            # psycopg asks the server to cancel and waits for its answer; a stopped database gives none, so
            # the task is left to end by itself.
            task.cancel()
            self._abandoned.add(task)
            task.add_done_callback(self._forget)
            raise self._lost(f"no answer within {DEADLINE:.0f} s")
        try:
            return task.result()
        except _LOST as error:
            raise self._lost(_sentence(error)) from error

    @staticmethod
    async def _attempt(
        pool: AsyncConnectionPool[Connection], work: Callable[[Connection], Awaitable[T]], read_only: bool
    ) -> T:
        async with pool.connection() as conn:
            # None, not False: a standby refuses to begin a transaction that says it will write.
            await conn.set_read_only(True if read_only else None)
            return await work(conn)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._abandoned.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._log.info("an abandoned database call ended: %s", task.exception())

    def _lost(self, why: str) -> DatabaseDownError:
        if not self._down:
            self._log.warning("database does not answer: %s", why)
        self._down = why
        return DatabaseDownError(why)

    async def _close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await pool.close(timeout=0.5)


def _sentence(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
