"""Commands of the operators' own before and after each phase: when one is due, and what it holds up.

A hook is named by when it runs and its phase, `before shut-down`. The conductor knows what it is; the run
knows which there are (`Run.hooks`) and what came of them (`Run.hooked`). A *before* hook runs when the
first step of its phase is confirmed; until it has succeeded, or was waived, nothing of that phase begins.
An *after* hook runs when the last step of its phase is behind us, and holds up nothing but the end of the
run.
"""

import msgspec

from skytui.runbook.effects import Effect, Look, Raise, RunHook
from skytui.runbook.events import (
    Balked,
    Confirmed,
    Hooked,
    HookWaived,
    Intended,
    Passed,
    Recorded,
    Resumed,
    Waived,
)
from skytui.runbook.model import Checking, HookRecord, Proving, Run, Waiting, Waiver
from skytui.runbook.steps import STEPS, Phase

SLUGS = {
    Phase.PREPARE: "prepare",
    Phase.SHUT_DOWN: "shut-down",
    Phase.ACTIVATE: "activate",
    Phase.CONVERT: "convert",
}
"""The phases that have hooks."""

LOST = "the conductor died while it ran"


def noted(run: Run, event: Recorded) -> Run:
    """The run after `event`, with what it means for a hook: one is due, or something came of it."""
    match event:
        case Confirmed(step=step):
            name = _before(run, step)
            return _with(run, name, HookRecord()) if name and not _settled(run, name) else run
        case Passed(step=step) | Waived(step=step):
            name = _after(run, step)
            return _with(run, name, HookRecord()) if name else run
        case Hooked(ok=ok, says=says):
            return _with(run, event.hook, HookRecord(ok, says))
        case HookWaived(hook=hook, who=who, reason=reason):
            record, at = run.hooked[hook], run.step.id if run.step else ""
            waiver = Waiver(at, reason, who, (_failed_words(hook, record),))
            note = Waiting(at, f"the hook {hook} was waived by {who}: {reason}")
            waived = msgspec.structs.replace(run, waivers=(*run.waivers, waiver), stage=note)
            return _with(waived, hook, msgspec.structs.replace(record, waived=True))
        case _:
            return run


def effects(run: Run, event: Recorded) -> list[Effect]:
    """What is to be done about hooks after `event`."""
    match event:
        case Confirmed(step=step):
            return _begun(run, _before(run, step))
        case Passed(step=step) | Waived(step=step):
            return _begun(run, _after(run, step))
        case Hooked(when="before", ok=False) if run.step and isinstance(run.stage, Proving | Checking):
            if event.hook == _before(run, run.step.id):
                reasons = (f"{failed_words(run)}; confirm to run it again, or waive it for a reason",)
                return [Raise(Balked(at=event.at, wall=event.wall, step=run.step.id, reasons=reasons))]
            return []
        case Hooked():
            return [Look()]
        case Resumed():
            return [_lost(name, event) for name, record in run.hooked.items() if record.ok is None]
        case _:
            return []


def _begun(run: Run, name: str) -> list[Effect]:
    record = run.hooked.get(name)
    return [RunHook(name)] if record is not None and record.ok is None else []


def _lost(name: str, event: Resumed) -> Effect:
    when, _, phase = name.partition(" ")
    return Raise(Hooked(at=event.at, wall=event.wall, phase=phase, when=when, ok=False, says=LOST))


def refusal(run: Run, event: Recorded) -> str:
    """Why `event` does not count as long as a hook stands against it; empty when none does."""
    match event:
        case Hooked():
            running = run.hooked.get(event.hook)
            return "" if running is not None and running.ok is None else "no such hook is under way"
        case HookWaived(who=who, hook=hook, reason=reason):
            if who != run.operator:
                return f"{run.operator} operates this run, not {who}"
            if hook != failed(run):
                return "this hook has not failed"
            if not reason.strip():
                return "a waiver needs a reason"
            return f"held by {run.hold.who}: {run.hold.reason}" if run.hold else ""
        case Intended(step=step) | Passed(step=step) | Waived(step=step):
            name = _before(run, step)
            if not name or _settled(run, name):
                return ""
            return f"the hook {name} has not succeeded: confirm the step, which runs it, or waive it"
        case _:
            return ""


def waits(run: Run) -> bool:
    """Whether nothing can follow from a poll: a hook is under way that something waits for."""
    if run.complete:
        return bool(under_way(run))
    return bool(due(run))


def due(run: Run) -> str:
    """The hook that must have succeeded before anything of the current step begins, and has not yet."""
    name = _before(run, run.step.id) if run.step else ""
    return name if name and not _settled(run, name) else ""


def under_way(run: Run) -> str:
    """The hook that runs now; empty when none does. Of two, the later one."""
    return next((name for name, record in reversed(run.hooked.items()) if record.ok is None), "")


def failed(run: Run) -> str:
    """The hook that failed before the step whose card is up, and that stands against it; empty for none."""
    if run.step is None or not isinstance(run.stage, Waiting):
        return ""
    name = _before(run, run.step.id)
    record = run.hooked.get(name)
    return name if record is not None and record.ok is False and not record.waived else ""


def stopped(run: Run, step: str) -> bool:
    """Whether a confirmed step without an action goes back to its card, because its hook failed."""
    if run.step is None or run.step.id != step or not isinstance(run.stage, Checking):
        return False
    record = run.hooked.get(_before(run, step))
    return record is not None and record.ok is False and not record.waived


def failed_words(run: Run) -> str:
    """What became of the last hook that failed, as half a sentence; empty when none has."""
    found = [_failed_words(name, record) for name, record in run.hooked.items() if record.ok is False]
    return found[-1] if found else ""


def _failed_words(name: str, record: HookRecord) -> str:
    return f"the hook {name} failed: {record.says.rstrip('.')}"


def _with(run: Run, name: str, record: HookRecord) -> Run:
    others = {other: kept for other, kept in run.hooked.items() if other != name}
    return msgspec.structs.replace(run, hooked={**others, name: record})


def _settled(run: Run, name: str) -> bool:
    record = run.hooked.get(name)
    return record is not None and (record.ok is True or record.waived)


def _before(run: Run, step: str) -> str:
    """The hook that comes before this step; empty where it is not the first one of its phase, or has none."""
    return _hook(run, "before", step, run.plan)


def _after(run: Run, step: str) -> str:
    return _hook(run, "after", step, tuple(reversed(run.plan)))


def _hook(run: Run, when: str, step: str, plan: tuple[str, ...]) -> str:
    phase = STEPS[step].phase
    name = f"{when} {SLUGS.get(phase, '')}"
    if run.abort or name not in run.hooks:
        return ""
    return name if next(other for other in plan if STEPS[other].phase is phase) == step else ""
