"""Everything that can go wrong, by name: each a sentence of a story, and a change of the simulation."""

from collections.abc import Callable

from skytui.drivers.scripted_world import Fate
from skytui.pair.mark import Mark
from skytui.pair.vocabulary import Job, Role, User
from tests.simulation.observers import FOREIGN_RUN
from tests.simulation.servers import NEW, OLD
from tests.simulation.simulation import Simulation

Fault = Callable[[Simulation], None]

OURS_BEFORE = "NIGHT-01"
"""A queue that is open before the run, and an agent that is there."""
FOREIGN = Mark(pair="test", run=FOREIGN_RUN, key="another jump host", who="carl", host="other-jump")


def crash(name: str) -> Fault:
    return lambda sim: sim.servers.crash(name)


def half_crash(name: str) -> Fault:
    def happens(sim: Simulation) -> None:
        server = sim.servers.pair.servers[name]
        if server.serving:
            sim.servers.crashed.add(name)
        server.serving = False
        server.connected = set()

    return happens


def started(name: str) -> Fault:
    """As what its data say: a master that was shut down comes back as one."""

    def happens(sim: Simulation) -> None:
        server = sim.servers.pair.servers[name]
        server.serving = server.database_up = False
        sim.servers.pair.start(server)
        sim.servers.crashed.discard(name)

    return happens


def rebooted(name: str) -> Fault:
    def happens(sim: Simulation) -> None:
        crash(name)(sim)
        if not sim.servers.pair.servers[name].guard:
            started(name)(sim)

    return happens


def cut_off(*names: str) -> Fault:
    def happens(sim: Simulation) -> None:
        for name in names:
            sim.servers.pair.servers[name].host_up = False

    return happens


def link_dead(pending: int) -> Fault:
    def happens(sim: Simulation) -> None:
        sim.servers.pair.link_up, sim.servers.pair.pending = False, pending

    return happens


def files_wait(sim: Simulation) -> None:
    sim.servers.pair.pending += 5


def next_reading(name: str, fate: str) -> Fault:
    return lambda sim: sim.servers.reading[name].append(fate)


def next_action(fate: Fate | str) -> Fault:
    return lambda sim: sim.servers.ending.append(fate)


def mixed_up(sim: Simulation) -> None:
    sim.servers.mixed_up = True


def promoted_by_hand(sim: Simulation) -> None:
    if sim.servers.new.role is Role.STANDBY:
        sim.servers.pair.promote(sim.servers.new)


def agents_are(*names: str) -> Fault:
    def happens(sim: Simulation) -> None:
        sim.servers.pair.agents = names
        for server in sim.servers.pair.servers.values():
            server.connected &= set(names)

    return happens


def user_logs_in(sim: Simulation) -> None:
    sim.servers.pair.users.append(User("dora", address="10.0.9.9"))


def job_starts(sim: Simulation) -> None:
    sim.servers.pair.running.append(Job(id="report@02:00", job="report", agent="NIGHT-02"))


def lock_turned(name: str, *, locked: bool) -> Fault:
    def happens(sim: Simulation) -> None:
        sim.servers.pair.queues[name] = locked

    return happens


def scheduler_turned(state: str) -> Fault:
    def happens(sim: Simulation) -> None:
        sim.servers.pair.scheduler = state

    return happens


def guard_turned(sim: Simulation) -> None:
    sim.servers.old.guard = not sim.servers.old.guard


def foreign_mark(sim: Simulation) -> None:
    for server in sim.servers.pair.servers.values():
        server.run_mark.mark, server.run_mark.silent = FOREIGN, 0.0


def marks_gone(sim: Simulation) -> None:
    for server in sim.servers.pair.servers.values():
        server.run_mark.mark = None


def conductor_dies(sim: Simulation) -> None:
    sim.end_life()
    sim.begin_life()


def conductor_dies_soon(sim: Simulation) -> None:
    sim.dies_at_next_event = True


def disk_full(sim: Simulation) -> None:
    sim.fill_disk()


SERVERS: dict[str, Fault] = {
    "the old master crashes": crash(OLD),
    "the standby crashes": crash(NEW),
    "the old master's service dies and its database lives on": half_crash(OLD),
    "the standby's service dies and its database lives on": half_crash(NEW),
    "somebody starts the old master": started(OLD),
    "somebody starts the standby": started(NEW),
    "the old master's host reboots": rebooted(OLD),
    "the standby's host reboots": rebooted(NEW),
    "somebody activates the standby by hand": promoted_by_hand,
    "the old master cannot be reached": cut_off(OLD),
    "the standby cannot be reached": cut_off(NEW),
    "neither server can be reached": cut_off(OLD, NEW),
    "at the standby's address the old master answers": mixed_up,
}
"""What happens to a server, or to the way to it."""

ANSWERS: dict[str, Fault] = {
    "the next answer of the old master is lost": next_reading(OLD, "lost"),
    "the next answer of the standby is lost": next_reading(NEW, "lost"),
    "half of the next answer of the old master is lost": next_reading(OLD, "half lost"),
    "half of the next answer of the standby is lost": next_reading(NEW, "half lost"),
    "the next answer of the old master is late": next_reading(OLD, "late"),
    "the next answer of the standby is late": next_reading(NEW, "late"),
    "the next answer of the old master is the last one again": next_reading(OLD, "doubled"),
    "the next answer of the standby is the last one again": next_reading(NEW, "doubled"),
}
"""What happens to a reading."""

ACTIONS: dict[str, Fault] = {
    "the next action fails": next_action(Fate.FAIL),
    "the next action is refused": next_action(Fate.REFUSE),
    "the next action is done and its outcome lost": next_action(Fate.LOST_AFTER),
    "the next action is lost before it begins": next_action(Fate.LOST_BEFORE),
    "the next action takes long": next_action("slow"),
    "skytui itself fails in the next action": next_action("skytui itself fails"),
    "the conductor dies in the next action, which is done": next_action("dies, done"),
    "the conductor dies in the next action, which goes on": next_action("dies, under way"),
}
"""What becomes of an action."""

JUMP_HOST: dict[str, Fault] = {
    "the conductor dies": conductor_dies,
    "the conductor dies at the next event": conductor_dies_soon,
    "the disk of the jump host is full": disk_full,
    "another run's mark stands on both servers": foreign_mark,
    "the marks are gone": marks_gone,
}
"""What happens where skytui itself runs, and to what it leaves on the servers."""

WORK: dict[str, Fault] = {
    "replication dies with the counter at 0": link_dead(0),
    "replication dies with the counter at 7": link_dead(7),
    "five more files wait": files_wait,
    "an agent leaves": agents_are("NIGHT-02", "NIGHT-03"),
    "an agent comes back under another id": agents_are("NIGHT-01b", "NIGHT-02", "NIGHT-03"),
    "a user logs in": user_logs_in,
    "a job starts": job_starts,
    "somebody unlocks a queue": lock_turned(OURS_BEFORE, locked=False),
    "somebody locks a queue": lock_turned(OURS_BEFORE, locked=True),
    "somebody unlocks a queue that was locked before": lock_turned("PAYROLL", locked=False),
    "somebody starts the scheduler": scheduler_turned("running"),
    "somebody stops the scheduler": scheduler_turned("stopped"),
    "somebody turns the guard": guard_turned,
}
"""What happens to replication, agents, users, jobs, queues, scheduler and guard."""

FAULTS: dict[str, Fault] = {**SERVERS, **ANSWERS, **ACTIONS, **JUMP_HOST, **WORK}
"""All of them."""


def happens(sim: Simulation, name: str) -> None:
    """Let it happen."""
    sim.tally.met.add((sim.step or "over", name))
    sim.tell(f"* {name}")
    sim.troubled = True
    FAULTS[name](sim)
    sim.settle()
    sim.count()


def heal(sim: Simulation) -> None:
    """All faults end, and people put right what they may: as after a bad night."""
    sim.tell("* all faults have ended")
    servers, pair = sim.servers, sim.servers.pair
    sim.free_disk()
    sim.dies_at_next_event = False
    servers.ending.clear()
    servers.mixed_up = False
    for fates in servers.reading.values():
        fates.clear()
    pair.fates.clear()
    for server in pair.servers.values():
        server.host_up = True
        if server.run_mark.mark == FOREIGN:
            server.run_mark.mark = None
    for flying in [*servers.flying.values()]:
        servers.land(flying)
    pair.link_up, pair.agents = True, ("NIGHT-01", "NIGHT-02", "NIGHT-03")
    pair.users.clear()
    pair.running.clear()
    pair.queues |= {"ARCHIVE": True, "PAYROLL": True}
    sim.troubled = False
    _one_master(sim)
    for name in [*servers.crashed]:
        started(name)(sim)
    for server in pair.servers.values():
        if server.database_up and not server.serving:
            started(server.name)(sim)
    sim.settle()
    sim.count()


def _one_master(sim: Simulation) -> None:
    """Of two masters one is stopped by hand: the one that the run had stopped, or did not begin with."""
    servers, pair = sim.servers, sim.servers.pair
    old, new = servers.old, servers.new
    if sim.run.no_way_back:
        if old.role is Role.MASTER:  # it was to stay down: whoever started it stops it again
            servers.crashed.discard(OLD)
            if not old.down:
                pair.shut_down(old)
    elif new.role is Role.MASTER:
        # Activated by hand before this run did: whoever did that makes it a standby again.
        new.role, new.timeline, new.control = Role.STANDBY, old.timeline, "in archive recovery"
        new.position = old.position
