"""What comes before the activation when the master is lost, instead of shutting it down in order.

Source: the article lets an unplanned swap skip to *Activating your Standby Server*; that skips stopping the
original master, and two masters would run jobs twice. So it is proven to be down first, or stopped.
"""

from skytui.pair.vocabulary import Action, Role
from skytui.runbook.steps.step import Phase, Side, Step

ASSESS = Step(
    id="assess",
    phase=Phase.FENCE,
    title="See what may be lost",
    why="What had not reached the standby when the master was lost is not there when it becomes the master.",
    does="Changes nothing: says what is known, and records the standby's queues and timeline.",
    waits_for="the standby to read standby, and you to accept the loss, once, for this run",
    side=Side.NEW,
    role=Role.STANDBY,
    words="accept the loss",
)
"""What is known and what may be lost; accepted by typing `words`."""

FENCE = Step(
    id="fence-master",
    phase=Phase.FENCE,
    title="Make sure the original master is down",
    why="Two masters would run jobs twice. Out of reach is not down: its agents may still reach it.",
    does="Sets the guard on the original master and stops its server and database, if it can be reached.",
    waits_for="every port to refuse, every process to be gone and the guard to be set, or your statement",
    side=Side.OLD,
    action=Action.FENCE,
    only_if_needed=True,
    typed=True,
    deadline=180.0,
)
"""Passes at once where the original master is down and guarded already."""
