"""The card before a run, and the one after it."""

from textual.content import Content

from skytui.pair.pair import why_unknown
from skytui.runbook.cadence import cadence_words
from skytui.runbook.model import Ended, Ending, Run
from skytui.runbook.steps import Kind
from skytui.tui.glyphs import Look
from skytui.tui.scene import Scene
from skytui.tui.standing import Standing
from skytui.tui.view.act import Tone, act_line
from skytui.tui.view.card import CardView
from skytui.tui.view.checks import checks_line, checks_of
from skytui.tui.view.face import State, face_of
from skytui.tui.view.figures import plural, short_time
from skytui.tui.view.lost import conversion_sides, unplanned_sides, words_given
from skytui.tui.view.notes import aborted
from skytui.tui.view.people import here_note, only_watches
from skytui.tui.view.watching import watch_lines
from skytui.tui.view.wrap import hanging, labelled


def roles_now(scene: Scene) -> tuple[str, str] | None:
    """The master and the standby as they read now, or None when that is not clear."""
    faces = {name: face_of(scene, name).state for name in scene.names}
    masters = [name for name, state in faces.items() if state is State.MASTER]
    standbys = [name for name, state in faces.items() if state is State.STANDBY]
    return (masters[0], standbys[0]) if len(masters) == 1 and len(standbys) == 1 else None


def startable(scene: Scene) -> tuple[Kind, str, str] | None:
    """What `s` would start now, and between whom: a planned swap, or a conversion still to be done."""
    if roles := roles_now(scene):
        return Kind.PLANNED, *roles
    sides = conversion_sides(scene)
    return (Kind.CONVERT, sides.old, sides.new) if sides else None


def why_no_start(scene: Scene) -> str:
    """Why no run can be started now, as a sentence; empty when one can."""
    if scene.shown.lost:
        return f"not connected: {scene.shown.lost}"
    if scene.run is not None and not scene.run.over:
        return "a run is open already"
    if scene.shown.secrets_wanted:
        return f"a secret is still wanted: {', '.join(scene.shown.secrets_wanted)}"
    if scene.reading is not None and startable(scene):
        return ""
    if scene.shown.hosts_ask:
        return f"an answer is wanted: {', '.join(scene.shown.hosts_ask)}"
    if scene.reading is None:
        return "neither server has been read yet"
    return "; ".join(
        f"{name} reads {face_of(scene, name).state}"
        + (f" ({why_unknown(scene.server(name).role)})" if face_of(scene, name).why else "")
        for name in scene.names
    )


def idle_card(scene: Scene, look: Look, width: int) -> CardView:
    """No run is open."""
    roles = roles_now(scene)
    problem = why_no_start(scene)
    glyphs = look.glyphs
    lines = [
        Content.styled("No run is open. Both servers are only watched.", "bold"),
        Content(""),
    ]
    found = startable(scene)
    lost = unplanned_sides(scene)
    if lost:
        text = (
            f"{lost.old} does not read master. If it is lost, an unplanned swap activates {lost.new} without"
            " it, after you have seen what may be lost, and after it is proven or stated to be down."
        )
        lines.append(hanging(Content(""), Content.styled(text, "$attention"), width, 0))
    if roles:
        old, new = roles
        text = (
            f"The planned swap shuts down {old} in order, activates {new} as the new master, and converts"
            f" {old} into its standby. Each step waits for you. Once {new} is activated there is no way"
            " back but a swap back."
        )
        lines.append(hanging(Content(""), Content(text), width, 0))
    lines.append(Content(""))
    if checks := checks_of(scene):
        lines.append(labelled("Now", checks_line(checks, look) + Content("; c shows them all"), width))
    lines.append(labelled("Keys", f"The conductor acts with the SSH keys of {scene.shown.keys_of}.", width))
    lines += _cadence(scene, width)
    lines += here_note(scene, look, width)
    if scene.standing is Standing.WATCHER:
        act = act_line(glyphs.later, only_watches(scene.shown.pair), width)
        return CardView("Ready", "", Content("\n").join(lines), act, Tone.WAITING)
    if lost:
        keys = look.keys
        text = f"{keys.word('unplanned')} starts an unplanned swap, from {lost.old} to {lost.new}."
        text += f" {keys.word('start')}: not yet. {problem}"
        act = act_line(glyphs.current, text, width)
        return CardView("The master is lost?", "", Content("\n").join(lines), act, Tone.YOURS)
    if problem or found is None:
        act = act_line(glyphs.bad, f"{look.keys.word('start')}: not yet. {problem}", width)
        return CardView("Ready", "", Content("\n").join(lines), act, Tone.BLOCKED)
    act = act_line(glyphs.current, _starts(look, *found), width)
    return CardView("Ready", "", Content("\n").join(lines), act, Tone.YOURS)


def summary_card(scene: Scene, run: Run, look: Look, width: int) -> CardView:
    """The run is over."""
    clean = isinstance(run.stage, Ended) and run.stage.ending is not Ending.NOT_CLEAN
    glyphs = look.glyphs
    sign, style = (glyphs.done, "bold $sky") if clean else (glyphs.waived, "bold $attention")
    ending = run.stage.ending if isinstance(run.stage, Ended) else "ended"
    now = f"{run.new} is the master now, {run.old} its standby."
    if run.postponed:
        now = f"{run.new} is the master now; {run.old} is not its standby yet, and must not be started."
    if run.abort:
        now = f"{run.old} is the master, {run.new} its standby, as before."
    head = f"{sign} {ending}: {now}"
    dark = _span(run)
    lines = [
        hanging(Content(""), Content.styled(head, style), width, 0),
        Content(""),
        labelled("Took", short_time((run.stage_wall - run.began).total_seconds()) + f" in all{dark}", width),
        labelled("Slow", _slowest(run), width),
    ]
    lines += aborted(run, width)
    lines += words_given(run, look, width)
    if run.postponed:
        later = f"by {run.postponed.who}: {run.postponed.reason}"
        lines.append(labelled("Later", Content.styled(later, "$attention"), width))
    if run.waivers:
        waived = "; ".join(f"{waiver.step} by {waiver.who}: {waiver.reason}" for waiver in run.waivers)
        lines.append(labelled("Waived", Content.styled(waived, "$attention"), width))
    owed = ", ".join(f"{debt.what} on {debt.server}" for debt in run.ledger)
    lines.append(labelled("Owed", owed or "nothing: what the run suppressed is restored", width))
    lines.append(labelled("Run", f"{run.id}, by {run.who}; what was proven stands in its journal.", width))
    lines.append(labelled("File", report_words(scene, run), width))
    lines += watch_lines(scene, look, width)
    lines += here_note(scene, look, width)
    body = Content("\n").join(lines)
    problem = why_no_start(scene)
    found = startable(scene)
    if scene.standing is Standing.WATCHER:
        act = act_line(glyphs.later, only_watches(scene.shown.pair), width)
        return CardView("The run is over", "", body, act, Tone.OVER)
    if problem or found is None:
        act = act_line(glyphs.bad, f"{look.keys.word('start')}: not yet. {problem}", width)
        return CardView("The run is over", "", body, act, Tone.OVER)
    swap = "planned swap," if run.abort else "swap back,"
    back = f"{_starts(look, *found, swap=swap)}. {look.keys.word('leave')} leaves."
    act = act_line(glyphs.current, back, width)
    return CardView("The run is over", "", body, act, Tone.OVER)


def report_words(scene: Scene, run: Run) -> str:
    """Where the report of a run that has ended lies, and what prints it."""
    past = scene.shown.past
    lies = f"{past.folder}/{run.id}/report.html; " if past and past.folder else ""
    return f"{lies}skytui report {run.pair} {run.id} prints it."


def _cadence(scene: Scene, width: int) -> list[Content]:
    """Last swap, next due, quiet window."""
    past = scene.shown.past
    if past is None:
        return []
    words = cadence_words(past.cadence, scene.wall)
    return [labelled("Swaps", "\n".join(sentence[:1].upper() + sentence[1:] for sentence in words), width)]


def _starts(look: Look, kind: Kind, old: str, new: str, swap: str = "planned swap") -> str:
    if kind is Kind.CONVERT:
        return f"{look.keys.word('start')} starts the conversion of {old} into the standby of {new}"
    return f"{look.keys.word('start')} starts the {swap} from {old} to {new}"


def _span(run: Run) -> str:
    if not run.dark_since:
        return ""
    until = run.dark_until or run.stage_wall
    return f"; the scheduler was dark for {short_time((until - run.dark_since).total_seconds())}"


def _slowest(run: Run) -> str:
    slow = sorted(run.records, key=lambda record: record.ended - record.began, reverse=True)[:3]
    steps = (
        f"{record.step.replace('-', ' ')} {short_time((record.ended - record.began).total_seconds())}"
        for record in slow
    )
    return f"{', '.join(steps)} (of {plural(len(run.records), 'step')})"
