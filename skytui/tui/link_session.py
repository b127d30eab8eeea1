"""The session over a conductor's socket. It calls again by itself when the connection is lost."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from skytui.clock import Clock
from skytui.errors import SkytuiError
from skytui.link.client import Client
from skytui.link.wire import (
    AbortRun,
    Confirm,
    Decide,
    GiveSecret,
    HandOver,
    HoldRun,
    Message,
    NewEvent,
    NewLines,
    NewProgress,
    NewReading,
    Notice,
    Open,
    Past,
    Postpone,
    Present,
    Previews,
    ReleaseRun,
    Request,
    SecretsWanted,
    State,
    Take,
    TrySecrets,
    TurnRun,
    Waive,
    Watched,
    Welcome,
)
from skytui.runbook.events import Opened
from skytui.runbook.steps import Kind
from skytui.tui.logring import LogRing
from skytui.tui.session import NOTICES_KEPT, Shown

PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds between attempts to get the conductor back; the last one goes on for ever."""


class LinkSession:
    """A session over `client`. `again` makes a new connection; it raises a SkytuiError when it cannot.

    Nothing happens before `run` is awaited, as a task beside the console; it ends when it is cancelled.
    """

    def __init__(self, client: Client, again: Callable[[], Awaitable[Client]], clock: Clock) -> None:
        self._client = client
        self._again = again
        self._clock = clock
        self._changed: Callable[[], None] = lambda: None
        self._log = LogRing()
        self._shown = self._greeted(client.welcome, notices=(), noticed=0)

    @property
    def shown(self) -> Shown:
        """What is known now."""
        return self._shown

    @property
    def log(self) -> LogRing:
        """The last log lines."""
        return self._log

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` each time `shown` is another."""
        self._changed = changed

    async def run(self) -> None:
        """Take in what the conductor says; call again when it is lost. Goes on until cancelled."""
        try:
            while True:
                async for message in self._client:
                    self._take(message)
                self._show(lost=f"{_sentence(self._client.why_lost)} The run goes on to its next gate.")
                await self._client.close()
                await self._reconnect()
        finally:
            await self._client.close()

    async def open_run(self, kind: Kind, why: str = "", ticket: str = "") -> str:
        """Start a run of this kind."""
        return await self._ask(lambda number: Open(number, kind=kind, why=why, ticket=ticket))

    async def state(self, run: str, step: str, words: str) -> str:
        """State that the original master is powered off."""
        return await self._ask(lambda number: State(number, run, step, words))

    async def turn(self, run: str, reason: str) -> str:
        """Make an unplanned swap of a planned one."""
        return await self._ask(lambda number: TurnRun(number, run, reason))

    async def postpone(self, run: str, reason: str) -> str:
        """Leave the conversion for a run of its own."""
        return await self._ask(lambda number: Postpone(number, run, reason))

    async def confirm(self, run: str, step: str, phrase: str) -> str:
        """Go on with this step of this run."""
        return await self._ask(lambda number: Confirm(number, run, step, phrase))

    async def waive(self, run: str, step: str, reason: str, check: str = "") -> str:
        """Let the gate of this step pass unproven; of `preflight` only the one check."""
        return await self._ask(lambda number: Waive(number, run, step, reason, check))

    async def decide(self, run: str, step: str, decisions: Mapping[str, str]) -> str:
        """Decide about rows of this step's list."""
        return await self._ask(lambda number: Decide(number, run, step, dict(decisions)))

    async def abort(self, run: str, reason: str) -> str:
        """Take the run back."""
        return await self._ask(lambda number: AbortRun(number, run, reason))

    async def hold(self, reason: str) -> str:
        """Stop the run at its next gate."""
        return await self._ask(lambda number: HoldRun(number, reason))

    async def release(self) -> str:
        """Lift the hold."""
        return await self._ask(ReleaseRun)

    async def take(self, run: str, reason: str) -> str:
        """Operate the run from here."""
        return await self._ask(lambda number: Take(number, run, reason))

    async def hand_over(self, run: str, to: str) -> str:
        """Pass the run on to another user."""
        return await self._ask(lambda number: HandOver(number, run, to))

    async def give_secret(self, name: str, value: str) -> str:
        """Hand over a secret, to be tried at once."""
        return await self._ask(lambda number: GiveSecret(number, name, value))

    async def try_secrets(self) -> str:
        """Have the secrets that are wanted fetched and tried."""
        return await self._ask(TrySecrets)

    async def _ask(self, make: Callable[[int], Request]) -> str:
        try:
            return (await self._client.request(make)).refused
        except SkytuiError as error:
            return str(error)

    async def _reconnect(self) -> None:
        for attempt in itertools.count():
            await asyncio.sleep(PAUSES[min(attempt, len(PAUSES) - 1)])
            try:
                self._client = await self._again()
            except SkytuiError as error:
                self._show(lost=f"{error} Attempt {attempt + 1}.")
            else:
                self._shown = self._greeted(
                    self._client.welcome, notices=self._shown.notices, noticed=self._shown.noticed
                )
                self._changed()
                return

    def _greeted(self, welcome: Welcome, *, notices: tuple[Notice, ...], noticed: int) -> Shown:
        """The whole state, as a conductor tells it first. The lines it kept take the place of ours."""
        self._log.replace(welcome.lines)
        return Shown(
            pair=welcome.pair,
            practice=welcome.practice,
            keys_of=welcome.keys_of,
            you=welcome.you,
            may=welcome.may,
            present=welcome.present,
            servers=welcome.servers,
            secrets_wanted=welcome.secrets_wanted,
            secrets_refused=welcome.secrets_refused,
            hosts_ask=welcome.hosts_ask,
            reading=welcome.reading,
            received=self._clock.instant().seconds,
            run=welcome.run,
            events=welcome.events,
            previews=welcome.previews,
            progress=welcome.progress,
            past=welcome.past,
            notices=notices,
            noticed=noticed,
            watched=welcome.watched,
        )

    def _take(self, message: Message) -> None:
        match message:
            case NewReading(reading=reading):
                self._show(reading=reading, received=self._clock.instant().seconds)
            case NewEvent(event=event, run=run):
                earlier = () if isinstance(event, Opened) else self._shown.events
                self._show(run=run, events=(*earlier, event))
            case NewLines(lines=lines):
                self._log.extend(lines)
            case SecretsWanted(names=names, refused=refused, hosts_ask=hosts_ask):
                self._show(secrets_wanted=names, secrets_refused=refused, hosts_ask=hosts_ask)
            case NewProgress(progress=progress):
                self._show(progress=progress)
            case Past():
                self._show(past=message)
            case Present():
                self._show(present=message)
            case Watched():
                self._show(watched=message)
            case Previews(previews=previews):
                self._show(previews=previews)
            case Notice():
                kept = (*self._shown.notices, message)[-NOTICES_KEPT:]
                self._show(notices=kept, noticed=self._shown.noticed + 1)
            case _:
                return  # a Welcome, Denied or Reply comes at its own time only, and the client takes it

    def _show(self, **changes: object) -> None:
        self._shown = msgspec.structs.replace(self._shown, **changes)
        self._changed()


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."
