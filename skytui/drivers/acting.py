"""Orders carried out the way a profile says, and what is said of their outcome."""

import asyncio
from collections import deque

import msgspec

from skytui.clock import Instant
from skytui.config.action_spec import ActionSpec
from skytui.config.pairs import PairConfig
from skytui.config.placeholders import fill, holes, text
from skytui.config.profile import Profile
from skytui.config.secrets import Secret, SecretStore
from skytui.config.values import in_words
from skytui.drivers.asking import value_of
from skytui.drivers.driver import Said
from skytui.drivers.http import AnswerLostError, NotSentError, Reply, Web
from skytui.drivers.replies import Answer
from skytui.drivers.scope import Scope
from skytui.drivers.sequence import argv_of, items_of, parts_of
from skytui.errors import RefusedError, RemoteError, UnreachableError
from skytui.pair.order import Expectation, Order, Outcome, Result
from skytui.pair.reading import Unknown
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
_NOT_LET_IN = {401, 403, 412}
"""No login, no right, another server than the precondition names: nothing was done, whatever answers mean."""
_NO_TIME = Instant("", 0.0)
"""Of an answer that is no reading: it serves the request that follows it at once, and nothing else."""
_MEANS_NOTHING = "What it answers means nothing here: the readings tell."


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
        return await self._carry_out(order, self._profile.actions.get(order.action), said)

    async def repair(self, name: str, order: Order, said: Said) -> Outcome:
        """Carry out the repair `name`, likewise; of the order everything counts but its action."""
        return await self._carry_out(order, self._profile.repairs[name], said)

    async def _carry_out(self, order: Order, spec: ActionSpec | None, said: Said) -> Outcome:
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
        return self._preview(order, self._profile.actions.get(order.action))

    def preview_repair(self, name: str, order: Order) -> str:
        """The same of a repair."""
        return self._preview(order, self._profile.repairs[name])

    def _preview(self, order: Order, spec: ActionSpec | None) -> str:
        if (why := self._cannot(order, spec)) or spec is None:
            return why
        scope = Scope(self._config, self._server, order)
        if spec.post is not None:
            url = self._config.servers[self._server].url
            posts = [
                f"POST {url}{text(spec.post, one)}"
                + (" " + msgspec.json.encode(fill(spec.json, one)).decode() if spec.json else "")
                for _, one in items_of(spec, scope)
            ]
            told = [f"{name}: {text(value, scope)}" for name, value in spec.headers.items()]
            return "; ".join(posts or ["nothing to do"]) + _aside("header", told) + _duration(spec)
        ssh = self._config.servers[self._server].ssh
        sudo = sudo_words(ssh.sudo if ssh else False)
        commands = [quoting.posix([*sudo, *part.words]) for part in parts_of(spec, scope)]
        stdin = [text(line, scope) for line in spec.stdin]
        what = "; then ".join(commands or ["nothing to do"])
        return f"{self._server}: {what}{_aside('standard input', stdin)}{_duration(spec)}"

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
            manual = text(spec.manual, Scope(self._config, self._server, order))
            return f"{self._server}: this step is done by hand: {manual}."
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
        """Send it, once for each item; the first that is not done is the last."""
        deadline = min(order.deadline, spec.deadline or HTTP_SECONDS)
        end = asyncio.get_running_loop().time() + deadline
        done: list[str] = []
        items = items_of(spec, Scope(self._config, self._server, order, secrets=self._secrets))
        outcome = Outcome(Result.DONE, f"{self._server}: there is nothing to do.")
        for label, _ in items:
            left = max(end - asyncio.get_running_loop().time(), 0.1)
            outcome = await self._sent(order, spec, label, left)
            if outcome.result is not Result.DONE:
                return self._keep(order, stopped(outcome, label, done, len(items)))
            done.append(label)
        return self._keep(order, outcome)

    async def _sent(self, order: Order, spec: ActionSpec, item: str, deadline: float) -> Outcome:
        if self._web is None or spec.post is None:
            raise RefusedError(f"{self._server}: there is no way to send it.")
        try:
            expects = await self._made_sure(order, deadline)
            scope = Scope(self._config, self._server, order, expects, self._secrets)
            scope = scope.with_item(item) if spec.each else scope
            path, body = text(spec.post, scope), fill(spec.json, scope)
            headers = self._headers(spec, scope)
            await self._web.login()
        except UnreachableError as error:
            return Outcome(Result.NOT_STARTED, f"{error} Nothing was sent.")
        except RefusedError as error:
            return Outcome(Result.REFUSED, str(error))
        lost = f"{self._server}: POST {path} was sent and its answer is not known."
        self._keep(order, Outcome(Result.UNKNOWN, lost))  # what stays if we are cancelled in the middle
        try:
            reply = await self._web.send("POST", path, json=body, headers=headers, deadline=deadline)
        except NotSentError as error:
            return Outcome(Result.NOT_STARTED, f"{error} Nothing was sent.")
        except AnswerLostError as error:
            return Outcome(Result.UNKNOWN, f"{error} It may have been done or not.")
        except RefusedError as error:
            return Outcome(Result.REFUSED, str(error))
        return _outcome(self._server, path, spec, reply)

    def _headers(self, spec: ActionSpec, scope: Scope) -> dict[str, str]:
        """The precondition and the action's own headers. No value of one is ever part of an error."""
        headers = {**self._profile.check.headers, **spec.headers}
        filled = {name: text(value, scope) for name, value in headers.items()}
        for name, value in filled.items():
            if not (value.isascii() and value.isprintable()):
                raise RefusedError(
                    f"{self._server}: the header {name} cannot carry what it is given: only printable ASCII;"
                    " nothing was sent."
                )
        return filled

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
            scope = Scope(self._config, self._server)
            spec = spec.of(self._server, None)
            reply = await self._web.get(text(spec.get or "", scope), deadline)
            answer = Answer(_NO_TIME, code=reply.status, content=reply.content, complaint=reply.message)
            found = value_of(spec, kind, answer, source="", scope=scope)
            if isinstance(found, Unknown):
                raise RefusedError(
                    f"{self._server}: it does not say who it is: {found.reason}; nothing was sent."
                )
            values[name] = found.value
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
            argv=argv_of(spec, scope),
            stdin=tuple(Secret(text(line, scope)) for line in spec.stdin),
        )
        if not command.argv:
            return self._keep(order, Outcome(Result.DONE, f"{self._server}: there is nothing to do."))
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
        parts = parts_of(spec, Scope(self._config, self._server, order))
        program = parts[0].words[0] if parts else "nothing"
        outcome = _ended(self._server, program, spec, state, tail=tuple(tail), deadline=deadline)
        return outcome if outcome.result is Result.UNKNOWN else self._keep(order, outcome)

    def _need_host(self) -> Host:
        if self._host is None:
            raise RefusedError(f"{self._server}: the configuration gives no ssh.")
        return self._host


def stopped(outcome: Outcome, item: str, done: list[str], count: int) -> Outcome:
    """An outcome with what was done before it. If anything was, it is neither *refused* nor *not started*."""
    if not item:
        return outcome
    before = ", ".join(done) or "nothing"
    says = f"{outcome.says} Stopped at {len(done) + 1} of {count}, {item}; done before: {before}."
    result = outcome.result
    if done and result in (Result.REFUSED, Result.NOT_STARTED):
        result = Result.FAILED
    return msgspec.structs.replace(outcome, result=result, says=says)


def _aside(what: str, words: list[str]) -> str:
    return f"  ({what}: {', '.join(words)})" if words else ""


def _duration(spec: ActionSpec) -> str:
    if spec.usual is None:
        return ""
    most = f", at most {in_words(spec.deadline)}" if spec.deadline else ""
    return f"  (usually {in_words(spec.usual)}{most})"


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
    if spec.judged == "readings" and code not in _NOT_LET_IN:
        return Outcome(Result.DONE, f"{says} {_MEANS_NOTHING}", code)
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
            if spec.judged == "readings" and result is Result.FAILED:
                says = f"{server}: {program} ended with {state.code}: {last}. {_MEANS_NOTHING}"
                return Outcome(Result.DONE, says, state.code, tail=tail)
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
