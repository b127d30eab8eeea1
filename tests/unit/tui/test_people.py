"""Who is here, and what this console is to the run, without a screen."""

import msgspec
import pytest

from skytui.link.wire import Present, Seat
from skytui.runbook.events import HandedOver, Marked, Resumed
from skytui.runbook.steps import PLANNED
from skytui.tui.glyphs import Look
from skytui.tui.scene import Scene, scene_of
from skytui.tui.standing import Standing, standing_of
from skytui.tui.view.act import Tone
from skytui.tui.view.card import step_card
from skytui.tui.view.people import handed_words, list_of_people, names, why_not_yours
from skytui.tui.view.server import server_view
from skytui.tui.view.summary import idle_card, summary_card
from skytui.tui.view.topline import topline_view
from tests.tui.scenarios import ANN, BOB, EVE, SCENARIOS, SECOND, idle, operated
from tests.tui.scripted import YOU, ScriptedSession

LOOK = Look()


def scene(session: ScriptedSession) -> Scene:
    return scene_of(session.shown, session.clock)


def top(session: ScriptedSession, width: int = 120) -> str:
    return topline_view(scene(session), LOOK, width).plain


def card(session: ScriptedSession) -> tuple[str, str, str, Tone]:
    now = scene(session)
    assert now.run is not None
    assert now.run.step is not None
    view = step_card(now, now.run, now.run.step, LOOK, 90)
    return view.body.plain, view.act.plain, view.place, view.tone


@pytest.mark.parametrize(
    ("operator", "run_operator", "expected"),
    [
        (YOU, "jo", Standing.OPERATOR),
        (None, "jo", Standing.OPERATOR),
        (SECOND, "jo", Standing.OBSERVER),
        (ANN, "ann", Standing.OBSERVER),
        (None, "ann", Standing.OBSERVER),
    ],
)
def test_what_a_console_is_to_an_open_run(
    operator: Seat | None, run_operator: str, expected: Standing
) -> None:
    shown = SCENARIOS["shut-down"]().shown
    assert shown.run is not None
    run = msgspec.structs.replace(shown.run, operator=run_operator)
    shown = msgspec.structs.replace(shown, run=run, present=Present(operator, (YOU, ANN, SECOND)))
    assert standing_of(shown) is expected


def test_without_an_open_run_whoever_may_ask_is_as_good_as_its_operator() -> None:
    session = operated(ANN, "")
    assert session.shown.run is not None
    assert session.shown.run.over
    assert standing_of(session.shown) is Standing.OPERATOR
    assert standing_of(idle().shown) is Standing.OPERATOR


def test_who_may_ask_for_nothing_is_a_watcher_whatever_its_user() -> None:
    assert standing_of(idle(EVE).shown) is Standing.WATCHER
    shown = SCENARIOS["shut-down"]().shown
    assert standing_of(msgspec.structs.replace(shown, may=())) is Standing.WATCHER


def test_alone_and_operating_nothing_is_said_of_people() -> None:
    assert "operate" not in top(SCENARIOS["shut-down"]())
    assert "watching" not in top(SCENARIOS["shut-down"]())
    assert "here" not in top(SCENARIOS["idle"]())


def test_the_first_line_names_the_operator_and_who_looks_on() -> None:
    assert "operated by ann  watching: bob, eve" in top(SCENARIOS["observer"]())
    assert "operated by ann  +2 watching" in top(SCENARIOS["observer"](), 80)
    assert "you operate  watching: bob, eve" in top(SCENARIOS["watched"]())
    assert "operated by your process 5321" in top(SCENARIOS["elsewhere"]())
    assert "ann operates, not connected" in top(SCENARIOS["vacant"](), 80)
    assert "also here: ann, eve" in top(SCENARIOS["company"]())


def test_who_is_here_twice_is_counted() -> None:
    assert names([ANN, msgspec.structs.replace(ANN, number=9), EVE]) == "ann (2), eve"


def test_the_first_line_gives_up_people_before_the_clocks_and_a_hold() -> None:
    session = SCENARIOS["watcher"]()
    session.hold_now("lunch", who="ann")
    session.clock.advance(36_000)
    session.poll()
    line = top(session, 80)
    assert "scheduler dark 10:00:2" in line
    assert "WATCHING" in line
    assert "HELD" in line


def test_an_operator_without_a_seat_who_is_here_is_connected() -> None:
    session = SCENARIOS["observer"]()
    assert not session.handed("bob", by="ann")
    assert "operated by bob  watching: ann, eve" in top(session)
    assert why_not_yours(scene(session)) == "bob operates this run; t takes it over, for a reason."
    assert card(session)[1].startswith(" · bob's turn: types sky-a")
    assert list_of_people(scene(session), LOOK)[:2] == (
        "bob operates the run",
        "jo (this console, process 4711, since 03:00:00)",
    )
    session.go(BOB)
    assert "bob operates, not connected" in top(session)


def test_two_consoles_of_the_operator_see_each_other_while_the_seat_is_free() -> None:
    session = SCENARIOS["elsewhere"]()
    session.sit(None)
    assert "you operate  watching: jo" in top(session)
    assert why_not_yours(scene(session)) == ""


def test_a_watcher_of_the_operators_does_not_operate() -> None:
    session = SCENARIOS["observer"]()
    assert not session.handed("eve", by="ann")
    assert "eve operates, not connected" in top(session)


def test_why_a_confirmation_from_here_would_not_count() -> None:
    assert why_not_yours(scene(SCENARIOS["watched"]())) == ""
    assert why_not_yours(scene(SCENARIOS["observer"]())).startswith("ann (console, process 4880) operates")
    assert why_not_yours(scene(SCENARIOS["elsewhere"]())).startswith("Your own console in process 5321")
    assert why_not_yours(scene(SCENARIOS["vacant"]())).startswith("ann, who is not connected, operates")
    assert "only watches" in why_not_yours(scene(SCENARIOS["watcher"]()))


def test_the_card_of_another_ones_turn_does_not_look_like_yours() -> None:
    _, act, _, tone = card(SCENARIOS["observer"]())
    assert act == " · ann's turn: types sky-a, then: stops the server and its database, in order."
    assert tone is Tone.WAITING
    _, act, _, _ = card(SCENARIOS["elsewhere"]())
    assert act.startswith(" · The turn of your console in process 5321: types sky-a")
    _, act, _, _ = card(SCENARIOS["vacant"]())
    assert act.startswith(" · ann's turn (not connected): types sky-a")


def test_a_waiver_is_offered_to_the_operator_alone() -> None:
    session = SCENARIOS["users-in"]()
    assert card(session)[1].endswith("w waives.")
    session.taken(ANN, "test")
    assert "waives" not in card(session)[1]
    assert card(session)[1].startswith(" · Nothing to press: waiting for nobody")


def test_another_ones_blocked_step_says_what_is_missing() -> None:
    session = SCENARIOS["blocked"]()
    session.taken(ANN, "test")
    _, act, _, tone = card(session)
    assert act == " ✘ ann's turn, but not yet. 2 File Replication Requests"
    assert tone is Tone.BLOCKED


def test_a_failed_step_is_the_operators_to_try_again() -> None:
    session = SCENARIOS["failed"]()
    session.taken(ANN, "test")
    assert card(session)[1] == " · ann's turn: types sky-a, then: tries again, or waits."


def test_the_card_says_since_when_the_stage_lasts() -> None:
    assert card(SCENARIOS["observer"]())[2] == f"step 9 of {len(PLANNED)} · since 03:00:25"
    assert card(SCENARIOS["vacant"]())[2] == f"step 9 of {len(PLANNED)} · since 03:00:25, 4 min ago"


def test_a_run_taken_up_again_says_so_until_it_gets_on() -> None:
    session = SCENARIOS["resumed"]()
    assert "Taken up again at 03:00:36, after the conductor had died." in card(session)[0]
    session.hold_now("look first")
    assert "Taken up again" in card(session)[0]
    session = SCENARIOS["shut-down"]()
    at, wall = session.clock.instant(), session.clock.now()
    session.event(Resumed(at=at, wall=wall, who="jo", after="ann", silent=95.0, reason="ann is ill"))
    body = " ".join(card(session)[0].split())
    assert (
        "It was the run of ann, silent for 95 s; jo took it over: ann is ill. Nothing was under way." in body
    )
    session.accept()
    session.poll(2)
    assert "Taken up again" not in card(session)[0]


def test_where_a_run_carries_no_mark_the_card_and_the_panel_say_so() -> None:
    session = SCENARIOS["resumed"]()
    assert "no mark on sky-b: its folder cannot be written; another jump host is not kept out there" in (
        " ".join(card(session)[0].split())
    )
    assert "sky-a:" not in card(session)[0].split("Mark")[1]
    assert server_view(scene(session), "sky-b", LOOK, 60).foot.plain == "no mark · 0 s ago"
    assert server_view(scene(session), "sky-a", LOOK, 60).foot.plain == "0 s ago"
    at, wall = session.clock.instant(), session.clock.now()
    session.event(Marked(at=at, wall=wall, server="sky-b"))
    assert "no mark" not in card(session)[0]


def test_a_lost_outcome_says_what_is_known_and_what_can_be_done() -> None:
    body = " ".join(card(SCENARIOS["doubtful"]())[0].split())
    assert "Order given to sky-b at 03:00:34: sky-b$ bin/standbyToMaster.sh" in body
    assert "It may be done, may still be running, or may never have begun." in body
    assert "sky-b is asked again and again. It waits for that server to read master" in body
    assert "It is not done a second time from here" in body
    assert "skytui plan practice prints the steps that are left" in body
    body, act, _, _ = card(SCENARIOS["doubtful-and-repeatable"]())
    assert "Trying again does no harm" in body
    assert act == " ▶ Enter tries again. Or wait: sky-a is being asked."


def test_a_watchers_cards_do_not_offer_a_run() -> None:
    session = idle(EVE)
    assert "only watches" in idle_card(scene(session), LOOK, 90).act.plain
    session = operated(ANN, "", EVE)
    now = scene(session)
    assert now.run is not None
    assert "only watches" in summary_card(now, now.run, LOOK, 90).act.plain


def test_the_idle_card_lists_who_is_here() -> None:
    body = idle_card(scene(SCENARIOS["company"]()), LOOK, 90).body.plain
    assert "Here  ann (console, process 4880), since 02:56:00" in body
    assert "eve (watch, process 5199), since 02:58:00" in body
    assert "Here" not in idle_card(scene(SCENARIOS["idle"]()), LOOK, 90).body.plain


def test_the_list_of_people_says_what_each_one_is_here() -> None:
    assert list_of_people(scene(SCENARIOS["observer"]()), LOOK) == (
        "ann operates the run (console, process 4880, since 02:56:00)",
        "jo (this console, process 4711, since 03:00:00)",
        "bob (console, process 5012, since 02:59:00)",
        "eve (watch, process 5199, since 02:58:00)",
    )
    assert list_of_people(scene(SCENARIOS["vacant"]()), LOOK)[0] == (
        "ann operates the run, and is not connected"
    )


def test_what_everybody_is_told_of_a_hand_over() -> None:
    session = idle()
    at, wall = session.clock.instant(), session.clock.now()
    taken = HandedOver(at=at, wall=wall, to="bob", by="bob", reason="ann is ill")
    assert handed_words(taken) == "bob operates the run now: ann is ill"
    passed = HandedOver(at=at, wall=wall, to="bob", by="ann")
    assert handed_words(passed) == "bob operates the run now: ann passed it on."
