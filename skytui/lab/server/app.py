"""The server's routes, and what runs beside them."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from skytui.clock import Clock
from skytui.lab.node import SERVER_ROLE, NodeConfig, Secrets
from skytui.lab.server import access, agents, comparing, duplicator, page, queues, replication, runs, ticking
from skytui.lab.server.calls import Call, Who, action, reading, report
from skytui.lab.server.database import Connection, Database, DatabaseDownError, State, read_state
from skytui.lab.server.filestore import FileStore
from skytui.lab.server.holding import HOLD
from skytui.lab.server.logs import RequestLog
from skytui.lab.server.presence import Presence
from skytui.lab.server.refusals import Refusal, refused
from skytui.lab.server.sessions import Sessions
from skytui.lab.server.site import Site

_ROLE_EVERY = 0.2


async def _start(call: Call) -> object:
    call.then.append(_looked_at(call.site))
    changed = await ticking.start(call.conn, call.site.clock.now())
    return {"state": "running", "changed": changed}


async def _stop(call: Call) -> object:
    call.then.append(_looked_at(call.site))
    changed = await ticking.stop(call.conn, call.site.clock.now())
    return {"state": "stopped", "changed": changed}


def _looked_at(site: Site) -> Callable[[], Coroutine[None, None, None]]:
    async def look() -> None:
        site.loop.look()

    return look


V1 = "/api/v1"
ROUTES: list[BaseRoute] = [
    reading("/", page.page, Who.ANYBODY),
    *access.ROUTES,
    reading(f"{V1}/identity", access.identity, Who.ANYBODY),
    reading(f"{V1}/users", access.users),
    reading(f"{V1}/properties", access.properties),
    reading(f"{V1}/queues", queues.queues),
    action(f"{V1}/queues/lock", queues.lock),
    action(f"{V1}/queues/unlock", queues.unlock),
    reading(f"{V1}/agents", agents.agents),
    reading(f"{V1}/jobs/running", runs.running),
    reading(f"{V1}/jobs/due", runs.due),
    reading(f"{V1}/runs", runs.runs),
    reading(f"{V1}/missed", runs.missed),
    reading(f"{V1}/late", runs.late),
    action(f"{V1}/missed/run", runs.run_missed),
    reading(f"{V1}/server-history", runs.server_history),
    reading(f"{V1}/scheduler", access.scheduler),
    action(f"{V1}/scheduler/start", _start),
    action(f"{V1}/scheduler/stop", _stop),
    reading(f"{V1}/replication", replication.replication),
    reading(f"{V1}/replication/seed", replication.seed),
    reading(f"{V1}/standby-status", replication.standby_status),
    reading(f"{V1}/database", replication.database),
    action(f"{V1}/marker", replication.marker),
    report(f"{V1}/agents/{{name}}/heartbeat", agents.heartbeat, Who.AGENT),
    report(f"{V1}/agents/{{name}}/reconcile", agents.reconcile, Who.AGENT),
    report(f"{V1}/runs/{{run}}/started", runs.started, Who.AGENT),
    report(f"{V1}/runs/{{run}}/result", runs.result, Who.AGENT),
    reading(f"{V1}/files/missing", duplicator.missing_files, Who.PEER),
    report(f"{V1}/salvage/lacking", comparing.lacking, Who.PEER),
    report(f"{V1}/files/{{run}}", duplicator.take_file, Who.PEER, "PUT"),
]


def build(node: NodeConfig, secrets: Secrets, clock: Clock, logs: dict[str, logging.Logger]) -> Starlette:
    """The server of one host, not started yet."""
    log = logs["server"]
    database = Database(log, **node.conninfo(SERVER_ROLE, secrets.server))
    site = Site(
        node=node,
        secrets=secrets,
        clock=clock,
        started_at=clock.now(),
        database=database,
        sessions=Sessions(clock),
        presence=Presence(clock),
        files=FileStore(node.home / "files"),
        loop=ticking.TickLoop(database, clock, logs["scheduler"]),
        requests=RequestLog(node.logs / "requests.jsonl"),
        log=log,
    )
    copier = duplicator.Duplicator(site, logs["replication"])
    site.wake_duplicator = copier.wake

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        beside = [asyncio.create_task(database.watch(), name="database")]
        beside.append(asyncio.create_task(_serve_role(site, copier), name="role"))
        for task in beside:
            task.add_done_callback(lambda done: _report_death(done, log))
        log.info("%s listens on %s:%d", node.name, node.http.address, node.http.port)
        try:
            yield
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside, timeout=1.0)
            log.info("%s stopped", node.name)

    app = Starlette(
        routes=ROUTES, lifespan=lifespan, exception_handlers={HTTPException: _no_route, Exception: _bug}
    )
    app.router.redirect_slashes = False
    app.state.site = site
    return app


async def _serve_role(site: Site, copier: duplicator.Duplicator) -> None:
    """Decide once, from the database, what this service is; then do a master's work if it is one."""
    while site.role is None:
        try:
            state = await site.database.read(read_state)
            if state.role == "master":
                await _take_up_work(site, state)
            site.role = state.role
        except DatabaseDownError:
            await asyncio.sleep(_ROLE_EVERY)
    site.log.info("%s serves as %s", site.name, site.role)
    if site.role == "master":
        async with asyncio.TaskGroup() as group:
            group.create_task(site.loop.follow())
            group.create_task(copier.follow())
            group.create_task(agents.watch_silence(site))


async def _take_up_work(site: Site, state: State) -> None:
    async def work(conn: Connection) -> bool:
        row = await (await conn.execute("SELECT timeline FROM sky.scheduler FOR UPDATE")).fetchone()
        if row is None or row["timeline"] == state.timeline:
            return False
        for statement in HOLD:
            await conn.execute(statement.encode())
        return True

    if await site.database.write(work):
        site.log.warning("promoted to timeline %d: scheduler stopped, all queues held", state.timeline)


def _report_death(task: asyncio.Task[None], log: logging.Logger) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error(
            "the server's %s task has died; restart the server", task.get_name(), exc_info=task.exception()
        )


async def _no_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    what = {
        404: ("not_found", "There is no such route"),
        405: ("bad_method", "This route has no such method"),
    }
    code, text = what.get(status, ("http", "The request cannot be served"))
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return refused(Refusal(status, code, f"{text}: {request.method} {request.url.path}."), headers)


async def _bug(request: Request, error: Exception) -> Response:
    site: Site = request.app.state.site
    site.log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return refused(Refusal(500, "bug", "This server has a fault; its server.log says more."))
