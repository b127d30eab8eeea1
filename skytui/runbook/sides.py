"""Who hands over to whom: what each kind of run needs before it can be opened."""

import msgspec

from skytui.pair.pair import PairReading
from skytui.pair.vocabulary import Role
from skytui.runbook.model import Debt, Run
from skytui.runbook.steps import Kind


class Sides(msgspec.Struct, frozen=True):
    """The original master and standby, and what an earlier run left owed; or why that is not clear."""

    old: str = ""
    new: str = ""
    owed: tuple[Debt, ...] = ()
    why_not: str = ""


def sides_of(kind: Kind, reading: PairReading | None, last: Run | None = None) -> Sides:
    """The sides of a run that starts now. `last` is the run that left its conversion for later."""
    if reading is None:
        return Sides(why_not="neither server has been read yet")
    match kind:
        case Kind.PLANNED:
            return _planned(reading)
        case Kind.UNPLANNED:
            return _unplanned(reading)
        case Kind.CONVERT:
            return _conversion(reading, last)


def _planned(reading: PairReading) -> Sides:
    old, new = reading.master(), reading.standby()
    if old and new:
        return Sides(old, new)
    return Sides(why_not="a planned swap needs one server that reads master and one that reads standby")


def _unplanned(reading: PairReading) -> Sides:
    standbys = [name for name in reading.servers if reading.role(name) is Role.STANDBY]
    if len(standbys) == 1:
        return Sides(reading.peer(standbys[0]), standbys[0])
    found = "both servers read standby" if standbys else "no server reads standby"
    return Sides(why_not=f"an unplanned swap activates the server that reads standby, and {found}")


def _conversion(reading: PairReading, last: Run | None) -> Sides:
    masters = reading.masters()
    if last is not None and last.new in masters:
        old, new = last.old, last.new
    elif len(masters) == 1:
        old, new = reading.peer(masters[0]), masters[0]
    else:
        found = "both servers read master" if masters else "no server reads master"
        return Sides(why_not=f"a conversion needs one master to become the standby of, and {found}")
    if reading.role(old) is Role.STANDBY:
        return Sides(why_not=f"{old} reads standby already: there is nothing to convert")
    owed = last.ledger if last is not None and (last.old, last.new) == (old, new) else ()
    return Sides(old, new, owed)
