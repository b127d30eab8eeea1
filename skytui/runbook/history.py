"""What earlier runs of a pair say: how long each step usually takes, and when the last swap was. Pure."""

import statistics
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from skytui.runbook.events import Recorded
from skytui.runbook.model import Ended, Ending, Run
from skytui.runbook.spans import spans_of
from skytui.runbook.spent import spent_by_step

RECENT = 20
"""How many of the latest runs of a kind make the usual times: what was slow years ago says nothing now."""


class UsualTime(msgspec.Struct, frozen=True):
    """How long something took in `runs` earlier runs, in seconds: the median, and what 9 in 10 kept to."""

    median: float
    p90: float
    runs: int


class PastRun(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier run that ended with a swap.

    `steps` are the machine's seconds from the first confirmation on, by step, without those that were waived;
    `spans` the seconds of the run's larger measures, by their ids.
    """

    id: str
    kind: str
    old: str
    new: str
    ended: datetime
    clean: bool
    steps: dict[str, float] = {}
    spans: dict[str, float] = {}


Usual = dict[str, UsualTime]
"""By step, or by measure."""


def past_run(run: Run, events: Sequence[Recorded]) -> PastRun | None:
    """What a run adds to the history; None for one that is open, or ended otherwise than with a swap."""
    if not isinstance(run.stage, Ended) or run.stage.ending is Ending.ROLLED_BACK:
        return None
    waived = {waiver.step for waiver in run.waivers}
    return PastRun(
        id=run.id,
        kind=run.kind,
        old=run.old,
        new=run.new,
        ended=run.stage_wall,
        clean=run.stage.ending is Ending.DONE,
        steps={step: spent.machine for step, spent in spent_by_step(events).items() if step not in waived},
        spans={
            span.id: span.seconds for span in spans_of(run, events) if span.seconds is not None and span.until
        },
    )


def usual_steps(past: Iterable[PastRun], kind: str) -> Usual:
    """The usual time of each step in a run of this kind."""
    return _usual([run.steps for run in _latest(past, kind)])


def usual_spans(past: Iterable[PastRun], kind: str) -> Usual:
    """The usual time of each measure of a run of this kind."""
    return _usual([run.spans for run in _latest(past, kind)])


def usual_words(usual: UsualTime | None) -> str:
    """The usual time as a card says it; that there is none, where nothing was done before."""
    if usual is None:
        return "not known: no earlier run got past it"
    runs = "1 run" if usual.runs == 1 else f"{usual.runs} runs"
    if usual.runs == 1:
        return f"{seconds_words(usual.median)} (of {runs})"
    return f"{seconds_words(usual.median)} (p90 {seconds_words(usual.p90)}, of {runs})"


def seconds_words(seconds: float) -> str:
    """A duration in words, as `9 s`, `4 min 10 s` or `1 h 05 min`."""
    whole = round(seconds)
    if whole < 120:
        return f"{seconds:.1f} s" if 0 < seconds < 1 else f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min"


def _latest(past: Iterable[PastRun], kind: str) -> list[PastRun]:
    return sorted((run for run in past if run.kind == kind), key=lambda run: run.ended)[-RECENT:]


def _usual(rows: Sequence[dict[str, float]]) -> Usual:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: _time([row[name] for row in rows if name in row]) for name in names}


def _time(seconds: Sequence[float]) -> UsualTime:
    if len(seconds) == 1:
        return UsualTime(seconds[0], seconds[0], 1)
    p90 = statistics.quantiles(seconds, n=10, method="inclusive")[-1]
    return UsualTime(statistics.median(seconds), p90, len(seconds))
