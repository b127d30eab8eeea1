"""`skytui status`: both servers, once."""

import asyncio
from typing import Any

import msgspec

from skytui.commands.look import Looked, look
from skytui.errors import StateError
from skytui.link.wire import Watched
from skytui.pair.pair import PairReading
from skytui.pair.reading import Known, Stale, Unknown
from skytui.pair.vocabulary import READINGS, ServerReading
from skytui.runbook.cadence import cadence_words
from skytui.runbook.history import seconds_words
from skytui.runbook.model import Run
from skytui.runbook.progress import progress_words
from skytui.runbook.prospect import prospect

SCHEMA = 1
"""Of the JSON that `--json` prints; described in docs/status.md."""


def status(pair: str, *, as_json: bool) -> tuple[str, int]:
    """What to print, and the exit code: 0 when one master and one standby were read, 13 otherwise."""
    looked = asyncio.run(look(pair))
    if looked.trouble:
        raise StateError(looked.trouble)
    reading = looked.reading
    sure = reading.master() is not None and reading.standby() is not None
    text = as_data(looked) if as_json else as_text(looked)
    return text, 0 if sure else 13


def as_data(looked: Looked) -> str:
    """One JSON document."""
    reading = looked.reading
    document = {
        "schema": SCHEMA,
        "pair": looked.pair,
        "practice": looked.practice,
        "conductor": looked.conductor,
        "at": reading.wall,
        "master": reading.master(),
        "standby": reading.standby(),
        "unverified": looked.unverified,
        "servers": {name: _server_data(reading, server) for name, server in reading.servers.items()},
        "run": _run_data(looked.run),
        "watch": looked.watched,
        "progress": looked.progress,
        "cadence": looked.cadence,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _server_data(reading: PairReading, server: ServerReading) -> dict[str, Any]:
    return {name: _reading_data(reading, getattr(server, name)) for name in READINGS}


def _reading_data(pair: PairReading, reading: Known[Any] | Stale[Any] | Unknown) -> dict[str, Any]:
    match reading:
        case Known(value=value, at=at, source=source):
            return {"state": "known", "value": value, "age": round(pair.now.since(at), 3), "source": source}
        case Stale(value=value, at=at, reason=reason, source=source):
            age = round(pair.now.since(at), 3)
            told = {"source": source, "reason": reason, "cause": reading.cause}
            return {"state": "stale", "value": value, "age": age, **told}
        case Unknown(reason=reason, source=source):
            return {"state": "unknown", "reason": reason, "source": source, "cause": reading.cause}


def _run_data(run: Run | None) -> dict[str, Any] | None:
    if run is None:
        return None
    return {
        "id": run.id,
        "kind": run.kind,
        "old": run.old,
        "new": run.new,
        "who": run.who,
        "began": run.began,
        "over": run.over,
        "stage": run.stage,
        "steps_done": [record.step for record in run.records],
        "steps": run.plan,
        "no_way_back": run.no_way_back,
        "waivers": run.waivers,
    }


def as_text(looked: Looked) -> str:
    """Both servers side by side, for people."""
    reading = looked.reading
    names = list(reading.servers)
    rows = [("", *names), ("role", *(reading.role(name) or "unknown" for name in names))]
    if looked.unverified:
        rows.append(
            ("certificate", *("NOT VERIFIED" if n in looked.unverified else "verified" for n in names))
        )
    for title, key in _ROWS.items():
        rows.append((title, *(_say(key, getattr(reading.server(name), key)) for name in names)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    texts = [*_run_texts(looked), *_watch_text(looked.watched), *cadence_words(looked.cadence, reading.wall)]
    return "\n".join([*lines, "", *texts])


_ROWS = {
    "scheduler": "scheduler",
    "queues": "queues",
    "agents": "agents",
    "users": "users",
    "jobs running": "running_jobs",
    "requests": "replication_pending",
    "link": "replication_link",
    "standby status": "standby_status",
    "processes": "process",
    "guard": "guard",
}


def _say(key: str, reading: Known[Any] | Stale[Any] | Unknown) -> str:
    if isinstance(reading, Unknown):
        return "unknown"
    if isinstance(reading, Stale):
        return f"unknown now ({reading.reason})"
    value = reading.value
    match key:
        case "scheduler" | "replication_link":
            return str(value.state) or "none"
        case "queues":
            return f"{sum(queue.locked for queue in value)}/{len(value)} locked"
        case "agents":
            return f"{sum(agent.connected is True for agent in value)}/{len(value)} connected"
        case "users":
            return str(sum(not user.own for user in value))
        case "running_jobs":
            return str(len(value))
        case "process":
            return ", ".join(f"{item.name} {'running' if item.running else 'gone'}" for item in value)
        case "guard":
            return "set" if value else "not set"
        case _:
            return str(value)


def _watch_text(watched: Watched | None) -> list[str]:
    if watched is None or watched.ended:
        return []
    until = f"{watched.watch.until:%Y-%m-%d %H:%M} UTC"
    found = [f"ALARM since {alarm.since:%H:%M:%S} UTC: {alarm.says}." for alarm in watched.open]
    return [f"Run {watched.watch.run} is watched until {until}.", *found]


def _run_texts(looked: Looked) -> list[str]:
    """The open run; how far the command that is under way is, and by how much the step is overdue."""
    run, now = looked.run, looked.reading.wall
    texts = [_run_text(run)]
    if run is None or run.over:
        return texts
    if looked.progress is not None:
        words = progress_words(looked.progress, now, run.thresholds.stall_seconds)
        texts.append(f"Under way on {looked.progress.server}: {words}.")
    ahead = prospect(run, looked.reading)
    if ahead.overdue:
        reasons = "; ".join(ahead.reasons)
        texts.append(f"Overdue by {seconds_words(ahead.overdue)}: {reasons}.")
    return texts


def _run_text(run: Run | None) -> str:
    if run is None:
        return "No run is open."
    if run.step is None:
        return f"Run {run.id} has ended."
    number = run.number(run.step.id)
    return f"Run {run.id} by {run.who}: step {number} of {len(run.plan)}, {run.step.title} ({run.step.id})."
