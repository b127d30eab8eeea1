"""What an abort consists of."""

from skytui.pair.vocabulary import Action
from skytui.runbook.steps.step import Phase, Side, Step

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
