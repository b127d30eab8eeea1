"""What the operator's keys do when the master is lost: `u`, `i` and `p`."""

from collections.abc import Callable

from skytui.runbook.assess import assessment
from skytui.runbook.model import Run
from skytui.runbook.statements import why_no_statement
from skytui.runbook.steps import Kind
from skytui.runbook.turning import why_no_turn, why_not_later
from skytui.tui.arming import KeyTimes
from skytui.tui.floor import Floor
from skytui.tui.glyphs import Look
from skytui.tui.passing import left_behind, not_yours_now
from skytui.tui.screens.confirm import ConfirmDialog, StartDialog
from skytui.tui.screens.reason import ReasonDialog
from skytui.tui.session import Session
from skytui.tui.view.lost import offers_later, offers_statement, offers_turn, unplanned_sides

KEYS = ("unplanned", "state", "later")
"""The actions that are asked for here."""


class LostMaster:
    """A part of the operator's desk. `report` says why a request was refused."""

    def __init__(
        self, floor: Floor, session: Session, look: Look, times: KeyTimes, report: Callable[[str], None]
    ) -> None:
        self._floor = floor
        self._session = session
        self._look = look
        self._times = times
        self._report = report

    def offers(self, action: str) -> bool:
        """Whether the key is offered in this moment."""
        scene = self._floor.scene
        match action:
            case "unplanned":
                return unplanned_sides(scene) is not None or (scene.operates and offers_turn(scene))
            case "state":
                return scene.operates and offers_statement(scene)
            case _:
                return scene.operates and offers_later(scene)

    def why_not(self, action: str, run: Run) -> str:
        """Why the key does nothing now in an open run; empty when it does."""
        match action:
            case "unplanned":
                return why_no_turn(run)
            case "state":
                return why_no_statement(run)
            case _:
                return why_not_later(run)

    def unplanned(self) -> None:
        """Start an unplanned swap, or make one of the planned run that is open."""
        scene = self._floor.scene
        run = scene.run
        sides = unplanned_sides(scene)
        if sides is not None:
            dialog = StartDialog(self._times, kind=Kind.UNPLANNED, old=sides.old, new=sides.new)
            start = lambda _: self._floor.send(self._session.open_run(Kind.UNPLANNED), self._report)  # noqa: E731
            self._floor.ask(dialog, start)
        elif run is not None and scene.reading is not None and not why_no_turn(run):
            known = " ".join(assessment(run, scene.reading))
            text = f"Its steps up to here, baseline and what is owed are kept; it goes on at assess. {known}"
            asked = ReasonDialog(self._times, self._look, title=f"Is {run.old} lost?", text=text)
            asked.passed_by = not_yours_now(run)
            self._floor.ask(
                asked, lambda reason: self._floor.send(self._session.turn(run.id, reason), self._report)
            )

    def state(self) -> None:
        """Ask for the statement, word for word."""
        run = self._floor.scene.run
        step = run.step if run else None
        if run is None or step is None or why_no_statement(run):
            return
        does = (
            f"Your word stands for the proof that {run.old} is down, and for nothing else. If it still runs,"
            " there will be two masters, and jobs run twice. The run is not called clean, and the guard stays"
            f" owed on {run.old}."
        )
        dialog = ConfirmDialog(
            self._times,
            title=f"State that {run.old} is powered off?",
            does=does,
            runs="",
            phrase=run.statement_words,
            last=False,
        )
        dialog.passed_by = left_behind(run, step)
        self._floor.ask(
            dialog,
            lambda words: self._floor.send(self._session.state(run.id, step.id, words), self._report),
        )

    def later(self) -> None:
        """Ask for the reason, and leave the conversion for a run of its own."""
        run = self._floor.scene.run
        step = run.step if run else None
        if run is None or step is None or why_not_later(run):
            return
        text = (
            f"This run ends, and is not called clean: {run.new} has no standby until {run.old} is converted."
            f" {run.old} must not be started meanwhile: it would be a second master. Later, "
            f"{self._look.keys.word('start')} starts the conversion (skytui swap {run.pair} --convert)."
        )
        dialog = ReasonDialog(self._times, self._look, title="Leave the conversion for later?", text=text)
        dialog.passed_by = left_behind(run, step)
        self._floor.ask(
            dialog, lambda reason: self._floor.send(self._session.postpone(run.id, reason), self._report)
        )
