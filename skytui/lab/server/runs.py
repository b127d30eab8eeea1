"""Runs: what agents report of them, and what can be read of them.

A run ends in exactly one place: here, where its row, its output file's row and procrastinate's job change in
one transaction. The agents' workers do not end jobs (see `skytui.lab.agent.worker`), so a job that reads
ended has a result, on whatever server that is read.
"""

import base64
import binascii
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from skytui.lab.jobset import parse_run_id, run_id
from skytui.lab.server import schedule
from skytui.lab.server.calls import Call, parameter
from skytui.lab.server.database import every, maybe
from skytui.lab.server.refusals import Refusal

_MOST_MISSED = 5000
_MOST_LATE = 1000


class Started(msgspec.Struct):
    """An agent has started a run."""

    agent: str
    at: datetime


class Result(msgspec.Struct):
    """A run has ended. `output_base64` comes with `sha256` where the job keeps its output."""

    agent: str
    code: int
    ended_at: datetime
    started_at: datetime | None = None
    sha256: str | None = None
    output_base64: str | None = None


def run_of(call: Call) -> str:
    """The run named in the path; refuses with 400 what cannot be one."""
    run = str(call.request.path_params["run"])
    if parse_run_id(run) is None:
        raise Refusal(400, "bad_run", f"{run!r} is not a run: job@2026-11-22T12:00:05Z is one.")
    return run


async def started(call: Call) -> object:
    """Note when a run was started, by its agent's clock."""
    call.need_master()
    run, said = run_of(call), call.decode(Started)
    row = await maybe(call.conn, "SELECT agent, state FROM sky.run WHERE id = %s FOR UPDATE", run)
    if row is None:
        raise Refusal(404, "unknown_run", f"There is no run {run} on {call.site.name}.")
    _check_agent(run, row["agent"], said.agent)
    if row["state"] == "queued":
        await call.conn.execute(
            "UPDATE sky.run SET state = 'running', started_at = %s WHERE id = %s", [said.at, run]
        )
    return {"state": "running" if row["state"] == "queued" else row["state"]}


async def result(call: Call) -> object:
    """Record the end of a run, once. The same result again changes nothing; another one is refused."""
    call.need_master()
    run, said = run_of(call), call.decode(Result)
    content = _content(said)
    row = await maybe(
        call.conn, "SELECT agent, state, code, sha256, queued_job FROM sky.run WHERE id = %s FOR UPDATE", run
    )
    if row is None:
        where = await _into_history(call, run, said)
    else:
        _check_agent(run, row["agent"], said.agent)
        where = await _into_run(call, run, row, said)
    if content is not None and said.sha256 is not None:
        await _keep(call, run, said.sha256, content)
    return {"recorded": where}


def _content(said: Result) -> bytes | None:
    if said.output_base64 is None:
        if said.sha256 is not None:
            raise Refusal(400, "no_output", "There is a sha256 and no output_base64.")
        return None
    try:
        content = base64.b64decode(said.output_base64, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal(400, "bad_output", f"output_base64 is not base64: {error}.") from error
    if hashlib.sha256(content).hexdigest() != said.sha256:
        raise Refusal(400, "bad_hash", "sha256 is not the hash of the output; send it again.")
    return content


def _check_agent(run: str, owner: str, agent: str) -> None:
    if agent != owner:
        raise Refusal(409, "other_agent", f"{run} belongs to {owner}, not to {agent}.")


async def _into_history(call: Call, run: str, said: Result) -> str:
    query = """
        INSERT INTO sky.server_history (run, agent, code, sha256, ended_at, reason)
        VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (run) DO NOTHING RETURNING run
    """
    reason = f"{call.site.name} has no such run"
    values = [run, said.agent, said.code, said.sha256, said.ended_at, reason]
    if await maybe(call.conn, query, *values) is None:
        known = await maybe(call.conn, "SELECT code, sha256 FROM sky.server_history WHERE run = %s", run)
        _check_same(run, known or {}, said)
    else:
        call.site.log.warning(
            "server history: %s of %s ended with %d, not recognised", run, said.agent, said.code
        )
    return "server_history"


async def _into_run(call: Call, run: str, row: dict[str, Any], said: Result) -> str:
    if row["state"] == "ended":
        _check_same(run, row, said)
        return "run"
    query = """
        UPDATE sky.run
        SET state = 'ended', started_at = COALESCE(%s, started_at), ended_at = %s, code = %s, sha256 = %s
        WHERE id = %s
    """
    await call.conn.execute(query, [said.started_at, said.ended_at, said.code, said.sha256, run])
    # It may read 'todo' here: the predecessor's fetch was not replicated, its result is delivered to us all
    # the same.
    status = "succeeded" if said.code == 0 else "failed"
    await call.conn.execute(
        "SELECT procrastinate_finish_job_v1(%s, %s::procrastinate_job_status, false)",
        [row["queued_job"], status],
    )
    call.site.asked.pop(run, None)
    call.site.log.info("%s ended with %d on %s", run, said.code, said.agent)
    return "run"


def _check_same(run: str, known: dict[str, Any], said: Result) -> None:
    if known.get("code") != said.code or known.get("sha256") != said.sha256:
        raise Refusal(409, "other_result", f"{run} has ended before with another result; that one stays.")


async def _keep(call: Call, run: str, sha256: str, content: bytes) -> None:
    if call.site.files.sha256(run) != sha256:
        call.site.files.save(run, content)
    query = """
        INSERT INTO sky.output_file (run_id, bytes, sha256) VALUES (%s, %s, %s)
        ON CONFLICT (run_id) DO NOTHING
    """
    await call.conn.execute(query, [run, len(content), sha256])

    async def wake() -> None:
        call.site.wake_duplicator()

    call.then.append(wake)


async def running(call: Call) -> object:
    """Runs fetched by an agent and not ended."""
    query = """
        SELECT r.id, r.job, r.agent, r.queue, COALESCE(
            (SELECT max(at) FROM procrastinate_events e WHERE e.job_id = j.id AND e.type = 'started'),
            r.queued_at
        ) AS since
        FROM procrastinate_jobs j JOIN sky.run r ON r.queued_job = j.id
        WHERE j.status = 'doing' ORDER BY since, r.id
    """
    return {"items": await every(call.conn, query)}


async def runs(call: Call) -> object:
    """Run rows, newest first; with `after` only those due, started or ended after it."""
    limit = parameter(call.request.query_params, "limit", 200, 10_000)
    text = call.request.query_params.get("after", "")
    try:
        after = datetime.fromisoformat(text) if text else datetime.min.replace(tzinfo=UTC)
    except ValueError as error:
        raise Refusal(
            400, "bad_query", f"after must be a time such as 2026-11-22T12:00:05Z, not {text!r}."
        ) from error
    query = """
        SELECT id, job, agent, queue, due, state, started_at, ended_at, code, sha256, attempts FROM sky.run
        WHERE GREATEST(due, started_at, ended_at) > %s ORDER BY due DESC, id LIMIT %s
    """
    return {
        "items": await every(call.conn, query, after if after.tzinfo else after.replace(tzinfo=UTC), limit)
    }


async def due(call: Call) -> object:
    """Ticks of the coming seconds; `next_start` is null while the scheduler is stopped."""
    seconds = parameter(call.request.query_params, "seconds", 300, 86_400)
    jobs = await schedule.scheduled_jobs(call.conn)
    ticks = schedule.coming(jobs, call.site.clock.now(), timedelta(seconds=seconds))
    items = [{"job": job.name, "due": at, "agent": job.agent, "queue": job.queue} for job, at in ticks]
    stopped = await maybe(call.conn, "SELECT 1 FROM sky.scheduler WHERE state = 'stopped'")
    return {"items": items, "next_start": items[0]["due"] if items and stopped is None else None}


async def missed(call: Call) -> object:
    """Ticks that were not queued, newest first; with a stopped scheduler also those missed since its stop."""
    query = "SELECT job, due, reason FROM sky.missed ORDER BY due DESC, job LIMIT %s"
    items = await every(call.conn, query, _MOST_MISSED)
    if await maybe(call.conn, "SELECT 1 FROM sky.scheduler WHERE state = 'stopped'") is not None:
        jobs = await schedule.scheduled_jobs(call.conn)
        for job, at in schedule.uncovered(jobs, call.site.clock.now()):
            items.append({"job": job.name, "due": at, "reason": schedule.STOPPED})
    items.sort(key=lambda item: (item["due"], item["job"]), reverse=True)
    return {"items": items[:_MOST_MISSED]}


async def late(call: Call) -> object:
    """What was due and did not start then: missed since the scheduler's last stop or start, or queued."""
    query = """
        SELECT job, due, reason FROM sky.missed
        WHERE recorded_at >= (SELECT since FROM sky.scheduler) - interval '5 s'
        ORDER BY due DESC, job LIMIT %s
    """
    rows = await every(call.conn, query, _MOST_LATE)
    if await maybe(call.conn, "SELECT 1 FROM sky.scheduler WHERE state = 'stopped'") is not None:
        jobs = await schedule.scheduled_jobs(call.conn)
        uncovered = schedule.uncovered(jobs, call.site.clock.now())
        rows += [{"job": job.name, "due": at, "reason": schedule.STOPPED} for job, at in uncovered]
    items = [{"id": run_id(row["job"], row["due"]), "state": "missed", **row} for row in rows]
    query = """
        SELECT id, job, due, 'queued' AS state, '' AS reason FROM sky.run
        WHERE state = 'queued' AND due < %s ORDER BY due DESC, id LIMIT %s
    """
    items += await every(call.conn, query, call.site.clock.now() - schedule.LATE, _MOST_LATE)
    items.sort(key=lambda item: (item["due"], item["job"]), reverse=True)
    return {"items": items[:_MOST_LATE]}


class Chosen(msgspec.Struct):
    """Ids of missed runs."""

    ids: list[str]


async def run_missed(call: Call) -> object:
    """Queue missed runs after all, each once: what is queued already stays as it is."""
    chosen = call.decode(Chosen)
    await schedule.share_lock(call.conn)
    jobs = {job.name: job for job in await schedule.scheduled_jobs(call.conn)}
    queued = []
    for run in chosen.ids:
        if await maybe(call.conn, "SELECT 1 FROM sky.run WHERE id = %s", run) is not None:
            continue
        parsed = parse_run_id(run)
        query = "DELETE FROM sky.missed WHERE job = %s AND due = %s RETURNING job"
        if parsed is None or parsed[0] not in jobs or await maybe(call.conn, query, *parsed) is None:
            raise Refusal(404, "unknown_run", f"{call.site.name} has not missed a run {run}.")
        queued.append(await schedule.queue(call.conn, jobs[parsed[0]], parsed[1]))
    return {"queued": queued}


async def server_history(call: Call) -> object:
    """Completions this master did not recognise."""
    query = "SELECT run, agent, code, ended_at, reason FROM sky.server_history ORDER BY ended_at DESC, run"
    return {"items": await every(call.conn, query)}
