"""What every driver offers. The scripted one and the one behind a profile pass the same contract tests."""

from collections.abc import AsyncIterator, Callable
from typing import Protocol

from skytui.pair.logline import LogLine
from skytui.pair.mark import Mark, Marking
from skytui.pair.order import Order, Outcome
from skytui.pair.vocabulary import ServerReading

Said = Callable[[str], None]
"""Called with every line that a command says while it runs."""


class Driver(Protocol):
    """One server of a pair, read and acted on the way its profile says."""

    @property
    def server(self) -> str:
        """The server's fixed name."""

    @property
    def logs(self) -> tuple[str, ...]:
        """The names of the logs that can be followed."""

    async def read(self) -> ServerReading:
        """Ask for everything once. Never raises for what a server does: a failure is an `Unknown`."""

    def look_again(self) -> None:
        """What was read before now is not enough: ask for the slow readings, too, with the next `read`."""

    async def act(self, order: Order, said: Said) -> Outcome:
        """Carry out an order, once. Never raises for what a server does; a lost outcome is UNKNOWN."""

    async def probe(self, order: Order, said: Said) -> Outcome:
        """What became of an order that was started earlier; follows it if it still runs. Starts nothing."""

    async def mark(self, mark: Mark, *, take: Mark | None = None, stale: float = 0.0) -> Marking:
        """Set a run's mark on the host, or refresh it; another run's stays where it is.

        That is replaced only if it is `take`, and its heartbeat at least `stale` seconds old by the host's
        clock. Never raises for what a server does.
        """

    async def unmark(self, mark: Mark) -> str:
        """Remove a run's mark from the host. Why not; empty when it is gone."""

    async def try_login(self) -> str:
        """Log in with the secrets given so far. Why the server refused; empty when it took them.

        A server that cannot be reached refuses nothing: this says only that a secret is wrong.
        """

    def preview(self, order: Order) -> str:
        """What would run where, with secrets left out: for the step card and the printed plan."""

    def percent(self, order: Order, line: str) -> float | None:
        """How far this line of a command says that it is, from 0 to 100; None where it says nothing of it."""

    def follow(self, log: str) -> AsyncIterator[LogLine]:
        """The lines of a log as they are written, over lost connections, rotation and truncation."""

    async def close(self) -> None:
        """End sessions and connections."""
