"""A run without a screen: the same conductor, engine and journal as the console's, driven by answers.

stdout is data: one JSON event a line. stderr is narration.
"""

import asyncio
import getpass
import sys
from collections.abc import Callable, Collection
from typing import IO

import msgspec

from skytui.clock import Instant
from skytui.commands.answers import CHECK, Answers
from skytui.commands.starting import NOTHING_SAID, Start
from skytui.errors import RunRefusedError, StateError, UnreachableError
from skytui.link.client import Client
from skytui.link.start import attach
from skytui.link.wire import (
    AbortRun,
    Confirm,
    Decide,
    GiveSecret,
    NewEvent,
    NewReading,
    Notice,
    Past,
    Postpone,
    Present,
    Previews,
    Request,
    SecretsWanted,
    State,
    Take,
    TurnRun,
    Waive,
)
from skytui.pair.pair import PairReading
from skytui.pair.thresholds import Thresholds
from skytui.runbook.checks import Checked, check_now
from skytui.runbook.endings import DONE, HALF_WAY, NOT_CLEAN, REFUSED, ROLLED_BACK, UNSURE, exit_code
from skytui.runbook.events import Hooked, Opened
from skytui.runbook.fold import apply
from skytui.runbook.history import usual_words
from skytui.runbook.hooks import due, failed_words
from skytui.runbook.model import Doubtful, Ended, Failed, Run, Waiting
from skytui.runbook.paper import remaining_steps
from skytui.runbook.prospect import Turn, prospect
from skytui.runbook.sides import Sides, sides_of
from skytui.runbook.statements import why_no_statement
from skytui.runbook.steps import Kind, plan_of
from skytui.runbook.turning import plan_of_turn, why_no_turn, why_not_later

__all__ = [
    "DONE",
    "HALF_WAY",
    "NOT_CLEAN",
    "REFUSED",
    "ROLLED_BACK",
    "UNSURE",
    "abort",
    "imagined_run",
    "swap",
]

TRIES = 3
"""How often a person is asked for one thing that a host wants."""
FIRST_READING_SECONDS = 30.0
"""How long the pair may take to be read as one master and one standby."""


async def swap(
    pair: str,
    answers: Answers,
    out: IO[str],
    narrate: Callable[[str], None],
    *,
    start: Start = NOTHING_SAID,
) -> int:
    """Run a swap of `pair` to its end, or as far as the answers go; returns the exit code.

    A run that is open already is gone on with; `start` is what is said of one that is started. Raises
    SkytuiError where nothing could be started.
    """
    client = await attach(pair, "headless")
    try:
        await _give_secrets(client)
        return await _Headless(client, answers, out, narrate, start).go()
    finally:
        await client.close()


async def abort(pair: str, reason: str, out: IO[str], narrate: Callable[[str], None]) -> int:
    """Take the open run of `pair` back to how things were; returns the exit code.

    Raises SkytuiError where that is refused; nothing is changed then.
    """
    client = await attach(pair, "headless")
    try:
        await _give_secrets(client)
        return await _Headless(client, Answers(yes=True), out, narrate).go_back(reason)
    finally:
        await client.close()


async def _give_secrets(client: Client) -> None:
    for name in client.welcome.secrets_wanted:
        if not sys.stdin.isatty():
            raise StateError(
                f"The secret {name} of {client.welcome.pair} is not configured, and nobody can be asked here."
            )
        value = await asyncio.to_thread(getpass.getpass, f"{name} of {client.welcome.pair}: ")
        reply = await client.request(lambda number, n=name, v=value: GiveSecret(number, n, v))  # type: ignore[misc]
        if reply.refused:
            raise StateError(f"The secret {name} was not taken: {reply.refused}.")


class _Headless:
    """One run, from the first reading to the exit code."""

    def __init__(
        self,
        client: Client,
        answers: Answers,
        out: IO[str],
        narrate: Callable[[str], None],
        start: Start = NOTHING_SAID,
    ) -> None:
        self._client = client
        self._answers = answers
        self._out = out
        self._narrate = narrate
        self._start = start
        self._past = client.welcome.past or Past()
        self._reading: PairReading | None = client.welcome.reading
        self._previews = client.welcome.previews
        self._run: Run | None = None
        self._operator = client.welcome.present.operator
        self._told = ""
        self._decided: dict[str, str] = {}
        self._pair = client.welcome.pair
        self._asked_for: frozenset[str] = frozenset()
        self._failed_hook = False
        self._answered: Instant | None = None
        self._blocked_since: Instant | None = None
        self._first_answer: tuple[str, Instant] | None = None

    async def go(self) -> int:
        """Open or take up the run and answer until it ends or stops."""
        kind, welcome = self._start.kind, self._client.welcome
        await self._asked(welcome.hosts_ask)
        if welcome.run is not None and not welcome.run.over:
            await self._go_on(welcome.run, kind)
        else:
            self._foresee(await self._imagined(kind))
            reply = await self._client.request(self._start.request)
            if reply.refused:
                raise RunRefusedError(f"No run was started: {reply.refused}.")
        return await self._to_the_end()

    async def _go_on(self, run: Run, kind: Kind) -> None:
        """Take the seat of an open run; one that is to be an unplanned one is turned into it."""
        turns = kind is Kind.UNPLANNED and run.kind is Kind.PLANNED
        if kind is not run.kind and not turns and kind is not Kind.PLANNED:
            raise RunRefusedError(f"Run {run.id} is open and {run.kind.value}; end it first.")
        if turns and (reason := why_no_turn(run)):
            raise RunRefusedError(f"Run {run.id} was not made an unplanned one: {reason}.")
        self._run = run
        plan = (*(record.step for record in run.records), *plan_of_turn(run)) if turns else run.plan
        self._foresee(msgspec.structs.replace(run, plan=plan))
        await self._sit(run)
        if turns:
            reply = await self._client.request(lambda number: TurnRun(number, run.id, "asked for headless"))
            if reply.refused:
                raise RunRefusedError(f"Run {run.id} was not made an unplanned one: {reply.refused}.")
        self._narrate(f"run {run.id} is open; going on with it")

    async def go_back(self, reason: str) -> int:
        """Abort the run that is open and answer until the pair is as it was, or the run stops half-way."""
        run = self._client.welcome.run
        if run is None or run.over:
            raise RunRefusedError("There is no open run to abort.")
        await self._asked(self._client.welcome.hosts_ask)
        self._run = run
        if run.abort:
            await self._sit(run)
            self._narrate(f"run {run.id} goes backwards already; going on with it")
        else:
            reply = await self._client.request(lambda number: AbortRun(number, run.id, reason))
            if reply.refused:
                raise RunRefusedError(f"Run {run.id} was not aborted: {reply.refused}.")
        return await self._to_the_end()

    async def _to_the_end(self) -> int:
        async for message in self._client:
            match message:
                case NewReading(reading=reading):
                    self._reading = reading
                case NewEvent(event=event, run=run):
                    self._run = run
                    self._failed_hook = isinstance(event, Hooked) and event.when == "before" and not event.ok
                    self._out.write(msgspec.json.encode(event).decode() + "\n")
                    self._out.flush()
                case Previews(previews=previews):
                    self._previews = previews
                case Past():
                    self._past = message
                case Notice(says=says):
                    self._narrate(says)
                case SecretsWanted(hosts_ask=questions):
                    await self._asked(questions)
                    continue
                case Present(operator=operator):
                    self._operator = operator
                case _:
                    continue
            code = await self._turn()
            if code is not None:
                return code
        if self._run is not None:
            self._narrate(self._left_to_do(self._run))
        raise UnreachableError(
            f"The conductor was lost: {self._client.why_lost}.", hint="Run the same command again to go on."
        )

    async def _asked(self, names: tuple[str, ...]) -> None:
        """A host asks for something in the middle of a run; where nobody is there, that alone is said."""
        for name in names:
            if name in self._asked_for:
                continue
            if not sys.stdin.isatty():
                self._narrate(
                    f"{name}: wanted, and nobody can be asked here; attach with: skytui {self._pair}"
                )
                continue
            for _ in range(TRIES):
                value = await asyncio.to_thread(getpass.getpass, f"{name}: ")
                reply = await self._client.request(lambda number, n=name, v=value: GiveSecret(number, n, v))  # type: ignore[misc]
                if not reply.refused:
                    break
                self._narrate(f"{name}: {reply.refused}")
        self._asked_for = frozenset(names)

    async def _sit(self, run: Run) -> None:
        """Take the operator's seat, if it is ours and nobody sits there."""
        reply = await self._client.request(lambda number: Take(number, run.id, ""))
        if reply.refused:
            raise RunRefusedError(
                f"Run {run.id} is not gone on with: {reply.refused}.",
                hint=f"Look at it with: skytui watch {run.pair}",
            )

    def _foresee(self, run: Run) -> None:
        missing = self._answers.missing(run)
        if missing:
            raise RunRefusedError(
                "Nothing was started: this run would stop for want of an answer.",
                hint=f"Add: {' '.join(missing)}",
            )

    async def _imagined(self, kind: Kind) -> Run:
        """The run as it would open, to see which answers it will want."""
        sides = Sides(why_not="neither server has been read yet")
        try:
            async with asyncio.timeout(FIRST_READING_SECONDS) as limit:
                while (sides := sides_of(kind, self._reading)).why_not or self._stops(kind):
                    self._reading = await self._next_reading(limit)
        except TimeoutError as error:
            if self._reading is None:
                raise UnreachableError("The conductor sent no reading.") from error
        if self._reading is None or (sides.why_not and kind is not Kind.CONVERT):
            raise RunRefusedError(f"No run was started: {sides.why_not}; {self._roles()}.")
        if stops := self._stops(kind):
            says = "; ".join(checked.says for checked in stops)
            raise RunRefusedError(
                f"Nothing was started: preflight would not pass. {says}.", hint=_mend(stops)
            )
        welcome = self._client.welcome
        return imagined_run(kind, welcome.pair, sides, self._reading, welcome.optional)

    def _stops(self, kind: Kind) -> list[Checked]:
        """The checks that would stop a run at `preflight`, by what is known now and has been waived."""
        if self._reading is None or kind is not Kind.PLANNED:
            return []
        checks = check_now(self._reading, Thresholds().fresh_seconds)
        return [checked for checked in checks if checked.blocks and not self._answers.waives(checked.id)]

    def _roles(self) -> str:
        reading = self._reading
        if reading is None:
            return "nothing was read"
        return ", ".join(f"{name} reads {reading.role(name) or 'unknown'}" for name in reading.servers)

    async def _next_reading(self, limit: asyncio.Timeout) -> PairReading:
        async for message in self._client:
            if isinstance(message, NewReading):
                return message.reading
            if isinstance(message, SecretsWanted):
                limit.reschedule(None)
                await self._asked(message.hosts_ask)
                limit.reschedule(asyncio.get_running_loop().time() + FIRST_READING_SECONDS)
        raise UnreachableError(f"The conductor was lost: {self._client.why_lost}.")

    async def _turn(self) -> int | None:
        """Answer if it is our turn. An exit code ends it."""
        run = self._run
        if run is None or self._reading is None:
            return None
        if isinstance(run.stage, Ended):
            self._narrate(f"run {run.id}: {run.stage.ending.value}")
            self._narrate(report_words(self._past, run))
            return exit_code(run)
        you = self._client.welcome.you
        if run.operator != you.who or self._operator not in (None, you):
            by = self._operator.words if self._operator else run.operator
            return self._stop(run, f"{by} operates this run now; it goes on there", HALF_WAY)
        ahead = prospect(run, self._reading)
        self._tell(run, ahead.reasons)
        if await self._said(run):
            return None
        if self._failed_hook:
            return self._stop(run, f"{run.stage.step} does not begin: {failed_words(run)}", HALF_WAY)
        if isinstance(run.stage, Failed):
            return self._stop(run, f"{run.stage.step} failed: {run.stage.outcome.says}", HALF_WAY)
        if ahead.overdue:
            code = await self._late(run, ahead.reasons)
            if code is not None:
                return code
        if self._blocked_too_long(run, ahead.turn, self._reading):
            return self._stop(run, f"{run.stage.step} cannot start: {'; '.join(ahead.reasons)}", HALF_WAY)
        if run.step is not None and run.step.no_way_back and ahead.too_late:
            hint = f"skytui abort {run.pair} --reason ..."
            return self._stop(run, f"{run.step.id} is not confirmed: {ahead.too_late} ({hint})", HALF_WAY)
        await self._decide(run)
        if isinstance(run.stage, Waiting):
            if ahead.turn is Turn.OPERATOR and self._answered_too_long(run, self._reading):
                return self._stop(run, f"{run.stage.step} does not start: {run.stage.note}", HALF_WAY)
            await self._answer(run, ahead.turn, ahead.gate.passes)
        return None

    async def _said(self, run: Run) -> bool:
        """Give a statement, or leave the conversion for later, where that was said and counts now."""
        step, moment = run.step, self._reading.now if self._reading else None
        if step is None or self._answered == moment:
            return False
        request: Callable[[int], Request] | None = None
        if self._answers.postpone and not why_not_later(run):
            request = lambda number: Postpone(number, run.id, self._answers.postpone)  # noqa: E731
        elif self._answers.attest and step.id == "fence-master" and not why_no_statement(run):
            request = lambda number: State(number, run.id, step.id, self._answers.attest)  # noqa: E731
        if request is None:
            return False
        self._answered = moment
        reply = await self._client.request(request)
        if reply.refused:
            self._narrate(f"{step.id}: {reply.refused}")
        return True

    def _blocked_too_long(self, run: Run, turn: Turn, reading: PairReading) -> bool:
        """Whether what must hold before a step, or a hold, has kept us waiting beyond the step's deadline."""
        if turn is not Turn.BLOCKED or run.step is None:
            self._blocked_since = None
            return False
        self._blocked_since = self._blocked_since or reading.now
        return reading.now.since(self._blocked_since) > run.deadline(run.step)

    def _answered_too_long(self, run: Run, reading: PairReading) -> bool:
        """Whether a step keeps coming back unstarted (its host is out of reach) beyond its deadline."""
        if run.step is None or self._first_answer is None or self._first_answer[0] != run.step.id:
            return False
        return reading.now.since(self._first_answer[1]) > run.deadline(run.step)

    async def _late(self, run: Run, reasons: tuple[str, ...]) -> int | None:
        step = run.step
        if step is not None and step.id in self._answers.waive:
            await self._waive(run, step.id)
            return None
        unsure = isinstance(run.stage, Doubtful)
        usual = usual_words(self._past.usual_of(run).get(step.id)) if step else "not known"
        says = f"{step.id if step else 'the run'} is overdue: {'; '.join(reasons)} (usual time: {usual})"
        return self._stop(run, says, UNSURE if unsure else HALF_WAY)

    async def _answer(self, run: Run, turn: Turn, passes: bool) -> None:
        step = run.step
        if step is None or turn is not Turn.OPERATOR:
            return
        if step.id in self._answers.waive and not run.no_way_back and not passes and not due(run):
            await self._waive(run, step.id)
            return
        if step.id == "preflight" and await self._waive_checks(run):
            return
        phrase = self._answers.phrase(run, step)
        # The reply comes before the event that shows its effect: one stage is answered once a reading.
        moment = self._reading.now if self._reading else None
        if phrase is None or self._answered == moment:
            return
        self._answered = moment
        if moment is not None and (self._first_answer is None or self._first_answer[0] != step.id):
            self._first_answer = step.id, moment
        reply = await self._client.request(lambda number: Confirm(number, run.id, step.id, phrase))
        if reply.refused:
            self._narrate(f"{step.id}: {reply.refused}")

    async def _decide(self, run: Run) -> None:
        """Decide about the rows that were answered in advance, each once a list."""
        step = run.step
        decisions = self._answers.decisions(run, self._reading)
        if step is None or not decisions or decisions == self._decided:
            return
        self._decided = decisions
        reply = await self._client.request(lambda number: Decide(number, run.id, step.id, decisions))
        for row, decision in decisions.items():
            self._narrate(f"{step.id}: {row}: {reply.refused or decision}")

    async def _waive(self, run: Run, step: str) -> None:
        reason = self._answers.waive[step]
        reply = await self._client.request(lambda number: Waive(number, run.id, step, reason))
        self._narrate(f"{step} {'not waived: ' + reply.refused if reply.refused else 'waived: ' + reason}")

    async def _waive_checks(self, run: Run) -> bool:
        """Waive what blocks and was said to be waived; whether anything was."""
        if self._reading is None:
            return False
        done = {waiver.check for waiver in run.waivers}
        found = check_now(self._reading, run.thresholds.fresh_seconds, run.id)
        wanted = [
            (checked.id, reason)
            for checked in found
            if checked.blocks and checked.id not in done and (reason := self._answers.waives(checked.id))
        ]
        for check, reason in wanted:
            reply = await self._client.request(
                lambda number, c=check, r=reason: Waive(number, run.id, "preflight", r, c)  # type: ignore[misc]
            )
            says = f"not waived: {reply.refused}" if reply.refused else f"waived: {reason}"
            self._narrate(f"{CHECK}{check} {says}")
        return bool(wanted)

    def _stop(self, run: Run, says: str, code: int) -> int:
        changed = bool(run.attempts)
        self._narrate(says)
        self._narrate(self._left_to_do(run))
        return code if changed or code == UNSURE else REFUSED

    def _left_to_do(self, run: Run) -> str:
        return remaining_steps(run, self._previews, self._past.usual_of(run))

    def _tell(self, run: Run, reasons: tuple[str, ...]) -> None:
        step = run.step
        says = f"{step.id if step else ''}: {'; '.join(reasons) or 'going on'}"
        if says != self._told:
            self._told = says
            self._narrate(says)


def report_words(past: Past, run: Run) -> str:
    """Where the report of a run that has ended lies."""
    made = f"skytui report {run.pair} {run.id} prints it"
    return f"its report lies in {past.folder}/{run.id}/report.md, .json and .html; {made}"


def _mend(stops: list[Checked]) -> str:
    able = [f"--waive {CHECK}{checked.id}='reason'" for checked in stops if checked.waivable]
    mend = " ".join(dict.fromkeys(checked.hint for checked in stops if checked.hint))
    return f"{mend} Or add: {' '.join(able)}" if len(able) == len(stops) else mend


def imagined_run(
    kind: Kind, pair: str, sides: Sides, reading: PairReading, optional: Collection[str] = ()
) -> Run:
    """A run as it would open now; nothing is recorded."""
    opened = Opened(
        at=reading.now,
        wall=reading.wall,
        run="(not started)",
        pair=pair,
        kind=kind,
        old=sides.old,
        new=sides.new,
        who=getpass.getuser(),
        plan=tuple(step.id for step in plan_of(kind, optional)),
        thresholds=Thresholds(),
    )
    return apply(None, opened)
