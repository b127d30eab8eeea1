"""Things that go wrong, on demand: for tests, and for operators who practise (`skytui lab fault`).

Each fault is real: a process is killed or stopped, a setting is made wrong. Nothing pretends.
"""

import contextlib
import os
import signal
import socket

import psutil
from psycopg import conninfo, sql

from skytui.errors import LabError, UsageError
from skytui.lab import database, processes, service, tomlfile
from skytui.lab.bringup import start_host
from skytui.lab.command import say
from skytui.lab.fault import Fault
from skytui.lab.node import NodeConfig
from skytui.lab.places import HOSTS, Places
from skytui.lab.postgres import Cluster
from skytui.lab.wrongfiles import WRONG_FILES

_SECONDS = 20.0
_NEXT_JOB_SECONDS = 90.0
_SMALL_DISK = 16 * 1024 * 1024
_DISCARD_PORT = 9  # nothing listens there; a connection is refused at once


def inject(name: str, host: str = "") -> str:
    """Make the fault happen; what has happened, in words. `UsageError`: wrong name or host."""
    fault, places = _looked_up(name, host)
    fault.inject(places, host)
    return fault.does


def undo(name: str, host: str = "") -> str:
    """Take the fault back; what is so again, in words. `UsageError` when it cannot be taken back."""
    fault, places = _looked_up(name, host)
    if fault.undo is None:
        raise UsageError(f"{name} cannot be undone: {fault.undoing}.")
    fault.undo(places, host)
    return fault.undoing


def _looked_up(name: str, host: str) -> tuple[Fault, Places]:
    fault = FAULTS.get(name)
    if fault is None:
        raise UsageError(f"There is no fault {name!r}; there are {', '.join(FAULTS)}.")
    if fault.needs_host != bool(host):
        asked = "needs a host" if fault.needs_host else "takes no host"
        raise UsageError(f"The fault {name} {asked}.")
    if host and host not in HOSTS:
        raise UsageError(f"There is no host {host!r}; there are {' and '.join(HOSTS)}.")
    places = Places.of()
    if not places.lab_json.exists():
        raise LabError("There is no practice pair: start one with `skytui lab up`.")
    return fault, places


def _nodes(places: Places) -> list[NodeConfig]:
    return [NodeConfig.load(places.node_toml(host)) for host in HOSTS]


def _with_role(places: Places, standby: bool) -> NodeConfig:
    """The one host that is standby, or master, and whose database runs."""
    fitting = [
        node
        for node in _nodes(places)
        if (cluster := Cluster.of(node)).is_standby == standby and cluster.pids()
    ]
    if len(fitting) != 1:
        role = "standby" if standby else "master"
        raise LabError(f"This fault needs exactly one {role} that runs; there are {len(fitting)}.")
    return fitting[0]


def _point_walreceiver(places: Places, *, wrong: bool) -> None:
    node = _with_role(places, standby=True)
    wanted = _DISCARD_PORT if wrong else node.peer.pg_port
    with database.connect(Cluster.of(node), node.secrets().superuser) as connection:
        row = connection.execute("SHOW primary_conninfo").fetchone()
        link = conninfo.make_conninfo(str(row[0]) if row else "", port=wanted)
        # A changed primary_conninfo makes the server end its WAL receiver and start one anew.
        connection.execute(sql.SQL("ALTER SYSTEM SET primary_conninfo = {}").format(sql.Literal(link)))
        connection.execute("SELECT pg_reload_conf()")

        def reached() -> bool:
            found = connection.execute("SELECT status FROM pg_stat_wal_receiver").fetchone()
            # One that is *stopping* may still take in what the master has just written.
            return found is None if wrong else found is not None and found[0] == "streaming"

        if not processes.wait_for(reached, _SECONDS):
            raise LabError(f"The standby {node.name} still {'streams' if wrong else 'does not stream'}.")


def _cut_walreceiver(places: Places, _host: str) -> None:
    _point_walreceiver(places, wrong=True)


def _mend_walreceiver(places: Places, _host: str) -> None:
    _point_walreceiver(places, wrong=False)


def _signal_agents(places: Places, number: signal.Signals) -> None:
    agents = [found for found in processes.find(places) if "skytui.lab.agent" in found.command]
    if not agents:
        raise LabError("No agent of the practice pair runs.")
    for agent in agents:
        agent.process.send_signal(number)


def _stop_agents(places: Places, _host: str) -> None:
    _signal_agents(places, signal.SIGSTOP)


def _continue_agents(places: Places, _host: str) -> None:
    _signal_agents(places, signal.SIGCONT)


def _orphan_database(places: Places, _host: str) -> None:
    node = _with_role(places, standby=False)
    pid = service.server_pid(node)
    if pid is None:
        raise LabError(f"The server of {node.name} does not run.")
    os.kill(pid, signal.SIGKILL)
    if not processes.wait_for(lambda: not processes.alive(pid), _SECONDS):
        raise LabError(f"The server of {node.name} (process {pid}) does not end.")


def _adopt_database(places: Places, _host: str) -> None:
    node = _with_role(places, standby=False)
    if service.server_pid(node) is None:
        service.start_server(node, say)


def _kill_host(places: Places, host: str) -> None:
    processes.kill([found for found in processes.find(places) if found.host == host])


def _power_on(places: Places, host: str) -> None:
    if any(found.host == host for found in processes.find(places)):
        raise LabError(f"The host {host} is on already.")
    node = NodeConfig.load(places.node_toml(host))
    start_host(node, boots=True)
    if not processes.wait_for(lambda: _listens(node), _SECONDS):
        raise LabError(f"The host {host} does not answer {_SECONDS:.0f} s after its start; see {node.logs}.")


def _reboot(places: Places, host: str) -> None:
    _kill_host(places, host)
    _power_on(places, host)


def _shrink_disk(places: Places, host: str) -> None:
    tomlfile.write(NodeConfig.load(places.node_toml(host)).conf / "disk_free", f"{_SMALL_DISK}\n")


def _grow_disk(places: Places, host: str) -> None:
    (NodeConfig.load(places.node_toml(host)).conf / "disk_free").unlink(missing_ok=True)


def _commands(places: Places) -> list[psutil.Process]:
    """What the agents' jobs run now."""
    agents = [found.process for found in processes.find(places) if "skytui.lab.agent" in found.command]
    found: list[psutil.Process] = []
    for agent in agents:
        with contextlib.suppress(psutil.NoSuchProcess):
            found += agent.children(recursive=True)
    return found


def _signal_commands(places: Places, number: signal.Signals) -> bool:
    """Signal every command of a job. Whether one got it."""
    got = False
    for command in _commands(places):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            command.send_signal(number)
            got = True
    return got


def _hang_jobs(places: Places, _host: str) -> None:
    if not processes.wait_for(lambda: _signal_commands(places, signal.SIGSTOP), _NEXT_JOB_SECONDS):
        raise LabError(f"No job began within {_NEXT_JOB_SECONDS:.0f} s; none hangs.")


def _continue_jobs(places: Places, _host: str) -> None:
    _signal_commands(places, signal.SIGCONT)


# Locked and deleted in one statement: a run that ends meanwhile is not taken.
_FORGET = """
    DELETE FROM sky.run WHERE id = (
        SELECT r.id FROM sky.run r JOIN procrastinate_jobs j ON j.id = r.queued_job
        WHERE j.status = 'doing' AND r.state = 'running'
        ORDER BY r.started_at DESC LIMIT 1 FOR UPDATE OF r SKIP LOCKED
    ) RETURNING id
"""


def _forget_run(places: Places, _host: str) -> None:
    node = _with_role(places, standby=False)
    with database.connect(Cluster.of(node), node.secrets().superuser) as connection:
        if not processes.wait_for(lambda: bool(connection.execute(_FORGET).fetchall()), _NEXT_JOB_SECONDS):
            raise LabError(f"No job began within {_NEXT_JOB_SECONDS:.0f} s; none was forgotten.")


def _listens(node: NodeConfig) -> bool:
    try:
        socket.create_connection((node.ssh.address, node.ssh.port), timeout=2).close()
    except OSError:
        return False
    return True


FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault(
            "cut-walreceiver",
            "the standby no longer streams from the master, whose server goes on answering",
            "it streams again",
            needs_host=False,
            inject=_cut_walreceiver,
            undo=_mend_walreceiver,
            breaks=("replication-link", "standby-active"),
        ),
        Fault(
            "stop-agents",
            "all agents hang (SIGSTOP); their rows go on saying active",
            "they go on (SIGCONT)",
            needs_host=False,
            inject=_stop_agents,
            undo=_continue_agents,
            breaks=("agents",),
        ),
        Fault(
            "small-disk",
            "a host may use no more than 16 MiB of its disk: no copy of the database fits",
            "it may use all of it again",
            needs_host=True,
            inject=_shrink_disk,
            undo=_grow_disk,
        ),
        Fault(
            "hang-jobs",
            "the jobs that run now do not end (SIGSTOP); where none runs, the next one",
            "they go on (SIGCONT)",
            needs_host=False,
            inject=_hang_jobs,
            undo=_continue_jobs,
        ),
        Fault(
            "forget-run",
            "the master forgets a run that is under way: its end will not be recognised",
            "its end stays in Server History",
            needs_host=False,
            inject=_forget_run,
            undo=None,
        ),
        Fault(
            "orphan-database",
            "the master's server process is killed; its database is left running",
            "the server is started on it again",
            needs_host=False,
            inject=_orphan_database,
            undo=_adopt_database,
            breaks=("ports", "processes", "standby-reaches-master"),
            hides=(
                *("roles", "identity", "database", "pinned", "timeline", "version", "profile", "address"),
                *("clocks", "http", "login", "replication-link", "file-requests", "log-distance"),
                *("standby-active", "scheduler", "agents", "queues", "users", "running-jobs", "due-jobs"),
                *("server-history", "disk"),
            ),
        ),
        Fault(
            "reboot",
            "every process of a host is killed, then the host boots: its server too, unless autostart is no",
            "a reboot is over when it is over",
            needs_host=True,
            inject=_reboot,
            undo=None,
        ),
        Fault(
            "kill-host",
            "every process of a host is killed: nothing answers there any more",
            "the host is switched on: its server starts too, unless autostart says no",
            needs_host=True,
            inject=_kill_host,
            undo=_power_on,
            breaks=("ports", "last-boot"),
            hides=(
                *("ssh", "scripts-present", "scripts-executable", "scripts-run", "scripts-alike"),
                *("scripts-unchanged", "master-reaches-standby", "standby-reaches-master", "processes"),
                *("control-data", "disk", "guard", "marker", "run-mark", "last-boot"),
            ),
        ),
        *WRONG_FILES,
    )
}
