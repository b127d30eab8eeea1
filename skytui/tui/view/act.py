"""The line at the card's foot: whose turn it is, what Enter does then, or why it can't yet."""

import enum

from textual.content import Content

from skytui.runbook.model import Checking, Doubtful, Failed, Run
from skytui.runbook.prospect import Prospect, Turn
from skytui.runbook.steps import Step
from skytui.runbook.undo import why_no_abort
from skytui.tui.glyphs import Look
from skytui.tui.scene import Scene
from skytui.tui.standing import Standing
from skytui.tui.view.people import whose_turn
from skytui.tui.view.wrap import hanging


class Tone(enum.StrEnum):
    """Whose turn it is, as the card's colour says it."""

    YOURS = "yours"
    BLOCKED = "blocked"
    WAITING = "waiting"
    FAILED = "failed"
    OVER = "over"


def act_line(sign: str, text: str, width: int) -> Content:
    """The line itself. It is as wide as the card, so two cells wider than the text."""
    return hanging(Content(f" {sign} "), Content(text), width + 2, 3)


def act_words(scene: Scene, run: Run, step: Step, tone: Tone, look: Look) -> tuple[str, str]:
    """The sign and the sentence."""
    if tone is Tone.BLOCKED and run.hold:
        free = f" {look.keys.word('hold')} lets the run go on." if may_release(scene, run) else ""
        return look.glyphs.held, f"Held by {run.hold.who}: {run.hold.reason}{_stop(run.hold.reason)}{free}"
    if scene.operates:
        return _to_the_operator(run, step, scene.prospect, tone, look)
    return _to_others(scene, run, step, look)


def may_release(scene: Scene, run: Run) -> bool:
    """Whether this console may lift the hold: whoever operates the run may, and whoever holds it."""
    you = scene.shown.you
    if you is None or run.hold is None or scene.standing is Standing.WATCHER:
        return False
    return you.who in (run.operator, run.hold.who)


def _to_the_operator(run: Run, step: Step, prospect: Prospect, tone: Tone, look: Look) -> tuple[str, str]:
    glyphs, first = look.glyphs, _first(prospect)
    enter = look.keys.word("confirm")
    if tone is Tone.YOURS:
        return glyphs.current, f"{enter} {_what_enter_does(step, prospect)}"
    if tone is Tone.BLOCKED:
        return glyphs.bad, f"{enter}: not yet. {_upper(first)}"
    if tone is Tone.FAILED and prospect.turn is Turn.OPERATOR:
        typed = f", after you type {prospect.phrase}" if prospect.phrase else ""
        if isinstance(run.stage, Doubtful):
            wait = f"Or wait: {run.name_of(step.side)} is being asked."
            return glyphs.current, f"{enter} tries again{typed}. {wait}"
        back = "" if why_no_abort(run) else f" {look.keys.word('abort')} takes the run back."
        return (
            glyphs.current,
            f"{enter} tries again{typed}.{back} {look.keys.word('leave')} leaves: the run waits here.",
        )
    if tone is Tone.FAILED:
        if isinstance(run.stage, Failed):
            return glyphs.bad, f"{enter}: not yet. {_upper(first)}"
        return glyphs.unknown, _asked(run, step)
    waive = f" {look.keys.word('waive')} waives." if step.waivable and isinstance(run.stage, Checking) else ""
    return glyphs.later, f"{_nothing_to_press(run, step, prospect)}{waive}"


def _to_others(scene: Scene, run: Run, step: Step, look: Look) -> tuple[str, str]:
    prospect, glyphs = scene.prospect, look.glyphs
    if prospect.turn is Turn.OPERATOR:
        return glyphs.later, f"{whose_turn(scene, run)}: {_what_they_do(run, step, prospect)}"
    if prospect.turn is Turn.BLOCKED:
        return glyphs.bad, f"{whose_turn(scene, run)}, but not yet. {_upper(_first(prospect))}"
    if isinstance(run.stage, Doubtful):
        return glyphs.unknown, _asked(run, step)
    return glyphs.later, _nothing_to_press(run, step, prospect)


def _what_they_do(run: Run, step: Step, prospect: Prospect) -> str:
    typed = f"types {prospect.phrase}, then: " if prospect.phrase else ""
    if isinstance(run.stage, Failed | Doubtful):
        return f"{typed}tries again, or waits."
    if step.action is None:
        return f"goes on, and waits for {step.waits_for}."
    return f"{typed}{_lower(step.does)}"


def _what_enter_does(step: Step, prospect: Prospect) -> str:
    if prospect.phrase:
        return f"asks you to type {prospect.phrase}, then: {_lower(step.does)}"
    if step.action is None:
        return f"goes on: waits for {step.waits_for}." if step.deadline > 60 else f"goes on. {step.does}"
    return f"does it: {_lower(step.does)}"


def _nothing_to_press(run: Run, step: Step, prospect: Prospect) -> str:
    waits = f"waiting for {step.waits_for}" if isinstance(run.stage, Checking) else _first(prospect)
    return f"Nothing to press: {waits}."


def _asked(run: Run, step: Step) -> str:
    asked = run.name_of(step.side)
    return f"Nothing to press: {asked} is asked what became of it. It is never repeated blindly."


def _first(prospect: Prospect) -> str:
    return prospect.reasons[0] if prospect.reasons else "neither server has been read yet"


def _stop(text: str) -> str:
    return "" if text.endswith((".", "!", "?")) else "."


def _upper(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
