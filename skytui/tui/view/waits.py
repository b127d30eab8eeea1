"""What a card says of time: how far a command is, what is usual, and what can be done about a late step."""

from datetime import timedelta

from textual.content import Content

from skytui.runbook.history import usual_words
from skytui.runbook.model import Checking, Doubtful, Failed, Run, Running
from skytui.runbook.progress import progress_words
from skytui.runbook.rows import rows
from skytui.runbook.steps import Step
from skytui.runbook.undo import why_no_abort
from skytui.tui.glyphs import Look
from skytui.tui.scene import Scene
from skytui.tui.view.figures import short_time
from skytui.tui.view.wrap import labelled


def progress_lines(scene: Scene, run: Run) -> list[tuple[Content, Content]]:
    """How far the command that is under way has got, since when, and what is left; or that it has stalled."""
    progress, stage = scene.shown.progress, run.stage
    if progress is None or not isinstance(stage, Running | Doubtful) or progress.token != stage.token:
        return []
    limit = run.thresholds.stall_seconds
    if progress.percent is None and progress.unmoved(scene.wall) < limit:
        return []
    style = "bold $attention" if progress.unmoved(scene.wall) >= limit else "bold"
    return [(Content(""), Content.styled(progress_words(progress, scene.wall, limit), style))]


def time_notes(scene: Scene, run: Run, step: Step, look: Look, width: int) -> list[Content]:
    """How long the step usually takes; while it is waited for, its deadline; past that, the choices."""
    if isinstance(run.stage, Failed):
        return []
    past = scene.shown.past
    usual = past.usual_of(run).get(step.id) if past else None
    words = usual_words(usual)
    if past is not None and run.kind not in past.usual:
        words = "not known: this is the first run of its kind"
    if past is None:
        words = "the earlier runs are still being read"
    overdue = scene.prospect.overdue
    if not isinstance(run.stage, Running | Checking | Doubtful):
        return [labelled("Usual", words, width)]
    until = look.clock(run.stage_wall + timedelta(seconds=run.deadline(step)))
    if not overdue:
        return [labelled("Usual", f"{words}; overdue from {until} on", width)]
    late = f"overdue by {short_time(overdue)}, since {until}; it goes on. Usual: {words}"
    return [
        labelled("Late", Content.styled(late, "bold $attention"), width),
        labelled("May", _can_do(scene, run, step, look), width),
    ]


def _can_do(scene: Scene, run: Run, step: Step, look: Look) -> str:
    """What a person can do about a wait that is overdue."""
    key = look.keys.word
    choices = ["wait on: both servers are looked at again with every poll"]
    if any(row.open for row in rows(run, scene.reading)):
        choices.append(f"{key('decide')} decides about what is listed, by name")
    if step.waivable and isinstance(run.stage, Checking):
        choices.append(f"{key('waive')} waives it, for a reason")
    if not why_no_abort(run):
        choices.append(f"{key('abort')} takes the run back")
    choices.append(f"{key('leave')} leaves: the run waits here")
    return "; ".join(choices)
