"""Who is master, as the databases themselves say: read with psql, not through our API."""

from tests.e2e.conftest import Practice

SYSTEM = "SELECT system_identifier FROM pg_control_system()"
TIMELINE = "SELECT timeline_id FROM pg_control_checkpoint()"


def check_roles(practice: Practice, *, master: str, standby: str, timeline: int) -> None:
    """One master on this timeline, the other a streaming standby of it, with no slot left over."""
    assert practice.psql(master, "SELECT pg_is_in_recovery()") == "f"
    assert practice.psql(standby, "SELECT pg_is_in_recovery()") == "t"
    assert practice.psql(master, SYSTEM) == practice.psql(standby, SYSTEM)
    assert practice.psql(master, TIMELINE) == str(timeline)
    streaming = practice.psql(master, "SELECT application_name, state FROM pg_stat_replication")
    assert streaming == f"{standby}|streaming"
    for host in (master, standby):
        assert not practice.psql(host, "SELECT slot_name FROM pg_replication_slots WHERE NOT active")


def check_replication(practice: Practice, *, master: str, standby: str, mark: str) -> None:
    """A row written on the master is seen on the standby."""
    practice.psql(master, f"CREATE TABLE {mark} AS SELECT 1 AS one")
    position = practice.psql(master, "SELECT pg_current_wal_lsn()")
    waited = f"SELECT pg_last_wal_replay_lsn() >= '{position}'::pg_lsn"
    for _ in range(200):
        if practice.psql(standby, waited) == "t":
            break
    assert practice.psql(standby, f"SELECT one FROM {mark}") == "1"
