"""The words for each event, and where in the report it belongs beside the timeline.

A new kind of event needs one more `tell.register` here and nothing else; without one it stands in the
timeline under its own name, with everything it holds.
"""

import enum
from functools import singledispatch

import msgspec

from skytui.pair.order import Result
from skytui.runbook.events import (
    Aborted,
    Balked,
    Baselined,
    Closed,
    Confirmed,
    Decided,
    Event,
    Finished,
    HandedOver,
    Held,
    Hooked,
    HookWaived,
    Intended,
    Marked,
    Opened,
    Passed,
    Postponed,
    Refuted,
    Released,
    Resumed,
    Salvaged,
    Stated,
    Turned,
    Waived,
)
from skytui.runbook.history import seconds_words
from skytui.runbook.steps import STEPS


class Part(enum.StrEnum):
    """A part of the report that is made of events; the value is its key."""

    WAIVERS = "waivers"
    ATTESTATIONS = "attestations"
    SKIPS = "skips"
    DECISIONS = "decisions"
    PEOPLE = "people"
    HOOKS = "hooks"


UNCLEAN = (Part.WAIVERS, Part.ATTESTATIONS, Part.SKIPS)
"""A run with any of these is never called clean."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An event in words. `part` is where it stands beside the timeline, if anywhere."""

    says: str
    step: str = ""
    who: str = ""
    reason: str = ""
    details: tuple[str, ...] = ()
    part: Part | None = None


@singledispatch
def tell(event: Event) -> Told:
    """An event in words. Of a kind that has no words here: its name, and all it holds."""
    fields = msgspec.structs.asdict(event)
    known = {name: fields.pop(name, "") for name in ("step", "who", "reason")}
    held = "; ".join(
        f"{name.replace('_', ' ')}: {_plainly(value)}"
        for name, value in fields.items()
        if name not in ("at", "wall", "run") and value not in ("", (), None)
    )
    name = str(type(event).__struct_config__.tag or type(event).__name__)
    says = f"{name}: {held}" if held else name
    return Told(says=says, step=str(known["step"]), who=str(known["who"]), reason=str(known["reason"]))


def _plainly(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


@tell.register
def _(event: Opened) -> Told:
    host = f" on {event.host}" if event.host else ""
    return Told(
        says=f"the {event.kind} swap was opened{host}: {event.old} hands over to {event.new}",
        who=event.who,
        reason=event.why,
    )


@tell.register
def _(event: Confirmed) -> Told:
    step = STEPS.get(event.step)
    if step is not None and step.manual:
        says = f"said that it is done: {step.title}"
        return Told(says=says, step=event.step, who=event.who, part=Part.ATTESTATIONS)
    if step is not None and step.words:
        says = f"accepted what may be lost, typing {event.phrase}"
        return Told(says=says, step=event.step, who=event.who, part=Part.ATTESTATIONS)
    typed = f", typing {event.phrase}" if event.phrase else ""
    return Told(says=f"confirmed{typed}", step=event.step, who=event.who)


@tell.register
def _(event: Balked) -> Told:
    return Told(says="nothing was started: what must hold did not", step=event.step, details=event.reasons)


@tell.register
def _(event: Intended) -> Told:
    says = f"{event.action.value.replace('_', ' ')} was begun on {event.server}"
    return Told(says=says, step=event.step, details=event.proofs)


@tell.register
def _(event: Finished) -> Told:
    outcome = event.outcome
    code = f" (code {outcome.code})" if outcome.code is not None else ""
    last = () if outcome.result is Result.DONE else outcome.tail[-3:]
    return Told(says=f"{outcome.result.value}{code}: {outcome.says}", step=event.step, details=last)


@tell.register
def _(event: Baselined) -> Told:
    baseline = event.baseline
    return Told(
        says=f"how things are was recorded: {len(baseline.agents)} agents, {len(baseline.queues)} queues"
        f" ({len(baseline.locked_queues())} locked before), {len(baseline.running)} running jobs",
        step="baseline",
    )


@tell.register
def _(event: Decided) -> Told:
    return Told(
        says=f"{event.says or event.row}: {event.decision}",
        step=event.step,
        who=event.who,
        reason=event.reason,
        part=Part.DECISIONS,
    )


@tell.register
def _(event: Salvaged) -> Told:
    kept = event.salvage
    if kept.aside:
        return Told(says=f"the whole data directory was kept in {kept.folder}", step="salvage")
    says = f"{kept.counted} runs and {kept.files} output files were saved in {kept.folder}"
    return Told(says=says if kept.counted or kept.files else "nothing was left to save", step="salvage")


@tell.register
def _(event: Passed) -> Told:
    return Told(says="passed", step=event.step, details=event.proofs)


@tell.register
def _(event: Waived) -> Told:
    return Told(
        says="the gate was waived: it passed unproven",
        step=event.step,
        who=event.who,
        reason=event.reason,
        details=event.unproven,
        part=Part.WAIVERS,
    )


@tell.register
def _(event: Held) -> Told:
    return Told(says="held the run", who=event.who, reason=event.reason, part=Part.PEOPLE)


@tell.register
def _(event: Released) -> Told:
    return Told(says="let the run go on", who=event.who, part=Part.PEOPLE)


@tell.register
def _(event: Aborted) -> Told:
    back = ", ".join(event.plan) or "nothing had to be undone"
    return Told(says=f"took the run back: {back}", who=event.who, reason=event.reason, part=Part.PEOPLE)


@tell.register
def _(event: Stated) -> Told:
    says = f"stated: {event.words}"
    return Told(says=says, step=event.step, who=event.who, part=Part.ATTESTATIONS)


@tell.register
def _(event: Refuted) -> Told:
    return Told(says=f"the statement was refuted: {event.says}", part=Part.ATTESTATIONS)


@tell.register
def _(event: Turned) -> Told:
    return Told(
        says=f"made an unplanned swap of it: {', '.join(event.plan)}",
        who=event.who,
        reason=event.reason,
        part=Part.PEOPLE,
    )


@tell.register
def _(event: Postponed) -> Told:
    return Told(
        says="left the conversion for a run of its own",
        who=event.who,
        reason=event.reason,
        part=Part.SKIPS,
    )


@tell.register
def _(event: HandedOver) -> Told:
    if event.to == event.by:
        return Told(says="took the run over", who=event.to, reason=event.reason, part=Part.PEOPLE)
    return Told(says=f"passed the run on to {event.to}", who=event.by, reason=event.reason, part=Part.PEOPLE)


@tell.register
def _(event: Marked) -> Told:
    if event.missing:
        says = f"{event.server} does not carry this run's mark: {event.missing}"
        return Told(says=says, part=Part.PEOPLE)
    if event.after:
        says = (
            f"{event.server} carries this run's mark, in place of that of {event.after},"
            f" silent for {seconds_words(event.silent)}"
        )
        return Told(says=says, reason=event.reason, part=Part.PEOPLE)
    return Told(says=f"{event.server} carries this run's mark")


@tell.register
def _(event: Resumed) -> Told:
    host = f" on {event.host}" if event.host else ""
    says = f"taken up again{host}, after the conductor before had died"
    if event.after:
        says += f"; it was the run of {event.after}, silent for {seconds_words(event.silent)}"
    return Told(says=says, who=event.who, reason=event.reason, part=Part.PEOPLE)


@tell.register
def _(event: Hooked) -> Told:
    went = "went well" if event.ok else "failed"
    says = f"the hook {event.hook} {went}" + (f": {event.says}" if event.says else "")
    return Told(says=says, part=Part.HOOKS)


@tell.register
def _(event: HookWaived) -> Told:
    return Told(
        says=f"went on without the hook {event.hook}, which had failed",
        who=event.who,
        reason=event.reason,
        part=Part.WAIVERS,
    )


@tell.register
def _(event: Closed) -> Told:
    return Told(says=f"the run ended: {event.ending}")
