"""Output files go to the standby one by one, over HTTPS, while this is a master and the peer a standby."""

import asyncio
import hashlib
import logging
import ssl

import httpx
import msgspec
from psycopg.rows import DictRow

from skytui.errors import LabError
from skytui.lab.jobset import file_name
from skytui.lab.node import NodeConfig
from skytui.lab.server.calls import Call
from skytui.lab.server.database import Connection, DatabaseDownError, every, maybe, read_state
from skytui.lab.server.refusals import Refusal
from skytui.lab.server.runs import run_of
from skytui.lab.server.site import Site

_TIMEOUT = httpx.Timeout(3.0)
_IDLE = 1.0


class _Missing(msgspec.Struct):
    started_at: str
    items: list[str]


class Duplicator:
    """Sends what is not duplicated yet, oldest first."""

    def __init__(self, site: Site, log: logging.Logger) -> None:
        self._site = site
        self._log = log
        self._work = asyncio.Event()
        self._known_peer = ""
        self._absent: set[str] = set()
        self._said = ""

    def wake(self) -> None:
        """There is a new file."""
        self._work.set()

    async def follow(self) -> None:
        """Duplicate; runs until cancelled."""
        node = self._site.node
        context = ssl.create_default_context(cafile=str(node.http.ca))
        headers = {"Authorization": f"Bearer {self._site.secrets.peer}"}
        async with httpx.AsyncClient(
            base_url=node.peer.url, verify=context, headers=headers, timeout=_TIMEOUT, trust_env=False
        ) as peer:
            while True:
                if not await self._send_next(peer):
                    await self._rest()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(_IDLE):
                await self._work.wait()
        except TimeoutError:
            return
        finally:
            self._work.clear()

    async def _send_next(self, peer: httpx.AsyncClient) -> bool:
        """Send one file; False when there is nothing to do now."""
        try:
            await self._agree(peer)
            row = await self._site.database.read(self._next)
            if row is None:
                return False
            run, sha256 = row["run_id"], row["sha256"]
            content = self._site.files.load(run)
            if content is None:
                self._absent.add(run)
                self._log.error("%s has no file here; it cannot be duplicated", run)
                return True
            reply = await peer.put(
                f"/api/v1/files/{file_name(run)}", content=content, headers={"X-SHA256": sha256}
            )
            reply.raise_for_status()
            await self._site.database.write(lambda conn: _duplicated(conn, [run], done=True))
        except (httpx.HTTPError, msgspec.MsgspecError) as error:
            self._say(f"not duplicating to {self._site.node.peer.name}: {_sentence(error)}")
            self._known_peer = ""
            return False
        except DatabaseDownError:
            return False
        self._log.info("duplicated %s (%d bytes)", run, len(content))
        self._said = ""
        await asyncio.sleep(self._delay())
        return True

    async def _agree(self, peer: httpx.AsyncClient) -> None:
        # Before the first file to a standby process, and after every break: which files does it really lack?
        # A standby that was seeded anew may lack files that were once marked as duplicated.
        await self._site.database.read(_need_master)
        if self._known_peer:
            return
        reply = await peer.get("/api/v1/files/missing")
        reply.raise_for_status()
        missing = msgspec.json.decode(reply.content, type=_Missing)
        if missing.items:
            await self._site.database.write(lambda conn: _duplicated(conn, missing.items, done=False))
        self._known_peer = missing.started_at
        self._absent.clear()
        self._say(f"duplicating to {self._site.node.peer.name}, which lacks {len(missing.items)} known files")

    async def _next(self, conn: Connection) -> DictRow | None:
        query = """
            SELECT run_id, sha256 FROM sky.output_file WHERE NOT duplicated AND run_id <> ALL(%s)
            ORDER BY stored_at, run_id LIMIT 1
        """
        return await maybe(conn, query, list(self._absent))

    def _delay(self) -> float:
        # Read anew each time, so that a test or a drill can slow the countdown down while it runs.
        try:
            return NodeConfig.load(self._site.node.path).thresholds.file_delay
        except LabError as error:
            self._say(f"keeping the usual file delay: {error}")
            return self._site.node.thresholds.file_delay

    def _say(self, what: str) -> None:
        if what != self._said:
            self._log.info("%s", what)
            self._said = what


def _sentence(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"it answered {error.response.status_code} {error.response.text[:200]}"
    return str(error) or type(error).__name__


async def _need_master(conn: Connection) -> None:
    if (await read_state(conn)).role != "master":
        raise DatabaseDownError("not a master")


async def _duplicated(conn: Connection, runs: list[str], *, done: bool) -> None:
    await conn.execute("UPDATE sky.output_file SET duplicated = %s WHERE run_id = ANY(%s)", [done, runs])


async def take_file(call: Call) -> object:
    """PUT from the master: a file for this standby's own disk."""
    call.need_standby()
    run = run_of(call)
    wanted = call.request.headers.get("x-sha256", "")
    if hashlib.sha256(call.body).hexdigest() != wanted:
        raise Refusal(400, "bad_hash", "X-SHA256 is not the hash of the body; send it again.")
    call.site.files.save(run, call.body)
    return {"stored": run}


async def missing_files(call: Call) -> object:
    """The files of the replicated table that are not on this standby's disk with the right hash."""
    call.need_standby()
    rows = await every(call.conn, "SELECT run_id, sha256 FROM sky.output_file")
    lacking = call.site.files.missing({row["run_id"]: row["sha256"] for row in rows})
    return {"started_at": call.site.started_at, "items": lacking}
