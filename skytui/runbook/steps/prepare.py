"""Before anything is changed."""

from skytui.runbook.steps.step import Phase, Side, Step

PREPARE: tuple[Step, ...] = (
    Step(
        id="preflight",
        phase=Phase.PREPARE,
        title="Check everything beforehand",
        why="What would stop the swap half-way is better known while the master still runs.",
        does="Changes nothing: runs every check once more.",
        waits_for="no check to block",
        side=Side.OLD,
        deadline=120.0,
    ),
    Step(
        id="baseline",
        phase=Phase.PREPARE,
        title="Record how things are",
        why="Afterwards agents and queues are held against this: whoever is missing then is named.",
        does="Records agents, queues, running and due jobs, users, addresses and the database's size.",
        waits_for="a fresh reading of all of them",
        side=Side.OLD,
    ),
)
"""What comes before the shut-down."""
