"""Orders carried out the way a profile says, and what is said of their outcome."""

import asyncio
from collections import deque

import msgspec

from skytui.config.pairs import PairConfig
from skytui.config.placeholders import fill, holes, text
from skytui.config.profile import ActionSpec, Profile
from skytui.config.secrets import Secret, SecretStore
from skytui.drivers.driver import Said
from skytui.drivers.http import AnswerLostError, NotSentError, Reply, Web
from skytui.drivers.scope import Scope
from skytui.errors import RefusedError, RemoteError, UnreachableError
from skytui.pair.order import Expectation, Order, Outcome, Result
from skytui.pair.vocabulary import Identity, Role
from skytui.remote import durable, quoting
from skytui.remote.durable import Command, Progress, State
from skytui.remote.ssh import Host, LostError, sudo_words

HTTP_SECONDS = 30.0
"""How long an answer over HTTP is waited for, unless the profile says otherwise."""
TAIL_LINES = 20
_RETRY_SECONDS = 0.5
_REFUSED = {400, 401, 403, 404, 405, 406, 409, 410, 411, 412, 413, 415, 422, 428, 429}
_FAILED = {500, 501, 503}


class Actor:
    """Carries out the orders for one server, each token once."""

    def __init__(
        self,
        config: PairConfig,
        server: str,
        *,
        profile: Profile,
        secrets: SecretStore,
        web: Web | None,
        host: Host | None,
    ) -> None:
        self._config = config
        self._server = server
        self._profile = profile
        self._secrets = secrets
        self._web = web
        self._host = host
        self._locks: dict[str, asyncio.Lock] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._heard: dict[str, int] = {}

    async def act(self, order: Order, said: Said) -> Outcome:
        """Carry out an order, once: the same token again gives the outcome it had."""
        spec = self._profile.actions.get(order.action)
        if (why := self._cannot(order, spec)) or spec is None:
            return Outcome(Result.REFUSED, why)
        async with self._locks.setdefault(order.token, asyncio.Lock()):
            if order.token in self._outcomes:
                return self._outcomes[order.token]
            try:
                if spec.post is not None:
                    return await self._act_over_http(order, spec)
                return await self._act_on_host(order, spec, said)
            except RefusedError as error:
                return self._keep(order, Outcome(Result.REFUSED, str(error)))

    async def probe(self, order: Order, said: Said) -> Outcome:
        """What became of an order. Over HTTP only this process knows, and only what it did itself."""
        spec = self._profile.actions.get(order.action)
        if (why := self._cannot(order, spec)) or spec is None:
            return Outcome(Result.NOT_STARTED, why)
        if not spec.remote:
            unknown = Outcome(
                Result.UNKNOWN,
                f"{self._server}: the server keeps no record of orders; what it reads now has to tell.",
            )
            return self._outcomes.get(order.token, unknown)
        host = self._need_host()
        try:
            state, _ = await durable.look(host, order.token, void=True)
            if state.progress is Progress.VOID:
                return Outcome(
                    Result.NOT_STARTED, f"{self._server}: it was never started there, and never will be."
                )
            return await self._followed(order, spec, said, order.deadline)
        except RemoteError as error:
            return Outcome(Result.UNKNOWN, str(error))

    def preview(self, order: Order) -> str:
        """What would run where, with secrets left out."""
        spec = self._profile.actions.get(order.action)
        if (why := self._cannot(order, spec)) or spec is None:
            return why
        scope = Scope(self._config, self._server, order)
        if spec.post is not None:
            url = self._config.servers[self._server].url + text(spec.post, scope)
            body = " " + msgspec.json.encode(fill(spec.json, scope)).decode() if spec.json else ""
            return f"POST {url}{body}"
        stdin = [text(line, scope) for line in spec.stdin]
        lines = f"  (standard input: {', '.join(stdin)})" if stdin else ""
        ssh = self._config.servers[self._server].ssh
        words = [*sudo_words(ssh.sudo if ssh else False), *_argv(spec, scope)]
        return f"{self._server}: {quoting.posix(words)}{lines}"

    def percent(self, order: Order, line: str) -> float | None:
        """How far a line says that its command is; None where it gives no number of percent."""
        spec = self._profile.actions.get(order.action)
        found = (
            spec.progress.compiled.search(line) if spec is not None and spec.progress is not None else None
        )
        try:
            percent = float(found["percent"]) if found else -1.0
        except (TypeError, ValueError):
            return None
        return percent if 0 <= percent <= 100 else None

    def _cannot(self, order: Order, spec: ActionSpec | None) -> str:
        """Why an order is not one for this driver; empty when it is."""
        name = order.action.value.replace("_", " ")
        if order.server != self._server:
            return f"{self._server}: the order is for {order.server}."
        if spec is None:
            profile = self._profile.name
            return f"{self._server}: the profile {profile} does not say how to {name}: done by hand."
        if spec.absent:
            return f"{self._server}: this kind of system has nothing to {name}."
        if spec.manual is not None:
            return f"{self._server}: this step is done by hand: {spec.manual}."
        if spec.post is not None and self._web is None:
            return f"{self._server}: the configuration gives no url, so nothing was sent."
        if spec.remote and self._host is None:
            return f"{self._server}: the configuration gives no ssh, so nothing was started."
        return ""

    def _keep(self, order: Order, outcome: Outcome) -> Outcome:
        self._outcomes[order.token] = outcome
        return outcome

    # -- over HTTP

    async def _act_over_http(self, order: Order, spec: ActionSpec) -> Outcome:
        if self._web is None or spec.post is None:
            raise RefusedError(f"{self._server}: there is no way to send it.")
        deadline = min(order.deadline, spec.deadline or HTTP_SECONDS)
        try:
            expects = await self._made_sure(order, deadline)
            scope = Scope(self._config, self._server, order, expects, self._secrets)
            path, body = text(spec.post, scope), fill(spec.json, scope)
            headers = {name: text(value, scope) for name, value in self._profile.check.headers.items()}
            await self._web.login()
        except UnreachableError as error:
            return self._keep(order, Outcome(Result.NOT_STARTED, f"{error} Nothing was sent."))
        lost = f"{self._server}: POST {path} was sent and its answer is not known."
        self._keep(order, Outcome(Result.UNKNOWN, lost))  # what stays if we are cancelled in the middle
        try:
            reply = await self._web.send("POST", path, json=body, headers=headers, deadline=deadline)
        except NotSentError as error:
            return self._keep(order, Outcome(Result.NOT_STARTED, f"{error} Nothing was sent."))
        except AnswerLostError as error:
            return self._keep(order, Outcome(Result.UNKNOWN, f"{error} It may have been done or not."))
        return self._keep(order, _outcome(self._server, path, spec, reply))

    async def _made_sure(self, order: Order, deadline: float) -> Expectation:
        """The expectation with everything the precondition needs, asked on the same connection just before.

        Raises RefusedError when the server is another one or in another role.
        """
        expects = order.expects
        timed = "expect.timeline" in set(holes(self._profile.check.headers))
        if self._profile.check.headers and (expects.timeline or not timed):
            return expects
        name, role, timeline = await self._asked_who(deadline)
        for what, expected, found in (
            ("calls itself", expects.name, name),
            ("reads", expects.role.value, role),
            ("is on timeline", expects.timeline or timeline, timeline),
        ):
            if expected != found:
                raise RefusedError(
                    f"{self._server}: refused, it {what} {found}, expected was {expected}; nothing was sent."
                )
        return Expectation(name, role, timeline)

    async def _asked_who(self, deadline: float) -> tuple[str, Role, int]:
        values: dict[str, object] = {}
        for name, kind in (("identity", Identity), ("role", Role)):
            spec = self._profile.readings.get(name)
            if self._web is None or spec is None or spec.get is None:
                raise RefusedError(f"{self._server}: the profile does not say how its {name} is asked.")
            reply = await self._web.get(text(spec.get, Scope(self._config, self._server)), deadline)
            try:
                found = spec.pick.search(reply.body) if spec.pick else reply.body
                values[name] = msgspec.convert(found, kind)
            except ValueError as error:
                raise RefusedError(
                    f"{self._server}: it does not say who it is: {reply.message or error}; nothing was sent."
                ) from error
        identity, role = values["identity"], values["role"]
        if not isinstance(identity, Identity) or not isinstance(role, Role):
            raise RefusedError(f"{self._server}: it does not say who it is; nothing was sent.")
        return identity.name, role, identity.timeline

    # -- on the host

    async def _act_on_host(self, order: Order, spec: ActionSpec, said: Said) -> Outcome:
        scope = Scope(self._config, self._server, order, secrets=self._secrets)
        check = self._profile.check
        command = Command(
            token=order.token,
            check=[text(word, scope) for word in check.run or []],
            expect=text(check.expect, scope),
            argv=_argv(spec, scope),
            stdin=tuple(Secret(text(line, scope)) for line in spec.stdin),
        )
        loop = asyncio.get_running_loop()
        end = loop.time() + min(order.deadline, spec.deadline or order.deadline)
        maybe_sent = False
        while True:
            left = end - loop.time()
            try:
                await durable.start(self._need_host(), command, min(left, durable.START_SECONDS))
                break
            except UnreachableError as error:
                # Starting again is safe, the token sees to it; not to know whether it runs is not.
                maybe_sent = maybe_sent or isinstance(error, LostError)
                if not maybe_sent:
                    return self._keep(order, Outcome(Result.NOT_STARTED, f"{error} Nothing was started."))
                if end - loop.time() <= _RETRY_SECONDS:
                    return Outcome(Result.UNKNOWN, f"{error} It may have been started or not.")
                await asyncio.sleep(_RETRY_SECONDS)
            except RefusedError as error:
                if not maybe_sent:
                    raise
                return Outcome(Result.UNKNOWN, f"{error} An attempt before it may have been started.")
            except RemoteError as error:
                return Outcome(Result.UNKNOWN, f"{error} It may have been started or not.")
        try:
            return await self._followed(order, spec, said, max(end - loop.time(), 0.1))
        except RemoteError as error:
            return Outcome(Result.UNKNOWN, f"{error} It was started, and may still run.")

    async def _followed(self, order: Order, spec: ActionSpec, said: Said, deadline: float) -> Outcome:
        tail: deque[str] = deque(maxlen=TAIL_LINES)
        count = 0

        def heard(line: str) -> None:
            nonlocal count
            count += 1
            tail.append(line)
            if count > self._heard.get(order.token, 0):  # not what was handed on before, when asked again
                self._heard[order.token] = count
                said(line)

        state = await durable.follow(self._need_host(), order.token, heard, deadline)
        words = _argv(spec, Scope(self._config, self._server, order))
        outcome = _ended(self._server, words[0], spec, state, tail=tuple(tail), deadline=deadline)
        return outcome if outcome.result is Result.UNKNOWN else self._keep(order, outcome)

    def _need_host(self) -> Host:
        if self._host is None:
            raise RefusedError(f"{self._server}: the configuration gives no ssh.")
        return self._host


def _argv(spec: ActionSpec, scope: Scope) -> list[str]:
    if spec.shell is not None:
        return ["sh", "-c", spec.shell, "skytui", *(text(word, scope) for word in spec.args)]
    return [text(word, scope) for word in spec.run or []]


def _outcome(server: str, path: str, spec: ActionSpec, reply: Reply) -> Outcome:
    code = reply.status
    says = (
        f"{server}: POST {path}: {code}"
        + (f", {reply.message}" if reply.message and code >= 300 else "")
        + "."
    )
    if 200 <= code < 300:
        position = spec.pick.search(reply.body) if spec.pick is not None else ""
        return Outcome(Result.DONE, says, code, position if isinstance(position, str) else "")
    if code in _REFUSED:
        return Outcome(Result.REFUSED, says, code)
    # A gateway's 502 or 504 says nothing about the server behind it; nothing else is expected at all.
    return Outcome(Result.FAILED if code in _FAILED else Result.UNKNOWN, says, code)


def _ended(
    server: str, program: str, spec: ActionSpec, state: State, *, tail: tuple[str, ...], deadline: float
) -> Outcome:
    last = next((line.strip() for line in reversed(tail) if line.strip()), "it said nothing")
    match state.progress:
        case Progress.ENDED if state.code == 0:
            return Outcome(Result.DONE, f"{server}: {program} ended with 0.", 0, tail=tail)
        case Progress.ENDED:
            result = Result.REFUSED if state.code in spec.refused else Result.FAILED
            return Outcome(
                result, f"{server}: {program} ended with {state.code}: {last}", state.code, tail=tail
            )
        case Progress.VOID:
            return Outcome(
                Result.REFUSED, f"{server}: a probe used this order's token up; it was not started."
            )
        case Progress.RUNNING:
            says = f"{server}: {program} still runs; it was waited for {deadline:.0f} s. It goes on."
        case Progress.VANISHED:
            says = (
                f"{server}: {program} was started and is gone without an exit code:"
                " it was killed, or its host went down."
            )
            return Outcome(Result.FAILED, says, tail=tail)
        case Progress.ORPHANED:
            says = f"{server}: the shell of {program} is gone, but something of it may still run."
        case _:
            says = f"{server}: whether {program} was started is not known."
    return Outcome(Result.UNKNOWN, says, tail=tail)
