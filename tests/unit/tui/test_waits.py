"""What the card says of time, without a screen: usual times, progress, and what to do when it is late."""

from datetime import timedelta

import msgspec
import pytest

from skytui.link.wire import Past
from skytui.pair.vocabulary import Action
from skytui.runbook.cadence import Cadence, LastSwap
from skytui.runbook.history import UsualTime
from skytui.runbook.model import Running
from skytui.runbook.progress import begun, heard
from skytui.tui.glyphs import Look
from skytui.tui.scene import scene_of
from skytui.tui.view.card import step_card
from skytui.tui.view.summary import idle_card, summary_card
from tests.tui.scenarios import agents_missing, done, draining, failed, idle, no_way_back, shut_down, users_in
from tests.tui.scripted import ScriptedSession
from tests.tui.world import START

PAST = Past(usual={"planned": {"shut-down": UsualTime(9.0, 31.0, 5)}}, folder="/state/runs")
LOOK = Look()


def card(session: ScriptedSession, width: int = 110) -> str:
    scene = scene_of(session.shown, session.clock)
    assert scene.run is not None
    assert scene.run.step is not None
    return step_card(scene, scene.run, scene.run.step, LOOK, width).body.plain


def converting(*said: tuple[float, str]) -> ScriptedSession:
    """The conversion is under way and has said this, each so many seconds after the last."""
    session = no_way_back()
    session.walk("convert")
    session.world.hanging.add(Action.CONVERT)
    session.accept()
    session.poll(2)
    run = session.shown.run
    assert run is not None
    assert isinstance(run.stage, Running)
    progress = begun(run.stage.token, "convert", "sky-a", session.clock.now())
    for after, line in said:
        session.clock.advance(after)
        progress = heard(progress, line, float(line.partition("%")[0]), session.clock.now())
    session.show(progress=progress)
    return session


def test_the_usual_time_stands_on_the_card() -> None:
    session = shut_down()
    session.show(past=PAST)
    assert "Usual 9 s (p90 31 s, of 5 runs)" in card(session)


@pytest.mark.parametrize(
    ("past", "words"),
    [
        (None, "still being read"),
        (Past(), "this is the first run of its kind"),
        (Past(usual={"planned": {"promote": UsualTime(1.0, 1.0, 1)}}), "no earlier run got past it"),
    ],
)
def test_where_there_is_none_the_card_says_why(past: Past | None, words: str) -> None:
    session = shut_down()
    session.show(past=past)
    assert words in card(session)


def test_a_wait_says_its_deadline_and_then_what_can_be_done() -> None:
    session = draining()
    run = session.shown.run
    assert run is not None
    until = LOOK.clock(run.stage_wall + timedelta(seconds=3600))
    assert f"overdue from {until} on" in card(session)
    session.clock.advance(3700)
    session.poll()
    text = " ".join(card(session).split())
    assert "overdue by 2:" in text
    for choice in ("wait on", "looked at again", "d decides", "a takes the run back", "q leaves"):
        assert choice in text
    assert "w waives it" not in text
    session = users_in()
    session.clock.advance(3700)
    session.poll()
    assert "w waives it, for a reason" in " ".join(card(session).split())


def test_only_what_counts_there_is_offered() -> None:
    session = agents_missing()
    session.clock.advance(7200)
    session.poll()
    assert "a takes the run back" not in card(session)
    assert "last seen 2" in card(session)
    assert "h ago" in card(session)


def test_how_far_the_conversion_is_stands_on_the_card() -> None:
    session = converting((1, "0%"), (74, "37%"))
    session.clock.advance(12)
    assert "37 %, for 12 s; about 2 min left" in card(session)


def test_a_stall_is_said() -> None:
    session = converting((1, "0%"), (10, "37%"))
    session.clock.advance(46)
    assert "no progress for 46 s at 37 %" in card(session)
    # The run's own limit counts, as it was when the run began.
    run = session.shown.run
    assert run is not None
    patient = msgspec.structs.replace(run.thresholds, stall_seconds=300.0)
    session.show(run=msgspec.structs.replace(run, thresholds=patient))
    assert "37 %, for 46 s" in card(session)


def test_the_progress_of_another_action_is_not_shown() -> None:
    session = converting((1, "0%"), (10, "37%"))
    session.show(progress=begun("another", "convert", "sky-a", START))
    assert "%" not in card(session)


def test_what_failed_has_no_usual_time() -> None:
    assert "Usual" not in card(failed())


def test_before_a_run_the_card_says_when_the_last_swap_was_and_when_the_next_is_due() -> None:
    session = idle()
    scene = scene_of(session.shown, session.clock)
    assert "No swap by skytui is recorded here" in idle_card(scene, LOOK, 100).body.plain
    last = LastSwap("r7", START - timedelta(days=70), "sky-a", True)
    session.show(past=Past(cadence=Cadence(last, 60, START - timedelta(days=10))))
    text = idle_card(scene_of(session.shown, session.clock), LOOK, 100).body.plain
    assert "70 days ago (run r7; sky-a became the master)" in text
    assert "Next swap OVERDUE" in text


def test_after_a_run_the_card_says_where_its_report_lies() -> None:
    session = done()
    session.show(past=PAST)
    scene = scene_of(session.shown, session.clock)
    assert scene.run is not None
    text = " ".join(summary_card(scene, scene.run, LOOK, 110).body.plain.split())
    assert f"/state/runs/{scene.run.id}/report.html; skytui report practice {scene.run.id} prints it" in text
