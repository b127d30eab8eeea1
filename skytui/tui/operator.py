"""What the operator's keys do: which of them count now, why not, and what they ask the session for.

Works on a `Floor`, which the console is; so it can be tested without one.
"""

from skytui.runbook.hooks import failed, failed_words
from skytui.runbook.model import Checking, Doubtful, Failed, Run, Waiting
from skytui.runbook.prospect import Turn
from skytui.runbook.rows import rows
from skytui.runbook.steps import STEPS
from skytui.runbook.undo import plan_of_abort, why_no_abort
from skytui.tui.arming import Armed, KeyTimes
from skytui.tui.floor import Floor
from skytui.tui.glyphs import Look
from skytui.tui.lost_master import KEYS, LostMaster
from skytui.tui.passing import ended, left_behind, no_way_back_now, not_yours_now, taken_by_another
from skytui.tui.scene import Scene
from skytui.tui.screens.checks import ChecksDialog
from skytui.tui.screens.confirm import ConfirmDialog, StartDialog
from skytui.tui.screens.decide import DecideDialog
from skytui.tui.screens.handover import HandOverDialog
from skytui.tui.screens.help import HelpDialog
from skytui.tui.screens.leave import LeaveDialog
from skytui.tui.screens.reason import ReasonDialog
from skytui.tui.screens.secret import SecretDialog
from skytui.tui.session import Session
from skytui.tui.standing import Standing
from skytui.tui.view.act import may_release
from skytui.tui.view.checks import waivable_blockers
from skytui.tui.view.notes import back_words
from skytui.tui.view.people import (
    list_of_people,
    names,
    only_watches,
    others_here,
    taking_words,
    why_not_yours,
)
from skytui.tui.view.summary import startable, why_no_start

DESK = ("confirm", "start", "abort", "waive", "decide", "hold", "take", "hand_over", "secret", *KEYS)
"""The actions that ask the session for something."""
TOO_EARLY = "A key typed before its card could be read does not count. Nothing was done; press it again."


class Operator:
    """The operator's desk."""

    def __init__(self, floor: Floor, session: Session, look: Look, times: KeyTimes, *, drill: bool) -> None:
        self._floor = floor
        self._session = session
        self._look = look
        self._times = times
        self._drill = drill
        self._sent: object = None
        self.lost = LostMaster(floor, session, look, times, self._report)

    @property
    def watches(self) -> bool:
        """Whether nothing can be asked for from here."""
        return self._floor.scene.standing is Standing.WATCHER

    def allows(self, action: str) -> bool | None:
        """Whether a key does something now: True; None greys it, False hides it."""
        if action not in DESK:
            return True
        scene = self._floor.scene
        run = scene.run
        open_run = run is not None and not run.over
        match action:
            case "start":
                here = not open_run
            case "take":
                here = open_run and not scene.operates
            case "decide":
                listed = run is not None and run.step is not None and bool(run.step.decisions)
                here = open_run and listed
            case "unplanned" | "state" | "later":
                here = self.lost.offers(action)
            case "hand_over" | "abort":
                here = open_run and scene.operates
            case "secret":
                here = bool(scene.shown.secrets_wanted) and scene.operates
            case _:
                here = open_run
        if self.watches or not here:
            return False
        return None if self.why_not(action) else True

    def why_not(self, action: str) -> str:
        """Why a key does nothing now, as a sentence; empty when it does."""
        scene = self._floor.scene
        run = scene.run
        if action in DESK and self.watches:
            return only_watches(scene.shown.pair)
        if action in DESK and scene.shown.lost:
            return f"Not connected: {scene.shown.lost}"
        if action == "start":
            return "" if scene.shown.asked else _sentence(why_no_start(scene))
        if run is None or run.over:
            return ""
        if action in KEYS and self.lost.offers(action):
            return self._not_yours(scene) or _sentence(self.lost.why_not(action, run))
        if action in ("confirm", "waive", "decide", "abort") and (why := self._not_yours(scene)):
            return why
        if action == "confirm":
            return _why_not_confirm(scene)
        if action == "waive":
            return _why_not_waive(scene, run)
        if action == "decide":
            return "" if rows(run, scene.reading) else "Nothing is listed that could be decided."
        if action == "abort":
            return _sentence(why_no_abort(run))
        if action == "hold" and run.hold and not may_release(scene, run):
            return f"{run.hold.who} holds the run and {run.operator} operates it; only they let it go on."
        return ""

    def refuse(self, sentence: str) -> None:
        """Say why a key did nothing."""
        self._floor.say(sentence, bad=True)

    async def confirm(self, armed: Armed, *, in_sight: bool) -> None:
        """Go on with the step whose card was on the screen when the key was read."""
        scene = self._floor.scene
        run, step = scene.run, scene.run.step if scene.run else None
        if run is None or step is None:
            return
        if why := self._not_yours(scene):
            self.refuse(why)
        elif not in_sight:
            self.refuse("The step card is not in sight: nothing was done.")
        elif not armed.admits(self._floor.key_read):
            self.refuse(TOO_EARLY)
        elif armed.card == self._sent:
            self.refuse(f"{step.id} is confirmed already.")
        elif _never_given(scene) or (scene.shown.hosts_ask and _why_stuck(scene)):
            self.ask_secret()
        elif run.phrase(step):
            self._ask_phrase(armed.card)
        else:
            self._send_confirmation(run.id, step.id, "", armed.card)

    async def start(self) -> None:
        """Ask whether the planned swap, or a conversion that was left for later, is to be started."""
        scene = self._floor.scene
        if scene.shown.secrets_wanted or (scene.shown.hosts_ask and why_no_start(scene)):
            self.ask_secret()
            return
        if (found := startable(scene)) is not None:
            kind, old, new = found
            dialog = StartDialog(self._times, kind=kind, old=old, new=new)
            self._floor.ask(
                dialog,
                lambda given: self._floor.send(
                    self._session.open_run(kind, given.why, given.ticket), self._report
                ),
            )

    async def waive(self) -> None:
        """Ask for the reason, and let the gate of the current step pass unproven."""
        run = self._floor.scene.run
        step = run.step if run else None
        if run is None or step is None:
            return
        if why := self._not_yours(self._floor.scene):
            self.refuse(why)
            return
        hook = failed(run)
        on_checks = step.id == "preflight" and not hook
        check = next(waivable_blockers(self._floor.scene), None) if on_checks else None
        passes = "The step passes without this proof, and the run is not called clean:"
        goes_on = "The run goes on without it, and is not called clean. The step still has its own gate."
        what = f"the hook {hook}" if hook else f"the check {check.id}" if check else step.id
        unproven = (check.says,) if check else self._floor.scene.prospect.gate.reasons
        dialog = ReasonDialog(
            self._times,
            self._look,
            title=f"Waive {what}?",
            text=goes_on if hook else passes,
            unproven=(failed_words(run),) if hook else unproven,
        )
        dialog.passed_by = left_behind(run, step)
        waive = self._session.waive
        self._floor.ask(
            dialog,
            lambda reason: self._floor.send(
                waive(run.id, step.id, reason, check.id if check else ""), self._report
            ),
        )

    def checks(self) -> None:
        """Show what every check finds."""
        self._floor.ask(ChecksDialog(self._times, self._look, self._floor), lambda _: None)

    def decide(self) -> None:
        """Show the step's list, and record what is decided about its rows."""
        scene = self._floor.scene
        run, step = scene.run, scene.run.step if scene.run else None
        listed = rows(run, scene.reading) if run else ()
        if run is None or step is None or not listed:
            return
        dialog = DecideDialog(self._times, self._look, title=f"Decide: {step.title}", rows=listed)
        dialog.passed_by = left_behind(run, step)
        self._floor.ask(
            dialog,
            lambda decisions: self._floor.send(
                self._session.decide(run.id, step.id, decisions), self._report
            ),
        )

    def abort(self) -> None:
        """Ask for the reason, saying what is undone, and take the run back."""
        run = self._floor.scene.run
        if run is None or why_no_abort(run):
            return
        steps = [STEPS[step] for step in plan_of_abort(run)]
        dialog = ReasonDialog(
            self._times, self._look, title="Take the run back?", text=back_words(run.old, steps)
        )
        dialog.passed_by = no_way_back_now(run)
        self._floor.ask(
            dialog, lambda reason: self._floor.send(self._session.abort(run.id, reason), self._report)
        )

    async def hold(self) -> None:
        """Ask for the reason and hold the run; or release it."""
        run = self._floor.scene.run
        if run is None:
            return
        if run.hold:
            self._floor.send(self._session.release(), self._report)
            return
        dialog = ReasonDialog(
            self._times,
            self._look,
            title="Hold the run?",
            text=f"It does not go past its next gate until {self._look.keys.word('hold')} releases it."
            " What is under way goes on.",
        )
        dialog.passed_by = ended(run)
        self._floor.ask(dialog, lambda reason: self._floor.send(self._session.hold(reason), self._report))

    def take(self) -> None:
        """Ask for the reason, and operate the run that somebody else operates."""
        scene = self._floor.scene
        run = scene.run
        if run is None or scene.operates:
            return
        dialog = ReasonDialog(
            self._times, self._look, title="Take the run over?", text=taking_words(scene, run, self._look)
        )
        dialog.passed_by = taken_by_another(scene, run)
        self._floor.ask(
            dialog, lambda reason: self._floor.send(self._session.take(run.id, reason), self._report)
        )

    def hand_over(self) -> None:
        """Ask for a user, and pass the run on."""
        scene = self._floor.scene
        run, you = scene.run, scene.shown.you
        if run is None or you is None:
            return
        others = (seat for seat in others_here(scene) if seat.who != you.who)
        dialog = HandOverDialog(self._times, you=you.who, here=names(others))
        dialog.passed_by = not_yours_now(run)
        self._floor.ask(
            dialog, lambda user: self._floor.send(self._session.hand_over(run.id, user), self._report)
        )

    def ask_secret(self) -> None:
        """Ask for the first secret that is wanted."""
        shown = self._floor.scene.shown
        wanted = shown.asked
        if wanted and self._floor.scene.operates:
            dialog = SecretDialog(
                self._times,
                name=wanted[0],
                give=self._session.give_secret,
                refused=shown.secrets_refused.get(wanted[0], ""),
            )
            self._floor.ask(dialog, lambda _: self._floor.say(f"{wanted[0]} was taken.", bad=False))

    def try_secrets(self) -> None:
        """Have what is wanted fetched from its file or command again; ask for what a person must give."""

        def tried(refused: str) -> None:
            if refused:
                self.refuse(f"Refused: {refused}")
            self.ask_secret()

        if self._floor.scene.shown.secrets_wanted and self._floor.scene.operates:
            self._floor.send(self._session.try_secrets(), tried)

    def help(self) -> None:
        """Show all keys."""
        people = list_of_people(self._floor.scene, self._look)
        self._floor.ask(HelpDialog(self._times, people, self._look.keys), lambda _: None)

    def leave(self) -> None:
        """Leave; in a drill, ask what becomes of the pair."""
        if not self._drill:
            self._floor.go(None)
            return
        run = self._floor.scene.run
        run_open = run is not None and not run.over
        self._floor.ask(LeaveDialog(self._times, run_open=run_open), self._floor.go)

    def _not_yours(self, scene: Scene) -> str:
        return why_not_yours(scene, self._look.keys.word("take"))

    def _ask_phrase(self, card: object) -> None:
        scene = self._floor.scene
        run, step = scene.run, scene.run.step if scene.run else None
        if run is None or step is None:
            return
        dialog = ConfirmDialog(
            self._times,
            title=step.title,
            does=run.instructions.get(step.id, step.does),
            late=scene.prospect.too_late if step.no_way_back else "",
            runs=scene.shown.previews.get(step.id, ""),
            phrase=run.phrase(step),
            last=step.no_way_back,
        )
        dialog.passed_by = left_behind(run, step)
        self._floor.ask(dialog, lambda phrase: self._send_confirmation(run.id, step.id, phrase, card))

    def _send_confirmation(self, run: str, step: str, phrase: str, card: object) -> None:
        self._sent = card

        def answered(refused: str) -> None:
            if refused:
                self._sent = None
            self._report(refused)

        self._floor.send(self._session.confirm(run, step, phrase), answered)

    def _report(self, refused: str) -> None:
        if refused:
            self.refuse(f"Refused: {refused}")


def _never_given(scene: Scene) -> bool:
    """Whether a secret is wanted that nobody has given yet.

    One that was refused in the middle of a run stops no step: not every step needs it.
    """
    return any(name not in scene.shown.secrets_refused for name in scene.shown.secrets_wanted)


def _why_not_confirm(scene: Scene) -> str:
    return "" if _never_given(scene) or scene.shown.hosts_ask else _why_stuck(scene)


def _why_stuck(scene: Scene) -> str:
    """Why the step cannot be confirmed, whatever is still asked; empty when it can."""
    prospect = scene.prospect
    if prospect.turn is Turn.OPERATOR:
        return ""
    reason = prospect.reasons[0] if prospect.reasons else "neither server has been read yet"
    if prospect.turn is Turn.BLOCKED:
        return _sentence(f"not yet: {reason}")
    return _sentence(f"nothing to confirm: {reason}")


def _why_not_waive(scene: Scene, run: Run) -> str:
    step = run.step
    if failed(run):
        return ""
    if step is not None and step.id == "preflight":
        if next(waivable_blockers(scene), None) is None:
            return "No check blocks that may be waived; c shows them all."
    elif step is None or not step.waivable:
        return f"The procedure does not let {step.id if step else 'this'} be waived."
    if isinstance(run.stage, Waiting | Checking | Failed):
        return ""
    if isinstance(run.stage, Doubtful):
        return "What may have been done, or not, cannot be waived before that is known."
    return "This step is under way; there is nothing to waive."


def _sentence(text: str) -> str:
    if not text:
        return ""
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."
