"""What is offered when the master is lost: another kind of run, a statement, the conversion for later.

Each function says whether its key is offered now; the runbook decides whether it counts.
"""

from textual.content import Content

from skytui.pair.reading import Known
from skytui.pair.vocabulary import Role
from skytui.runbook.assess import assessment
from skytui.runbook.model import Run
from skytui.runbook.sides import Sides, sides_of
from skytui.runbook.statements import why_no_statement
from skytui.runbook.steps import Kind, Step
from skytui.runbook.turning import why_no_turn, why_not_later
from skytui.tui.glyphs import Look
from skytui.tui.scene import Scene
from skytui.tui.view.wrap import labelled


def unplanned_sides(scene: Scene) -> Sides | None:
    """Between whom an unplanned swap could start now; None where none can, or a planned one can."""
    if scene.run is not None and not scene.run.over:
        return None
    sides = sides_of(Kind.UNPLANNED, scene.reading)
    planned = sides_of(Kind.PLANNED, scene.reading)
    return None if sides.why_not or not planned.why_not else sides


def conversion_sides(scene: Scene) -> Sides | None:
    """Between whom the conversion that the last run left for later could start now; None without one."""
    if scene.run is None or not scene.run.over or not scene.run.postponed:
        return None
    sides = sides_of(Kind.CONVERT, scene.reading, scene.run)
    return None if sides.why_not else sides


def offers_turn(scene: Scene) -> bool:
    """Whether the master of a planned run seems lost, so that it may become an unplanned one."""
    run = scene.run
    if run is None or run.over or why_no_turn(run):
        return False
    role = scene.server(run.old).role
    lost = not isinstance(role, Known) or role.value is not Role.MASTER
    return lost and not run.attempts.get("shut-down")


def offers_statement(scene: Scene) -> bool:
    """Whether the step wants the original master proven down, and its host cannot be asked."""
    run = scene.run
    if run is None or run.over or why_no_statement(run):
        return False
    return not offers_turn(scene) and not isinstance(scene.server(run.old).process, Known)


def offers_later(scene: Scene) -> bool:
    """Whether the conversion may be left for a run of its own."""
    return scene.run is not None and not scene.run.over and not why_not_later(scene.run)


def losses(scene: Scene, run: Run, step: Step, width: int) -> list[Content]:
    """What may be lost, on the card of *assess*."""
    if step.id != "assess" or scene.reading is None:
        return []
    return [labelled("Known", Content("\n").join(map(Content, assessment(run, scene.reading))), width)]


def way_out(scene: Scene, run: Run, look: Look, width: int) -> list[Content]:
    """The key that leads on where the original master cannot be reached, for the operator."""
    if not scene.operates:
        return []
    key, way = look.keys.word, ""
    if offers_turn(scene):
        way = f"if {run.old} is lost: {key('unplanned')} makes an unplanned swap of this run"
    elif offers_statement(scene):
        way = f"if {run.old} cannot be reached and you know that it is off: {key('state')} states so"
    elif offers_later(scene) and not isinstance(scene.server(run.old).process, Known):
        way = f"while {run.old} stays away: {key('later')} leaves the conversion for a run of its own"
    return [labelled("Else", Content.styled(way, "bold $attention"), width)] if way else []


def words_given(run: Run, look: Look, width: int) -> list[Content]:
    """What a person has said or decided in this run that no server said."""
    lines: list[Content] = []
    if run.turned:
        text = f"by {run.turned.who}, at {run.turned.step.replace('-', ' ')}: {run.turned.reason}"
        lines.append(labelled("Turn", Content.styled(text, "$attention"), width))
    for statement in run.statements:
        says = f"{statement.who}: {statement.words}"
        style = "$attention"
        if statement.refuted:
            says, style = f"{look.glyphs.bad} not true ({statement.refuted}). {says}", "bold $alarm"
        lines.append(labelled("Said", Content.styled(says, style), width))
    return lines
