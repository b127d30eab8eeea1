"""What is looked at before a swap begins, and all the while the console is open. Pure.

A check goes by the same readings as the panels and the gates. It never passes without evidence; what it
needs and was not read is *unknown*, and where it can block, that blocks.
"""

from skytui.pair.pair import PairReading
from skytui.runbook.checks import console, hosts, reach, replication, roles, scripts, work
from skytui.runbook.checks.check import Check, Checked, Group, Verdict, carry_out
from skytui.runbook.sight import Sight

CHECKS: tuple[Check, ...] = tuple(
    sorted(
        (
            *roles.CHECKS,
            *reach.CHECKS,
            *scripts.CHECKS,
            *replication.CHECKS,
            *work.CHECKS,
            *hosts.CHECKS,
            *console.CHECKS,
        ),
        key=lambda check: list(Group).index(check.group),
    )
)
"""Every check there is, group by group."""

BY_ID: dict[str, Check] = {check.id: check for check in CHECKS}


def check_all(sight: Sight, own_run: str = "") -> tuple[Checked, ...]:
    """What every check finds. `own_run` is the run that is open, if there is one."""
    return tuple(carry_out(check, sight, own_run) for check in CHECKS)


def check_now(reading: PairReading, limit: float, own_run: str = "") -> tuple[Checked, ...]:
    """What every check finds by what is known now; `limit` is how old a reading may be, in seconds."""
    return check_all(Sight(reading, limit), own_run)


def counts(checks: tuple[Checked, ...]) -> dict[str, int]:
    """How many checks found what."""
    return {verdict.value: sum(checked.verdict is verdict for checked in checks) for verdict in Verdict}


def summary(checks: tuple[Checked, ...]) -> str:
    """`44 checks: 2 block, 1 warn`: what is not ok, or that all is."""
    found = counts(checks)
    told = (Verdict.BLOCK, Verdict.UNKNOWN, Verdict.WARN)
    parts = [f"{found[verdict]} {verdict}" for verdict in told if found[verdict]]
    return f"{len(checks)} checks: {', '.join(parts) or 'nothing speaks against a swap'}"


__all__ = [
    "BY_ID",
    "CHECKS",
    "Check",
    "Checked",
    "Group",
    "Verdict",
    "check_all",
    "check_now",
    "counts",
    "summary",
]
