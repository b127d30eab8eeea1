"""The first content of a pair's database: roles, procrastinate's tables, our own schema."""

from importlib import resources

import psycopg
from procrastinate.schema import SchemaManager
from psycopg import sql

from skytui.errors import LabError
from skytui.lab.node import AGENT_ROLE, DATABASE, REPLICATION_ROLE, SERVER_ROLE, SUPERUSER, Secrets
from skytui.lab.postgres import Cluster

# pg_rewind over a connection needs these, else a superuser.
# Source: https://www.postgresql.org/docs/current/app-pgrewind.html, "Notes"
_REWIND_FUNCTIONS = (
    "pg_catalog.pg_ls_dir(text, boolean, boolean)",
    "pg_catalog.pg_stat_file(text, boolean)",
    "pg_catalog.pg_read_binary_file(text)",
    "pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)",
)


def connect(
    cluster: Cluster, password: str, dbname: str = DATABASE
) -> "psycopg.Connection[psycopg.rows.TupleRow]":
    """A superuser's connection to the database of this host, over its socket, in autocommit mode."""
    try:
        return psycopg.connect(
            host=str(cluster.socket_dir), port=cluster.port, user=SUPERUSER, password=password, dbname=dbname,
            connect_timeout=5, autocommit=True,
        )  # fmt: skip
    except psycopg.OperationalError as error:
        raise LabError(f"The database of {cluster.name} does not let us in: {str(error).strip()}") from error


def fill(cluster: Cluster, secrets: Secrets) -> None:
    """Make roles, database and schema on a fresh, running master.

    `skytui_server` may see replication (pg_monitor) and make slots (REPLICATION); what the roles may do with
    tables is said by schema.sql.
    """
    roles = ((SERVER_ROLE, secrets.server, "REPLICATION"), (AGENT_ROLE, secrets.agent, ""),
             (REPLICATION_ROLE, secrets.replicator, "REPLICATION"))  # fmt: skip
    with connect(cluster, secrets.superuser, "postgres") as connection:
        for role, password, right in roles:
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}").format(
                    sql.Identifier(role), sql.SQL(right), sql.Literal(password)
                )
            )
        connection.execute(sql.SQL("GRANT pg_monitor TO {}").format(sql.Identifier(SERVER_ROLE)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    with connect(cluster, secrets.superuser) as connection, connection.transaction():
        for function in _REWIND_FUNCTIONS:
            grant = sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}")
            connection.execute(grant.format(sql.SQL(function), sql.Identifier(REPLICATION_ROLE)))
        connection.execute(SchemaManager.get_schema())
        own = resources.files("skytui.lab") / "schema.sql"
        if own.is_file():
            connection.execute(own.read_text("utf-8").encode())
