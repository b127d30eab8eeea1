"""What confirming would do now, or why it cannot be done yet: the same rules the machine goes by.

A card shows this; it decides nothing. What holds when it is shown is looked at again when it counts.
"""

import enum

import msgspec

from skytui.pair.pair import PairReading
from skytui.runbook import gates, hooks
from skytui.runbook.gates import Verdict
from skytui.runbook.model import Checking, Doubtful, Ended, Failed, Proving, Run, Running, Waiting
from skytui.runbook.refusals import confirmable
from skytui.runbook.steps import Step


class Turn(enum.StrEnum):
    """Whose turn it is."""

    OPERATOR = "operator"
    """A confirmation is waited for, and would count."""
    BLOCKED = "blocked"
    """A confirmation is waited for, but what must hold does not; see `reasons`."""
    MACHINE = "machine"
    """Something is under way, or the gate is waited for; see `reasons` for what is missing."""
    NOBODY = "nobody"
    """The run has ended."""


class Prospect(msgspec.Struct, frozen=True):
    """Whose turn it is, and why.

    `phrase` is what must be typed to confirm (empty: a key is enough). `gate` is the verdict that matters
    now: on the action's start while it has not started, on the step's gate afterwards. `overdue` is by how
    many seconds the step's deadline has passed; 0 while it has not. `too_late`: that the latest time for
    `promote` is past, and what is proposed; empty while it is not.
    """

    turn: Turn
    reasons: tuple[str, ...] = ()
    phrase: str = ""
    gate: Verdict = Verdict(())
    overdue: float = 0.0
    too_late: str = ""


def prospect(run: Run, reading: PairReading | None) -> Prospect:
    """What confirming the current step would do, by what is known now."""
    found = _prospect(run, reading)
    late = run.too_late(reading.wall) if reading else ""
    return msgspec.structs.replace(found, too_late=late) if late else found


def _prospect(run: Run, reading: PairReading | None) -> Prospect:
    step = run.step
    if step is None or reading is None:
        return Prospect(Turn.NOBODY if run.over else Turn.MACHINE)
    overdue = run.overdue(reading.wall)
    match run.stage:
        case Waiting():
            return _may_confirm(run, step, reading)
        case Failed():
            return _may_confirm(run, step, reading)
        case Proving(since=since):
            running = hooks.under_way(run)
            looks = f"the hook {running} is running" if running else "looking at both servers once more"
            return Prospect(Turn.MACHINE, (looks,), overdue=overdue)
        case Running():
            return Prospect(Turn.MACHINE, ("the action is under way",), overdue=overdue)
        case Checking(since=since):
            verdict = gates.passes(run, step, reading, since)
            again = confirmable(run, reading.wall) and not run.hold
            turn = Turn.OPERATOR if again else Turn.MACHINE
            phrase = run.phrase(step) if again else ""
            hook = (f"the hook {running} is running",) if (running := hooks.under_way(run)) else ()
            return Prospect(turn, _held(run) + hook + verdict.blockers, phrase, verdict, overdue)
        case Doubtful(since=since, says=says):
            verdict = gates.passes(run, step, reading, since)
            again = confirmable(run, reading.wall) and not run.hold
            turn = Turn.OPERATOR if again else Turn.MACHINE
            return Prospect(turn, (says, *verdict.blockers), run.phrase(step), verdict, overdue)
        case Ended():
            return Prospect(Turn.NOBODY)


def _may_confirm(run: Run, step: Step, reading: PairReading) -> Prospect:
    phrase = run.phrase(step)
    if run.hold:
        return Prospect(Turn.BLOCKED, _held(run), phrase)
    if step.action is None:
        # Without an action there is nothing that could go wrong: confirmed, the step waits for its gate.
        verdict = gates.passes(run, step, reading)
        return Prospect(Turn.OPERATOR, verdict.blockers, phrase, verdict)
    if (run.attempts.get(step.id) or step.only_if_needed) and (
        done := gates.passes(run, step, reading)
    ).passes:
        # What it is for is true already: confirmed, the step passes and nothing is done, or done again.
        return Prospect(Turn.OPERATOR, (), phrase, done)
    verdict = gates.may_start(run, step, reading)
    if step.only_if_needed and verdict.passes:
        after = gates.passes(run, step, reading)
        return Prospect(Turn.OPERATOR, after.blockers, phrase, after)
    return Prospect(Turn.OPERATOR if verdict.passes else Turn.BLOCKED, verdict.reasons, phrase, verdict)


def _held(run: Run) -> tuple[str, ...]:
    return (f"held by {run.hold.who}: {run.hold.reason}",) if run.hold else ()
