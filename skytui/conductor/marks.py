"""The marks of the open run on the hosts of its servers: by them two jump hosts exclude each other.

A mark says whose run it is, and when it was heard of last. It is set before the run is opened, kept fresh
while it is open, looked at before each action, and cleared at its end. A conductor that dies leaves it
behind; that is what it is for.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import msgspec

from skytui.clock import Clock
from skytui.conductor.engine import Engine
from skytui.drivers.driver import Driver
from skytui.errors import StateError
from skytui.pair.mark import Carried, Foreign, Mark, Marking, Unmarked
from skytui.pair.thresholds import Thresholds
from skytui.runbook.events import Held, Marked, Recorded

WHO = "skytui"
"""Who holds a run that must not go on because of its marks."""

_LOG = logging.getLogger(__name__)


def mark_of(pair: str, run: str, key: str, who: str, since: datetime) -> Mark:
    """The mark of a run. `key` names the process that opened it, as in its first event."""
    return Mark(pair=pair, run=run, key=key, who=who, host=socket.gethostname(), since=since)


class Marks:
    """Those of one run at a time. `ours` says whether a mark is of a run of this folder that has ended."""

    def __init__(
        self,
        drivers: Mapping[str, Driver],
        thresholds: Thresholds,
        clock: Clock,
        *,
        ours: Callable[[Mark], bool],
        trouble: Callable[[str], None],
    ) -> None:
        # In the order of their names everywhere: of two runs that are opened at once one gets both servers.
        self._drivers = dict(sorted(drivers.items()))
        self._thresholds = thresholds
        self._clock = clock
        self._ours = ours
        self._trouble = trouble
        self._locks = {server: asyncio.Lock() for server in self._drivers}
        self._wake = asyncio.Event()
        self._engine: Engine | None = None
        self._mark: Mark | None = None
        self._claimed: Mark | None = None
        self._found: dict[str, Marking] = {}
        self._chain: set[str] = set()
        self._uncompared: set[str] = set()

    # -- opening a run

    async def claim(self, mark: Mark, take_over: bool) -> str:
        """Mark all servers for a run that is to be opened. Why it must not be; then nothing is left set.

        A server that cannot be marked is no reason. With `take_over`, marks whose heartbeat is older than
        `mark_stale_seconds` are replaced, once every server has been asked.
        """
        await self.clear()
        self._claimed, self._found = mark, {}
        silent: dict[str, Mark] = {}
        for server in self._drivers:
            async with self._locks[server]:
                found = await self._put(server, mark)
            if isinstance(found, Foreign):
                if reason := self._refusal(server, found, take_over):
                    await self.give_up()
                    return reason
                silent[server] = found.mark
            self._found[server] = found
        for server, other in silent.items():
            async with self._locks[server]:
                stale = self._thresholds.mark_stale_seconds
                found = await self._drivers[server].mark(mark, take=other, stale=stale)
            if isinstance(found, Foreign):
                await self.give_up()
                return f"{_carries(server, found)}; it came back while it was taken over"
            self._found[server] = found
        return ""

    async def give_up(self) -> None:
        """The run that was claimed for is not opened after all."""
        mark, self._claimed = self._claimed, None
        if mark is not None:
            # Also where no answer came: it may have been set all the same.
            await self._unmark(mark, self._drivers)

    def opened(self, engine: Engine, reason: str) -> None:
        """The run that was claimed for is open. `reason` is why marks of a dead one were taken over."""
        self._mark, self._claimed = self._claimed, None
        self._engine, self._chain, self._uncompared = engine, set(), set()
        for server, found in self._found.items():
            match found:
                case Carried(before=None):
                    self._record(server)
                case Carried(before=Mark() as before, silent=silent) if before != self._mark:
                    self._record(server, after=before.words, silent=silent, reason=reason)
                case Carried():
                    self._record(server)
                case Unmarked(reason=missing):
                    self._record(server, missing)
        self._wake.set()

    def resumed(self, engine: Engine, mark: Mark, hashes: Iterable[str]) -> None:
        """A run that was left is gone on with; `hashes` are those of all records of its journal."""
        self._engine, self._mark = engine, mark
        self._chain, self._uncompared = set(hashes), set(self._drivers)
        self._wake.set()

    def _refusal(self, server: str, found: Foreign, take_over: bool) -> str:
        stale = self._thresholds.mark_stale_seconds
        says = f"{_carries(server, found)}; its heartbeat is {found.silent:.0f} s old"
        if found.silent < stale:
            return f"{says}, and a run that is alive is not taken over" if take_over else says
        return "" if take_over else f"{says}: if nobody drives it any more, take it over, for a reason"

    # -- while it is open

    async def serve(self) -> None:
        """Keep the marks of the open run fresh, and clear them at its end, until cancelled."""
        while True:
            self._wake.clear()
            if self._over:
                await self.clear()
            else:
                await self.refresh()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._thresholds.heartbeat_seconds):
                    await self._wake.wait()

    def ended(self) -> None:
        """The run is over."""
        self._wake.set()

    async def refresh(self) -> str:
        """Set all marks anew, at once. Why the run must not act, which holds it; empty when it may go on."""
        run = self._engine.run if self._engine else None
        if run is None or run.over or self._mark is None:
            return ""
        found = await asyncio.gather(*(self._beat(server) for server in self._drivers))
        if self._over:
            return ""
        seen = (self._seen(server, one) for server, one in zip(self._drivers, found, strict=True))
        reasons = [reason for reason in seen if reason]
        if reasons:
            self._hold(reasons)
        return "; ".join(reasons)

    async def clear(self) -> None:
        """Remove the marks of the run that has ended. A mark that stays is said."""
        mark, self._mark = self._mark, None
        if mark is None:
            return
        run = self._engine.run if self._engine else None
        marked = [server for server in self._drivers if run and run.marks.get(server) == ""]
        for reason in await self._unmark(mark, marked):
            self._trouble(
                f"{reason} If the mark of run {mark.run} is still there, another jump host can take it over"
                f" in {self._thresholds.mark_stale_seconds:.0f} s."
            )

    async def close(self) -> None:
        """Clear what is not of an open run. The marks of an open one stay."""
        await self.give_up()
        if self._over:
            await self.clear()

    @property
    def _over(self) -> bool:
        run = self._engine.run if self._engine else None
        return run is None or run.over

    async def _put(self, server: str, mark: Mark) -> Marking:
        """Set a mark; one that an ended run of this folder could not clear is replaced."""
        driver = self._drivers[server]
        found = await driver.mark(mark)
        if not isinstance(found, Foreign) or not self._ours(found.mark):
            return found
        found = await driver.mark(mark, take=found.mark)
        return Carried() if isinstance(found, Carried) else found

    async def _beat(self, server: str) -> Marking:
        async with self._locks[server]:
            engine, mark = self._engine, self._mark
            if engine is None or engine.run is None or mark is None:
                return Unmarked("the run has ended")
            self._chain.add(engine.hash)
            mark = msgspec.structs.replace(mark, who=engine.run.operator, hash=engine.hash)
            return await self._put(server, mark)

    async def _unmark(self, mark: Mark, servers: Iterable[str]) -> list[str]:
        """Why marks could not be removed."""

        async def unmark(server: str) -> str:
            async with self._locks[server]:
                return await self._drivers[server].unmark(mark)

        return [reason for reason in await asyncio.gather(*map(unmark, servers)) if reason]

    def _seen(self, server: str, found: Marking) -> str:
        """Record what has changed. Why the run must not go on after this; empty when it may."""
        run = self._engine.run if self._engine else None
        if run is None:
            return ""
        missing = run.marks.get(server)
        match found:
            case Foreign():
                return _carries(server, found, "now carries")
            case Unmarked(reason=reason):
                # Where it was set it still is: that the host does not answer changes nothing.
                if missing is None:
                    self._record(server, reason)
                return ""
            case Carried(before=None):
                if missing == "":
                    return f"{server} did not carry this run's mark any more: another run may have been there"
            case Carried(before=Mark(hash=told)):
                compared = server not in self._uncompared
                self._uncompared.discard(server)
                if told and not compared and told not in self._chain:
                    return (
                        f"{server} has been told of events of this run that its journal here does not have:"
                        " the journal is an older copy"
                    )
        if missing != "":
            self._record(server)
        return ""

    def _hold(self, reasons: list[str]) -> None:
        run = self._engine.run if self._engine else None
        hold = run.hold if run else None
        if hold is not None and hold.who == WHO and all(reason in hold.reason for reason in reasons):
            return
        why = "; ".join(reasons)
        self._trouble(f"{why}. The run is held.")
        self._feed(Held(at=self._clock.instant(), wall=self._clock.now(), who=WHO, reason=why))

    def _record(
        self, server: str, missing: str = "", *, after: str = "", silent: float = 0.0, reason: str = ""
    ) -> None:
        at, wall = self._clock.instant(), self._clock.now()
        self._feed(
            Marked(
                at=at, wall=wall, server=server, missing=missing, after=after, silent=silent, reason=reason
            )
        )

    def _feed(self, event: Recorded) -> None:
        if self._engine is None:
            return
        try:
            refused = self._engine.feed(event)
        except StateError as error:  # the next heartbeat tries again
            refused = str(error)
            self._trouble(refused)
        if refused:
            _LOG.warning("not recorded: %s (%s)", event, refused)


def _carries(server: str, found: Foreign, verb: str = "carries") -> str:
    return f"{server} {verb} the mark of {found.mark.words}"
