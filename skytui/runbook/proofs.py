"""The conjuncts of the gates: each looks at fresh evidence and says in one sentence what it found.

A proof returns whether it holds and the sentence; it raises `Missing` (through `Sight.take`) when what it
needs was not read, and then it does not hold.
"""

from typing import Protocol

from skytui.pair.position import past, reached
from skytui.pair.vocabulary import Role
from skytui.runbook.model import Run
from skytui.runbook.sight import Missing, Sight

Found = tuple[bool, str]


class Proof(Protocol):
    """One conjunct of a gate."""

    __name__: str

    def __call__(self, run: Run, sight: Sight) -> Found:
        """Whether it holds, and the sentence."""


ACTIVE = "active"
"""How the standby status of a replicating standby begins, on the master (any case)."""
ACTIVE_AND_CONNECTED = "active and connected"
"""How the standby's own page begins when it is connected to its master (any case)."""


def _role(sight: Sight, name: str) -> Role:
    server = sight.server(name)
    role = sight.take(f"{name}'s role", server.role)
    sight.take(f"{name}'s identity", server.identity)
    return role


def _reads(sight: Sight, name: str, wanted: Role) -> Found:
    role = _role(sight, name)
    return role is wanted, f"{name} reads {role}"


def old_is_master(run: Run, sight: Sight) -> Found:
    """The original master reads master."""
    return _reads(sight, run.old, Role.MASTER)


def new_is_standby(run: Run, sight: Sight) -> Found:
    """The original standby reads standby."""
    return _reads(sight, run.new, Role.STANDBY)


def new_is_master(run: Run, sight: Sight) -> Found:
    """The original standby reads master now."""
    return _reads(sight, run.new, Role.MASTER)


def old_is_standby(run: Run, sight: Sight) -> Found:
    """The original master reads standby now."""
    return _reads(sight, run.old, Role.STANDBY)


def same_database(run: Run, sight: Sight) -> Found:
    """Both servers hold the same database: equal system identifiers."""
    old = sight.take(f"{run.old}'s identity", sight.server(run.old).identity).system_identifier
    new = sight.take(f"{run.new}'s identity", sight.server(run.new).identity).system_identifier
    if old != new:
        return False, f"{run.old} and {run.new} hold different databases ({old} and {new}): not one pair"
    return True, f"both hold database {old}" if old else "neither server tells its database's identifier"


def baseline_complete(run: Run, sight: Sight) -> Found:
    """Everything the baseline records was read."""
    server = sight.server(run.old)
    agents = sight.take("the list of agents", server.agents)
    queues = sight.take("the list of queues", server.queues)
    jobs = sight.take("the list of running jobs", server.running_jobs)
    due = sight.take("the list of due jobs", server.due_jobs)
    users = sight.take("the list of users", server.users)
    sight.take("the database's size", server.database_bytes)
    scheduler = sight.take("the Job Scheduler's state", server.scheduler)
    for name in (run.old, run.new):
        sight.take(f"{name}'s address", sight.server(name).address)
        sight.take(f"{name}'s listen port", sight.server(name).listen_port)
    return True, (
        f"{len(agents)} agents, {len(queues)} queues ({sum(queue.locked for queue in queues)} locked before),"
        f" {len(jobs)} running jobs, {len(due)} due, {len(users)} users, the scheduler {scheduler.state}"
    )


def nobody_logged_in(run: Run, sight: Sight) -> Found:
    """No user is logged in on the master but this console."""
    users = sight.take("the list of users", sight.server(run.old).users)
    others = [user for user in users if not user.own]
    if others:
        names = ", ".join(f"{user.user} from {user.address or 'unknown'}" for user in others)
        return False, f"{len(others)} logged in: {names}"
    return True, "nobody is logged in but this console"


def queues_locked(run: Run, sight: Sight) -> Found:
    """Every agent job queue reads locked."""
    queues = sight.take("the list of queues", sight.server(run.old).queues)
    if not queues:
        return False, f"{run.old} lists no queue at all: nothing shows that jobs are held back"
    still_open = [queue.name for queue in queues if not queue.locked]
    if still_open:
        return False, f"{len(still_open)} of {len(queues)} queues open: {', '.join(still_open)}"
    before = run.baseline.queues if run.baseline else ()
    gone = {queue.name for queue in before} - {queue.name for queue in queues}
    if gone:
        return False, f"queues of the baseline are not listed: {', '.join(sorted(gone))}"
    return True, f"{len(queues)} of {len(queues)} queues locked"


def no_job_running(run: Run, sight: Sight) -> Found:
    """No job is running."""
    jobs = sight.take("the list of running jobs", sight.server(run.old).running_jobs)
    if jobs:
        names = ", ".join(f"{job.job or job.id} on {job.agent}" for job in jobs)
        return False, f"{len(jobs)} running: {names}"
    return True, "no job is running"


def scheduler_stopped(run: Run, sight: Sight) -> Found:
    """The Job Scheduler of the original master reads stopped."""
    scheduler = sight.take("the Job Scheduler's state", sight.server(run.old).scheduler)
    return scheduler.state == "stopped", f"the Job Scheduler on {run.old} reads {scheduler.state}"


def link_streams_on_old(run: Run, sight: Sight) -> Found:
    """The master sees its standby stream."""
    link = sight.take(f"the replication link on {run.old}", sight.server(run.old).replication_link)
    if link.alive and link.peer in ("", run.new):
        return True, f"{run.old} streams to {run.new}"
    return False, (
        f"the replication link of {run.old} is dead ({link.state or 'no standby connected'}):"
        " a count of 0 proves nothing"
    )


def link_streams_on_new(run: Run, sight: Sight) -> Found:
    """The standby itself receives."""
    link = sight.take(f"the replication link on {run.new}", sight.server(run.new).replication_link)
    if link.alive:
        return True, f"{run.new} receives from {run.old}"
    return (
        False,
        f"{run.new} receives nothing ({link.state or 'not connected'}): the replication link is dead",
    )


def nothing_pending_now(run: Run, sight: Sight) -> Found:
    """The latest count of File Replication Requests is 0."""
    pending = sight.take("File Replication Requests", sight.server(run.old).replication_pending)
    return pending == 0, f"{pending} File Replication Requests"


def zero_long_enough(run: Run, sight: Sight) -> Found:
    """0 in enough fresh readings, one after the other, over long enough.

    A poll that got no number breaks the row, and so does a time without polls (a laptop that slept): two
    readings further apart than a reading may be old, and the pause between polls, are not one row.
    """
    pending = sight.take("File Replication Requests", sight.server(run.old).replication_pending)
    if pending:
        return False, f"{pending} File Replication Requests left"
    zeros = 0
    first = last = None
    gap = run.thresholds.fresh_seconds + run.thresholds.poll_seconds
    for sample in reversed(sight.samples(run.old)):
        if sample.pending != 0 or (first and first.since(sample.at) > gap):
            break
        zeros += 1
        last = last or sample.at
        first = sample.at
    seconds = last.since(first) if first and last else 0.0
    limits = run.thresholds
    says = f"0 File Replication Requests in {zeros} readings over {seconds:.0f} s"
    if zeros >= limits.zero_readings and seconds >= limits.zero_seconds:
        return True, says
    return False, f"{says}; {limits.zero_readings} over {limits.zero_seconds:g} s count"


def past_the_marker(run: Run, sight: Sight) -> Found:
    """The standby has replayed past the marker this run wrote."""
    if not run.marker:
        return False, "the marker's position is not known"
    position = sight.take(f"{run.new}'s position", sight.server(run.new).wal_position)
    return reached(position, run.marker), f"{run.new} is at {position}, the marker at {run.marker}"


def guard_set(run: Run, sight: Sight) -> Found:
    """The original master does not start by itself."""
    guard = sight.take(f"the guard on {run.old}", sight.server(run.old).guard)
    return guard, f"the guard on {run.old} reads {'set' if guard else 'not set'}"


def guard_gone(run: Run, sight: Sight) -> Found:
    """The guard is gone: that server starts by itself again."""
    guard = sight.take(f"the guard on {run.old}", sight.server(run.old).guard)
    return not guard, f"the guard on {run.old} reads {'still set' if guard else 'gone'}"


def old_ports_refuse(run: Run, sight: Sight) -> Found:
    """Every port of the original master, service and database, refuses. No answer is not a refusal."""
    ports = sight.take(f"the ports of {run.old}", sight.server(run.old).ports)
    other = [port for port in ports if port.state != "refused"]
    if not ports:
        return False, f"no port of {run.old} was tried: name them in the configuration"
    if other:
        states = ", ".join(f"{port.port} {port.state}" for port in other)
        return False, f"{run.old} is not proven down: port {states}"
    return True, f"every port of {run.old} refuses ({', '.join(str(port.port) for port in ports)})"


def old_processes_gone(run: Run, sight: Sight) -> Found:
    """Every process of the original master, service and database, is gone, as seen on its host."""
    processes = sight.take(f"the processes on {run.old}", sight.server(run.old).process)
    if not processes:
        return False, f"no process was looked for on {run.old}"
    alive = [process for process in processes if process.running]
    if alive:
        names = ", ".join(f"{process.name} (pid {process.pid})" for process in alive)
        return False, f"still running on {run.old}: {names}"
    return True, f"gone on {run.old}: {', '.join(process.name for process in processes)}"


def orderly_shutdown(run: Run, sight: Sight) -> Found:
    """The stopped master's own control data says that it was shut down in order."""
    control = sight.take(f"the control data of {run.old}", sight.server(run.old).control)
    return control.shut_down, f"the control data of {run.old} says: {control.state}"


def past_last_checkpoint(run: Run, sight: Sight) -> Found:
    """The standby has replayed past the stopped master's last checkpoint."""
    control = sight.take(f"the control data of {run.old}", sight.server(run.old).control)
    position = sight.take(f"{run.new}'s position", sight.server(run.new).wal_position)
    says = f"{run.new} is at {position}, {run.old}'s last checkpoint at {control.checkpoint}"
    return past(position, control.checkpoint), says


def nothing_pending_on_new(run: Run, sight: Sight) -> Found:
    """Counted on the standby itself, no file is missing."""
    pending = sight.take(f"File Replication Requests on {run.new}", sight.server(run.new).replication_pending)
    return pending == 0, f"{pending} File Replication Requests, counted on {run.new}"


def timeline_moved_on(run: Run, sight: Sight) -> Found:
    """The new master's timeline is later than the baseline's: it was promoted since."""
    identity = sight.take(f"{run.new}'s identity", sight.server(run.new).identity)
    before = run.baseline.timeline if run.baseline else 0
    if not before:
        return True, "this system has no timelines"
    if not identity.timeline:
        return False, f"{run.new} names no timeline, before it was {before}"
    return identity.timeline > before, f"{run.new} is on timeline {identity.timeline}, before it was {before}"


def agents_connected(run: Run, sight: Sight) -> Found:
    """Every agent that was active before has a connection to the new master now."""
    agents = {agent.name: agent for agent in sight.take("the list of agents", sight.server(run.new).agents)}
    wanted = run.baseline.active_agents() if run.baseline else ()
    if not wanted:
        return False, f"no agent was active before: nothing shows that agents reach {run.new}"
    missing: list[str] = []
    for name in wanted:
        agent = agents.get(name)
        if agent is None:
            missing.append(f"{name} (not listed)")
        elif agent.connected is not True:
            seen = f", last seen {agent.last_seen}" if agent.last_seen else ""
            missing.append(f"{name} (not connected{seen})")
        elif agent.state != ACTIVE:
            missing.append(f"{name} ({agent.state})")
    if missing:
        return False, f"{len(missing)} of {len(wanted)} agents missing: {', '.join(missing)}"
    return True, f"{len(wanted)} of {len(wanted)} agents connected and active"


def scheduler_ticked(run: Run, sight: Sight) -> Found:
    """The Job Scheduler of the new master runs, and its loop has turned."""
    return _ticked(run.new, sight)


def old_scheduler_ticked(run: Run, sight: Sight) -> Found:
    """The Job Scheduler of the original master runs, and its loop has turned."""
    return _ticked(run.old, sight)


def scheduler_as_before(run: Run, sight: Sight) -> Found:
    """The Job Scheduler of the original master is as it was before the run."""
    before = run.baseline.scheduler if run.baseline else ""
    if before == "running":
        return _ticked(run.old, sight)
    scheduler = sight.take("the Job Scheduler's state", sight.server(run.old).scheduler)
    says = f"the Job Scheduler on {run.old} reads {scheduler.state}, before it read {before or 'unknown'}"
    return scheduler.state == before, says


def _ticked(master: str, sight: Sight) -> Found:
    scheduler = sight.take("the Job Scheduler's state", sight.server(master).scheduler)
    if scheduler.state != "running":
        return False, f"the Job Scheduler on {master} reads {scheduler.state}"
    says = f"the Job Scheduler on {master} runs, {scheduler.ticks} ticks since its start"
    return scheduler.ticks > 0, says


def our_queues_open(run: Run, sight: Sight) -> Found:
    """Every queue this run locked reads open."""
    return _ours_open(run, run.new, sight)


def our_queues_open_again(run: Run, sight: Sight) -> Found:
    """Every queue this run locked reads open on the original master."""
    return _ours_open(run, run.old, sight)


def _ours_open(run: Run, master: str, sight: Sight) -> Found:
    queues = {queue.name: queue for queue in sight.take("the list of queues", sight.server(master).queues)}
    ours = run.baseline.open_queues() if run.baseline else ()
    shut = [name for name in ours if name not in queues or queues[name].locked]
    if shut:
        return False, f"{len(shut)} of our {len(ours)} queues not open: {', '.join(shut)}"
    return True, f"our {len(ours)} queues read open"


def others_still_locked(run: Run, sight: Sight) -> Found:
    """Every queue that was locked before still reads locked."""
    return _theirs_locked(run, run.new, sight)


def others_still_locked_on_old(run: Run, sight: Sight) -> Found:
    """Every queue that was locked before still reads locked on the original master."""
    return _theirs_locked(run, run.old, sight)


def _theirs_locked(run: Run, master: str, sight: Sight) -> Found:
    queues = {queue.name: queue for queue in sight.take("the list of queues", sight.server(master).queues)}
    theirs = run.baseline.locked_queues() if run.baseline else ()
    opened = [name for name in theirs if name not in queues or not queues[name].locked]
    if opened:
        return False, f"locked before, but not read as locked now: {', '.join(opened)}"
    return True, f"the {len(theirs)} locked before are still locked"


def a_run_completed(run: Run, sight: Sight) -> Found:
    """A run that started after the queues were unlocked has completed on the new master."""
    if run.unlocked_at is None:
        return False, "when the queues were unlocked is not known"
    runs = sight.take("the list of finished runs", sight.server(run.new).finished_runs)
    for finished in runs:
        if not finished.started_at or not finished.ended_at:
            continue
        if (finished.started_at.tzinfo is None) != (run.unlocked_at.tzinfo is None):
            raise Missing(f"{run.new} gives times with and without a zone: they cannot be compared")
        if finished.started_at > run.unlocked_at:
            return True, f"{finished.id} started and completed (exit code {finished.code})"
    return False, "no run has started and completed since the queues were unlocked"


def master_says_active(run: Run, sight: Sight) -> Found:
    """The new master's STANDBY SERVER status is Active."""
    return _standby_is_active(run.new, sight)


def old_master_says_active(run: Run, sight: Sight) -> Found:
    """The original master's STANDBY SERVER status is Active."""
    return _standby_is_active(run.old, sight)


def _standby_is_active(master: str, sight: Sight) -> Found:
    status = sight.take("STANDBY SERVER status", sight.server(master).standby_status)
    return status.casefold().startswith(ACTIVE), f"STANDBY SERVER on {master}: {status}"


def standby_says_active(run: Run, sight: Sight) -> Found:
    """The new standby's own page says that it is active and connected to the master."""
    return _says_active(run.old, sight)


def old_standby_says_active(run: Run, sight: Sight) -> Found:
    """The original standby's own page says that it is active and connected to the master."""
    return _says_active(run.new, sight)


def _says_active(standby: str, sight: Sight) -> Found:
    status = sight.take(f"{standby}'s own page", sight.server(standby).standby_status)
    return status.casefold().startswith(ACTIVE_AND_CONNECTED), f"{standby} says: {status}"
