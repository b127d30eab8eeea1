"""Making a standby the master: behind `standbyToMaster.sh`.

Until the database is promoted a failure puts the server back as it was. From there on there is only forward:
a second run takes up where the first one ended, and the server comes up with its scheduler stopped and its
queues held, or not at all.
"""

import sys
from collections.abc import Sequence

from skytui.errors import LabError
from skytui.lab import command, database, service
from skytui.lab.command import CommandError, Say
from skytui.lab.node import NodeConfig
from skytui.lab.postgres import Cluster
from skytui.lab.server.holding import hold_everything


def promote(node: NodeConfig, say: Say) -> None:
    """Promote this host's standby. `CommandError` 3: wrong role, or its server is down; nothing changed."""
    cluster = Cluster.of(node)
    begun = service.promotion_note(node)
    if not cluster.is_standby and not begun.exists():
        raise CommandError(
            3, f"{node.name} is a master: run standbyToMaster.sh on the standby. Nothing changed."
        )
    if cluster.is_standby:
        if service.running(node) != ["server", "database"]:
            raise CommandError(3, f"{node.name} is not up: start it, then promote it. Nothing changed.")
        begun.write_text("standbyToMaster was begun\n")
        _promote_database(node, cluster, say)
    elif not cluster.pids():
        cluster.start()
    service.stop_server(node, say)
    with database.connect(cluster, node.secrets().superuser) as connection:
        hold_everything(connection)
        say("scheduler is stopped, all queues are held")
        # pg_rewind reads the timeline from the control file, which only a checkpoint brings up to date.
        connection.execute("CHECKPOINT")
    service.start_server(node, say)
    begun.unlink()
    say(f"{node.name} is master, timeline {cluster.control().timeline}")


def _promote_database(node: NodeConfig, cluster: Cluster, say: Say) -> None:
    try:
        service.stop_server(node, say)
        say(f"promoting database of {node.name}")
        cluster.promote()
    except LabError:
        if cluster.is_standby:
            service.promotion_note(node).unlink()
            if service.server_pid(node) is None:
                service.start_server(node, say)
        raise


def main() -> int:
    """`python -m skytui.lab.promote --config conf/node.toml`."""

    def work(node: NodeConfig, _words: Sequence[str]) -> None:
        with command.exclusive(node):
            promote(node, command.say)

    return command.run(work, "promote")


if __name__ == "__main__":
    sys.exit(main())
