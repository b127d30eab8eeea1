"""The job set of a practice pair: its agents with their queues, its jobs, and when they are due.

Read from a TOML file (`jobs.toml` beside this module is the usual one):

    [[agent]]
    name = "NIGHT-01"
    queues = ["NIGHT-01", "NIGHT-01/long"]

    [[job]]
    name = "ledger-export"
    agent = "NIGHT-01"
    queue = "NIGHT-01"
    cron = "*/15 * * * * *"        # six fields: second minute hour day month weekday (mon-sun)
    command = "date; sleep 1"      # run by /bin/sh -c on the agent
    output = true                  # whether what it prints is kept as an output file
"""

import re
import tomllib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import msgspec
from apscheduler.triggers.cron import CronTrigger

from skytui.errors import ConfigError

USUAL = Path(__file__).with_name("jobs.toml")
TASK = "skytui.run"
"""The name under which servers queue runs and agents take them, in procrastinate."""

_RUN_ID = re.compile(r"(?P<job>[^@/\x00-\x1f]{1,60})@(?P<due>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")
_FIELDS = ("second", "minute", "hour", "day", "month", "day_of_week")


class Agent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An agent and the queues it listens to."""

    name: str
    queues: tuple[str, ...]


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scheduled job. `cron` has six fields, seconds first, in UTC."""

    name: str
    agent: str
    queue: str
    cron: str
    command: str
    output: bool = False


class JobSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All agents and jobs of a pair."""

    agent: tuple[Agent, ...]
    job: tuple[Job, ...]


def load_jobs(file: Path = USUAL) -> JobSet:
    """The job set in `file`. Raises `ConfigError` naming the file and what is wrong with it."""
    try:
        jobs = msgspec.convert(tomllib.loads(file.read_text("utf-8")), JobSet)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"The job set {file} cannot be used: {error}.") from error
    _check(jobs, file)
    return jobs


def _check(jobs: JobSet, file: Path) -> None:
    owner = {queue: agent.name for agent in jobs.agent for queue in agent.queues}
    if sum(len(agent.queues) for agent in jobs.agent) != len(owner):
        raise ConfigError(f"In {file} a queue belongs to two agents; give each queue to one agent.")
    if len({job.name for job in jobs.job}) != len(jobs.job):
        raise ConfigError(f"In {file} two jobs have the same name; names tell runs apart.")
    for job in jobs.job:
        if owner.get(job.queue) != job.agent:
            raise ConfigError(
                f"In {file} job {job.name!r} waits in queue {job.queue!r}, not one of {job.agent}'s."
            )
        if not _RUN_ID.fullmatch(f"{job.name}@2026-01-01T00:00:00Z"):
            raise ConfigError(
                f"In {file} the job name {job.name!r} is empty, over 60 long, or has @, / or controls."
            )
        try:
            trigger(job.cron)
        except ValueError as error:
            raise ConfigError(
                f"In {file} job {job.name!r} has the cron line {job.cron!r}: {error}."
            ) from error


@lru_cache(maxsize=512)
def trigger(cron: str) -> CronTrigger:
    """The apscheduler trigger of a six-field cron line, in UTC. Raises `ValueError`."""
    fields = cron.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"{len(fields)} fields, 6 wanted (second minute hour day month weekday)")
    return CronTrigger(**dict(zip(_FIELDS, fields, strict=True)), timezone=UTC)


def ticks(cron: str, after: datetime, until: datetime, most: int | None = None) -> list[datetime]:
    """The moments `cron` is due in the interval (after, until], in order; with `most` only the first ones."""
    due: list[datetime] = []
    clock = trigger(cron)
    moment: datetime | None = after + timedelta(microseconds=1)
    while moment is not None and (most is None or len(due) < most):
        moment = clock.get_next_fire_time(None, moment)
        if moment is None or moment > until:
            break
        due.append(moment.astimezone(UTC))
        moment += timedelta(microseconds=1)
    return due


def run_id(job: str, due: datetime) -> str:
    """What names one run of a job for ever: `ledger-export@2026-11-22T12:00:05Z`."""
    return f"{job}@{due.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def parse_run_id(run: str) -> tuple[str, datetime] | None:
    """The job's name and due time in a run's id; None when it is not one."""
    match = _RUN_ID.fullmatch(run)
    if match is None:
        return None
    try:
        due = datetime.strptime(match["due"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return match["job"], due


def file_name(run: str) -> str:
    """The name of a run's file: its id, percent-encoded, so that different ids never share a name."""
    return quote(run, safe="@")
