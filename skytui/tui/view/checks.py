"""What the checks found: in a line, on the card of `preflight`, and as the whole list."""

from collections.abc import Iterator

from textual.content import Content

from skytui.runbook.checks import Checked, Group, Verdict, check_now, counts, summary
from skytui.runbook.model import Run
from skytui.tui.glyphs import Look
from skytui.tui.scene import Scene
from skytui.tui.view.wrap import hanging

_STYLES = {
    Verdict.OK: "$sky",
    Verdict.WARN: "$attention",
    Verdict.BLOCK: "bold $alarm",
    Verdict.UNKNOWN: "bold $attention",
    Verdict.NOT_APPLICABLE: "$quiet",
}
OLD_SECONDS = 5.0
"""From this age on it is said how old the evidence is."""


def checks_of(scene: Scene) -> tuple[Checked, ...]:
    """What every check finds at this moment; nothing while neither server has been read."""
    if scene.reading is None:
        return ()
    run = scene.run
    return check_now(scene.reading, scene.limit, run.id if run and not run.over else "")


def waived(run: Run | None) -> dict[str, str]:
    """The checks of this run that were waived, with the reason."""
    return {waiver.check: waiver.reason for waiver in (run.waivers if run else ()) if waiver.check}


def waivable_blockers(scene: Scene) -> Iterator[Checked]:
    """The checks that block now, may be waived and are not."""
    done = waived(scene.run)
    return (c for c in checks_of(scene) if c.blocks and c.waivable and not c.early and c.id not in done)


def checks_line(checks: tuple[Checked, ...], look: Look) -> Content:
    """`44 checks: 2 block, 1 warn`, with a sign, in the colour of the worst."""
    found = counts(checks)
    worst = next((v for v in (Verdict.BLOCK, Verdict.UNKNOWN, Verdict.WARN) if found[v]), Verdict.OK)
    return Content.styled(f"{_sign(worst, look)} {summary(checks)}", _STYLES[worst])


def preflight_lines(scene: Scene, run: Run, look: Look) -> list[tuple[Content, Content]]:
    """For the card: how many found what, then what blocks with its hint, and what warns."""
    checks = checks_of(scene)
    done = waived(run)
    lines = [(Content(""), checks_line(checks, look))]
    for checked in (c for c in checks if c.blocks):
        text = Content.styled(f"{checked.id}: {checked.evidence}", _STYLES[checked.verdict])
        if checked.id in done:
            text = Content.styled(f"{checked.id}, waived: {done[checked.id]}", "$attention")
        elif checked.hint and not checked.early:
            text += Content(f". {checked.hint}" + (" w waives it." if checked.waivable else ""))
        lines.append((_mark(checked, look), text))
    lines += [
        (_mark(checked, look), Content(f"{checked.id}: {checked.evidence}"))
        for checked in checks
        if checked.verdict in (Verdict.WARN, Verdict.UNKNOWN) and not checked.blocks
    ]
    return lines


def checks_list(scene: Scene, look: Look, width: int) -> Content:
    """Group by group, each with its evidence, its age and how to mend it."""
    checks = checks_of(scene)
    if not checks:
        return Content("Neither server has been read yet.")
    wide = max(len(checked.id) for checked in checks)
    parts = [checks_line(checks, look)]
    for group in Group:
        parts += [Content(""), Content.styled(group, "bold")]
        parts += [_entry(checked, look, wide, width) for checked in checks if checked.group is group]
    return Content("\n").join(parts)


def _entry(checked: Checked, look: Look, wide: int, width: int) -> Content:
    old = checked.age is not None and checked.age >= OLD_SECONDS
    says = Content(checked.evidence + (f" ({checked.age:.0f} s ago)" if old else ""))
    if checked.hint:
        says += Content.styled(f"\n{checked.hint}", "$quiet")
    word = "n/a" if checked.verdict is Verdict.NOT_APPLICABLE else checked.verdict.value
    label = _mark(checked, look) + Content.styled(f"{word:8}", _STYLES[checked.verdict])
    return hanging(label + Content(checked.id.ljust(wide + 1)), says, width, label.cell_length + wide + 1)


def _mark(checked: Checked, look: Look) -> Content:
    return Content.styled(f"{_sign(checked.verdict, look)} ", _STYLES[checked.verdict])


def _sign(verdict: Verdict, look: Look) -> str:
    glyphs = look.glyphs
    return {
        Verdict.OK: glyphs.done,
        Verdict.WARN: glyphs.waived,
        Verdict.BLOCK: glyphs.bad,
        Verdict.UNKNOWN: glyphs.unknown,
        Verdict.NOT_APPLICABLE: glyphs.later,
    }[verdict]
