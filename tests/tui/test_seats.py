"""Who may do what from this console: the operator, who looks on, who only watches; hand-overs."""

import pytest

from skytui.pair.vocabulary import Action
from tests.tui.consoles import desk
from tests.tui.scenarios import (
    ANN,
    BOB,
    EVE,
    elsewhere,
    idle,
    observer,
    operated,
    shut_down,
    vacant,
    watched,
    watcher,
)
from tests.tui.scripted import YOU, ScriptedSession

ONLY_WATCHES = "This console only watches. Nothing here changes a run; open it with: skytui practice"


def flat(screen: str) -> str:
    """The words on the screen, without frames and line breaks."""
    return " ".join("".join(" " if sign in "│┃╭╮╰╯━─" else sign for sign in screen).split())


@pytest.mark.parametrize("key", ["enter", "w"])
async def test_who_looks_on_is_told_who_operates_and_how_to_take_over(key: str) -> None:
    async with desk(observer()) as at:
        await at.press(key)
        assert at.session.asked == []
        assert at.console.screen is at.console.main
        told = "ann (console, process 4880) operates this run; t takes it over, for a reason."
        assert at.notices() == [told]


async def test_the_card_of_who_looks_on_says_whose_turn_it_is() -> None:
    async with desk(observer()) as at:
        assert "ann's turn: types sky-a, then: stops the server" in at.screen()
        assert "operated by ann  watching: bob, eve" in at.screen()
        assert "Enter" not in at.screen()


async def test_another_console_of_your_own_is_named_by_its_process() -> None:
    async with desk(elsewhere()) as at:
        assert "operated by your process 5321" in at.screen()
        await at.press("enter")
        assert "Your own console in process 5321 operates this run" in flat(at.screen())
        await at.press("t")
        assert "You operate this run yourself, from your console in process 5321" in flat(at.screen())
        assert at.session.asked == []


async def test_an_operator_who_hung_up_is_still_the_operator() -> None:
    async with desk(vacant()) as at:
        assert "ann operates, not connected" in at.screen()
        await at.press("enter")
        assert at.session.asked == []
        assert "ann, who is not connected, operates this run" in flat(at.screen())


async def test_who_looks_on_may_hold_but_lifts_no_other_ones_hold() -> None:
    async with desk(observer()) as at:
        await at.press("h")
        await at.settle()
        await at.type("wait")
        await at.press("enter")
        assert at.session.asked == [("hold", "wait")]
        await at.poll()
        assert "Held by jo: wait. h lets the run go on." in at.screen()
        await at.press("h")
        assert at.session.asked[1:] == [("release",)]
        at.session.hold_now("not yet", who="ann")
        await at.settle()
        assert "Held by ann: not yet." in at.screen()
        assert "lets the run go on" not in at.screen()
        await at.press("h")
        assert len(at.session.asked) == 2
        assert "ann holds the run and ann operates it; only they let it go on." in at.notices()


async def test_taking_over_wants_a_reason_and_makes_the_card_yours() -> None:
    session = observer()
    async with desk(session) as at:
        await at.press("t")
        assert "ann (console, process 4880) operates this run, here since 02:56:00." in flat(at.screen())
        await at.settle()
        await at.press("enter")
        assert "It needs a reason" in at.screen()
        assert session.asked == []
        await at.type("ann lost her line")
        await at.press("enter")
        assert session.asked == [("take", "ann lost her line")]
        await at.settle()
        assert "jo operates the run now: ann lost her line" in at.screen()
        assert "you operate" in at.screen()
        assert "Enter asks you to type sky-a" in at.screen()


async def test_a_key_read_before_the_card_was_yours_does_not_confirm_it() -> None:
    session = observer()
    async with desk(session) as at:
        session.taken(YOU, "test")
        await at.settle(0.0)
        await at.press("enter")
        assert at.console.screen is at.console.main
        await at.settle(1.0)
        await at.press("enter")
        assert "Type sky-a and press Enter" in at.screen()


async def test_a_dialog_of_who_operated_closes_when_the_run_is_taken_over() -> None:
    session = watched()
    async with desk(session) as at:
        await at.press("enter")
        assert "Type sky-a" in at.screen()
        session.taken(BOB, "jo does not answer")
        await at.settle()
        assert at.console.screen is at.console.main
        assert at.notices() == [
            "The run is no longer yours: nothing was done from here.",
            "bob operates the run now: jo does not answer",
        ]
        assert session.asked == []


async def test_a_waiver_is_not_given_for_a_run_that_was_taken_over() -> None:
    session = idle()
    session.come(BOB)
    session.open()
    session.walk("users-out")
    async with desk(session) as at:
        await at.press("w")
        assert "Waive users-out?" in at.screen()
        session.taken(BOB, "test")
        await at.settle()
        assert "Waive users-out?" not in at.screen()
        assert session.asked == []


async def test_the_question_whether_to_take_over_closes_when_a_third_one_was_faster() -> None:
    session = observer()
    async with desk(session) as at:
        await at.press("t")
        await at.settle()
        await at.type("ann sleeps")
        session.taken(BOB, "ann sleeps")
        await at.settle()
        assert "Take the run over?" not in at.screen()
        assert any("Look again before you take it over." in notice for notice in at.notices())
        assert session.asked == []


async def test_handing_over_asks_for_a_name_and_offers_those_who_are_here() -> None:
    session = watched()
    async with desk(session) as at:
        await at.press("t")
        assert "Here now: bob, eve." in at.screen()
        await at.settle()
        await at.press("enter")
        assert "Nothing was typed: the run stays yours." in at.screen()
        await at.type("jo")
        await at.press("enter")
        assert "jo is you" in at.screen()
        assert session.asked == []
        await at.press("backspace", "backspace")
        await at.type("bob")
        await at.press("enter")
        assert session.asked == [("hand over", "bob")]
        await at.settle()
        assert "bob operates the run now: jo passed it on." in at.screen()
        assert "operated by bob  watching: eve" in at.screen()
        assert "bob's turn" in at.screen()
        await at.press("enter")
        assert at.asked("confirm") == []


async def test_cancelled_nothing_is_handed_over() -> None:
    async with desk(watched()) as at:
        await at.press("t")
        await at.settle()
        await at.type("bob")
        await at.press("tab", "enter")
        assert at.session.asked == []
        assert "Hand the run over?" not in at.screen()


async def test_handed_to_you_the_card_is_yours() -> None:
    session = observer()
    async with desk(session) as at:
        session.handed("jo", by="ann")
        await at.settle()
        assert "jo operates the run now: ann passed it on." in at.screen()
        assert "you operate" in at.screen()
        await at.settle()
        await at.press("enter")
        assert "Type sky-a and press Enter" in at.screen()


@pytest.mark.parametrize("key", ["enter", "s", "w", "a", "h", "t"])
@pytest.mark.parametrize("run_open", [True, False])
async def test_a_watcher_is_told_that_it_only_watches(key: str, run_open: bool) -> None:
    session = watcher() if run_open else idle(EVE)
    async with desk(session) as at:
        assert " WATCHING " in at.screen().splitlines()[0]
        await at.press(key)
        assert at.notices() == [ONLY_WATCHES]
        assert session.asked == []
        assert at.console.screen is at.console.main


async def test_a_watchers_footer_has_only_keys_that_do_something() -> None:
    async with desk(watcher()) as at:
        footer = at.screen().splitlines()[-1].split()
        assert footer == ["l", "log", "f", "filter", "/", "find", "?", "help", "q", "leave"]
        await at.press("f")
        assert "Log · sky-a" in at.screen()


async def test_a_watcher_is_asked_for_no_secret() -> None:
    session = ScriptedSession(secrets=("passphrase",), you=EVE)
    async with desk(session) as at:
        await at.poll()
        assert at.console.screen is at.console.main
        await at.press("s")
        assert at.console.screen is at.console.main


async def test_leaving_a_watch_says_that_nothing_was_changed() -> None:
    async with desk(watcher()) as at:
        await at.press("q")
        leaving = at.left()
        assert leaving is not None
        assert "only watched: nothing was changed from here" in leaving.says
        assert "`skytui watch practice` watches again" in leaving.says
        assert "step 9 of 22, shut-down" in leaving.says


async def test_leaving_says_whose_run_it_is() -> None:
    async with desk(observer()) as at:
        await at.press("q")
        leaving = at.left()
        assert leaving is not None
        assert leaving.says.startswith("ann operates the run.")


async def test_help_lists_who_is_here_with_their_processes() -> None:
    async with desk(observer()) as at:
        await at.press("question_mark")
        screen = flat(at.screen())
        assert "ann operates the run (console, process 4880, since 02:56:00)" in screen
        assert "jo (this console, process 4711, since 03:00:00)" in screen
        assert "eve (watch, process 5199, since 02:58:00)" in screen


async def test_a_secret_is_not_asked_of_who_looks_on() -> None:
    session = operated(ANN, "promote")
    async with desk(session) as at:
        session.show(secrets_wanted=("passphrase",))
        await at.settle()
        await at.settle()
        assert at.console.screen is at.console.main


async def test_a_run_that_is_open_says_so_when_it_is_started_again() -> None:
    async with desk(shut_down()) as at:
        await at.press("s")
        assert at.session.asked == []
        assert "A run is open already." in at.screen()


async def test_a_script_that_runs_is_not_disturbed_by_a_hand_over() -> None:
    session = operated(ANN, "promote")
    session.world.hanging.add(Action.PROMOTE)
    session.accept()
    session.poll(2)
    async with desk(session) as at:
        assert at.stage == "Running"
        await at.press("t")
        await at.settle()
        await at.type("ann sleeps")
        await at.press("enter")
        await at.settle()
        assert at.stage == "Running"
        assert "Nothing to press: the action is under way." in at.screen()
