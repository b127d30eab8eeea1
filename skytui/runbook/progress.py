"""How far a command that is under way has got, by what it says; and that it has stopped getting on. Pure.

What counts as getting on: a line that says how far it is and differs from the one before that did. A command
that never says how far it is gets on with every line that differs from the one before.
"""

from datetime import datetime

import msgspec

from skytui.runbook.history import seconds_words


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """A command under way. `moved` is when it got on last, `heard` when it last said anything.

    `percent` is how far it says it is, None while it has not said; `line` the one it was taken from.
    `paced_from` and `paced_at` are where and when its pace begins to be measured: anew after it fell back,
    as each part of a conversion counts from 0.
    """

    token: str
    step: str
    server: str
    began: datetime
    moved: datetime
    heard: datetime
    percent: float | None = None
    line: str = ""
    paced_from: float = 0.0
    paced_at: datetime | None = None

    def unmoved(self, now: datetime) -> float:
        """For how many seconds it has not got on."""
        return max(0.0, (now - self.moved).total_seconds())

    def left(self, now: datetime) -> float | None:
        """How many seconds are left at its pace until now; None where there is no pace to go by."""
        if self.percent is None or self.paced_at is None or self.percent >= 100:
            return None
        gone, passed = self.percent - self.paced_from, (self.moved - self.paced_at).total_seconds()
        if gone <= 0 or passed <= 0:
            return None
        return max(0.0, (100 - self.percent) * passed / gone - self.unmoved(now))


def begun(token: str, step: str, server: str, wall: datetime) -> Progress:
    """A command that has just been started."""
    return Progress(token=token, step=step, server=server, began=wall, moved=wall, heard=wall)


def heard(before: Progress, line: str, percent: float | None, wall: datetime) -> Progress:
    """After one more line of it, which says that it is at `percent`, or nothing of that."""
    if percent is None:
        said = before if before.percent is not None else _moved(before, line, wall)
        return msgspec.structs.replace(said, heard=wall)
    if before.percent is None or percent < before.percent:
        new_pace = msgspec.structs.replace(before, paced_from=percent, paced_at=wall)
        return msgspec.structs.replace(_moved(new_pace, line, wall, always=True), percent=percent, heard=wall)
    return msgspec.structs.replace(_moved(before, line, wall), percent=percent, heard=wall)


def _moved(before: Progress, line: str, wall: datetime, *, always: bool = False) -> Progress:
    if line == before.line and not always:
        return before
    return msgspec.structs.replace(before, moved=wall, line=line)


def progress_words(progress: Progress, now: datetime, stall_seconds: float) -> str:
    """How far it is, since when, and what is left, as `37 %, for 12 s; about 4 min left`."""
    still = progress.unmoved(now)
    if still >= stall_seconds:
        return stall_words(progress, now)
    if progress.percent is None:
        silent = max(0.0, (now - progress.heard).total_seconds())
        return f"it does not say how far it is; its last word came {seconds_words(silent)} ago"
    left = progress.left(now)
    left_words = f"; about {_roughly(left)} left" if left is not None else ""
    return f"{progress.percent:.0f} %, for {seconds_words(still)}{left_words}"


def stall_words(progress: Progress, now: datetime) -> str:
    """That it does not get on, and where it stands."""
    at = f" at {progress.percent:.0f} %" if progress.percent is not None else ""
    return f"no progress for {seconds_words(progress.unmoved(now))}{at}; it is left to run"


def _roughly(seconds: float) -> str:
    return seconds_words(seconds) if seconds < 90 else f"{seconds / 60:.0f} min"
