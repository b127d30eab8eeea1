"""Who is what: roles, identities, timelines."""

from skytui.pair.vocabulary import Role
from skytui.runbook.model import Run
from skytui.runbook.proofs.proof import Found
from skytui.runbook.sight import Sight
from skytui.runbook.steps import Kind


def _role(sight: Sight, name: str) -> Role:
    server = sight.server(name)
    role = sight.take(f"{name}'s role", server.role)
    sight.take(f"{name}'s identity", server.identity)
    return role


def _reads(sight: Sight, name: str, wanted: Role) -> Found:
    role = _role(sight, name)
    return role is wanted, f"{name} reads {role}"


def old_is_master(run: Run, sight: Sight) -> Found:
    """The original master reads master."""
    return _reads(sight, run.old, Role.MASTER)


def new_is_standby(run: Run, sight: Sight) -> Found:
    """The original standby reads standby."""
    return _reads(sight, run.new, Role.STANDBY)


def new_as_found(run: Run, sight: Sight) -> Found:
    """The other server reads standby; in a conversion of its own, master."""
    return _reads(sight, run.new, Role.MASTER if run.kind is Kind.CONVERT else Role.STANDBY)


def new_is_master(run: Run, sight: Sight) -> Found:
    """The original standby reads master now."""
    return _reads(sight, run.new, Role.MASTER)


def old_is_standby(run: Run, sight: Sight) -> Found:
    """The original master reads standby now."""
    return _reads(sight, run.old, Role.STANDBY)


def same_database(run: Run, sight: Sight) -> Found:
    """Both servers hold the same database: equal system identifiers."""
    old = sight.take(f"{run.old}'s identity", sight.server(run.old).identity).system_identifier
    new = sight.take(f"{run.new}'s identity", sight.server(run.new).identity).system_identifier
    if old != new:
        return False, f"{run.old} and {run.new} hold different databases ({old} and {new}): not one pair"
    return True, f"both hold database {old}" if old else "neither server tells its database's identifier"


def timeline_moved_on(run: Run, sight: Sight) -> Found:
    """The new master's timeline is later than the baseline's: it was promoted since."""
    identity = sight.take(f"{run.new}'s identity", sight.server(run.new).identity)
    before = run.baseline.timeline if run.baseline else 0
    if not before:
        return True, "this system has no timelines"
    if not identity.timeline:
        return False, f"{run.new} names no timeline, before it was {before}"
    return identity.timeline > before, f"{run.new} is on timeline {identity.timeline}, before it was {before}"
