"""A pair, looked at once: by a conductor that is running, else by one poll of our own. Nothing is changed."""

from datetime import datetime
from pathlib import Path

import msgspec

from skytui.clock import SystemClock
from skytui.config.state import pair_folder
from skytui.errors import ConfigError, StateError
from skytui.link.client import Client
from skytui.link.start import conductor_listens
from skytui.link.wire import NewReading, Watched
from skytui.pair.pair import PairReading
from skytui.runbook.cadence import Cadence, Timing, cadence_of
from skytui.runbook.model import Run
from skytui.runbook.progress import Progress


class Looked(msgspec.Struct, frozen=True):
    """What was seen. `previews` are, by step of a run, what its actions would run where.

    `progress` is how far the command that is under way has got.
    `unverified` are the servers that need not prove over HTTPS who they are.
    `trouble` says why it is not known whether a run is open; empty when it is.
    """

    pair: str
    practice: bool
    conductor: bool
    reading: PairReading
    run: Run | None
    previews: dict[str, str]
    trouble: str = ""
    watched: Watched | None = None
    unverified: tuple[str, ...] = ()
    progress: Progress | None = None
    cadence: Cadence = Cadence()


def timing_of(pair: str) -> Timing:
    """How often the pair is to be swapped, and when. Raises ConfigError when it is not soundly configured."""
    from skytui.config.pairs import load_pair  # noqa: PLC0415

    config = load_pair(pair)
    return Timing(config.every, config.quiet)


def cadence_here(pair: str, timing: Timing, now: datetime) -> Cadence:
    """When the pair was swapped last by the journals here, when the next is due, and its quiet window."""
    from skytui.conductor.history import History  # noqa: PLC0415

    return cadence_of(History(pair_folder(pair)).past(), timing, now)


async def look(pair: str) -> Looked:
    """Look at `pair` once.

    Raises ConfigError when it is not configured, or a secret is missing that a person would have to give;
    StateError when its folder cannot be used.
    """
    if conductor_listens(pair):
        return await _ask(pair, pair_folder(pair))
    return await _poll(pair)


async def _ask(pair: str, folder: Path) -> Looked:
    client = await Client.connect(folder, "glance")
    try:
        welcome = client.welcome
        reading = welcome.reading
        if reading is None:
            async for message in client:
                if isinstance(message, NewReading):
                    reading = message.reading
                    break
        if reading is None:
            return await _poll(pair)
        unverified = tuple(facts.name for facts in welcome.servers if facts.unverified)
        return Looked(
            pair,
            welcome.practice,
            True,
            reading,
            welcome.run,
            welcome.previews,
            watched=welcome.watched,
            progress=welcome.progress,
            cadence=cadence_here(pair, timing_of(pair), reading.wall),
            unverified=unverified,
        )
    finally:
        await client.close()


async def _poll(pair: str) -> Looked:
    from skytui.conductor.poller import Poller  # noqa: PLC0415 - asyncssh and httpx come with it
    from skytui.conductor.runs import open_run  # noqa: PLC0415
    from skytui.conductor.surroundings import Surroundings  # noqa: PLC0415
    from skytui.config.inputs import load  # noqa: PLC0415
    from skytui.config.secrets import SecretStore  # noqa: PLC0415
    from skytui.drivers.build import open_drivers  # noqa: PLC0415

    loaded = load(pair)
    config = loaded.pair
    secrets = SecretStore(config.secrets)
    secrets.resolve()
    if secrets.missing():
        raise ConfigError(
            f"The secrets {', '.join(secrets.missing())} of {pair} must be given by a person.",
            hint=f"Open the console (skytui {pair}), which asks for them.",
        )
    clock = SystemClock()
    drivers = open_drivers(config, clock, secrets, loaded.profile)
    try:
        surroundings = Surroundings(config, pair_folder(pair), clock)
        reading = await Poller(drivers, clock, 0.0, lambda _: None, surroundings).poll()
    finally:
        for driver in drivers.values():
            await driver.close()
    stored, trouble = None, ""
    try:
        stored = open_run(pair_folder(pair))
    except StateError as error:
        trouble = str(error)
    unverified = tuple(name for name, server in config.servers.items() if server.unverified)
    run = stored.run if stored else None
    return Looked(
        pair,
        config.practice,
        False,
        reading,
        run,
        {},
        cadence=cadence_here(pair, timing_of(pair), reading.wall),
        trouble=trouble,
        unverified=unverified,
    )
