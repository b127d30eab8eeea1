"""What it costs to have an event on disk before its effect starts: our journal against a SQLite commit.

    python -m benchmarks.journal

Both write the same event, one durable write each, in turns, on the same disk. SQLite runs with
`synchronous=FULL` and a rollback journal. What counts is the ratio: the disk sets the times.
"""

import sqlite3
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from skytui.clock import Instant
from skytui.conductor.journal import Journal
from skytui.runbook.events import Confirmed

ROUNDS = 300


def main() -> None:
    event = Confirmed(
        at=Instant("bench", 1.0),
        wall=datetime(2026, 1, 1, tzinfo=UTC),
        run="r",
        step="lock-queues",
        who="ops",
    )
    raw = msgspec.json.encode(event)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        journal = Journal.create(Path(folder) / "journal.jsonl", "r")
        database = sqlite3.connect(Path(folder) / "journal.db", isolation_level=None)
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE event (n INTEGER PRIMARY KEY, body BLOB)")
        ours, theirs = [], []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            journal.append(event)
            middle = time.perf_counter()
            database.execute("INSERT INTO event (body) VALUES (?)", (raw,))
            ours.append(middle - began)
            theirs.append(time.perf_counter() - middle)
        journal.close()
        database.close()
    ratios = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    print(f"journal   median {statistics.median(ours) * 1000:7.2f} ms  ({ROUNDS} events, record and head)")
    print(f"SQLite    median {statistics.median(theirs) * 1000:7.2f} ms")
    print(f"journal / SQLite, pair by pair: median {statistics.median(ratios):.2f}"
          f" (p10 {ratios[ROUNDS // 10]:.2f}, p90 {ratios[-ROUNDS // 10]:.2f})")  # fmt: skip


if __name__ == "__main__":
    main()
