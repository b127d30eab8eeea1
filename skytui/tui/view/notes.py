"""What a card says beside its step: a lost outcome, a run taken up again, a mark that is missing."""

from collections.abc import Sequence

from textual.content import Content

from skytui.pair.order import Result
from skytui.runbook.events import Finished, HandedOver, Held, Intended, Marked, Recorded, Released, Resumed
from skytui.runbook.model import Checking, Doubtful, Run, Running, Waiting
from skytui.runbook.steps import STEPS, Step
from skytui.tui.glyphs import Look
from skytui.tui.scene import Scene
from skytui.tui.view.wrap import hanging, labelled

_ASIDE = Marked | Held | Released | HandedOver
"""What can happen without the run getting on by it."""


def _aside(event: Recorded) -> bool:
    """Whether the run has not got on by it. Taken up again, it first notes that an outcome is lost."""
    lost = isinstance(event, Finished) and event.outcome.result is Result.UNKNOWN
    return lost or isinstance(event, _ASIDE)


def doubt(scene: Scene, run: Run, stage: Doubtful, look: Look, width: int) -> list[Content]:
    """An outcome that got lost: what is not known, and what is."""
    step = STEPS[stage.step]
    begun = _intent(scene.shown.events, stage.token)
    at = f" at {look.clock(begun.wall)}" if begun else ""
    what = scene.shown.previews.get(step.id) or step.does
    says = Content.styled(f"Nobody knows yet whether it worked: {stage.says}.", "bold $alarm")
    order = (
        f"given to {run.name_of(step.side)}{at}: {what}\n"
        "It may be done, may still be running, or may never have begun."
    )
    return [
        hanging(Content.styled(f"{look.glyphs.unknown} ", "bold $alarm"), says, width, 2),
        labelled("Order", order, width),
    ]


def choices(run: Run, step: Step, width: int) -> list[Content]:
    """What becomes of a lost outcome, and what a person can do about it."""
    server = run.name_of(step.side)
    if step.readback:
        settled = f"It waits for {step.waits_for}; then it goes on by itself."
    else:
        settled = "Only what it recorded of this order can settle it."
    again = (
        "Trying again does no harm: done twice is the same as done once."
        if step.repeatable
        else "It is not done a second time from here: twice may do harm."
    )
    look = (
        f"if it stays so, look on {server} by hand: does it still run, what did it write, what does the"
        f" server read? skytui plan {run.pair} prints the steps that are left, to go on by paper."
    )
    return [
        labelled("Next", f"{server} is asked again and again. {settled} {again}", width),
        labelled("Else", look, width),
    ]


def resumed(scene: Scene, look: Look, width: int) -> list[Content]:
    """That another conductor has taken the run up, until the run has got on since."""
    last = next((event for event in reversed(scene.shown.events) if not _aside(event)), None)
    if not isinstance(last, Resumed) or scene.run is None:
        return []
    whose = ""
    if last.after:
        whose = f" It was the run of {last.after}, silent for {last.silent:.0f} s; {last.who} took it over"
        whose += f": {last.reason}." if last.reason else "."
    text = (
        f"Taken up again at {look.clock(last.wall)}, after the conductor had died.{whose}{_since(scene.run)}"
    )
    return [labelled("Note", Content.styled(text, "$attention"), width)]


def aborted(run: Run, width: int) -> list[Content]:
    """That the run goes backwards, and why."""
    if run.abort is None:
        return []
    text = f"by {run.abort.who}, at {run.abort.step.replace('-', ' ')}: {run.abort.reason}"
    owed = ", ".join(f"{debt.what.replace('-', ' ')} on {debt.server}" for debt in run.ledger)
    if owed and not run.over:
        text += f"\nnot taken back yet: {owed}"
    return [labelled("Abort", Content.styled(text, "$attention"), width)]


def back_words(old: str, steps: Sequence[Step]) -> str:
    """What an abort undoes, for the question whether to."""
    undone = [step.title for step in steps if step.action]
    if not undone:
        return "Nothing has been changed that must be undone. The run ends, and the pair stays as it is."
    does = "; ".join(title[:1].lower() + title[1:] for title in undone)
    return (
        "What this run changed is undone, each step by itself and read back from the servers."
        f" On {old}: {does}. A step that fails waits for you."
    )


def unmarked(run: Run, width: int) -> list[Content]:
    """Where other jump hosts are not kept out, and why."""
    lines = [
        f"no mark on {server}: {why}; another jump host is not kept out there"
        for server, why in run.marks.items()
        if why
    ]
    return [labelled("Mark", Content.styled("\n".join(lines), "$quiet"), width)] if lines else []


def _since(run: Run) -> str:
    match run.stage:
        case Waiting(note=""):
            return " Nothing was under way."
        case Running():
            return " What was under way is looked up on the server, not repeated."
        case Checking():
            return " Its gate is read anew."
        case _:
            return ""


def _intent(events: Sequence[Recorded], token: str) -> Intended | None:
    intents = (event for event in reversed(events) if isinstance(event, Intended) and event.token == token)
    return next(intents, None)
