"""Who is connected, and which one of them operates the run.

The runbook knows the operator as a user; here it is one client of that user, so that two consoles of the same
person do not confirm past each other. A seat that was left is taken by the next client of the operator that
wants to act; anybody else takes it over, for a reason that is journalled.
"""

import pwd
from collections.abc import Callable, Collection
from datetime import datetime
from itertools import count

from skytui.link.wire import Present, Seat
from skytui.plaintext import plain
from skytui.runbook.model import Run

CLIENTS = ("console", "headless", "watch", "glance")
LOOKS = ("watch", "glance")
"""The kinds of client that may only look; a glance is not even named among those who are here."""
ACTS = (
    "open",
    "confirm",
    "waive",
    "abort",
    "state",
    "turn",
    "postpone",
    "hold",
    "release",
    "take",
    "hand over",
    "secret",
    "unwatch",
    "try secrets",
    "leave",
)
"""What a client that is more than a watcher may ask for. Whether it counts then is another question."""


class Seats:
    """The clients of one conductor. `changed` is called with everybody who is here, each time that changes.

    `operators` are the users who may operate a run; without any, everybody who could connect.
    """

    def __init__(self, operators: Collection[str], changed: Callable[[Present], None]) -> None:
        self._operators = frozenset(operators)
        self._changed = changed
        self._numbers = count(1)
        self._here: dict[int, Seat] = {}
        self._operator: Seat | None = None

    @property
    def present(self) -> Present:
        """Everybody who is here."""
        others = (seat for seat in self._here.values() if seat != self._operator)
        return Present(self._operator, tuple(others))

    def join(self, who: str, client: str, pid: int, since: datetime) -> Seat:
        """A client has come."""
        seat = Seat(next(self._numbers), who, client, pid, since)
        if client != "glance":
            self._here[seat.number] = seat
            self._changed(self.present)
        return seat

    def leave(self, seat: Seat) -> None:
        """A client is gone. If it operated the run, the operator has no client here now."""
        if self._here.pop(seat.number, None) is None:
            return
        if self._operator == seat:
            self._operator = None
        self._changed(self.present)

    def may(self, seat: Seat) -> tuple[str, ...]:
        """What this client may ask for."""
        return () if seat.client in LOOKS else ACTS

    def why_not_operate(self, seat: Seat) -> str:
        """Why this client can operate no run at all; empty when it can."""
        if seat.client in LOOKS:
            return "a watcher may only look"
        if self._operators and seat.who not in self._operators:
            return f"{seat.who} is none of this pair's operators ({', '.join(sorted(self._operators))})"
        return ""

    def why_not_name(self, user: str) -> str:
        """Why a run cannot be passed on to this user; empty when it can."""
        try:
            pwd.getpwnam(user)
        except (KeyError, ValueError):
            return f"there is no user {plain(user)[:40]} on this machine"
        if self._operators and user not in self._operators:
            return f"{user} is none of this pair's operators ({', '.join(sorted(self._operators))})"
        return ""

    def claim(self, seat: Seat, run: Run) -> str:
        """Let this client act on `run`: it operates the run from here on. Why it cannot; empty when it does.

        The client of the operator's that acts first takes a seat nobody sits on.
        """
        if reason := self.why_not_operate(seat):
            return reason
        if self._operator == seat:
            return ""
        if self._operator is not None:
            return f"{self._operator.words} operates this run"
        if seat.who != run.operator:
            return f"{run.operator} operates this run, and is not connected; take it over for a reason"
        self.sit(seat)
        return ""

    def sit(self, seat: Seat) -> None:
        """This client operates the run from here on."""
        if self._operator != seat:
            self._operator = seat
            self._changed(self.present)

    def rise(self) -> None:
        """Nobody operates: the run has been passed on to a user who has not acted yet, or there is none."""
        if self._operator is not None:
            self._operator = None
            self._changed(self.present)
