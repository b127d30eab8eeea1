"""`skytui repair`: what the profile offers for a server in trouble, and doing it while no run is open.

A repair is decided here by what both servers read immediately before, and never carried out on a server that
reads master or may be one (`config/repairs.py`). While it is carried out this pair is ours: no conductor runs
on this jump host, and the servers carry our mark, so that no run is opened elsewhere.
"""

import asyncio
import sys
import uuid
from pathlib import Path

import msgspec
import typer

from skytui.clock import SystemClock
from skytui.conductor.lock import sole_owner
from skytui.conductor.marks import Marks, mark_of
from skytui.conductor.poller import Poller
from skytui.conductor.runs import open_run
from skytui.config.inputs import Loaded, load
from skytui.config.repairs import applicable, proven_no_master
from skytui.config.secrets import SecretStore
from skytui.config.state import made_folder
from skytui.config.tables import nearest
from skytui.drivers.build import open_profiled
from skytui.drivers.profiled import ProfiledDriver
from skytui.errors import ConfigError, RunRefusedError, StateError, UsageError
from skytui.pair.order import Expectation, Order, Outcome, Result
from skytui.pair.pair import PairReading
from skytui.pair.reading import Known
from skytui.pair.vocabulary import Action, Role

_SECONDS = 60.0
"""How long a repair is waited for where the profile does not say."""
_CODES = {Result.DONE: 0, Result.REFUSED: 10, Result.NOT_STARTED: 10, Result.FAILED: 12, Result.UNKNOWN: 13}


class Offer(msgspec.Struct, frozen=True):
    """A repair that applies now: of which server, what it does in words, what would run where."""

    name: str
    server: str
    says: str
    preview: str


def repair(pair: str, name: str = "", *, confirm: str = "") -> tuple[str, int]:
    """What to print, and the exit code. Without `name` what applies now is listed, and nothing is changed.

    `confirm` is the server's name, typed; without it a person at a terminal is asked. Raises ConfigError,
    UsageError for an unknown repair, RunRefusedError when it does not apply, a run is open or somebody else
    acts on the pair.
    """
    loaded = load(pair)
    if name and name not in loaded.profile.repairs:
        known = loaded.profile.repairs
        hint = nearest(name, known) or "it names none"
        raise UsageError(f"The profile {loaded.profile.name} has no repair `{name}`; {hint}")
    return asyncio.run(_Session(loaded).do(name, confirm) if name else _Session(loaded).show())


class _Session:
    """One call: its drivers, and what they read."""

    def __init__(self, loaded: Loaded) -> None:
        self._config, self._profile = loaded.pair, loaded.profile
        self._clock = SystemClock()
        secrets = SecretStore(self._config.secrets)
        secrets.resolve()
        if missing := sorted(self._profile.secret_names() & set(secrets.missing())):
            raise ConfigError(
                f"The secrets {', '.join(missing)} of {self._config.name} have to be typed.",
                hint="Configure a file or a command for them.",
            )
        self._drivers: dict[str, ProfiledDriver] = open_profiled(
            self._config, self._clock, secrets, self._profile
        )

    async def show(self) -> tuple[str, int]:
        try:
            offers = self._offers(await self._poll())
        finally:
            await self._close()
        pair = self._config.name
        if not self._profile.repairs:
            return f"The profile {self._profile.name} offers no repairs.", 0
        if not offers:
            return f"None of the repairs for {pair} applies now: {', '.join(self._profile.repairs)}.", 0
        lines = [f"{one.name}: {one.says}, on {one.server}\n    {one.preview}" for one in offers]
        return "\n".join([*lines, f"Do one with: skytui repair {pair} NAME"]), 0

    async def do(self, name: str, confirm: str) -> tuple[str, int]:
        try:
            offer = self._one_offer(name, await self._poll())
            _confirmed(offer, confirm)
            folder = made_folder(self._config.name)
            try:
                with sole_owner(folder, 1.0) as lock:
                    lock.claim()
                    outcome = await self._alone(name, offer.server, folder)
            except StateError as error:
                raise RunRefusedError(
                    f"{error} Nothing was done.", hint="Close the console, or let its run come to an end."
                ) from error
        finally:
            await self._close()
        return f"{name}: {outcome.result.value}. {outcome.says}", _CODES[outcome.result]

    async def _alone(self, name: str, server: str, folder: Path) -> Outcome:
        if (stored := open_run(folder)) is not None:
            raise RunRefusedError(f"Run {stored.run.id} is open; nothing was done.")
        key = uuid.uuid4().hex
        marks = Marks(
            self._drivers,
            self._config.thresholds,
            self._clock,
            ours=lambda _: False,
            trouble=lambda says: typer.echo(says, err=True),
        )
        mark = mark_of(self._config.name, f"repair-{key[:12]}", key, "a repair", self._clock.now())
        if refused := await marks.claim(mark, take_over=False):
            raise RunRefusedError(f"{refused}; nothing was done.")
        try:
            reading = await self._poll()
            if self._one_offer(name, reading).server != server:
                raise RunRefusedError(f"{name} does not apply to {server} any more; nothing was done.")
            order = self._order(name, server, key, reading)
            return await self._drivers[server].repair(name, order, lambda line: typer.echo(line, err=True))
        finally:
            await marks.give_up()

    async def _poll(self) -> PairReading:
        return await Poller(self._drivers, self._clock, 0.0, lambda _: None).poll()

    def _offers(self, reading: PairReading) -> list[Offer]:
        offers: list[Offer] = []
        for server, driver in self._drivers.items():
            for name in applicable(self._profile, reading, server):
                preview = driver.preview_repair(name, self._order(name, server, "preview", reading))
                offers.append(Offer(name, server, self._profile.repairs[name].says, preview))
        return offers

    def _one_offer(self, name: str, reading: PairReading) -> Offer:
        found = [one for one in self._offers(reading) if one.name == name]
        if len(found) == 1:
            return found[0]
        if found:
            raise RunRefusedError(f"{name} applies to both servers: nothing was done.")
        safe = [server for server in self._drivers if proven_no_master(reading, server)]
        why = "its conditions are not read" if safe else "no server is proven to be no master"
        raise RunRefusedError(f"{name} does not apply now: {why}; nothing was done.")

    def _order(self, name: str, server: str, token: str, reading: PairReading) -> Order:
        """The order that carries a repair. Its action says nothing: a repair is none of the procedure's."""
        identity = reading.server(server).identity
        timeline = identity.value.timeline if isinstance(identity, Known) else 0
        return Order(
            token=f"repair-{token}",
            action=Action.SHUT_DOWN,
            server=server,
            expects=Expectation(server, Role.STANDBY, timeline),
            peer=self._config.peer(server).name,
            deadline=self._profile.repairs[name].deadline or _SECONDS,
        )

    async def _close(self) -> None:
        for driver in self._drivers.values():
            await driver.close()


def _confirmed(offer: Offer, confirm: str) -> None:
    if not confirm and sys.stdin.isatty() and sys.stderr.isatty():
        typer.echo(f"{offer.says}, on {offer.server}:\n    {offer.preview}", err=True)
        confirm = str(typer.prompt("Type the server's name", err=True))
    if confirm.strip() != offer.server:
        typed = f"`{confirm}` is not {offer.server}" if confirm else f"give --confirm {offer.server}"
        raise RunRefusedError(f"{offer.name} was not confirmed: {typed}; nothing was done.")
