"""What the machine asks the conductor to do. The machine itself does nothing."""

import msgspec

from skytui.pair.order import Order
from skytui.runbook.events import Recorded


class Raise(msgspec.Struct, frozen=True, tag="raise"):
    """Record this event (on disk first), then advance by it."""

    event: Recorded


class Perform(msgspec.Struct, frozen=True, tag="perform"):
    """Carry the order out, once; its outcome comes back as `Finished`."""

    order: Order


class Probe(msgspec.Struct, frozen=True, tag="probe"):
    """Find out what became of an order whose outcome was lost. Starts nothing."""

    order: Order


class Look(msgspec.Struct, frozen=True, tag="look"):
    """Poll now, instead of at the next turn. `everything`: what is not asked at every poll, too."""

    everything: bool = False


class RunHook(msgspec.Struct, frozen=True, tag="hook"):
    """Run this hook, once; what comes of it comes back as `Hooked`."""

    hook: str


class Refuse(msgspec.Struct, frozen=True, tag="refuse"):
    """The event is not for now. Nothing was changed, nothing is recorded; whoever asked is told why."""

    reason: str


Effect = Raise | Perform | Probe | Look | RunHook | Refuse
