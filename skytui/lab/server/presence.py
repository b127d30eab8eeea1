"""Which agents this server process hears, by their heartbeats. In memory: it begins with nobody."""

from datetime import datetime

import msgspec

from skytui.clock import Clock, Instant

SILENCE = 3.0
"""Seconds without a heartbeat after which an agent no longer counts as connected."""


class Heard(msgspec.Struct):
    """What an agent's heartbeats to this process have said."""

    address: str
    since: datetime
    last: datetime
    instant: Instant


class Presence:
    """The agents heard by this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heard: dict[str, Heard] = {}

    def hear(self, agent: str, address: str) -> None:
        """Note a heartbeat. After a silence the connection counts as a new one."""
        now, instant = self._clock.now(), self._clock.instant()
        known = self.connected(agent)
        self._heard[agent] = Heard(address, known.since if known else now, now, instant)

    def connected(self, agent: str) -> Heard | None:
        """What is known of `agent` if it is connected now."""
        heard = self._heard.get(agent)
        if heard is None or self._clock.instant().since(heard.instant) > SILENCE:
            return None
        return heard

    def silent(self) -> list[str]:
        """Agents that were connected to this process and are so no longer."""
        return [agent for agent in self._heard if self.connected(agent) is None]

    def last(self, agent: str) -> datetime | None:
        """When `agent` was last heard by this process."""
        heard = self._heard.get(agent)
        return heard.last if heard else None
