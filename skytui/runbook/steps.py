"""What a planned role swap consists of, in the order and the words of the operator's article.

Source: the article's sections *Shutting Down Your Master Server*, *Activating your Standby Server*,
*Converting the Original Master to the New Standby Server*.
"""

import enum

import msgspec

from skytui.pair.vocabulary import Action, Role


class Kind(enum.StrEnum):
    """What sort of run it is."""

    PLANNED = "planned"


class Phase(enum.StrEnum):
    """The four parts of a swap; the value is the heading on the screen."""

    PREPARE = "Prepare"
    SHUT_DOWN = "Shut down your master server"
    ACTIVATE = "Activate your standby server"
    CONVERT = "Convert the original master"
    ABORT = "Abort: back to how things were"


class Side(enum.StrEnum):
    """Which server a step acts on: by what it was when the run started, not by what it is now."""

    OLD = "original master"
    NEW = "original standby"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the plan.

    `typed`: the operator types the host's name, because a server goes down or changes its role.
    `waivable`: the procedure lets the gate be waived, with a reason.
    `repeatable`: carrying the action out a second time changes nothing more than the first did.
    `readback`: when the outcome is lost, the gate alone proves that the action worked.
    `no_way_back`: its intent is the point of no return. Before that `undo` takes back what the action did.
    `deadline`: seconds until the wait for outcome and gate is called overdue.
    """

    id: str
    phase: Phase
    title: str
    why: str
    does: str
    waits_for: str
    side: Side
    action: Action | None = None
    role: Role = Role.MASTER
    undo: Action | None = None
    typed: bool = False
    waivable: bool = False
    repeatable: bool = True
    readback: bool = True
    no_way_back: bool = False
    deadline: float = 60.0


PLANNED: tuple[Step, ...] = (
    Step(
        id="baseline",
        phase=Phase.PREPARE,
        title="Record how things are",
        why="Afterwards agents and queues are held against this: whoever is missing then is named.",
        does="Records agents, queues, running and due jobs, users, addresses and the database's size.",
        waits_for="a fresh reading of all of them",
        side=Side.OLD,
    ),
    Step(
        id="users-out",
        phase=Phase.SHUT_DOWN,
        title="Make sure all users are logged out",
        why="Whoever is logged in loses their work when the server goes down.",
        does="Changes nothing: looks who is logged in.",
        waits_for="nobody but this console to be logged in",
        side=Side.OLD,
        waivable=True,
        deadline=900.0,
    ),
    Step(
        id="lock-queues",
        phase=Phase.SHUT_DOWN,
        title="Lock all Agent Job Queues",
        why="No new job starts from here on. Running jobs go on. Queues locked before stay as they are.",
        does="Locks every agent job queue that is open.",
        waits_for="every queue to read locked",
        side=Side.OLD,
        action=Action.LOCK_QUEUES,
        undo=Action.UNLOCK_QUEUES,
    ),
    Step(
        id="drain-jobs",
        phase=Phase.SHUT_DOWN,
        title="Let running jobs end",
        why="A job that runs while there is no master has nobody to report to until the swap is done.",
        does="Changes nothing: waits. Locking a queue does not stop its running jobs.",
        waits_for="no job to be running",
        side=Side.OLD,
        waivable=True,
        deadline=3600.0,
    ),
    Step(
        id="stop-scheduler",
        phase=Phase.SHUT_DOWN,
        title="Stop the Job Scheduler",
        why="Nothing new is queued from here on. Jobs that come due now are listed afterwards.",
        does="Stops the Job Scheduler on the master.",
        waits_for="the Job Scheduler to read stopped",
        side=Side.OLD,
        action=Action.STOP_SCHEDULER,
        undo=Action.START_SCHEDULER,
    ),
    Step(
        id="replication-zero",
        phase=Phase.SHUT_DOWN,
        title="Wait for File Replication Requests to reach 0",
        why="Whatever is not duplicated when the master goes down is lost for the new one.",
        does="Writes a marker on the master; the standby must get past it.",
        waits_for="0 requests over a live replication link, and the standby past the marker",
        side=Side.OLD,
        action=Action.WRITE_MARKER,
        deadline=1800.0,
    ),
    Step(
        id="guard-master",
        phase=Phase.SHUT_DOWN,
        title="Guard the master against starting by itself",
        why="If its host boots in the middle of the swap, it must not come back as a second master.",
        does="Switches automatic start at boot off.",
        waits_for="the guard to read set",
        side=Side.OLD,
        action=Action.SET_GUARD,
        undo=Action.CLEAR_GUARD,
    ),
    Step(
        id="shut-down",
        phase=Phase.SHUT_DOWN,
        title="Shut down your master server",
        why="Two masters would run jobs twice. Until the standby is activated there is no scheduler.",
        does="Stops the server and its database, in order.",
        waits_for="every port to refuse and every process to be gone, for service and database",
        side=Side.OLD,
        action=Action.SHUT_DOWN,
        undo=Action.START,
        typed=True,
        repeatable=False,
        deadline=180.0,
    ),
    Step(
        id="last-byte",
        phase=Phase.SHUT_DOWN,
        title="Compare the stopped master with the standby",
        why="The last moment to see that nothing stayed behind. After the next step there is no way back.",
        does="Changes nothing: compares the master's last checkpoint with what the standby has replayed.",
        waits_for="an orderly shutdown, the standby past its last checkpoint, and 0 requests on the standby",
        side=Side.NEW,
        role=Role.STANDBY,
        deadline=120.0,
    ),
    Step(
        id="promote",
        phase=Phase.ACTIVATE,
        title="Activate your standby server",
        why="The standby becomes the master. This cannot be taken back; a swap back is a run of its own.",
        does="Runs standbyToMaster on the standby.",
        waits_for="that server to read master",
        side=Side.NEW,
        role=Role.STANDBY,
        action=Action.PROMOTE,
        typed=True,
        repeatable=False,
        no_way_back=True,
        deadline=600.0,
    ),
    Step(
        id="agents-back",
        phase=Phase.ACTIVATE,
        title="Wait until all agents are connected and active",
        why="A job whose agent is missing does not run. Every agent of the baseline is looked for by name.",
        does="Changes nothing: waits for the agents' connections to the new master.",
        waits_for="every agent that was active before to be connected now",
        side=Side.NEW,
        waivable=True,
        deadline=600.0,
    ),
    Step(
        id="start-scheduler",
        phase=Phase.ACTIVATE,
        title="Start the Job Scheduler",
        why="The schedule goes on. Jobs are queued, but none starts before the queues are unlocked.",
        does="Starts the Job Scheduler on the new master.",
        waits_for="its loop to have ticked",
        side=Side.NEW,
        action=Action.START_SCHEDULER,
    ),
    Step(
        id="unlock-queues",
        phase=Phase.ACTIVATE,
        title="Unlock your Job Queues",
        why="What has been waiting starts now. Only queues that this run locked are opened.",
        does="Unlocks exactly the queues that were locked by this run.",
        waits_for="them to read open, and those locked before to stay locked",
        side=Side.NEW,
        action=Action.UNLOCK_QUEUES,
    ),
    Step(
        id="first-job",
        phase=Phase.ACTIVATE,
        title="See the first job complete",
        why="Only a job that started and ended on the new master proves that the schedule goes on.",
        does="Changes nothing: waits for a run that starts after the queues were unlocked.",
        waits_for="a run started since then to complete",
        side=Side.NEW,
        waivable=True,
        deadline=900.0,
    ),
    Step(
        id="convert",
        phase=Phase.CONVERT,
        title="Convert the original master to the new standby",
        why="Until this is done there is no standby. It replicates the database; it may take 30 minutes.",
        does="Runs masterToStandby on the original master. Its server is not started before.",
        waits_for="the script to be done, that server to read standby, and the guard to be gone",
        side=Side.OLD,
        action=Action.CONVERT,
        typed=True,
        repeatable=False,
        readback=False,
        deadline=2700.0,
    ),
    Step(
        id="standby-active",
        phase=Phase.CONVERT,
        title="Verify that the STANDBY SERVER is Active",
        why="Only now is there a second server again. The swap is not done before this.",
        does="Changes nothing: looks at both servers' own words.",
        waits_for="Active on the master, active and connected to the master on the standby",
        side=Side.NEW,
        deadline=600.0,
    ),
)
"""The planned swap."""

UNDO: tuple[Step, ...] = (
    Step(
        id="start-again",
        phase=Phase.ABORT,
        title="Start your master server again",
        why="Nothing was activated: the original master is the only server that can be master.",
        does="Starts the server and its database, once more as master.",
        waits_for="it to read master, and the other server standby",
        side=Side.OLD,
        action=Action.START,
        repeatable=False,
        deadline=180.0,
    ),
    Step(
        id="unguard-master",
        phase=Phase.ABORT,
        title="Let the master start by itself again",
        why="A master that does not come back after its host has booted would be missed.",
        does="Switches automatic start at boot on again.",
        waits_for="the guard to read gone",
        side=Side.OLD,
        action=Action.CLEAR_GUARD,
    ),
    Step(
        id="restart-scheduler",
        phase=Phase.ABORT,
        title="Start the Job Scheduler again",
        why="The schedule goes on where it was.",
        does="Starts the Job Scheduler on the master.",
        waits_for="its loop to have ticked",
        side=Side.OLD,
        action=Action.START_SCHEDULER,
    ),
    Step(
        id="unlock-again",
        phase=Phase.ABORT,
        title="Unlock the queues this run locked",
        why="What has been waiting starts now. Queues that were locked before stay locked.",
        does="Unlocks exactly the queues that were locked by this run.",
        waits_for="them to read open, and those locked before to stay locked",
        side=Side.OLD,
        action=Action.UNLOCK_QUEUES,
    ),
    Step(
        id="restored",
        phase=Phase.ABORT,
        title="See that everything is as it was",
        why="The abort is not done before the pair is as it was recorded at the start.",
        does="Changes nothing: looks at both servers once more.",
        waits_for="roles, guard, scheduler and queues as before, and the standby Active",
        side=Side.OLD,
        deadline=180.0,
    ),
)
"""What takes back the steps before the point of no return, in the order in which that is done."""

STEPS: dict[str, Step] = {step.id: step for step in (*PLANNED, *UNDO)}
"""Every step there is, by its id."""


def plan_of(kind: Kind) -> tuple[Step, ...]:
    """The steps of a run of this kind, in order."""
    return {Kind.PLANNED: PLANNED}[kind]
