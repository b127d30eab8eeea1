"""Reads one server the way a profile says: who is asked what, in which role, and what takes both servers."""

import asyncio
from collections.abc import Iterable

import msgspec

from skytui.clock import Clock, Instant
from skytui.config.placeholders import text
from skytui.config.profile import Profile
from skytui.config.reading_spec import ReadingSpec
from skytui.drivers.asking import Request, ask, request_for, value_of
from skytui.drivers.both import Found, difference, operands
from skytui.drivers.http import Web
from skytui.drivers.replies import Answer
from skytui.drivers.scope import Scope
from skytui.drivers.unhurried import Unhurried
from skytui.pair.reading import Cause, Known, Unknown
from skytui.pair.vocabulary import READINGS, SLOW, Role, value_type
from skytui.remote.ssh import Host

_TYPES = {name: value_type(name) for name in READINGS}


class Asked(msgspec.Struct, frozen=True):
    """One reading: how it is asked of this server now, the request that took, what came back, the value."""

    value: Known[object] | Unknown
    spec: ReadingSpec | None = None
    request: Request | None = None
    answer: Answer | Unknown | None = None


class Reader:
    """What asks one server. `beside` tells it of the other one's, for what takes both."""

    def __init__(
        self, profile: Profile, scope: Scope, server: str, *, clock: Clock, web: Web | None, host: Host | None
    ) -> None:
        self._profile = profile
        self._scope = scope
        self._server = server
        self._clock = clock
        self._web = web
        self._host = host
        self._peer: Reader | None = None
        self._asked: dict[Request, tuple[Instant, asyncio.Task[Answer | Unknown]]] = {}
        self._began: Instant | None = None
        self._ended: Instant | None = None
        slow = [name for name in READINGS if name in SLOW and name in profile.readings]
        self._slow = Unhurried(lambda: self._alone(slow, self._began or clock.instant()), clock)

    def look_again(self) -> None:
        """Ask for the slow readings anew, beside the next poll."""
        self._slow.again()

    async def close(self) -> None:
        """Wait for no slow reading any more."""
        await self._slow.close()

    def beside(self, peer: "Reader") -> None:
        """Make the other server's reader known."""
        self._peer = peer

    async def read(self) -> dict[str, Asked]:
        """Every reading of the vocabulary: everything is asked at once, equal requests once.

        The slow readings come with the time they were asked for, which may be before this poll.
        """
        self._began, self._ended = self._clock.instant(), None
        try:
            often = [name for name in READINGS if name not in SLOW]
            asked, slow = await asyncio.gather(self._alone(often, self._began), self._slow.answers())
            asked = {name: self._not_said(name) for name in SLOW} | asked | slow
            return asked | await self._together(asked, self._began)
        finally:
            self._ended = self._clock.instant()

    async def _alone(self, names: Iterable[str], since: Instant) -> dict[str, Asked]:
        """These readings of this server, and its role.

        What is asked of one role only, or of each in its own way, waits for the role that this same poll
        reads. What was asked since `since` is not asked again.
        """
        specs = {name: spec for name in (*names, "role") if (spec := self._profile.readings.get(name))}
        at_once = {
            name: spec.of(self._server, None)
            for name, spec in specs.items()
            if spec.on in ("each", "any") and not spec.by_role
        }
        asked = await self._ask(at_once, since, None)
        role = _role(asked)
        then = {name: spec.of(self._server, role) for name, spec in specs.items() if name not in at_once}
        asked |= await self._ask(then, since, role)
        return {name: asked.get(name) or self._not_said(name) for name in names}

    async def _ask(
        self, specs: dict[str, ReadingSpec], since: Instant, role: Role | None
    ) -> dict[str, Asked]:
        reasons = {name: self._why_not(spec, role) for name, spec in specs.items()}
        requests = {name: request_for(spec, self._scope) for name, spec in specs.items() if not reasons[name]}
        tasks = {request: self._task(request, since) for request in requests.values() if request is not None}
        answers = dict(zip(tasks, await asyncio.gather(*tasks.values()), strict=True))
        asked: dict[str, Asked] = {}
        for name, spec in specs.items():
            request = requests.get(name)
            if request is None:
                asked[name] = Asked(reasons[name] or _unasked("nothing of it is asked"), spec)
            else:
                answer = answers[request]
                value = value_of(spec, _TYPES[name], answer, source=request.source, scope=self._scope)
                asked[name] = Asked(value, spec, request, answer)
        return asked

    def _task(self, request: Request, since: Instant) -> "asyncio.Task[Answer | Unknown]":
        """The request as it was made at `since` or later; made now where it was not."""
        before = self._asked.get(request)
        if before is not None and not since.later_than(before[0]) and not before[1].cancelled():
            return before[1]
        task = asyncio.create_task(ask(request, self._web, self._host, self._clock))
        self._asked[request] = (self._clock.instant(), task)
        return task

    def _why_not(self, spec: ReadingSpec, role: Role | None) -> Unknown | None:
        """Why this server is not asked; None when it is."""
        if spec.on in ("master", "standby") and role != spec.on:
            reads = f"reads {role.value}" if role is not None else "does not say what it is"
            standby = role is Role.STANDBY
            return _unasked(
                f"asked of the {spec.on} only; this server {reads}",
                Cause.STANDBY if standby else Cause.NOT_ASKED,
            )
        if spec.absent:
            return _unasked("this kind of system has no such thing", Cause.NO_SUCH_THING)
        if spec.manual is not None:
            return _unasked(f"a person looks at it: {text(spec.manual, self._scope)}", Cause.BY_HAND)
        if spec.difference is not None:
            return _unasked("it takes both servers, and the other is not known")
        if request_for(spec, self._scope) is None:
            return _unasked("asked by its role; this server does not say what it is")
        return None

    def _not_said(self, name: str) -> Asked:
        says = f"the profile {self._profile.name} does not say how it is read"
        return Asked(_unasked(says, Cause.NO_SUCH_THING))

    # -- with the other server

    async def _together(self, asked: dict[str, Asked], since: Instant) -> dict[str, Asked]:
        """Differences, and what the other server may answer where this one does not."""
        role = _role(asked)
        differences = {
            name: one.spec
            for name, one in asked.items()
            if one.spec is not None and one.spec.difference and one.spec.on in ("each", "any", role)
        }
        unanswered = {
            name: one
            for name, one in asked.items()
            if one.spec is not None and one.spec.on == "any" and isinstance(one.answer, Unknown)
        }
        if self._peer is None or not (differences or unanswered):
            return {}
        needed = set().union(*map(operands, differences.values())) | set(unanswered)
        other = await self._peer._of_this_poll(needed, since)
        own = {name: one.value for name, one in asked.items()}
        found = {name: Asked(difference(spec, own, other), spec) for name, spec in differences.items()}
        for name, one in unanswered.items():
            value = other[name]
            if isinstance(value, Known):
                theirs = Known(value.value, value.at, f"{self._peer._server}: {value.source}")
                found[name] = msgspec.structs.replace(one, value=theirs)
        return found

    async def _of_this_poll(self, names: set[str], since: Instant) -> Found:
        """What this server reads in the poll that the other one's, begun at `since`, is part of."""
        ours = self._began
        if (
            ours is not None
            and since.later_than(ours)
            and (self._ended is None or self._ended.later_than(since))
        ):
            since = ours
        return {name: one.value for name, one in (await self._alone(names, since)).items()}


def _role(asked: dict[str, Asked]) -> Role | None:
    value = asked["role"].value if "role" in asked else None
    return value.value if isinstance(value, Known) and isinstance(value.value, Role) else None


def _unasked(reason: str, cause: Cause = Cause.NOT_ASKED) -> Unknown:
    return Unknown(reason, cause=cause)
