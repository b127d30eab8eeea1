"""The first content of a pair's database: roles, procrastinate's tables, our own schema, the job set."""

from importlib import resources

import psycopg
from procrastinate.schema import SchemaManager
from psycopg import sql

from skytui.errors import LabError
from skytui.lab.database import connect
from skytui.lab.jobset import JobSet
from skytui.lab.node import AGENT_ROLE, DATABASE, REPLICATION_ROLE, SERVER_ROLE, Secrets
from skytui.lab.postgres import Cluster
from skytui.lab.server.holding import seed_database

# pg_rewind over a connection needs these, else a superuser.
# Source: https://www.postgresql.org/docs/current/app-pgrewind.html, "Notes"
_REWIND_FUNCTIONS = (
    "pg_catalog.pg_ls_dir(text, boolean, boolean)",
    "pg_catalog.pg_stat_file(text, boolean)",
    "pg_catalog.pg_read_binary_file(text)",
    "pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)",
)


def fill(cluster: Cluster, secrets: Secrets, jobs: JobSet) -> None:
    """Make roles, database, schema and job set on a fresh, running master.

    `skytui_server` may see replication (pg_monitor) and make slots (REPLICATION); what the roles may do with
    tables is said by schema.sql.
    """
    roles = (
        (SERVER_ROLE, secrets.server, "REPLICATION"),
        (AGENT_ROLE, secrets.agent, ""),
        (REPLICATION_ROLE, secrets.replicator, "REPLICATION"),
    )
    try:
        with connect(cluster, secrets.superuser, "postgres") as connection:
            for role, password, right in roles:
                create = sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}")
                connection.execute(create.format(sql.Identifier(role), sql.SQL(right), sql.Literal(password)))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        with connect(cluster, secrets.superuser) as connection:
            for function in _REWIND_FUNCTIONS:
                grant = sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}")
                connection.execute(grant.format(sql.SQL(function), sql.Identifier(REPLICATION_ROLE)))
            connection.execute(SchemaManager.get_schema())
            connection.execute((resources.files("skytui.lab") / "schema.sql").read_bytes())
            seed_database(connection, jobs)
    except psycopg.Error as error:
        raise LabError(f"The database of {cluster.name} cannot be filled: {str(error).strip()}") from error
