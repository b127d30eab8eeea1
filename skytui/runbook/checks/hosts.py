"""The hosts: room on their disks, what an earlier run left there, when they booted."""

from skytui.runbook.checks.check import Check, Group, NotApplicable, Said, Verdict, View

ENOUGH = 1.1
"""How many times the database's size must be free: a full copy, and what is written meanwhile."""
PLENTY = 2.0
"""Below this many times it is enough, but tight."""
JUST_BOOTED = 600.0
"""Seconds after which a boot is no news."""


def disk(view: View) -> Said:
    """On both there is room for a full copy of the database."""
    size = view.take("the database's size", view.server(view.master).database_bytes)
    free = {name: view.take(f"the free disk of {name}", view.server(name).disk_free) for name in view.names}
    says = f"database {_gb(size)}; " + ", ".join(
        f"{name} has {_gb(room)} free" for name, room in free.items()
    )
    least = min(free.values())
    if least < size * ENOUGH:
        return Verdict.BLOCK, f"{says}: no room for a full copy"
    return Verdict.OK if least >= size * PLENTY else Verdict.WARN, says


def guard(view: View) -> Said:
    """No guard is left from an earlier run."""
    left = [name for name in view.names if view.take(f"the guard of {name}", view.server(name).guard)]
    if left:
        return Verdict.WARN, f"{' and '.join(left)} would not start by itself at boot"
    return Verdict.OK, "both servers start by themselves at boot"


def marker(view: View) -> Said:
    """No marker is left on a host."""
    left = [
        f"{name}: {text}"
        for name in view.names
        if (text := view.take(f"the marker of {name}", view.server(name).marker))
    ]
    return (Verdict.WARN, "; ".join(left)) if left else (Verdict.OK, "no marker is left on either host")


def run_mark(view: View) -> Said:
    """No host carries the mark of another run."""
    left: list[str] = []
    for name in view.names:
        identity = view.take(f"the run's mark on {name}", view.server(name).run_mark, slow=True)
        run = identity.partition("/")[0]
        if run and run != view.own_run:
            left.append(f"{name} carries the mark of run {run}")
    return (Verdict.WARN, "; ".join(left)) if left else (Verdict.OK, "no host carries another run's mark")


def booted(view: View) -> Said:
    """Neither host has just booted."""
    fresh: list[str] = []
    for name in view.names:
        at = view.take(f"when {name} booted", view.server(name).last_boot, slow=True)
        seconds = (view.reading.wall - at).total_seconds()
        if seconds < JUST_BOOTED:
            fresh.append(f"{name} booted {max(seconds, 0):.0f} s ago")
    if not view.names:
        raise NotApplicable("there is no host")
    return (Verdict.WARN, "; ".join(fresh)) if fresh else (Verdict.OK, "neither host has booted lately")


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB"


CHECKS: tuple[Check, ...] = (
    Check(
        id="disk",
        group=Group.HOSTS,
        title="Room for a full copy",
        proves="Both hosts have room for another copy of the database, should the conversion need one.",
        hint="Make room on the host named.",
        look=disk,
        waivable=True,
    ),
    Check(
        id="guard",
        group=Group.HOSTS,
        title="No guard is left",
        proves="Both servers start by themselves when their hosts boot, as they should.",
        hint="Find the run that set the guard (skytui runs), and take it away if nobody needs it.",
        look=guard,
        blocks=False,
    ),
    Check(
        id="marker",
        group=Group.HOSTS,
        title="No marker is left",
        proves="No earlier run has left a marker on a host.",
        hint="Find out who left it, and remove it.",
        look=marker,
        blocks=False,
    ),
    Check(
        id="run-mark",
        group=Group.HOSTS,
        title="No other run's mark",
        proves="No other jump host drives a run on this pair, or has left one.",
        hint="Ask who drives that run. If nobody does, skytui swap --take-over takes the mark over.",
        look=run_mark,
        blocks=False,
    ),
    Check(
        id="last-boot",
        group=Group.HOSTS,
        title="Hosts are up for a while",
        proves="Neither host has booted in the last minutes by itself.",
        hint="Find out why it booted before you rely on it.",
        look=booted,
        blocks=False,
    ),
)
