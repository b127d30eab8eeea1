"""The runbook: its phases, its steps, where the run stands, and the point of no return."""

import msgspec
from textual.content import Content

from skytui.runbook.model import Doubtful, Failed, Run
from skytui.runbook.prospect import Turn
from skytui.runbook.steps import Kind, Step, plan_of
from skytui.tui.glyphs import Look
from skytui.tui.scene import Scene
from skytui.tui.view.figures import short_time
from skytui.tui.view.lost import unplanned_sides
from skytui.tui.view.wrap import cut


class StepperView(msgspec.Struct, frozen=True):
    """The lines, and the place of the current step among them."""

    lines: tuple[Content, ...]
    current: int


def stepper_view(scene: Scene, look: Look, width: int) -> StepperView:
    """The whole runbook, `width` cells wide."""
    run = scene.run
    lines: list[Content] = []
    current = 0
    phase = None
    for step in _steps(scene):
        if step.no_way_back:
            lines.append(_no_way_back(run, look, width))
        if step.phase is not phase:
            phase = step.phase
            lines.append(Content.styled(phase, "bold"))
        if run and run.step is step:
            current = len(lines)
        lines.append(_line(scene, step, look, width))
    return StepperView(tuple(lines), current)


def strip_view(scene: Scene, look: Look, width: int) -> Content:
    """The runbook in one line, for a narrow screen: a sign a step, then the current one by name."""
    run = scene.run
    glyphs = look.glyphs
    signs = Content("")
    for step in _steps(scene):
        if step.no_way_back:
            signs += Content.styled("|", "bold $alarm")
        sign, style = _sign(scene, step, look)
        signs += Content.styled(sign, style)
    if run is None:
        name = "no run is open"
    elif run.step is None:
        name = "the run has ended"
    else:
        name = f"{run.number(run.step.id)}/{len(run.plan)} {run.step.id}"
    after = _following(run)
    text = Content.assemble(" ", signs, "  ", (name, "bold"))
    if after and text.cell_length + len(after) + 9 <= width:
        text += Content.styled(f"  then {after}", "$quiet")
    return cut(text, width, glyphs)


def _steps(scene: Scene) -> tuple[Step, ...]:
    if scene.run:
        return scene.run.steps
    return plan_of(Kind.UNPLANNED if unplanned_sides(scene) else Kind.PLANNED)


def _following(run: Run | None) -> str:
    if run is None or run.step is None:
        return ""
    place = run.number(run.step.id)
    return run.plan[place] if place < len(run.plan) else ""


def _no_way_back(run: Run | None, look: Look, width: int) -> Content:
    text = " no way back " if run is None or not run.no_way_back else " no way back: passed "
    return Content.styled(text.center(width, look.glyphs.rule), "bold $alarm")


def _sign(scene: Scene, step: Step, look: Look) -> tuple[str, str]:
    run, glyphs = scene.run, look.glyphs
    record = run.record(step.id) if run else None
    if record:
        return (glyphs.waived, "$attention") if record.waived else (glyphs.done, "$sky")
    if run is None or run.step is not step:
        return glyphs.later, "$quiet"
    if isinstance(run.stage, Failed):
        return glyphs.bad, "bold $alarm"
    if isinstance(run.stage, Doubtful):
        return glyphs.unknown, "bold $alarm"
    if run.hold:
        return glyphs.held, "bold $attention"
    if scene.prospect.turn is Turn.BLOCKED:
        return glyphs.current, "bold $alarm"
    return glyphs.current, "bold $attention"


def _line(scene: Scene, step: Step, look: Look, width: int) -> Content:
    run = scene.run
    sign, style = _sign(scene, step, look)
    record = run.record(step.id) if run else None
    name = step.id.replace("-", " ")
    if record:
        took = short_time((record.ended - record.began).total_seconds())
        note = f"waived {took}" if record.waived else took
        words, note_style = "$quiet", "$quiet"
    elif run and run.step is step:
        note = short_time((scene.wall - run.step_began).total_seconds())
        words, note_style = "bold", "$attention"
    else:
        note = "type name" if step.typed else ""
        words, note_style = "$foreground", "$quiet"
    gap = max(1, width - 4 - len(name) - len(note))
    return Content.assemble("  ", (sign, style), " ", (name, words), " " * gap, (note, note_style))
