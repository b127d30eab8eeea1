"""This jump host: earlier runs, the calendar, the conductor's life, folder and terminal."""

from datetime import datetime

from skytui.runbook.checks.check import Check, Group, NotApplicable, Said, Verdict, View

ROOM, TIGHT = 256 * 2**10, 50 * 2**20
"""Bytes free below which a run cannot be journalled for certain, and below which it is tight."""
COLUMNS, ROWS = 80, 24
"""The smallest terminal the console works in."""


def ledger(view: View) -> Said:
    """No earlier run still owes anything."""
    past = view.take("what earlier runs owe", view.reading.facts.past, slow=True)
    left = [*past.owed, *(f"run {run} cannot be read" for run in past.unreadable)]
    if past.open_run and past.open_run != view.own_run:
        left.append(f"run {past.open_run} is open")
    return (Verdict.BLOCK, "; ".join(left)) if left else (Verdict.OK, "no earlier run owes anything")


def cadence(view: View) -> Said:
    """The swap is not overdue."""
    past = view.take("when the last swap was", view.reading.facts.past, slow=True)
    calendar = view.take("when the next swap is due", view.reading.facts.calendar, slow=True)
    last = f"last swap {past.last_swap:%Y-%m-%d %H:%M} UTC" if past.last_swap else "no swap from here yet"
    if not calendar.every:
        raise NotApplicable(f"{last}; no cadence is configured (`every`)")
    if calendar.due is None:
        raise NotApplicable(f"{last}; due every {calendar.every} days")
    says = f"{last}, next due {calendar.due:%Y-%m-%d %H:%M} UTC"
    late = (view.reading.wall - calendar.due).total_seconds() / 86400
    return (Verdict.WARN, f"{says}: {late:.0f} days ago") if late > 1 else (Verdict.OK, says)


def quiet(view: View) -> Said:
    """It is the quiet window."""
    calendar = view.take("the quiet window", view.reading.facts.calendar, slow=True)
    if not calendar.quiet or calendar.opens is None or calendar.closes is None:
        raise NotApplicable("no quiet window is configured (`quiet`)")
    if calendar.opens <= view.reading.wall < calendar.closes:
        return Verdict.OK, f"open until {_time(calendar.closes)} ({calendar.quiet})"
    return Verdict.WARN, f"the next one opens {_time(calendar.opens)} ({calendar.quiet})"


def logout(view: View) -> Said:
    """The conductor outlives the session of its user."""
    found = view.take("what happens at logout", view.reading.facts.logout, slow=True)
    if not found.kills:
        return Verdict.OK, f"processes of {found.user} outlive the session"
    if found.lingers:
        return Verdict.OK, f"{found.user} lingers: processes outlive the session"
    return Verdict.WARN, f"logind ends the processes of {found.user} at logout, the conductor with them"


def folder(view: View) -> Said:
    """Runs can be kept."""
    found = view.take("the state folder", view.reading.facts.folder, slow=True)
    says = f"{found.path}, {found.free / 2**20:.0f} MB free"
    if found.trouble:
        return Verdict.BLOCK, f"{found.path}: {found.trouble}"
    if found.free < ROOM:
        return Verdict.BLOCK, f"{says}: too little to keep a run"
    return Verdict.OK if found.free >= TIGHT else Verdict.WARN, says


def terminal(view: View) -> Said:
    """The console can be used in this terminal."""
    fact = view.reading.facts.terminal
    if fact is None:
        raise NotApplicable("the conductor has no terminal, and needs none")
    found = view.take("the terminal", fact, slow=True)
    size = f"{found.kind or 'a terminal'}, {found.columns} columns and {found.rows} rows"
    if found.kind in ("", "dumb"):
        return Verdict.WARN, "this terminal cannot be drawn on (TERM is dumb or not set)"
    if found.columns < COLUMNS or found.rows < ROWS:
        return Verdict.WARN, f"{size}: the console needs {COLUMNS} and {ROWS}"
    if not found.utf8:
        return Verdict.WARN, f"{size}, without UTF-8: use --ascii"
    return Verdict.OK, size


def _time(moment: datetime) -> str:
    return f"{moment:%a %Y-%m-%d %H:%M} UTC"


CHECKS: tuple[Check, ...] = (
    Check(
        id="open-ledger",
        group=Group.RUNS,
        title="Nothing is owed",
        proves="No earlier run from here is open, or ended with something still suppressed.",
        hint="Go on with that run, or see what it owes (skytui runs) and put it right by hand.",
        look=ledger,
        waivable=True,
    ),
    Check(
        id="cadence",
        group=Group.RUNS,
        title="Last swap, next due",
        proves="The pair is swapped as often as configured.",
        hint="Nothing to mend: this swap ends it.",
        look=cadence,
        blocks=False,
    ),
    Check(
        id="quiet-window",
        group=Group.RUNS,
        title="Quiet window",
        proves="It is a time at which a swap disturbs nobody.",
        hint="Wait for the window, or know why not.",
        look=quiet,
        blocks=False,
    ),
    Check(
        id="state-folder",
        group=Group.CONSOLE,
        title="Runs can be kept",
        proves="The folder that keeps journals can be written in, and has room.",
        hint="Make room on that disk, or mend the folder's owner and mode.",
        look=folder,
    ),
    Check(
        id="linger",
        group=Group.CONSOLE,
        title="The conductor outlives the session",
        proves="Logging out does not end the conductor, and with it the watch over a run.",
        hint="Let the user linger: sudo loginctl enable-linger USER.",
        look=logout,
        blocks=False,
    ),
    Check(
        id="terminal",
        group=Group.CONSOLE,
        title="The terminal is usable",
        proves="The console can be drawn in this terminal.",
        hint="Use a terminal of at least 80 columns and 24 rows, with TERM set.",
        look=terminal,
        blocks=False,
    ),
)
