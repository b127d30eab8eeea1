"""The step card: why, how things are now, what will run where, and what Enter does or why it can't yet."""

import msgspec
from textual.content import Content

from skytui.runbook.gates import Finding
from skytui.runbook.model import Checking, Doubtful, Failed, Proving, Run, Running, Waiting
from skytui.runbook.prospect import Prospect, Turn
from skytui.runbook.rows import rows
from skytui.runbook.steps import Step
from skytui.tui.glyphs import Look
from skytui.tui.scene import Scene
from skytui.tui.view.act import Tone, act_line, act_words
from skytui.tui.view.checks import preflight_lines
from skytui.tui.view.figures import ago, pace_of, plural, short_time
from skytui.tui.view.lost import losses, way_out, words_given
from skytui.tui.view.notes import aborted, choices, doubt, resumed, unmarked
from skytui.tui.view.waits import progress_lines, time_notes
from skytui.tui.view.wrap import LABEL, hanging, labelled

TAIL = 20
"""How many of a script's last lines are shown when it failed."""


class CardView(msgspec.Struct, frozen=True):
    """The card. `act` is the line that says what Enter does. `long`: it has more to say than the log has."""

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
    parts = [
        *resumed(scene, look, width),
        *aborted(run, width),
        *words_given(run, look, width),
        *way_out(scene, run, look, width),
    ]
    if isinstance(stage, Failed):
        parts.append(_failed(stage, look, width))
    elif isinstance(stage, Doubtful):
        parts += doubt(scene, run, stage, look, width)
    else:
        if isinstance(stage, Waiting) and stage.note:
            parts.append(labelled("Note", Content.styled(stage.note, "$alarm"), width))
        parts.append(labelled("Why", step.why, width))
    parts += losses(scene, run, step, width)
    if prospect.too_late:
        late = f"{prospect.too_late} ({look.keys.word('abort')}), or go on."
        parts.append(labelled("Late", Content.styled(late[:1].upper() + late[1:], "bold $alarm"), width))
    now = _now(scene, run, prospect, look, width)
    if now:
        parts.append(now)
    parts += _listed(scene, run, look, width)
    parts += time_notes(scene, run, step, look, width)
    said: tuple[str, ...] = ()
    if isinstance(stage, Doubtful):
        parts += choices(run, step, width)
    if isinstance(stage, Failed | Doubtful):
        said = (stage.outcome.tail if isinstance(stage, Failed) else ()) or tail
        nothing = "It said nothing." if isinstance(stage, Failed) else "Nothing it said has come here."
        parts += _tail(said, nothing, width)
    else:
        parts.append(_next(scene, run, step, width))
    parts += unmarked(run, width)
    tone = _tone(scene, run)
    act = act_line(*act_words(scene, run, step, tone, look), width)
    body = Content("\n").join(parts)
    long = bool(said) or isinstance(stage, Doubtful)
    return CardView(step.title, _place(scene, run, step, look), body, act, tone, long)


def _place(scene: Scene, run: Run, step: Step, look: Look) -> str:
    """Where the run is, and since when: to the minute, so that the card is not repainted each second."""
    passed = (scene.wall - run.stage_wall).total_seconds()
    since = f"since {look.clock(run.stage_wall)}" + (f", {ago(passed)}" if passed >= 120 else "")
    return f"step {run.number(step.id)} of {len(run.plan)} {look.glyphs.dot} {since}"


def _tone(scene: Scene, run: Run) -> Tone:
    if isinstance(run.stage, Failed | Doubtful):
        return Tone.FAILED
    match scene.prospect.turn:
        case Turn.OPERATOR:
            return Tone.YOURS if scene.operates else Tone.WAITING
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
    lines += progress_lines(scene, run)
    if run.step is not None and run.step.id == "preflight":
        lines += preflight_lines(scene, run, look)
    else:
        lines += [_finding(finding, look) for finding in prospect.gate.findings]
    if not lines:
        lines = [(Content(""), Content(reason)) for reason in prospect.reasons]
    if not lines:
        return None
    room = width - LABEL
    text = Content("\n").join(hanging(sign, line, room, sign.cell_length) for sign, line in lines)
    return labelled("Now", text, width)


def _listed(scene: Scene, run: Run, look: Look, width: int) -> list[Content]:
    """How many rows of the step's list wait for a decision, and how to make it."""
    listed = rows(run, scene.reading)
    if not listed:
        return []
    left = sum(row.open for row in listed)
    says = f"{plural(left, 'row')} to be decided" if left else "nothing left to be decided"
    first = next((row for row in listed if row.open), listed[0])
    text = Content.styled(
        f"{says}: {look.keys.word('decide')} shows {'them' if left > 1 else 'the list'}.", "bold"
    )
    return [labelled("List", Content("\n").join((text, Content(first.says))), width)]


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
        return labelled(label, run.instructions.get(step.id, step.does), width)
    on = f"on {run.name_of(step.side)}: " if run.name_of(step.side) not in preview else ""
    return labelled(label, Content.assemble(step.does, "\n", (on + preview, "bold")), width)


def _failed(stage: Failed, look: Look, width: int) -> Content:
    outcome = stage.outcome
    code = f" (code {outcome.code})" if outcome.code is not None else ""
    says = Content.styled(f"{outcome.result}{code}: {outcome.says}", "bold $alarm")
    return hanging(Content.styled(f"{look.glyphs.bad} ", "bold $alarm"), says, width, 2)


def _tail(tail: tuple[str, ...], nothing: str, width: int) -> list[Content]:
    if not tail:
        return [Content.styled(nothing, "$quiet")]
    last = tail[-TAIL:]
    head = Content.styled(f"Its last {plural(len(last), 'line')}:", "$quiet")
    return [head, *(hanging(Content("  "), Content(line), width, 2) for line in last)]
