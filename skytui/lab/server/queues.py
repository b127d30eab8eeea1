"""Agent job queues: reading, locking, releasing."""

from typing import Any

import msgspec

from skytui.lab.server.calls import Call
from skytui.lab.server.database import Connection, every
from skytui.lab.server.refusals import Refusal

# Fetches hold this lock shared for as long as they last (see schema.sql).
_FETCH_LOCK = 4711


class _Names(msgspec.Struct, forbid_unknown_fields=True):
    names: list[str] | None = None
    all: bool = False


async def queues(call: Call) -> object:
    """All queues. On a timeline the database was not put to work on, all are held."""
    query = """
        SELECT q.name, q.agent, q.locked OR q.held OR h.held AS locked, q.held OR h.held AS held,
               (SELECT count(*) FROM procrastinate_jobs j WHERE j.queue_name = q.name AND j.status = 'todo')
               AS waiting
        FROM sky.queue q CROSS JOIN (
            SELECT CASE WHEN pg_is_in_recovery() THEN false ELSE timeline <> sky.timeline() END AS held
            FROM sky.scheduler
        ) h
        ORDER BY q.name
    """
    return {"items": await every(call.conn, query)}


async def lock(call: Call) -> object:
    """Lock queues by name, or all. Once answered, no job of them that is not running yet will start."""
    names = await _chosen(call)
    await call.conn.execute("SELECT pg_advisory_xact_lock(%s)", [_FETCH_LOCK])
    await call.conn.execute("UPDATE sky.queue SET locked = true WHERE name = ANY(%s) AND NOT locked", [names])
    call.site.log.info("queues locked: %s", ", ".join(names) or "none")
    return {"locked": names}


async def unlock(call: Call) -> object:
    """Unlock queues by name, or all; what a promotion holds is released too."""
    names = await _chosen(call)
    query = "UPDATE sky.queue SET locked = false, held = false WHERE name = ANY(%s) AND (locked OR held)"
    await call.conn.execute(query, [names])
    await _wake_workers(call.conn, names)
    call.site.log.info("queues unlocked: %s", ", ".join(names) or "none")
    return {"unlocked": names}


async def _chosen(call: Call) -> list[str]:
    wanted = call.decode(_Names)
    if (wanted.names is None) == (not wanted.all):
        raise Refusal(400, "bad_json", 'Say either {"names": [...]} or {"all": true}.')
    known = [
        row["name"] for row in await every(call.conn, "SELECT name FROM sky.queue ORDER BY name FOR UPDATE")
    ]
    if wanted.names is None:
        return known
    unknown = sorted(set(wanted.names) - set(known))
    if unknown:
        raise Refusal(404, "unknown_queue", f"There is no queue {', '.join(unknown)}; nothing was changed.")
    return sorted(set(wanted.names))


async def _wake_workers(conn: Connection, names: list[str]) -> None:
    # The notification procrastinate's workers get for a new job; without it they would find the backlog at
    # their next poll.
    payload: dict[str, Any] = {"type": "job_inserted", "job_id": 0}
    text = msgspec.json.encode(payload).decode()
    for name in names:
        await conn.execute("SELECT pg_notify(%s, %s)", [f"procrastinate_queue_v1#{name}", text])
