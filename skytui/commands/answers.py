"""What a headless run was told in advance: which confirmations, typed phrases and waivers.

`--yes` answers plain confirmations only. What was not said is never assumed.
"""

from collections.abc import Sequence

import msgspec

from skytui.errors import UsageError
from skytui.runbook.checks import BY_ID
from skytui.runbook.model import Run
from skytui.runbook.steps import STEPS, Phase, Step

CHECK = "preflight/"
"""What `--waive` puts before the id of a check: a check is waived alone, not the step."""


class Answers(msgspec.Struct, frozen=True):
    """`confirm` are typed phrases by step, `waive` reasons by step; `practice` fills in hosts' names.

    `accept_loss`: the loss of an unplanned swap is accepted. `attest` is a statement in its own words.
    `postpone` is why the conversion is left for later.
    """

    yes: bool = False
    confirm: dict[str, str] = {}
    waive: dict[str, str] = {}
    practice: bool = False
    accept_loss: bool = False
    attest: str = ""
    postpone: str = ""

    def waives(self, check: str) -> str:
        """The reason for which a check is waived; empty when it is not."""
        return self.waive.get(f"{CHECK}{check}", "")

    def phrase(self, run: Run, step: Step) -> str | None:
        """What confirms `step`, or None when that was not said."""
        wanted = run.phrase(step)
        if step.words:
            return wanted if self.accept_loss else None
        if step.id in self.confirm:
            return self.confirm[step.id]
        if not wanted:
            return "" if self.yes else None
        return wanted if self.practice and self.yes else None

    def missing(self, run: Run) -> list[str]:
        """The options without which this run is bound to stop, in the order in which it would."""
        done = {record.step for record in run.records}
        options: list[str] = []
        for step in run.steps:
            if step.id in done:
                continue
            if step.phase is Phase.CONVERT and self.postpone:
                break
            if step.words:
                options += [] if self.accept_loss else ["--accept-loss"]
                continue
            wanted = run.phrase(step)
            given = self.phrase(run, step)
            if given is None and not wanted and "--yes" not in options:
                options.append("--yes")
            elif wanted and given != wanted:
                options.append(f"--confirm {step.id}={wanted}")
        return options


def parse_answers(
    *,
    yes: bool,
    confirm: Sequence[str],
    waive: Sequence[str],
    practice: bool = False,
    accept_loss: bool = False,
    attest: str = "",
    postpone: str = "",
) -> Answers:
    """The answers given on the command line.

    Raises UsageError for one that is not `STEP=TEXT`, names no step, or waives what cannot be waived.
    """
    answers = Answers(
        yes,
        _pairs("--confirm", confirm),
        _pairs("--waive", waive),
        practice,
        accept_loss=accept_loss,
        attest=attest.strip(),
        postpone=postpone.strip(),
    )
    for step in answers.waive:
        if step.startswith(CHECK):
            _check_check(step.removeprefix(CHECK))
        elif not STEPS[step].waivable:
            able = ", ".join(name for name, known in STEPS.items() if known.waivable)
            raise UsageError(
                f"--waive {step}: the procedure does not let it be waived.", hint=f"Only: {able}."
            )
    return answers


def _check_check(check: str) -> None:
    """Raises UsageError for a check that there is not, or that cannot be waived."""
    able = ", ".join(f"{CHECK}{name}" for name, known in BY_ID.items() if known.waivable)
    if check not in BY_ID:
        raise UsageError(f"--waive {CHECK}{check}: there is no such check.", hint=f"Waivable are: {able}.")
    if not BY_ID[check].waivable:
        raise UsageError(f"--waive {CHECK}{check}: this check cannot be waived.", hint=f"Only: {able}.")


def _pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given:
        step, separator, value = text.partition("=")
        if not separator or not value.strip():
            raise UsageError(f"{option} {text}: write {option} STEP=TEXT.")
        if step not in STEPS and not (option == "--waive" and step.startswith(CHECK)):
            raise UsageError(f"{option} {text}: there is no step {step}.", hint=f"Steps: {', '.join(STEPS)}.")
        pairs[step] = value
    return pairs
