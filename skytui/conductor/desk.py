"""What clients ask of the open run, and whose word counts.

Here it is looked up who sits where; the runbook decides whether the event counts.
"""

from collections.abc import Callable

from skytui.clock import Clock
from skytui.conductor.engine import Engine
from skytui.conductor.seats import Seats
from skytui.link.wire import (
    AbortRun,
    Confirm,
    Decide,
    HandOver,
    HoldRun,
    Postpone,
    ReleaseRun,
    Seat,
    State,
    Take,
    TurnRun,
    Waive,
)
from skytui.pair.pair import PairReading
from skytui.plaintext import plain
from skytui.runbook.events import (
    Aborted,
    Confirmed,
    Decided,
    HandedOver,
    Held,
    HookWaived,
    Postponed,
    Recorded,
    Released,
    Stated,
    Turned,
    Waived,
)
from skytui.runbook.gates import passes
from skytui.runbook.hooks import failed
from skytui.runbook.model import Run
from skytui.runbook.rows import rows
from skytui.runbook.turning import plan_of_turn
from skytui.runbook.undo import plan_of_abort


class Desk:
    """Takes requests. Each returns why it was refused, empty when it counted.

    `engine` gives the engine of the open run, `reading` what was read last; None while there is none.
    """

    def __init__(
        self,
        seats: Seats,
        clock: Clock,
        *,
        engine: Callable[[], Engine | None],
        reading: Callable[[], PairReading | None],
    ) -> None:
        self._seats = seats
        self._clock = clock
        self._engine = engine
        self._reading = reading

    @property
    def _run(self) -> Run | None:
        engine = self._engine()
        return engine.run if engine else None

    def confirm(self, request: Confirm, seat: Seat) -> str:
        """Go on with a step.

        Only the phrase the step asks for gets into the event: whatever else was typed may be a secret, and
        what is refused or not asked for is not to be recorded.
        """
        if reason := self._claim(seat):
            return reason
        at, wall = self._clock.instant(), self._clock.now()
        step = self._run.step if self._run else None
        wanted = self._run.phrase(step) if self._run and step else ""
        phrase = wanted if request.phrase == wanted else ""
        return self._feed(
            Confirmed(at=at, wall=wall, run=request.run, step=request.step, who=seat.who, phrase=phrase)
        )

    def waive(self, request: Waive, seat: Seat) -> str:
        """Let a gate pass unproven; what was unproven then is recorded with it."""
        run = self._run
        if run is None or run.id != request.run:
            return "this waiver was for another run"
        if reason := self._claim(seat):
            return reason
        if hook := failed(run):
            return self._waive_hook(hook, plain(request.reason), seat)
        step = run.step
        unproven: tuple[str, ...] = ()
        if step is not None and (reading := self._reading()) is not None:
            unproven = passes(run, step, reading).reasons
        if request.check:
            unproven = tuple(says for says in unproven if says.startswith(f"{request.check}: "))
        at, wall = self._clock.instant(), self._clock.now()
        waived = Waived(
            at=at,
            wall=wall,
            step=request.step,
            who=seat.who,
            reason=plain(request.reason),
            unproven=unproven,
            check=request.check,
        )
        return self._feed(waived)

    def decide(self, request: Decide, seat: Seat) -> str:
        """Decide about rows of the current step's list. One not listed any more is left."""
        run = self._run
        if run is None or run.id != request.run:
            return "this decision was for another run"
        if reason := self._claim(seat):
            return reason
        listed = {row.id: row for row in rows(run, self._reading())}
        still = {row: decision for row, decision in request.decisions.items() if row in listed}
        if not still:
            return f"{request.step} does not list that now"
        for row, decision in still.items():
            shown = listed[row]
            if decision not in shown.choices:
                return f"{row} takes {' or '.join(shown.choices) or 'no decision'}, not {plain(decision)}"
            decided = Decided(
                at=self._clock.instant(),
                wall=self._clock.now(),
                run=request.run,
                step=request.step,
                row=row,
                decision=decision,
                who=seat.who,
                reason=plain(request.reason),
                says=shown.says,
            )
            if reason := self._feed(decided):
                return reason
        return ""

    def abort(self, request: AbortRun, seat: Seat) -> str:
        """Take the run back."""
        run = self._claimed(request.run, seat)
        if isinstance(run, str):
            return run
        at, wall = self._clock.instant(), self._clock.now()
        plan = plan_of_abort(run)
        return self._feed(
            Aborted(at=at, wall=wall, run=run.id, who=seat.who, reason=plain(request.reason), plan=plan)
        )

    def state(self, request: State, seat: Seat) -> str:
        """Take the operator's word that the original master is powered off. Other words are not recorded."""
        run = self._claimed(request.run, seat)
        if isinstance(run, str):
            return run
        words = run.statement_words if request.words.strip() == run.statement_words else ""
        at, wall = self._clock.instant(), self._clock.now()
        return self._feed(Stated(at=at, wall=wall, run=run.id, step=request.step, who=seat.who, words=words))

    def turn(self, request: TurnRun, seat: Seat) -> str:
        """Go on as an unplanned swap."""
        run = self._claimed(request.run, seat)
        if isinstance(run, str):
            return run
        at, wall, why = self._clock.instant(), self._clock.now(), plain(request.reason)
        return self._feed(
            Turned(at=at, wall=wall, run=run.id, who=seat.who, reason=why, plan=plan_of_turn(run))
        )

    def postpone(self, request: Postpone, seat: Seat) -> str:
        """Leave the conversion for a run of its own, and end this one."""
        run = self._claimed(request.run, seat)
        if isinstance(run, str):
            return run
        at, wall, why = self._clock.instant(), self._clock.now(), plain(request.reason)
        return self._feed(Postponed(at=at, wall=wall, run=run.id, who=seat.who, reason=why))

    def _waive_hook(self, hook: str, reason: str, seat: Seat) -> str:
        """Go on without a hook that failed; the step's own gate is not waived with it."""
        at, wall = self._clock.instant(), self._clock.now()
        return self._feed(HookWaived(at=at, wall=wall, hook=hook, who=seat.who, reason=reason))

    def hold(self, request: HoldRun, seat: Seat) -> str:
        """Stop the run at its next gate. Everybody who is more than a watcher may."""
        at, wall = self._clock.instant(), self._clock.now()
        return self._feed(Held(at=at, wall=wall, who=seat.who, reason=plain(request.reason)))

    def release(self, _request: ReleaseRun, seat: Seat) -> str:
        """Lift the hold."""
        return self._feed(Released(at=self._clock.instant(), wall=self._clock.now(), who=seat.who))

    def take(self, request: Take, seat: Seat) -> str:
        """Operate the run from this client; journalled where anybody else has operated it until now."""
        run = self._run
        if run is None or run.over or run.id != request.run:
            return "that run is not open"
        if reason := self._seats.why_not_operate(seat):
            return reason
        taken = self._claim(seat)
        if not taken:
            return ""
        if not request.reason.strip():
            return taken
        if reason := self._hand_over(to=seat.who, by=seat.who, reason=plain(request.reason)):
            return reason
        self._seats.sit(seat)
        return ""

    def hand_over(self, request: HandOver, seat: Seat) -> str:
        """Pass the run on to another user, whose first client that acts operates it from then on."""
        if self._run is None or self._run.id != request.run:
            return "that run is not open"
        if reason := self._claim(seat) or self._seats.why_not_name(request.to):
            return reason
        if reason := self._hand_over(to=request.to, by=seat.who):
            return reason
        self._seats.rise()
        return ""

    def _hand_over(self, *, to: str, by: str, reason: str = "") -> str:
        at, wall = self._clock.instant(), self._clock.now()
        return self._feed(HandedOver(at=at, wall=wall, to=to, by=by, reason=reason))

    def _claimed(self, run_id: str, seat: Seat) -> Run | str:
        """The open run of this id, for its operator; else why not."""
        run = self._run
        if run is None or run.over or run.id != run_id:
            return "that run is not open"
        return self._claim(seat) or run

    def _claim(self, seat: Seat) -> str:
        return "no run is open" if self._run is None else self._seats.claim(seat, self._run)

    def _feed(self, event: Recorded) -> str:
        engine = self._engine()
        return "no run is open" if engine is None else engine.feed(event)
