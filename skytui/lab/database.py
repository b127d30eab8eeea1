"""Connections to a host's own database, by its superuser."""

import psycopg
from psycopg.rows import TupleRow

from skytui.errors import LabError
from skytui.lab.node import DATABASE, SUPERUSER
from skytui.lab.postgres import Cluster


def connect(cluster: Cluster, password: str, dbname: str = DATABASE) -> psycopg.Connection[TupleRow]:
    """A superuser's connection to the database of this host, over its socket, in autocommit mode."""
    try:
        return psycopg.connect(
            host=str(cluster.socket_dir), port=cluster.port, user=SUPERUSER, password=password, dbname=dbname,
            connect_timeout=5, autocommit=True,
        )  # fmt: skip
    except psycopg.OperationalError as error:
        raise LabError(f"The database of {cluster.name} does not let us in: {str(error).strip()}") from error
