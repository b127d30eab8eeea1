"""Logging in and out, who is here, and what this server is."""

import asyncio

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from skytui.lab import passwords
from skytui.lab.node import ADMIN_USER
from skytui.lab.server.calls import Call, Who, identify, read_body
from skytui.lab.server.database import one
from skytui.lab.server.refusals import Refusal, as_json, refused
from skytui.lab.server.site import Site


class _Login(msgspec.Struct, forbid_unknown_fields=True):
    user: str
    password: str
    client: str = ""


async def _login(request: Request) -> Response:
    """Sessions are this process's own: logging in works with the database down too."""
    site: Site = request.app.state.site
    user, status = "", 500
    try:
        body = await read_body(request)
        try:
            wanted = msgspec.json.decode(body, type=_Login)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            # The error's text may quote the body, and the body holds a password.
            raise Refusal(400, "bad_json", 'The body must be {"user": "...", "password": "..."}.') from error
        await _check(site, request, wanted)
        token, session = site.sessions.open(wanted.user, _address(request), wanted.client)
        user, status = wanted.user, 200
        site.log.info("%s logged in from %s", user, session.address)
        return as_json({"token": token, "session": session.id})
    except Refusal as refusal:
        status = refusal.status
        return refused(refusal)
    finally:
        site.requests.add(site.clock.now(), "POST", request.url.path, user, status)


async def _check(site: Site, request: Request, said: _Login) -> None:
    right = await asyncio.to_thread(passwords.verify, said.password, site.secrets.admin_hash)
    if said.user != ADMIN_USER or not right:
        site.log.warning("login refused from %s", _address(request))
        raise Refusal(401, "login", "User or password is wrong.")


async def _logout(request: Request) -> Response:
    site: Site = request.app.state.site
    user, status = "", 500
    try:
        session, user = identify(site, request, Who.ADMIN)
        if session is not None:
            site.sessions.close(session.id)
            site.log.info("%s logged out", user)
        status = 200
        return as_json({"ended": session.id if session else ""})
    except Refusal as refusal:
        status = refusal.status
        return refused(refusal)
    finally:
        site.requests.add(site.clock.now(), "DELETE", request.url.path, user, status)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


ROUTES = [
    Route("/api/v1/login", _login, methods=["POST"]),
    Route("/api/v1/login", _logout, methods=["DELETE"]),
]


async def identity(call: Call) -> object:
    """What this server is. `role` and `timeline` are the database's, `service_role` the service's."""
    site = call.site
    return {
        "name": site.name,
        "pair": site.node.node.pair,
        "role": call.state.role,
        "service_role": site.role,
        "version": site.node.node.version,
        "practice": True,
        "system_identifier": call.state.system_identifier,
        "timeline": call.state.timeline,
        "clock": site.clock.now(),
        "address": site.node.http.address,
        "http_port": site.node.http.port,
        "started_at": site.started_at,
    }


async def users(call: Call) -> object:
    """Who is logged in; `self` marks the session that asks."""
    items = [
        {
            "user": session.user,
            "since": session.since,
            "address": session.address,
            "client": session.client,
            "session": session.id,
            "self": call.session is not None and session.id == call.session.id,
        }
        for session in call.site.sessions.all()
    ]
    return {"items": items}


async def properties(call: Call) -> object:
    """Server properties: network address and listen port."""
    return {"address": call.site.node.http.address, "port": call.site.node.http.port}


async def scheduler(call: Call) -> object:
    """The scheduler: state and since from the database, ticks from this process's own loop."""
    row = await one(call.conn, "SELECT state, since FROM sky.scheduler")
    loop = call.site.loop
    return {"state": row["state"], "since": row["since"], "last_tick": loop.last_tick, "ticks": loop.ticks}
