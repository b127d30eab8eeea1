"""Starting and stopping a host's server process and database: behind `start.sh` and `stop.sh`.

The order is always database, then server; and server, then database. Whatever a command started before it
failed, it stops again.
"""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from skytui.errors import RemoteError
from skytui.lab import command, processes
from skytui.lab.api import Api
from skytui.lab.command import CommandError, Say
from skytui.lab.node import NodeConfig
from skytui.lab.postgres import Cluster

READY_SECONDS = 30.0
STOP_SECONDS = 20.0


def server_pid(node: NodeConfig) -> int | None:
    """The process of this host's server; None when it does not run."""
    return processes.server_of(node.path)


def running(node: NodeConfig) -> list[str]:
    """What runs of this host's server: `server`, `database`, both or nothing."""
    server = ["server"] if server_pid(node) else []
    return server + (["database"] if Cluster.of(node).pids() else [])


def start(node: NodeConfig, say: Say) -> None:
    """Start database and server in the role the data directory has; refuses when one of them runs."""
    if parts := running(node):
        raise CommandError(3, f"{node.name} runs already ({' and '.join(parts)}); nothing was started.")
    cluster = Cluster.of(node)
    if not cluster.exists:
        raise CommandError(3, f"{node.name} has no database at {cluster.data}; nothing was started.")
    if reseeding(node):
        raise CommandError(
            3,
            f"A conversion of {node.name} was interrupted: run masterToStandby.sh again. Nothing started.",
        )
    if promotion_note(node).exists() and not cluster.is_standby:
        raise CommandError(
            3, f"The promotion of {node.name} was interrupted: run standbyToMaster.sh again. Nothing started."
        )
    say(f"starting database of {node.name} as {'standby' if cluster.is_standby else 'master'}")
    cluster.start()
    try:
        start_server(node, say)
    except BaseException:
        cluster.stop()
        raise


def start_server(node: NodeConfig, say: Say) -> None:
    """Start the server process on a running database; returns when it answers by its name."""
    say(f"starting server of {node.name}")
    log = node.logs / "server.out"
    pid = processes.spawn(
        processes.python("skytui.lab.server", "--config", str(node.path)),
        log=log,
        env=processes.environment(node.node.lab, node.name),
        cwd=node.home,
    )
    with Api(node.url, node.http.ca) as api:

        def decided() -> bool:
            return _answers(api, node.name) or not processes.alive(pid)

        in_time = processes.wait_for(decided, READY_SECONDS)
        if in_time and processes.alive(pid):
            say(f"{node.name} is up")
            return
    _end(pid)
    why = f"did not answer within {READY_SECONDS:.0f} s" if not in_time else "ended at once"
    lines = log.read_text("utf-8", "replace").splitlines()
    raise CommandError(1, f"The server of {node.name} {why}: {lines[-1] if lines else f'see {log}'}")


def stop(node: NodeConfig, say: Say) -> None:
    """Stop server, then database, in order; returns when all processes are gone."""
    if not running(node):
        say(f"{node.name} is down already")
        return
    stop_server(node, say)
    stop_database(node, say)
    if left := running(node):
        raise CommandError(1, f"{' and '.join(left)} of {node.name} still run after the stop.")
    say(f"{node.name} is down")


def stop_server(node: NodeConfig, say: Say) -> None:
    """End the server process, if there is one."""
    pid = server_pid(node)
    if pid is None:
        return
    say(f"stopping server of {node.name} (process {pid})")
    if not _end(pid):
        say(f"server of {node.name} did not end within {STOP_SECONDS:.0f} s and was killed")


def stop_database(node: NodeConfig, say: Say) -> None:
    """Stop the database in order, if it runs."""
    cluster = Cluster.of(node)
    pids = cluster.pids()
    if not pids:
        return
    say(f"stopping database of {node.name} (process {pids[0]})")
    cluster.stop()


def set_autostart(node: NodeConfig, yes: bool) -> None:
    """Say whether the host starts its server when it boots; the guard is set when it does not."""
    (node.conf / "autostart").write_text("yes\n" if yes else "no\n")


def autostart(node: NodeConfig) -> bool:
    """Whether the host starts its server when it boots."""
    return (node.conf / "autostart").read_text().strip() == "yes"


def disk_limit(node: NodeConfig) -> int | None:
    """How many bytes of its disk this host may still use, where it was given less than the machine has."""
    try:
        return int((node.conf / "disk_free").read_text())
    except FileNotFoundError:
        return None


def promotion_note(node: NodeConfig) -> Path:
    """The note that stands while a standby is promoted: a second run takes up one that was interrupted."""
    return node.conf / "promoting"


def mark_reseeding(node: NodeConfig, on: bool) -> None:
    """Note that the data directory is being rewritten: until the note is gone, nothing may start on it."""
    note = node.conf / "reseeding"
    if on:
        note.write_text("masterToStandby is rewriting the data directory\n")
    else:
        note.unlink(missing_ok=True)


def reseeding(node: NodeConfig) -> bool:
    """Whether the data directory was left half rewritten."""
    return (node.conf / "reseeding").exists()


def _answers(api: Api, name: str) -> bool:
    try:
        return bool(api.get("/identity").get("name") == name)
    except RemoteError:
        return False


def _end(pid: int) -> bool:
    """End a process: politely, then not. Whether politely was enough."""
    try:
        os.kill(pid, signal.SIGTERM)
        if processes.wait_for(lambda: not processes.alive(pid), STOP_SECONDS):
            return True
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return True
    if not processes.wait_for(lambda: not processes.alive(pid), STOP_SECONDS):
        raise CommandError(1, f"Process {pid} does not end, not even when killed.")
    return False


def main() -> int:
    """`python -m skytui.lab.service start|stop --config conf/node.toml`."""

    def work(node: NodeConfig, words: Sequence[str]) -> None:
        actions = {"start": start, "stop": stop}
        if len(words) != 1 or words[0] not in actions:
            raise CommandError(2, "Say start or stop.")
        action = actions[words[0]]
        with command.exclusive(node):
            action(node, command.say)

    return command.run(work, "service")


if __name__ == "__main__":
    sys.exit(main())
