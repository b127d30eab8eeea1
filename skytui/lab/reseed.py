"""Making a data directory a standby of a master: `pg_rewind`, `pg_basebackup`, the slot, the connection."""

import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import conninfo

from skytui.errors import LabError
from skytui.lab import database, processes
from skytui.lab.command import Say
from skytui.lab.node import DATABASE
from skytui.lab.postgres import Cluster

STALL_SECONDS = 300.0
STREAMING_SECONDS = 60.0
_MIB = 1024 * 1024


@dataclass(frozen=True)
class Source:
    """The master to copy from: how to reach its database, the slot kept there, its size in bytes."""

    address: str
    port: int
    user: str
    password: str
    slot: str
    bytes: int

    def connection(self, **more: str) -> str:
        """The connection string without the password; `more` adds to it."""
        return conninfo.make_conninfo(
            host=self.address, port=self.port, user=self.user, connect_timeout=10, **more
        )


def space_lacking(source: Source, folder: Path, most: int | None = None) -> str:
    """Why the copy would not fit into `folder`, as a sentence; empty when it fits.

    `most`: the host may use no more than so many bytes of what is free.
    """
    # A copy of the database beside the old one, and room for the WAL written meanwhile.
    needed = source.bytes + source.bytes // 10 + 64 * _MIB
    free = shutil.disk_usage(folder).free
    free = free if most is None else min(free, most)
    if free >= needed:
        return ""
    return f"{folder} has {free // _MIB} MiB free and the copy needs {needed // _MIB} MiB: make room."


def make_slot(source: Source) -> None:
    """Make the standby's slot on the master, reserving WAL from now; one that is there and unused is kept."""
    try:
        with psycopg.connect(
            source.connection(dbname=DATABASE), password=source.password, autocommit=True
        ) as connection:
            connection.execute(
                "SELECT pg_create_physical_replication_slot(%s, true) WHERE NOT EXISTS"
                " (SELECT 1 FROM pg_replication_slots WHERE slot_name = %s)",
                (source.slot, source.slot),
            )
    except psycopg.Error as error:
        where = f"{source.address}:{source.port}"
        raise LabError(
            f"The slot {source.slot} cannot be made on the database at {where}: {str(error).strip()}"
        ) from error


def drop_slots(cluster: Cluster, password: str) -> list[str]:
    """Drop the unused slots a former master still has; their names."""
    with database.connect(cluster, password) as connection:
        rows = connection.execute(
            "SELECT slot_name, pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active"
        ).fetchall()
    return [str(row[0]) for row in rows]


def rewind(cluster: Cluster, source: Source, say: Say) -> None:
    """Bring the data directory back to where its history left the master's, then up to the master's state."""
    cluster.forget_the_dead()
    _watched(
        cluster, say, "pg_rewind", "--target-pgdata", str(cluster.data), "--progress",
        "--source-server", source.connection(dbname=DATABASE, passfile=str(_passfile(cluster, source))),
    )  # fmt: skip


def basebackup(cluster: Cluster, source: Source, say: Say, *, sync: bool = True) -> None:
    """Put a fresh copy of the master's database in place of the data directory, once it is complete."""
    fresh, old = cluster.data.with_name("data.new"), cluster.data.with_name("data.old")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        _watched(
            cluster, say, "pg_basebackup", "--pgdata", str(fresh), "--slot", source.slot,
            "--wal-method", "stream", "--checkpoint", "fast", "--progress", *(() if sync else ("--no-sync",)),
            "--dbname", source.connection(passfile=str(_passfile(cluster, source))),
        )  # fmt: skip
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    if cluster.data.exists():
        shutil.rmtree(old, ignore_errors=True)
        cluster.data.rename(old)
    fresh.rename(cluster.data)
    shutil.rmtree(old, ignore_errors=True)


def follow(cluster: Cluster, source: Source) -> None:
    """Make the data directory a standby of the master: from its next start it streams from there."""
    link = source.connection(passfile=str(_passfile(cluster, source)), application_name=cluster.name)
    # This file came from the master with the copy: what it said there is not for this side.
    quoted = link.replace("'", "''")
    cluster.write(
        cluster.data / "postgresql.auto.conf",
        f"primary_conninfo = '{quoted}'\nprimary_slot_name = '{source.slot}'\n",
    )
    cluster.write(cluster.data / "standby.signal", "")


def wait_streaming(cluster: Cluster, password: str) -> None:
    """Wait until the running standby streams from its master; `LabError` when it does not in time."""
    with database.connect(cluster, password) as connection:

        def streams() -> bool:
            row = connection.execute("SELECT status FROM pg_stat_wal_receiver").fetchone()
            return row is not None and row[0] == "streaming"

        if not processes.wait_for(streams, STREAMING_SECONDS):
            raise LabError(
                f"The database of {cluster.name} does not stream from its master after "
                f"{STREAMING_SECONDS:.0f} s; {cluster.log} says why."
            )


def _passfile(cluster: Cluster, source: Source) -> Path:
    """A file with the password, the account's own: it stands in no argument, environment or setting."""
    path = cluster.data.with_name("pgpass")
    cluster.write(path, f"*:*:*:{source.user}:{source.password}\n")
    return path


def _watched(cluster: Cluster, say: Say, program: str, *arguments: str) -> None:
    """Run a program, hand on what it says line by line; end it when it says nothing for `STALL_SECONDS`."""
    lines: list[str] = []
    with cluster.popen(program, *arguments) as process:
        stalled = threading.Event()

        def give_up() -> None:
            stalled.set()
            process.kill()

        try:
            assert process.stdout is not None  # noqa: S101 (popen opens it)
            while True:
                watchdog = threading.Timer(STALL_SECONDS, give_up)
                watchdog.start()
                line = process.stdout.readline()
                watchdog.cancel()
                if not line:
                    break
                lines.append(line.strip())
                say(line.strip() if line.startswith(program) else f"{program}: {line.strip()}")
        except BaseException:
            process.kill()
            raise
    if stalled.is_set():
        raise LabError(f"{program} on {cluster.name} said nothing for {STALL_SECONDS:.0f} s and was ended.")
    if process.returncode != 0:
        raise LabError(
            f"{program} on {cluster.name} ended with {process.returncode}: {' / '.join(lines[-3:])}"
        )
