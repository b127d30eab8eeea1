"""How far the standby is: File Replication Requests, the link, positions, the marker.

Reading writes nothing. The counter and the link are two readings: with the link cut, whether the standby is
before the marker cannot be known, and the counter says only how many files wait. A 0 over a dead link proves
nothing.
"""

import msgspec
from psycopg.rows import DictRow

from skytui.lab.node import slot_of
from skytui.lab.server.calls import Call
from skytui.lab.server.database import Connection, State, every, maybe, one

_MASTER_LINK = """
    SELECT application_name AS standby, state, sent_lsn::text AS sent, replay_lsn::text AS replayed,
           reply_time AS last_seen,
           COALESCE(replay_lsn < (SELECT position FROM sky.marker), false) AS before_marker
    FROM pg_stat_replication WHERE application_name = %s ORDER BY backend_start DESC LIMIT 1
"""
_STANDBY_LINK = """
    SELECT status, latest_end_lsn::text AS sent, last_msg_receipt_time AS last_seen
    FROM pg_stat_wal_receiver WHERE sender_port = %s
"""
# A position still NULL on a standby: the marker is there and its target has not arrived yet.
_STANDBY_POSITION = """
    SELECT pg_last_wal_replay_lsn()::text AS position, m.position::text AS marker,
           COALESCE(m.one AND (m.position IS NULL OR pg_last_wal_replay_lsn() < m.position), false)
               AS before_marker
    FROM (SELECT 1) always LEFT JOIN sky.marker m ON true
"""


async def replication(call: Call) -> object:
    """The counter, the link and the positions, as this server knows them."""
    if call.state.role == "master":
        return await _on_master(call)
    return await _on_standby(call)


async def _on_master(call: Call) -> object:
    peer = call.site.node.peer.name
    link = await maybe(call.conn, _MASTER_LINK, peer)
    files = await one(call.conn, "SELECT count(*) AS files FROM sky.output_file WHERE NOT duplicated")
    position = await one(call.conn, "SELECT pg_current_wal_lsn()::text AS position")
    marker = await maybe(call.conn, "SELECT position::text AS position FROM sky.marker")
    before = link is not None and link.pop("before_marker")
    nothing = {"standby": None, "state": "none", "sent": None, "replayed": None, "last_seen": None}
    return {
        "requests": files["files"] + int(before),
        "link": link or nothing,
        "position": position["position"],
        "marker": marker["position"] if marker else None,
    }


async def _on_standby(call: Call) -> object:
    peer = call.site.node.peer
    link = await maybe(call.conn, _STANDBY_LINK, peer.pg_port)
    streaming = link is not None and link["status"] == "streaming"
    position = await one(call.conn, _STANDBY_POSITION)
    rows = await every(call.conn, "SELECT run_id, sha256 FROM sky.output_file")
    lacking = call.site.files.missing({row["run_id"]: row["sha256"] for row in rows})
    return {
        "requests": len(lacking) + int(position["before_marker"]),
        "link": {
            "state": "streaming" if streaming else "none",
            "master": peer.name if streaming else None,
            "last_seen": link["last_seen"] if link else None,
        },
        "position": position["position"],
        "marker": position["marker"],
    }


class _Marker(msgspec.Struct, forbid_unknown_fields=True):
    id: str


async def marker(call: Call) -> object:
    """Write a row; the position after its commit is what a standby must have replayed to be up to date."""
    wanted = call.decode(_Marker)
    query = """
        INSERT INTO sky.marker (id) VALUES (%s)
        ON CONFLICT (one) DO UPDATE SET id = excluded.id, at = now(), position = NULL
    """
    await call.conn.execute(query, [wanted.id])
    # Committed here, so that the position read next lies behind the row's commit record.
    await call.conn.commit()
    update = "UPDATE sky.marker SET position = pg_current_wal_insert_lsn() RETURNING position::text"
    row = await one(call.conn, update)
    call.site.log.info("marker %s at %s", wanted.id, row["position"])
    return {"position": row["position"]}


async def standby_link(conn: Connection, peer: str) -> DictRow | None:
    """The master's row about its standby `peer`."""
    return await maybe(conn, _MASTER_LINK, peer)


async def status_text(call_state: State, conn: Connection, peer_name: str, peer_port: int) -> str:
    """The words both servers use for the standby's state."""
    if call_state.role == "master":
        link = await standby_link(conn, peer_name)
        if link is None:
            return "Not connected"
        return "Active" if link["state"] == "streaming" else "Connecting"
    receiver = await maybe(conn, _STANDBY_LINK, peer_port)
    streaming = receiver is not None and receiver["status"] == "streaming"
    return "active and connected to the master" if streaming else "active and connecting to the master"


async def standby_status(call: Call) -> object:
    """What the STANDBY SERVER page says, in the same words."""
    peer = call.site.node.peer
    return {"status": await status_text(call.state, call.conn, peer.name, peer.pg_port)}


async def seed(call: Call) -> object:
    """What a server needs to become this master's standby. For operators only: it holds a password."""
    call.need_master()
    row = await one(call.conn, "SELECT pg_database_size(current_database()) AS bytes")
    node = call.site.node
    return {
        "name": node.name,
        "address": node.http.address,
        "port": node.postgres.port,
        "user": "replicator",
        "password": call.site.secrets.replicator,
        "slot": slot_of(node.peer.name),
        "bytes": row["bytes"],
        "timeline": call.state.timeline,
        "system_identifier": call.state.system_identifier,
    }


async def database(call: Call) -> object:
    """How large the database is, in bytes."""
    return await one(call.conn, "SELECT pg_database_size(current_database()) AS bytes")
