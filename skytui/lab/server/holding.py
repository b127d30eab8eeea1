"""What is done to a database without its server: filling a new one, holding all after a promotion."""

from typing import Any

import psycopg

from skytui.lab.jobset import JobSet

# After a promotion nothing runs until an operator says so, whatever the replicated rows say.
HOLD = (
    "SELECT pg_advisory_xact_lock(4711)",
    "UPDATE sky.queue SET held = true",
    "UPDATE sky.scheduler SET since = CASE state WHEN 'stopped' THEN since ELSE now() END,"
    " state = 'stopped', timeline = sky.timeline()",
)


def hold_everything(conn: psycopg.Connection[Any]) -> None:
    """Set the scheduler stopped and every queue held, in one transaction of `conn`.

    For the moment after a promotion, while the service is down. Until this is committed no job is fetched
    either (see `sky.scheduler.timeline`), so no worker can slip in between.
    """
    with conn.transaction():
        for statement in HOLD:
            conn.execute(statement)


def seed_database(conn: psycopg.Connection[Any], jobs: JobSet) -> None:
    """Fill a database that has procrastinate's tables and `schema.sql`. The scheduler is then *running*.

    `conn` is a superuser's. All in one transaction.
    """
    job_row = (
        "INSERT INTO sky.job (name, agent, queue, cron, command, output) VALUES (%s, %s, %s, %s, %s, %s)"
    )
    with conn.transaction():
        for agent in jobs.agent:
            conn.execute("INSERT INTO sky.agent (name) VALUES (%s)", [agent.name])
            for queue in agent.queues:
                conn.execute("INSERT INTO sky.queue (name, agent) VALUES (%s, %s)", [queue, agent.name])
        for job in jobs.job:
            conn.execute(job_row, [job.name, job.agent, job.queue, job.cron, job.command, job.output])
        conn.execute("INSERT INTO sky.scheduler (state, timeline) VALUES ('running', sky.timeline())")
