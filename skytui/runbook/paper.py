"""The remaining steps as Markdown: what an operator goes on by when skytui itself is gone.

Printed by `skytui plan`, and whenever a run stops half-way.
"""

from collections.abc import Mapping

from skytui.runbook.gates import AFTER, BEFORE, Gate
from skytui.runbook.history import UsualTime, seconds_words, usual_words
from skytui.runbook.model import Run
from skytui.runbook.steps import Step


def remaining_steps(
    run: Run, previews: Mapping[str, str], usual: Mapping[str, UsualTime] | None = None
) -> str:
    """What is still to be done in `run`: each step with its command, its host and its gate.

    `previews` says, by step, what the action would run where; `usual` how long it took in earlier runs.
    """
    done = {record.step for record in run.records}
    left = [step for step in run.steps if step.id not in done]
    lines = [
        f"# {run.kind.capitalize()} swap of {run.pair}: {run.old} hands over to {run.new}",
        "",
        f"Run {run.id}, {len(done)} of {len(run.plan)} steps done. {_where(run)}",
        "",
    ]
    if run.unverified:
        lines += [f"**Not verified over HTTPS, by configuration: {' and '.join(run.unverified)}.**", ""]
    phase = None
    for step in left:
        if step.phase is not phase:
            phase = step.phase
            lines += [f"## {phase.value}", ""]
        lines += _step(run, step, previews.get(step.id, ""), usual.get(step.id) if usual else None)
    if not left:
        lines += ["Nothing is left to do.", ""]
    if run.ledger:
        lines += ["## Still owed", ""]
        lines += [
            f"- {debt.what} on {debt.server}: {', '.join(debt.names) or 'undo it'}" for debt in run.ledger
        ]
        lines.append("")
    return "\n".join(lines)


def _where(run: Run) -> str:
    if run.no_way_back:
        return "**The point of no return is behind this run: finish it, then swap back.**"
    return "The point of no return is the start of `promote`; before it, everything can be taken back."


def _step(run: Run, step: Step, preview: str, usual: UsualTime | None) -> list[str]:
    lines = [f"### {run.number(step.id)}. {step.title} (`{step.id}`)", ""]
    if step.no_way_back:
        lines += ["**There is no way back after this step.**", ""]
    lines += [f"{step.why} {run.instructions.get(step.id, step.does)}", ""]
    if step.action is not None:
        lines += [f"On {run.name_of(step.side)}:", "", f"    {preview or step.action.value}", ""]
        lines += ["Before it, make sure that:", "", *_sentences(BEFORE[step.id]), ""]
    lines += ["It is done when:", "", *_sentences(AFTER[step.id]), ""]
    took = f"usually {usual_words(usual)}" if usual else "no usual time is known"
    lines += [f"How long: {took}; overdue after {seconds_words(run.deadline(step))}.", ""]
    return lines


def _sentences(gate: Gate) -> list[str]:
    return [f"- {(proof.__doc__ or proof.__name__).strip()}" for proof in gate]
