"""Replication: the link, what is still to be duplicated, what both sides say of the standby."""

from skytui.pair.position import parse_position
from skytui.pair.vocabulary import ACTIVE, ACTIVE_AND_CONNECTED
from skytui.runbook.checks.check import Check, Group, NotApplicable, Said, Verdict, View

FAR_BEHIND = 64 * 2**20
"""Bytes of write-ahead log by which the standby may be behind: four segments of PostgreSQL's default size."""
TREND_SECONDS = 20.0
"""How long File Replication Requests must be watched before *not falling* means anything."""


def link(view: View) -> Said:
    """Data flows, as both sides see it."""
    master, standby = view.master, view.standby
    dead: list[str] = []
    for name, other in ((master, standby), (standby, master)):
        found = view.take(f"the replication link on {name}", view.server(name).replication_link)
        if not found.alive:
            dead.append(f"{name} sees no link to {other} ({found.state or 'not connected'})")
        elif name == master and found.peer not in ("", standby):
            dead.append(f"{name} streams to {found.peer}, not to {standby}")
    if dead:
        return Verdict.BLOCK, "; ".join(dead)
    return Verdict.OK, f"{master} streams to {standby}, and {standby} receives"


def requests(view: View) -> Said:
    """Nothing waits to be duplicated, or it gets less."""
    master = view.master
    pending = view.take("File Replication Requests", view.server(master).replication_pending)
    if not pending:
        return Verdict.OK, "0 File Replication Requests"
    counted = [sample for sample in view.samples(master) if sample.pending is not None]
    first = counted[0] if counted else None
    if first is None or first.pending is None:
        return Verdict.OK, f"{pending} File Replication Requests, too early for a trend"
    seconds, before = view.reading.now.since(first.at), first.pending
    says = f"{pending} File Replication Requests, {before} of them {seconds:.0f} s ago"
    if pending < before or seconds < TREND_SECONDS or min(s.pending or 0 for s in counted) == 0:
        return Verdict.OK, says
    return Verdict.WARN, f"{says}: they do not get less"


def distance(view: View) -> Said:
    """The standby is close behind."""
    master, standby = view.master, view.standby
    ahead = view.take(f"the position of {master}", view.server(master).wal_position)
    behind = view.take(f"the position of {standby}", view.server(standby).wal_position)
    here, there = parse_position(ahead), parse_position(behind)
    if here is None or there is None:
        raise NotApplicable(f"{ahead or 'nothing'} and {behind or 'nothing'} are no log positions")
    far = max(here - there, 0)
    says = f"{standby} is {far / 2**20:.1f} MB of log behind {master}"
    return Verdict.OK if far <= FAR_BEHIND else Verdict.WARN, says


def status(view: View) -> Said:
    """STANDBY SERVER is Active on the master, and active and connected on its own page."""
    master, standby = view.master, view.standby
    on_master = view.take("STANDBY SERVER status", view.server(master).standby_status)
    own = view.take(f"{standby}'s own page", view.server(standby).standby_status)
    says = f"{master} says {on_master or 'nothing'}; {standby} says {own or 'nothing'}"
    well = on_master.casefold().startswith(ACTIVE) and own.casefold().startswith(ACTIVE_AND_CONNECTED)
    return Verdict.OK if well else Verdict.BLOCK, says


CHECKS: tuple[Check, ...] = (
    Check(
        id="replication-link",
        group=Group.REPLICATION,
        title="Replication is alive",
        proves="The master streams to this standby, and the standby receives, each by its own word.",
        hint="Look at both databases' logs; let the standby connect again, or convert it anew.",
        look=link,
    ),
    Check(
        id="file-requests",
        group=Group.REPLICATION,
        title="File Replication Requests",
        proves="Nothing waits to be duplicated, or what waits gets less.",
        hint="See why files are not duplicated: the standby's disk, its server, the way between them.",
        look=requests,
        blocks=False,
    ),
    Check(
        id="log-distance",
        group=Group.REPLICATION,
        title="The standby is close behind",
        proves=f"The standby has replayed all but the last {FAR_BEHIND // 2**20} MB of the master's log.",
        hint="Wait for it; the step *Wait for File Replication Requests to reach 0* would take long.",
        look=distance,
        blocks=False,
    ),
    Check(
        id="standby-active",
        group=Group.REPLICATION,
        title="STANDBY SERVER is Active",
        proves="The master says *Active* of its standby, the standby *active and connected to the master*.",
        hint="Look at the STANDBY SERVER page of the master and at the standby's own page.",
        look=status,
    ),
)
