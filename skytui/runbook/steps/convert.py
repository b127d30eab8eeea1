"""Source: the article's section *Converting the Original Master to the New Standby Server*."""

from skytui.pair.vocabulary import Action
from skytui.runbook.steps.step import Phase, Side, Step

CONVERT: tuple[Step, ...] = (
    Step(
        id="disk-space",
        phase=Phase.CONVERT,
        title="Compare database size with free disk on the original master",
        why="A copy of the database that does not fit fails half-way, and leaves no standby.",
        does="Changes nothing: compares. Make room on that host if it does not fit; it is looked at again.",
        waits_for="the database, a tenth of it and 64 MiB more to fit beside the old one",
        side=Side.OLD,
        deadline=3600.0,
    ),
    Step(
        id="salvage",
        phase=Phase.CONVERT,
        title="Save what only the original master has",
        why="The conversion overwrites its data: runs that never reached the new master would be gone.",
        does="Where something may be left: starts its database on a private socket, without a server, and"
        " saves the runs and output files that the new master lacks, on that host.",
        waits_for="them to be saved and counted, or proof that there is nothing to save",
        side=Side.OLD,
        action=Action.SALVAGE,
        only_if_needed=True,
        waivable=True,
        deadline=1800.0,
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
    Step(
        id="server-history",
        phase=Phase.CONVERT,
        title="Review job completions the new master did not recognise",
        why="A job that ran through the swap may have ended unnoticed, or be started a second time by hand.",
        does="Changes nothing: lists them, held against the jobs that ran before and what was saved.",
        waits_for="a decision on each of them (d)",
        side=Side.NEW,
        decisions=("recorded", "rerun", "ignored"),
        deadline=3600.0,
    ),
    Step(
        id="close",
        phase=Phase.CONVERT,
        title="See that nothing is owed any more",
        why="What was locked, guarded or silenced for the swap and stays so is found at the next failure.",
        does="Changes nothing: looks at what this run suppressed.",
        waits_for="the ledger to be empty",
        side=Side.NEW,
    ),
)
"""The original master becomes the standby."""
