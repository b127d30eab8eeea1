"""Source: the article's section *Converting the Original Master to the New Standby Server*."""

from skytui.pair.vocabulary import Action
from skytui.runbook.steps.step import Phase, Side, Step

CONVERT: tuple[Step, ...] = (
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
"""The original master becomes the standby."""
