"""Source: the article's section *Activating your Standby Server*."""

from skytui.pair.vocabulary import Action, Role
from skytui.runbook.steps.step import Phase, Side, Step

ACTIVATE: tuple[Step, ...] = (
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
        does="Changes nothing: waits for a run that starts after the queues were unlocked, or for the next"
        " start time to be accepted (d). Each run that was missed meanwhile is listed, and decided on.",
        waits_for="a run started since then to complete, and a decision on each run that was missed",
        side=Side.NEW,
        waivable=True,
        decisions=("run-now", "leave", "accept"),
        deadline=900.0,
    ),
    Step(
        id="run-missed",
        phase=Phase.ACTIVATE,
        title="Start the missed runs that were chosen",
        why="A run that was missed while there was no scheduler is not started by itself.",
        does="Queues exactly the missed runs that were decided to run now; where none was, nothing.",
        waits_for="none of them to be listed as missed any more",
        side=Side.NEW,
        action=Action.RUN_NOW,
        only_if_needed=True,
        waivable=True,
    ),
)
"""The original standby becomes the master."""
