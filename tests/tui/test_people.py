"""Those who look on: what their keys do, how a run changes hands, and what a watcher is told."""

import pytest

from skytui.tui.screens.confirm import ConfirmDialog
from tests.tui.consoles import desk
from tests.tui.scenarios import ANN, BOB, SCENARIOS, elsewhere, observer, resumed, vacant, watched, watcher


@pytest.mark.parametrize("key", ["enter", "w", "a"])
async def test_an_observers_key_says_who_operates_and_asks_nothing(key: str) -> None:
    async with desk(observer()) as at:
        await at.press(key)
        assert at.session.asked == []
        assert at.console.screen is at.console.main
        if key != "a":  # hidden, not greyed: it is no key of theirs
            says = f"ann (console, process {ANN.pid}) operates this run; t takes it over, for a reason."
            assert says in at.notices()


async def test_the_card_of_an_observer_says_whose_turn_it_is() -> None:
    async with desk(observer()) as at:
        screen = at.screen()
        assert "operated by ann" in screen
        assert "watching: bob, eve" in screen
        assert "ann's turn: types sky-a, then" in screen
        assert "Enter" not in screen


async def test_taking_over_wants_a_reason_and_then_the_keys_count() -> None:
    async with desk(observer()) as at:
        await at.press("t")
        assert "Take the run over?" in at.screen()
        await at.settle()
        await at.press("enter")
        assert "It needs a reason" in at.screen()
        assert at.session.asked == []
        await at.type("her line is dead")
        await at.press("enter")
        assert at.session.asked == [("take", "her line is dead")]
        await at.settle()
        assert "jo operates the run now: her line is dead" in at.notices()
        await at.press("enter")
        assert isinstance(at.console.screen, ConfirmDialog)


async def test_an_observer_may_hold() -> None:
    async with desk(observer()) as at:
        await at.press("h")
        await at.settle()
        await at.type("the UPS beeps")
        await at.press("enter")
        assert at.session.asked == [("hold", "the UPS beeps")]
        assert "Held by jo: the UPS beeps." in at.screen()


async def test_what_only_the_other_console_of_ones_own_may_do() -> None:
    async with desk(elsewhere()) as at:
        await at.press("enter")
        (says,) = at.notices()
        assert says.startswith("Your own console in process ")
        assert at.session.asked == []


async def test_a_run_whose_operator_has_left_waits_for_its_user_or_is_taken() -> None:
    async with desk(vacant()) as at:
        assert "ann operates, not connected" in at.screen()
        await at.press("enter")
        assert at.session.asked == []
        await at.press("t")
        assert "ann operates this run, and is not connected." in at.screen()


async def test_handing_over_asks_for_a_user_and_offers_who_is_here() -> None:
    async with desk(watched()) as at:
        await at.press("t")
        screen = at.screen()
        assert "Hand the run over?" in screen
        assert "Here now: bob, eve." in screen
        await at.settle()
        await at.press("enter")
        assert "Nothing was typed: the run stays yours." in at.screen()
        await at.type("bob")
        await at.press("enter")
        assert at.session.asked == [("hand over", "bob")]
        await at.settle()
        assert "bob operates the run now: jo passed it on." in at.notices()
        await at.press("enter")
        assert at.asked("confirm") == []


async def test_a_dialog_closes_when_the_run_was_taken_over() -> None:
    session = watched()
    async with desk(session) as at:
        await at.press("enter")
        assert at.console.screen is not at.console.main
        assert session.taken(BOB, "I am on call") == ""
        await at.settle()
        assert at.console.screen is at.console.main
        assert "bob operates the run now: I am on call" in at.notices()
        assert session.asked == []


@pytest.mark.parametrize("key", ["enter", "s", "w", "a", "h", "t"])
async def test_a_watchers_keys_change_nothing_and_say_so(key: str) -> None:
    async with desk(watcher()) as at:
        assert "WATCHING" in at.screen()
        await at.press(key)
        assert at.session.asked == []
        assert at.console.screen is at.console.main
        says = "This console only watches. Nothing here changes a run; open it with: skytui practice"
        assert says in at.notices()


async def test_a_watcher_leaves_without_a_question_and_is_told_how_to_come_back() -> None:
    async with desk(watcher()) as at:
        await at.press("q")
        left = at.left()
        assert left is not None
        assert "only watched" in left.says
        assert "`skytui watch practice` watches again" in left.says


async def test_after_a_death_the_card_says_so_and_what_carries_no_mark() -> None:
    async with desk(resumed()) as at:
        screen = " ".join(at.screen().split())
        assert "Taken up again at" in screen
        assert "no mark on sky-b" in screen


@pytest.mark.parametrize("name", SCENARIOS)
async def test_every_moment_says_since_when_it_lasts(name: str) -> None:
    session = SCENARIOS[name]()
    run = session.shown.run
    async with desk(session) as at:
        if run is not None and not run.over:
            assert "since " in at.screen()
