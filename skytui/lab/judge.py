"""The judge of a role swap: did every job run once, and does the master there is now account for all of them?

It judges from the agents' own ledgers, which no role swap touches, and holds the new master's rows and files
against them. `judge_rows` is pure; `judge` loads and calls it.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row

from skytui.lab.jobset import file_name, run_id, ticks
from skytui.lab.ledger import Entry, read_ledger


class Terminal(msgspec.Struct, frozen=True):
    """How a run ended, by a row of the master: of its run table, or (`history`) of its Server History."""

    run: str
    agent: str
    code: int
    sha256: str | None
    history: bool = False


class Waiting(msgspec.Struct, frozen=True):
    """A run of the master that has not ended. `lock`: why it does not start; empty when nothing keeps it."""

    run: str
    lock: str


class Cron(msgspec.Struct, frozen=True):
    """When a job is due."""

    job: str
    cron: str


class MasterRows(msgspec.Struct, frozen=True):
    """What the master's database says. `missed` holds the ids of runs that were never queued."""

    terminal: Sequence[Terminal]
    waiting: Sequence[Waiting]
    missed: Sequence[str]
    jobs: Sequence[Cron]


class Verdict(msgspec.Struct, frozen=True):
    """How many runs were judged, and every fault found, as sentences."""

    runs: int
    faults: list[str]


def judge(
    ledgers: Iterable[Path],
    master: "psycopg.Connection[Any]",
    files: Path,
    window: tuple[datetime, datetime],
) -> Verdict:
    """Judge a pair: its agents' ledger files, its present master's database and folder of output files.

    `window`: the cron ticks after its first and up to its second moment must all be accounted for. It ends
    while the scheduler runs, or the scheduler was started since: only then are ticks recorded as missed. Call
    it when no run is under way: one that has not ended is a fault.
    """
    entries = {file.parent.name: read_ledger(file) for file in ledgers}
    rows = load_rows(master)
    kept = {entry.run for of_agent in entries.values() for entry in of_agent if entry.sha256 is not None}
    there = {run: file for run in kept if (file := files / file_name(run)).is_file()}
    hashes = {run: hashlib.sha256(file.read_bytes()).hexdigest() for run, file in there.items()}
    return judge_rows(entries, rows, hashes, window)


def judge_rows(
    ledgers: Mapping[str, Sequence[Entry]],
    rows: MasterRows,
    hashes: Mapping[str, str],
    window: tuple[datetime, datetime],
) -> Verdict:
    """The judgement. `ledgers`: entries by agent; `hashes`: SHA-256 of the output files there are, by run."""
    started = [
        (entry.run, agent)
        for agent, entries in ledgers.items()
        for entry in entries
        if entry.event == "started"
    ]
    faults = [
        *_started_once(started),
        *_ended_once(ledgers),
        *_recorded(ledgers, rows, hashes),
        *_known(started, rows),
        *_ticks(started, rows, window),
    ]
    return Verdict(len({run for run, _ in started}), faults)


def _started_once(started: Sequence[tuple[str, str]]) -> Iterator[str]:
    for run, count in Counter(run for run, _ in started).items():
        if count > 1:
            agents = ", ".join(sorted({agent for name, agent in started if name == run}))
            yield f"{run} was started {count} times ({agents})."


def _ended_once(ledgers: Mapping[str, Sequence[Entry]]) -> Iterator[str]:
    for agent, entries in ledgers.items():
        begun: set[str] = set()
        over: set[str] = set()
        for entry in entries:
            if entry.event == "started":
                begun.add(entry.run)
                continue
            if entry.run not in begun:
                yield f"{entry.run} ended in the ledger of {agent} and was never started there."
            if entry.run in over:
                yield f"{entry.run} ended twice in the ledger of {agent}."
            over.add(entry.run)
        for run in sorted(begun - over):
            yield f"{run} was started by {agent} and has not ended."


def _recorded(
    ledgers: Mapping[str, Sequence[Entry]], rows: MasterRows, hashes: Mapping[str, str]
) -> Iterator[str]:
    by_run: dict[str, list[Terminal]] = {}
    for terminal in rows.terminal:
        by_run.setdefault(terminal.run, []).append(terminal)
    for agent, entries in ledgers.items():
        for entry in entries:
            if entry.event != "ended":
                continue
            found = by_run.get(entry.run, [])
            if len(found) != 1:
                yield f"{entry.run} has {len(found)} terminal rows on the master, and must have one."
            for row in found:
                yield from _same(agent, entry, row)
            if entry.sha256 is not None and hashes.get(entry.run) != entry.sha256:
                lies = "is missing" if entry.run not in hashes else "has another hash than the ledger says"
                yield f"{entry.run}: its output file on the master's disk {lies}."


def _same(agent: str, entry: Entry, row: Terminal) -> Iterator[str]:
    if row.code != entry.code:
        yield f"{entry.run} ended with {entry.code} on {agent}, and the master says {row.code}."
    if row.sha256 != entry.sha256:
        yield f"{entry.run}: the output's hash in the master's row is not the one in the ledger."
    if row.agent != agent:
        yield f"{entry.run} ran on {agent}, and the master says {row.agent}."


def _known(started: Sequence[tuple[str, str]], rows: MasterRows) -> Iterator[str]:
    in_ledger = {run for run, _ in started}
    for terminal in rows.terminal:
        if terminal.run not in in_ledger:
            yield f"{terminal.run} has ended according to the master, and no ledger knows it."


def _ticks(
    started: Sequence[tuple[str, str]], rows: MasterRows, window: tuple[datetime, datetime]
) -> Iterator[str]:
    in_ledger = {run for run, _ in started}
    waiting = {each.run: each.lock for each in rows.waiting}
    missed = set(rows.missed)
    # Missed and in Server History is no contradiction: this master never knew the run.
    recorded = {*waiting, *(each.run for each in rows.terminal if not each.history)}
    for job in rows.jobs:
        for due in ticks(job.cron, *window):
            run = run_id(job.job, due)
            if run in in_ledger or run in missed:
                continue
            if run not in waiting:
                yield f"{run} was due and has vanished: neither in a ledger, nor queued, nor missed."
            elif not waiting[run]:
                yield f"{run} waits in a queue that is open, and was not started."
    for run in sorted(missed & recorded):
        yield f"{run} is recorded as missed, and as a run too."


_TERMINAL = """
    SELECT id AS run, agent, code, sha256, false AS history FROM sky.run WHERE state = 'ended'
    UNION ALL SELECT run, agent, code, sha256, true FROM sky.server_history
"""
_WAITING = """
    SELECT r.id AS run, CASE WHEN q.locked THEN 'locked' WHEN q.held THEN 'held' ELSE '' END AS lock
    FROM sky.run r JOIN sky.queue q ON q.name = r.queue WHERE r.state <> 'ended'
"""


def load_rows(master: "psycopg.Connection[Any]") -> MasterRows:
    """What the master's database says now."""
    with master.cursor(row_factory=dict_row) as cursor:
        missed = cursor.execute("SELECT job, due FROM sky.missed").fetchall()
        return MasterRows(
            terminal=msgspec.convert(cursor.execute(_TERMINAL).fetchall(), list[Terminal]),
            waiting=msgspec.convert(cursor.execute(_WAITING).fetchall(), list[Waiting]),
            missed=[run_id(row["job"], row["due"]) for row in missed],
            jobs=msgspec.convert(
                cursor.execute("SELECT name AS job, cron FROM sky.job").fetchall(), list[Cron]
            ),
        )
