"""The step card: why, how things are now, what will run where, and what Enter does or why it can't yet."""

import enum

import msgspec
from textual.content import Content

from skytui.runbook.gates import Finding
from skytui.runbook.model import Checking, Doubtful, Failed, Proving, Run, Running, Waiting
from skytui.runbook.prospect import Prospect, Turn
from skytui.runbook.steps import Step
from skytui.tui.glyphs import Look
from skytui.tui.scene import Scene
from skytui.tui.view.figures import pace_of, plural, short_time
from skytui.tui.view.wrap import LABEL, hanging, labelled

TAIL = 20
"""How many of a script's last lines are shown when it failed."""


class Tone(enum.StrEnum):
    """Whose turn it is, as the card's colour says it."""

    YOURS = "yours"
    BLOCKED = "blocked"
    WAITING = "waiting"
    FAILED = "failed"
    OVER = "over"


class CardView(msgspec.Struct, frozen=True):
    """The card. `act` is the line that says what Enter does. `long`: it shows what a script said."""

    title: str
    place: str
    body: Content
    act: Content
    tone: Tone
    long: bool = False


def step_card(
    scene: Scene, run: Run, step: Step, look: Look, width: int, *, tail: tuple[str, ...] = ()
) -> CardView:
    """The card of the current step. `tail` are the last lines its script said."""
    stage, prospect = run.stage, scene.prospect
    parts: list[Content] = []
    if isinstance(stage, Failed):
        parts.append(_failed(stage, look, width))
    elif isinstance(stage, Doubtful):
        parts.append(_doubtful(stage, look, width))
    else:
        if isinstance(stage, Waiting) and stage.note:
            parts.append(labelled("Note", Content.styled(stage.note, "$alarm"), width))
        parts.append(labelled("Why", step.why, width))
    now = _now(scene, run, prospect, look, width)
    if now:
        parts.append(now)
    said: tuple[str, ...] = ()
    if isinstance(stage, Failed | Doubtful):
        said = (stage.outcome.tail if isinstance(stage, Failed) else ()) or tail
        parts += _tail(said, width)
    else:
        parts.append(_next(scene, run, step, width))
    tone = _tone(run, prospect)
    place = f"step {run.number(step.id)} of {len(run.plan)}"
    body = Content("\n").join(parts)
    act = act_line(*_act(run, step, prospect, tone, look), width)
    return CardView(step.title, place, body, act, tone, bool(said))


def act_line(sign: str, text: str, width: int) -> Content:
    """The line at the card's foot. It is as wide as the card, so two cells wider than the text."""
    return hanging(Content(f" {sign} "), Content(text), width + 2, 3)


def _tone(run: Run, prospect: Prospect) -> Tone:
    if isinstance(run.stage, Failed | Doubtful):
        return Tone.FAILED
    match prospect.turn:
        case Turn.OPERATOR:
            return Tone.YOURS
        case Turn.BLOCKED:
            return Tone.BLOCKED
        case Turn.MACHINE:
            return Tone.WAITING
        case Turn.NOBODY:
            return Tone.OVER


def _now(scene: Scene, run: Run, prospect: Prospect, look: Look, width: int) -> Content | None:
    """What the gate found, the pace of replication, and for how long it has been waited."""
    lines: list[tuple[Content, Content]] = []
    pace = pace_of(scene.reading.trail, run.old) if scene.reading and _counting(run) else None
    if pace is not None and pace.pending:
        falling = f", falling {pace.rate:.1f} a second" if pace.rate > 0.05 else ", not falling"
        eta = f", about {short_time(pace.eta)} left" if pace.eta is not None else ""
        left = Content.styled(f"{plural(pace.pending, 'file')} left{falling}{eta}", "bold")
        lines.append((Content(""), left))
    lines += [_finding(finding, look) for finding in prospect.gate.findings]
    if not lines:
        lines = [(Content(""), Content(reason)) for reason in prospect.reasons]
    if prospect.overdue:
        late = f"overdue by {short_time(prospect.overdue)}: this is usually done by now. It goes on."
        lines.append((Content(""), Content.styled(late, "bold $attention")))
    if not lines:
        return None
    room = width - LABEL
    text = Content("\n").join(hanging(sign, line, room, sign.cell_length) for sign, line in lines)
    return labelled("Now", text, width)


def _counting(run: Run) -> bool:
    return run.step is not None and run.step.id == "replication-zero"


def _finding(finding: Finding, look: Look) -> tuple[Content, Content]:
    if finding.holds:
        return Content.styled(f"{look.glyphs.done} ", "$sky"), Content(finding.says)
    return (
        Content.styled(f"{look.glyphs.later} ", "bold $attention"),
        Content.styled(finding.says, "$attention"),
    )


def _next(scene: Scene, run: Run, step: Step, width: int) -> Content:
    """What will run where, in the driver's own words; the step's own where nothing runs."""
    label = "Runs" if isinstance(run.stage, Proving | Running | Checking) else "Next"
    preview = scene.shown.previews.get(step.id, "") if step.action else ""
    if not preview:
        return labelled(label, step.does, width)
    on = f"on {run.name_of(step.side)}: " if run.name_of(step.side) not in preview else ""
    return labelled(label, Content.assemble(step.does, "\n", (on + preview, "bold")), width)


def _failed(stage: Failed, look: Look, width: int) -> Content:
    outcome = stage.outcome
    code = f" (code {outcome.code})" if outcome.code is not None else ""
    says = Content.styled(f"{outcome.result}{code}: {outcome.says}", "bold $alarm")
    return hanging(Content.styled(f"{look.glyphs.bad} ", "bold $alarm"), says, width, 2)


def _doubtful(stage: Doubtful, look: Look, width: int) -> Content:
    text = f"The outcome is not known: {stage.says}. It may have run or not; the server is being asked."
    sign = Content.styled(f"{look.glyphs.unknown} ", "bold $alarm")
    return hanging(sign, Content.styled(text, "bold $alarm"), width, 2)


def _tail(tail: tuple[str, ...], width: int) -> list[Content]:
    if not tail:
        return [Content.styled("It said nothing.", "$quiet")]
    last = tail[-TAIL:]
    head = Content.styled(f"Its last {plural(len(last), 'line')}:", "$quiet")
    return [head, *(hanging(Content("  "), Content(line), width, 2) for line in last)]


def _act(run: Run, step: Step, prospect: Prospect, tone: Tone, look: Look) -> tuple[str, str]:
    glyphs = look.glyphs
    first = prospect.reasons[0] if prospect.reasons else ""
    if tone is Tone.YOURS:
        return glyphs.current, f"Enter {_what_enter_does(step, prospect)}"
    if tone is Tone.BLOCKED and run.hold:
        return glyphs.held, f"Held by {run.hold.who}: {run.hold.reason}. h lets the run go on."
    if tone is Tone.BLOCKED:
        return glyphs.bad, f"Enter: not yet. {_upper(first)}"
    if tone is Tone.FAILED and prospect.turn is Turn.OPERATOR:
        typed = f", after you type {prospect.phrase}" if prospect.phrase else ""
        return glyphs.current, f"Enter tries again{typed}. h holds. q leaves: the run waits here."
    if tone is Tone.FAILED:
        if isinstance(run.stage, Failed):
            return glyphs.bad, f"Enter: not yet. {_upper(first)}"
        asked = run.name_of(step.side)
        return (
            glyphs.unknown,
            f"Nothing to press: {asked} is asked what became of it. It is never repeated blindly.",
        )
    waive = " w waives." if step.waivable and isinstance(run.stage, Checking) else ""
    waits = f"waiting for {step.waits_for}" if isinstance(run.stage, Checking) else first
    return glyphs.later, f"Nothing to press: {waits}.{waive}"


def _what_enter_does(step: Step, prospect: Prospect) -> str:
    if prospect.phrase:
        return f"asks you to type {prospect.phrase}, then: {_lower(step.does)}"
    if step.action is None:
        return f"goes on: waits for {step.waits_for}." if step.deadline > 60 else f"goes on. {step.does}"
    return f"does it: {_lower(step.does)}"


def _upper(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
