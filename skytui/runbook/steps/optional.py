"""Steps a pair's configuration adds: done by hand, outside both servers, and attested by whoever did them."""

from skytui.runbook.steps.step import Phase, Side, Step

OPTIONAL: dict[str, tuple[Step, ...]] = {
    "baseline": (
        Step(
            id="announce",
            phase=Phase.PREPARE,
            title="Announce the swap",
            why="Whoever wonders why no job starts should know before they ask.",
            does="Tell the users and the operators that the swap begins now.",
            waits_for="you to say that it is done",
            side=Side.OLD,
            manual=True,
            words="done",
            deadline=3600.0,
        ),
        Step(
            id="silence-monitoring",
            phase=Phase.PREPARE,
            title="Silence monitoring",
            why="Alarms for what is done on purpose wake people, and hide the ones that matter.",
            does="Silence the alarms of both servers. This is owed until it is taken back.",
            waits_for="you to say that it is done",
            side=Side.OLD,
            manual=True,
            words="done",
            deadline=3600.0,
        ),
    ),
    "promote": (
        Step(
            id="repoint",
            phase=Phase.ACTIVATE,
            title="Point everything else to the new master",
            why="Addresses, load balancers and backups know nothing of the roles.",
            does="Move virtual address, name, load balancer and backups to the new master.",
            waits_for="you to say that it is done",
            side=Side.NEW,
            manual=True,
            words="done",
            deadline=3600.0,
        ),
    ),
    "server-history": (
        Step(
            id="unsilence",
            phase=Phase.CONVERT,
            title="Let monitoring speak again",
            why="A silenced alarm that is forgotten is no alarm.",
            does="Take back what was silenced for the swap.",
            waits_for="you to say that it is done",
            side=Side.NEW,
            manual=True,
            words="done",
            deadline=3600.0,
        ),
    ),
}
"""By the step after which they come."""
