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


__all__ = ["BY_ID", "CHECKS", "Check", "Checked", "Group", "Verdict", "check_all", "check_now"]
