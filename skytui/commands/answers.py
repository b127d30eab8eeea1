"""What a headless run was told in advance: which confirmations, typed phrases and waivers.

`--yes` answers plain confirmations only. What was not said is never assumed.
"""

from collections.abc import Sequence

import msgspec

from skytui.errors import UsageError
from skytui.pair.pair import PairReading
from skytui.runbook.checks import BY_ID
from skytui.runbook.model import Run
from skytui.runbook.rows import rows
from skytui.runbook.steps import STEPS, Phase, Step

CHECK = "preflight/"
"""What `--waive` puts before the id of a check: a check is waived alone, not the step."""


class Answers(msgspec.Struct, frozen=True):
    """`confirm` are typed phrases by step, `waive` reasons by step; `practice` fills in hosts' names.

    `decide` are decisions, by `STEP/ROW` for one row of a step's list, by `STEP` for all the rest of it.
    `accept_loss`: the loss of an unplanned swap is accepted. `attest` is a statement in its own words.
    `postpone` is why the conversion is left for later.
    """

    yes: bool = False
    confirm: dict[str, str] = {}
    waive: dict[str, str] = {}
    practice: bool = False
    decide: dict[str, str] = {}
    accept_loss: bool = False
    attest: str = ""
    postpone: str = ""

    def waives(self, check: str) -> str:
        """The reason for which a check is waived; empty when it is not."""
        return self.waive.get(f"{CHECK}{check}", "")

    def decisions(self, run: Run, reading: PairReading | None) -> dict[str, str]:
        """What was said in advance about the rows of the current step's list that are not decided yet."""
        step = run.step.id if run.step else ""
        found: dict[str, str] = {}
        for row in rows(run, reading):
            said = self.decide.get(f"{step}/{row.id}", self.decide.get(step, "") if row.open else "")
            if said in row.choices and row.decision is None:
                found[row.id] = said
        return found

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
    decide: Sequence[str] = (),
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
        decide=_decisions(decide),
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


def _decisions(given: Sequence[str]) -> dict[str, str]:
    decisions: dict[str, str] = {}
    for text in given:
        what, separator, decision = text.rpartition("=")
        name = what.partition("/")[0]
        if not separator or not what:
            raise UsageError(f"--decide {text}: write --decide STEP=DECISION or --decide STEP/ROW=DECISION.")
        able = STEPS[name].decisions if name in STEPS else ()
        if not able:
            lists = ", ".join(step for step, known in STEPS.items() if known.decisions)
            raise UsageError(f"--decide {text}: {name} has no list to decide on.", hint=f"Only: {lists}.")
        if decision not in able:
            raise UsageError(f"--decide {text}: {name} takes {', '.join(able)}.")
        decisions[what] = decision
    return decisions


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
