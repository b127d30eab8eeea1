"""When a dialog's question is none any more, because the run went on or is another's by now."""

from collections.abc import Callable

from skytui.runbook.model import Run
from skytui.runbook.steps import Step
from skytui.runbook.undo import why_no_abort
from skytui.tui.scene import Scene
from skytui.tui.view.people import operating, who_operates

Passing = Callable[[Scene], str]
"""Why a question is none any more, as a sentence; empty while it is one."""

_ENDED = "The run has ended without this."


def never(_scene: Scene) -> str:
    """For a question that stays one."""
    return ""


def ended(run: Run) -> Passing:
    """For a question about a run as a whole."""
    return lambda scene: "" if _goes_on(scene, run) else _ENDED


def left_behind(run: Run, step: Step) -> Passing:
    """For a question about a step: the run has left it, or is another's now."""

    def why(scene: Scene) -> str:
        if not _goes_on(scene, run) or scene.run is None or scene.run.step is not step:
            return f"The run went on without this: {step.id} is behind it."
        return not_yours_now(run)(scene)

    return why


def not_yours_now(run: Run) -> Passing:
    """For a question to the operator: another operates the run now."""

    def why(scene: Scene) -> str:
        if not _goes_on(scene, run) or scene.run is None:
            return _ENDED
        # Who took it, and why, is told to everybody.
        return "" if scene.operates else "The run is no longer yours: nothing was done from here."

    return why


def no_way_back_now(run: Run) -> Passing:
    """For the question whether to abort: by now the run cannot be taken back, or is another's."""

    def why(scene: Scene) -> str:
        if not _goes_on(scene, run) or scene.run is None:
            return _ENDED
        if reason := why_no_abort(scene.run):
            return f"The run cannot be taken back now: {reason}."
        return not_yours_now(run)(scene)

    return why


def taken_by_another(before: Scene, run: Run) -> Passing:
    """For the question whether to take the run: it is no longer theirs from whom it would be taken."""

    def why(scene: Scene) -> str:
        if not _goes_on(scene, run) or scene.run is None:
            return _ENDED
        if scene.operates:
            return "You operate the run by now; there is nothing to take over."
        seat = operating(scene)
        if scene.run.operator == run.operator and seat in (None, operating(before)):
            return ""
        return f"{who_operates(scene, scene.run)} operates the run now. Look again before you take it over."

    return why


def _goes_on(scene: Scene, run: Run) -> bool:
    """Whether that run is still open."""
    return scene.run is not None and scene.run.id == run.id and not scene.run.over
