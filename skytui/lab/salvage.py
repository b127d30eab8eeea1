"""Saving what only a former master has, before it is converted: behind `salvage.sh`.

Its database is started on a Unix socket in a folder that nobody but its account enters: no port, no server,
so neither agent nor operator can take it for a master; it is stopped again in order, and `pg_rewind` works
afterwards as before. Rows and output files that the new master has not got go to `salvage/MARK`, with
`manifest.json`, which is written last: a folder without it is not complete. Where the database does not start
any more its data directory is copied there as it is.
"""

import dataclasses
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from psycopg.rows import dict_row

from skytui.errors import LabError, RemoteError
from skytui.lab import command, database, service
from skytui.lab.api import Api
from skytui.lab.command import CommandError, Say
from skytui.lab.jobset import file_name, parse_run_id
from skytui.lab.node import NodeConfig
from skytui.lab.postgres import Cluster

BAD_INPUT, WRONG_ROLE, UNREACHABLE = 2, 3, 5
NAMED = 200
"""How many runs the manifest names; all of them are in `runs.jsonl`."""
_BATCH = 200
_MIB = 1024 * 1024

_RUNS = """
    SELECT id, job, agent, queue, due, state, started_at, ended_at, code, sha256
    FROM sky.run WHERE state <> 'queued' ORDER BY due, id
"""
_FILES = "SELECT run_id AS id, sha256 FROM sky.output_file ORDER BY run_id"
_UNRECOGNISED = "SELECT run, agent, code, sha256, ended_at, reason FROM sky.server_history ORDER BY run"

Row = dict[str, Any]


class SavedRun(msgspec.Struct, frozen=True):
    """A run that only the former master knew, or knew more of: as the manifest names it."""

    id: str
    job: str
    started_at: datetime | None
    ended_at: datetime | None
    code: int | None


class Manifest(msgspec.Struct, frozen=True):
    """What lies in the folder. `counted` runs were saved, of which `runs` names the first.

    `aside`: the database did not start; its data directory lies in the folder instead; nothing is counted.
    """

    runs: list[SavedRun]
    counted: int
    files: int
    aside: bool = False
    mark: str = ""
    at: datetime | None = None
    folder: str = ""


def salvage(node: NodeConfig, mark: str, say: Say) -> None:
    """Save what only this host has. `CommandError` has the script's exit code."""
    if not mark or mark != Path(mark).name or mark.startswith("."):
        raise CommandError(BAD_INPUT, "Say under which name it is to be saved: a plain word.")
    folder = node.home / "salvage" / mark
    if (folder / "manifest.json").exists():
        say(f"saved before, in {folder}")
        return
    alone = _alone(node)
    _check_own_side(node, alone)
    with Api(node.peer.url, node.http.ca) as master:
        _check_master(node, master, alone.control().system_identifier)
        if alone.pids():
            say("its database still runs on the private socket: stopping it first")
            alone.stop()
        part = folder.with_name(f"{mark}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True, mode=0o700)
        try:
            manifest = _saved(node, alone, master, part, say)
        except _NoStartError as error:
            say(f"{error}")
            manifest = _aside(alone, part, say)
    manifest = msgspec.structs.replace(manifest, mark=mark, at=datetime.now(UTC), folder=str(folder))
    _write(part / "manifest.json", msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
    part.rename(folder)
    _write(folder.with_name("latest.json"), msgspec.json.encode(manifest) + b"\n")
    say(_counted(manifest))


class _NoStartError(LabError):
    """The database of the former master does not start any more."""


def _alone(node: NodeConfig) -> Cluster:
    """Its database with no port, on a socket nobody else can reach."""
    private = node.postgres.data.with_name("own")
    return dataclasses.replace(Cluster.of(node), socket_dir=private, address="")


def _check_own_side(node: NodeConfig, alone: Cluster) -> None:
    if not alone.exists or alone.is_standby:
        what = "is a standby already" if alone.exists else f"has no database at {alone.data}"
        raise CommandError(WRONG_ROLE, f"{node.name} {what}: nothing can be saved. Nothing changed.")
    if service.reseeding(node):
        raise CommandError(
            WRONG_ROLE, f"The data of {node.name} is half rewritten: nothing can be saved. Nothing changed."
        )
    if service.server_pid(node) is not None or (alone.pids() and not _runs_alone(alone)):
        parts = " and ".join(service.running(node))
        raise CommandError(WRONG_ROLE, f"The {parts} of {node.name} runs: stop it first. Nothing changed.")


def _runs_alone(alone: Cluster) -> bool:
    """Whether the database that runs is the one an earlier salvage started: by its socket's folder.

    Line 5 of `postmaster.pid` (PostgreSQL source, `utils/pidfile.h`).
    """
    try:
        return (alone.data / "postmaster.pid").read_text().splitlines()[4] == str(alone.socket_dir)
    except (OSError, IndexError):
        return False


def _check_master(node: NodeConfig, master: Api, identifier: str) -> None:
    try:
        found = master.get("/identity")
    except RemoteError as error:
        raise CommandError(
            UNREACHABLE, f"The new master cannot be asked what it has: {error} Nothing changed."
        ) from error
    if found["role"] != "master" or found["name"] == node.name:
        raise CommandError(WRONG_ROLE, f"{found['name']} is a {found['role']}. Nothing changed.")
    if found["system_identifier"] != identifier:
        raise CommandError(WRONG_ROLE, f"{found['name']} has another database. Nothing changed.")
    master.show(node.secrets().peer)


def _saved(node: NodeConfig, alone: Cluster, master: Api, part: Path, say: Say) -> Manifest:
    runs, unrecognised, files = _rows(node, alone, say)
    say(f"comparing {len(runs)} runs with the new master")
    lost: set[str] = set()
    for batch in _batches(runs):
        told = [{key: row[key] for key in ("id", "state", "code", "sha256")} for row in batch]
        lost |= set(_ask(master, runs=told)["runs"])
    unknown: set[str] = set()
    for batch in _batches(unrecognised):
        unknown |= set(_ask(master, unrecognised=[row["run"] for row in batch])["unrecognised"])
    here = [row for row in files if (node.home / "files" / file_name(row["id"])).is_file()]
    missing: list[str] = []
    for batch in _batches(here):
        missing += _ask(master, files={row["id"]: row["sha256"] for row in batch})["files"]
    saved = [row for row in runs if row["id"] in lost]
    late = [row for row in unrecognised if row["run"] in unknown]
    _write(part / "runs.jsonl", _lines(saved))
    _write(part / "server-history.jsonl", _lines(late))
    (part / "files").mkdir()
    for name in map(file_name, missing):
        _write(part / "files" / name, (node.home / "files" / name).read_bytes())
    names = [_named(row["id"], row) for row in saved] + [_named(row["run"], row) for row in late]
    return Manifest(names[:NAMED], counted=len(names), files=len(missing))


def _named(run: str, row: Row) -> SavedRun:
    return SavedRun(run, _job(run), row.get("started_at"), row["ended_at"], row["code"])


def _rows(node: NodeConfig, alone: Cluster, say: Say) -> tuple[list[Row], list[Row], list[Row]]:
    """Its runs that were started, its unrecognised completions, its output files. It is down again then."""
    alone.socket_dir.mkdir(mode=0o700, exist_ok=True)
    if alone.account is not None:
        os.chown(alone.socket_dir, alone.account.uid, alone.account.gid)
    say(f"starting the database of {node.name} on a private socket")
    try:
        alone.start(default_transaction_read_only="on", autovacuum="off")
    except LabError as error:
        raise _NoStartError(str(error)) from error
    try:
        with database.connect(alone, node.secrets().superuser) as connection:
            cursor = connection.cursor(row_factory=dict_row)
            runs, unrecognised, files = (
                cursor.execute(query).fetchall() for query in (_RUNS, _UNRECOGNISED, _FILES)
            )
            return runs, unrecognised, files
    finally:
        alone.stop()
        say(f"the database of {node.name} is down again")


def _aside(alone: Cluster, part: Path, say: Say) -> Manifest:
    size = sum(file.lstat().st_size for file in alone.data.rglob("*") if file.is_file())
    free = shutil.disk_usage(part).free
    if free < size:
        raise LabError(
            f"The data directory has {size // _MIB} MiB and {part.parent} {free // _MIB} MiB free: make room."
        )
    say(f"keeping its data directory aside ({size // _MIB} MiB)")
    shutil.copytree(alone.data, part / "data", symlinks=True)
    return Manifest([], counted=0, files=0, aside=True)


def _batches(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    return (rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH))


def _ask(master: Api, **asked: object) -> dict[str, list[str]]:
    return master.post("/salvage/lacking", asked)


def _job(run: str) -> str:
    parsed = parse_run_id(run)
    return parsed[0] if parsed else ""


def _lines(rows: Sequence[Row]) -> bytes:
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def _write(path: Path, content: bytes) -> None:
    """Write a file through to the disk, whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _counted(manifest: Manifest) -> str:
    if manifest.aside:
        return f"the data directory is kept in {manifest.folder}/data"
    if not manifest.counted and not manifest.files:
        return "nothing to save: the new master has everything"
    return f"saved {manifest.counted} runs and {manifest.files} output files in {manifest.folder}"


def main() -> int:
    """`python -m skytui.lab.salvage MARK --config conf/node.toml`."""

    def work(node: NodeConfig, words: Sequence[str]) -> None:
        if len(words) != 1:
            raise CommandError(BAD_INPUT, "Say under which name it is to be saved: a plain word.")
        with command.exclusive(node):
            salvage(node, words[0], command.say)

    return command.run(work, "salvage")


if __name__ == "__main__":
    sys.exit(main())
