"""Agents: what they report about themselves, and what is put right from it."""

import asyncio

import msgspec
from psycopg.rows import DictRow

from skytui.lab.server.calls import Call
from skytui.lab.server.database import Connection, DatabaseDownError, every, maybe
from skytui.lab.server.refusals import Refusal
from skytui.lab.server.site import Site

ASK_AFTER_SECONDS = 2.5
"""How long a fetched job may stay unnamed in its agent's heartbeats (one a second) before it is asked."""


class Heartbeat(msgspec.Struct):
    """What an agent says every second. `runs`: ids under way; `unknown`: asked for, and not in its ledger."""

    runs: list[str]
    pid: int
    address: str = ""
    unknown: list[str] = []


class _Ended(msgspec.Struct):
    ended: list[str]


async def agents(call: Call) -> object:
    """All agents: the row (`status`, as replicated) and what this process hears (`connected`)."""
    rows = await every(call.conn, "SELECT name, status, address, last_seen FROM sky.agent ORDER BY name")
    presence = call.site.presence
    items = []
    for row in rows:
        heard = presence.connected(row["name"])
        seen = presence.last(row["name"]) or row["last_seen"]
        since = heard.since if heard else None
        items.append({**row, "connected": heard is not None, "last_seen": seen, "connected_since": since})
    return {"items": items}


async def heartbeat(call: Call) -> object:
    """Note that an agent is alive; answer with the runs it should have and does not name (`asks`)."""
    call.need_master()
    said = call.decode(Heartbeat)
    name = call.request.path_params["name"]
    address = said.address or (call.request.client.host if call.request.client else "")
    query = """
        UPDATE sky.agent SET status = 'active', address = %s, last_seen = now()
        WHERE name = %s AND (status <> 'active' OR address <> %s OR last_seen < now() - interval '5 s')
    """
    await call.conn.execute(query, [address, name, address])
    if await maybe(call.conn, "SELECT 1 FROM sky.agent WHERE name = %s", name) is None:
        raise Refusal(404, "unknown_agent", f"There is no agent {name}.")
    call.site.presence.hear(name, address)
    await _put_back(call, said)
    return {"asks": await _unnamed(call, name, said.runs)}


async def _unnamed(call: Call, agent: str, named: list[str]) -> list[str]:
    query = """
        SELECT r.id FROM sky.run r JOIN procrastinate_jobs j ON j.id = r.queued_job
        WHERE r.agent = %s AND r.state <> 'ended' AND j.status = 'doing' AND r.id <> ALL(%s)
          AND (SELECT max(at) FROM procrastinate_events e WHERE e.job_id = j.id AND e.type = 'started')
              < now() - make_interval(secs => %s)
        ORDER BY r.id
    """
    asks = [row["id"] for row in await every(call.conn, query, agent, named, ASK_AFTER_SECONDS)]
    for run in asks:
        call.site.asked.setdefault(run, call.site.clock.instant())
    return asks


async def _put_back(call: Call, said: Heartbeat) -> None:
    # Only what this process asked about, and the agent itself then said it does not know: fetched, and lost
    # before its ledger had it. It has not run, so it may run.
    for run in said.unknown:
        if call.site.asked.pop(run, None) is None or run in said.runs:
            continue
        query = """
            SELECT r.queued_job FROM sky.run r JOIN procrastinate_jobs j ON j.id = r.queued_job
            WHERE r.id = %s AND r.state = 'queued' AND j.status = 'doing' FOR UPDATE
        """
        row = await maybe(call.conn, query, run)
        if row is None:
            continue
        await call.conn.execute(
            "SELECT procrastinate_retry_job_v2(%s, now(), NULL, NULL, NULL)", [row["queued_job"]]
        )
        await call.conn.execute("UPDATE sky.run SET attempts = attempts + 1 WHERE id = %s", [run])
        call.site.log.warning("put back %s: fetched, but never started", run)


async def reconcile(call: Call) -> object:
    """Which of the runs an agent has ended this master has no end of, or no output file of.

    An agent asks when it meets a master, or a timeline, for the first time: what it delivered to a
    predecessor may not have been replicated.
    """
    call.need_master()
    ended = call.decode(_Ended).ended
    query = """
        SELECT id, sha256 FROM sky.run WHERE state = 'ended' AND id = ANY(%s)
        UNION ALL SELECT run, sha256 FROM sky.server_history WHERE run = ANY(%s)
    """
    terminal = {row["id"]: row["sha256"] for row in await every(call.conn, query, ended, ended)}
    files = call.site.files
    lacking = {run for run, sha256 in terminal.items() if sha256 is not None and files.sha256(run) != sha256}
    return {"wanted": [run for run in ended if run not in terminal or run in lacking]}


async def watch_silence(site: Site) -> None:
    """Set the rows of agents this process has lost to inactive; runs until cancelled.

    Rows of agents it never heard stay as they are: after a promotion they are the predecessor's news.
    """
    while True:
        await asyncio.sleep(1.0)
        silent = site.presence.silent()
        if not silent or site.role != "master":
            continue

        async def work(conn: Connection, silent: list[str] = silent) -> list[DictRow]:
            query = """
                UPDATE sky.agent SET status = 'inactive' WHERE name = ANY(%s) AND status = 'active'
                RETURNING name
            """
            return await every(conn, query, silent)

        try:
            lost = await site.database.write(work)
        except DatabaseDownError:
            continue
        for row in lost:
            site.log.warning("agent %s is silent", row["name"])
