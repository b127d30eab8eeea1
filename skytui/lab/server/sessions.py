"""Who is logged in. Kept in memory: a restarted server knows nobody."""

import secrets
from datetime import datetime

import msgspec

from skytui.clock import Clock, Instant

IDLE_SECONDS = 600.0


class Session(msgspec.Struct):
    """One login. `id` may be shown; the token it was given out for may not.

    `client` is what the program that logged in calls itself, the same after it was started anew.
    """

    id: str
    user: str
    address: str
    client: str
    since: datetime
    used: Instant


class Sessions:
    """The logins of this process; each ends ten minutes after its last request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_token: dict[str, Session] = {}

    def open(self, user: str, address: str, client: str = "") -> tuple[str, Session]:
        """A new session and the token that stands for it. It takes the place of its client's earlier one.

        A client that was killed could not log out; it is not shown as somebody else when it is back.
        """
        token = secrets.token_urlsafe(32)
        now, at = self._clock.now(), self._clock.instant()
        session = Session(secrets.token_hex(6), user, address, client, now, at)
        if client:
            same = (user, client)
            self._by_token = {t: s for t, s in self._by_token.items() if (s.user, s.client) != same}
        self._by_token[token] = session
        return token, session

    def find(self, token: str) -> Session | None:
        """The session of `token`, marked as used now."""
        self._expire()
        session = self._by_token.get(token)
        if session is not None:
            session.used = self._clock.instant()
        return session

    def close(self, session: str) -> None:
        """End the session with this id."""
        self._by_token = {token: kept for token, kept in self._by_token.items() if kept.id != session}

    def all(self) -> list[Session]:
        """All that are open, oldest first."""
        self._expire()
        return sorted(self._by_token.values(), key=lambda session: session.since)

    def _expire(self) -> None:
        now = self._clock.instant()
        for token in [t for t, s in self._by_token.items() if now.since(s.used) > IDLE_SECONDS]:
            del self._by_token[token]
