"""What is said of a run when it is started from the command line."""

from datetime import datetime

import msgspec

from skytui.link.wire import Open
from skytui.runbook.steps import Kind


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """Of which kind a run is, and its occasion: why, and by which ticket; both may be empty.

    `take_over` is the reason for which the mark of another jump host's dead run is replaced, empty for none;
    `promote_before` the latest time for `promote`, in UTC.
    """

    kind: Kind = Kind.PLANNED
    take_over: str = ""
    why: str = ""
    ticket: str = ""
    promote_before: datetime | None = None

    def request(self, number: int) -> Open:
        """The request that starts it."""
        return Open(
            number,
            kind=self.kind,
            take_over=self.take_over,
            why=self.why,
            ticket=self.ticket,
            promote_before=self.promote_before,
        )


NOTHING_SAID = Start()
