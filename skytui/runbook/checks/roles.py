"""Who is who: roles, identities, versions, clocks."""

from datetime import timedelta

from skytui.pair.reading import Cause, Stale, Unknown
from skytui.pair.vocabulary import READINGS, Role
from skytui.runbook.checks.check import Check, Group, NotApplicable, Said, Verdict, View
from skytui.runbook.sight import Missing

CLOCK_WARN, CLOCK_BLOCK = 5.0, 60.0
"""Seconds by which a server's clock may differ: what a slow answer explains, and what shifts a schedule."""


def roles(view: View) -> Said:
    """Exactly one reads master and one standby."""
    found = {
        name: view.take(f"the role of {name}", view.server(name).role, needed=True) for name in view.names
    }
    says = ", ".join(f"{name} reads {role}" for name, role in found.items())
    right = sorted(found.values()) == [Role.MASTER, Role.STANDBY]
    return Verdict.OK if right else Verdict.BLOCK, says


def identity(view: View) -> Said:
    """Each server answers by the name it has in the configuration."""
    found = {
        name: view.take(f"the identity of {name}", view.reading.server(name).identity, needed=True).name
        for name in view.names
    }
    wrong = [f"who answers as {name} is {said}" for name, said in found.items() if said != name]
    if wrong:
        return Verdict.BLOCK, "; ".join(wrong)
    return Verdict.OK, f"{' and '.join(found)} answer by their names"


def database(view: View) -> Said:
    """Both hold one database."""
    ids = {
        name: view.take(f"the identity of {name}", view.server(name).identity, needed=True).system_identifier
        for name in view.names
    }
    if not all(ids.values()):
        raise NotApplicable("this system does not tell its database's identifier")
    if len(set(ids.values())) > 1:
        return Verdict.BLOCK, ", ".join(f"{name} holds database {found}" for name, found in ids.items())
    return Verdict.OK, f"both hold database {next(iter(ids.values()))}"


def pinned(view: View) -> Said:
    """The database is the one of the last run."""
    known = view.take("what was remembered", view.reading.facts.remembered, slow=True, needed=True)
    if not known.database:
        raise NotApplicable("no run was made from here yet; the first one remembers it")
    ids = {
        view.take(f"the identity of {name}", view.server(name).identity, needed=True).system_identifier
        for name in view.names
    }
    if ids == {known.database}:
        return Verdict.OK, f"database {known.database}, as in run {known.run}"
    now = " and ".join(sorted(ids)) or "none"
    return Verdict.BLOCK, f"database {now}; in run {known.run} it was {known.database}"


def timeline(view: View) -> Said:
    """The standby is on the master's timeline."""
    lines = {
        name: view.take(f"the identity of {name}", view.server(name).identity, needed=True).timeline
        for name in (view.master, view.standby)
    }
    if not any(lines.values()):
        raise NotApplicable("this system has no timelines")
    says = ", ".join(f"{name} is on timeline {line}" for name, line in lines.items())
    return Verdict.OK if len(set(lines.values())) == 1 else Verdict.BLOCK, says


def version(view: View) -> Said:
    """Both run the same version."""
    found = {name: view.take(f"the version of {name}", view.server(name).version) for name in view.names}
    if len(set(found.values())) > 1:
        return Verdict.BLOCK, ", ".join(f"{name} runs {version}" for name, version in found.items())
    return Verdict.OK, f"both run version {next(iter(found.values()))}"


def profile(view: View) -> Said:
    """Everything that was asked was answered in the form the profile expects."""
    strange: list[str] = []
    for name in view.names:
        server = view.server(name)
        view.take(f"the role of {name}", server.role, needed=True)
        for reading in READINGS:
            found = getattr(server, reading)
            if isinstance(found, Stale | Unknown) and found.cause is Cause.UNUSABLE:
                strange.append(f"{reading} of {name}: {found.reason}")
    if strange:
        return Verdict.BLOCK, "; ".join(strange)
    return Verdict.OK, "every answer has the form the profile expects"


def address(view: View) -> Said:
    """Each server gives itself the address and port that the configuration tells the other one."""
    wrong: list[str] = []
    for name in view.names:
        server = view.server(name)
        own = view.take(f"the address of {name}", server.address)
        port = view.take(f"the listen port of {name}", server.listen_port)
        wanted = view.reading.facts.addresses.get(name)
        if wanted is None:
            raise Missing(f"what the configuration says of {name} is not known")
        if wanted != f"{own}:{port}":
            wrong.append(f"{name} gives itself {own}:{port}, the configuration says {wanted}")
    if wrong:
        return Verdict.WARN, "; ".join(wrong)
    return Verdict.OK, "both give themselves the address and port of the configuration"


def clocks(view: View) -> Said:
    """The clocks agree with this host's."""
    reading = view.reading
    off: dict[str, float] = {}
    for name in view.names:
        found = view.server(name).clock
        shown = view.take(f"the clock of {name}", found)
        asked = reading.wall - timedelta(seconds=reading.now.since(found.at) if found.at else 0.0)
        off[name] = (shown - asked).total_seconds()
    says = ", ".join(f"{name} {abs(by):.0f} s {'ahead' if by > 0 else 'behind'}" for name, by in off.items())
    worst = max(abs(by) for by in off.values())
    if worst <= CLOCK_WARN:
        return Verdict.OK, f"both within {CLOCK_WARN:.0f} s of this host's clock"
    return Verdict.BLOCK if worst > CLOCK_BLOCK else Verdict.WARN, f"against this host: {says}"


CHECKS: tuple[Check, ...] = (
    Check(
        id="roles",
        group=Group.PAIR,
        title="One master, one standby",
        proves="One server reads master and the other reads standby, each by its own word.",
        hint="Find out which server should be what; start or convert the other one by hand.",
        look=roles,
    ),
    Check(
        id="identity",
        group=Group.PAIR,
        title="The right servers",
        proves="Whoever answers at each configured address gives the name that stands there.",
        hint="Correct the addresses in the configuration.",
        look=identity,
    ),
    Check(
        id="database",
        group=Group.PAIR,
        title="One database",
        proves="Both servers hold the same database, by its system identifier.",
        hint="The standby is another pair's, or was made anew: convert it from this master.",
        look=database,
    ),
    Check(
        id="pinned",
        group=Group.PAIR,
        title="The pair of the last run",
        proves="The database is the one the last run from here was made on.",
        hint="If the pair was built anew on purpose, waive this: the run then remembers the new one.",
        look=pinned,
        waivable=True,
    ),
    Check(
        id="timeline",
        group=Group.PAIR,
        title="One timeline",
        proves="The standby follows the master it has now, not an earlier one.",
        hint="Convert the standby anew, from this master.",
        look=timeline,
    ),
    Check(
        id="version",
        group=Group.PAIR,
        title="One version",
        proves="Both servers run the same version of the scheduler.",
        hint="Bring both to the same version before they change roles.",
        look=version,
        waivable=True,
    ),
    Check(
        id="profile",
        group=Group.PAIR,
        title="The profile fits",
        proves="Everything the servers answered has the form that the profile expects.",
        hint="Hold the profile against this version: skytui profile show.",
        look=profile,
    ),
    Check(
        id="address",
        group=Group.PAIR,
        title="Addresses as configured",
        proves="What each server is told to find the other one by is what that one listens on.",
        hint="Correct `address` and `listen_port` in the configuration.",
        look=address,
        blocks=False,
    ),
    Check(
        id="clocks",
        group=Group.PAIR,
        title="Clocks agree",
        proves=f"Both servers' clocks are within {CLOCK_WARN:.0f} s of this host's.",
        hint="Look after NTP on the host whose clock is off.",
        look=clocks,
        waivable=True,
    ),
)
