"""Going on with a step: which keys count, which do not, and what is asked before."""

import pytest
from textual.widgets._footer import FooterKey

from skytui.runbook.steps import Kind, plan_of
from skytui.tui.arming import SETTLE
from skytui.tui.keyboard import keyboard
from skytui.tui.keys import CHANGES_SERVER, MAIN, TORN
from skytui.tui.screens.confirm import StartDialog
from tests.tui.consoles import Desk, ScriptedTimes, console_of, desk
from tests.tui.scenarios import SCENARIOS, blocked, counting, failed, idle, no_way_back, shut_down
from tests.tui.scripted import ScriptedSession
from tests.tui.world import World


async def test_enter_confirms_the_step_on_the_card() -> None:
    session = idle()
    session.open()
    async with desk(session) as at:
        await at.press("enter")
        assert session.asked == [("confirm", "preflight", "")]
        await at.poll()
        assert at.step == "baseline"


async def test_ten_enters_in_one_write_confirm_one_step() -> None:
    session = idle()
    session.open()
    async with desk(session) as at:
        await at.press(*["enter"] * 10)
        assert session.asked == [("confirm", "preflight", "")]
        await at.poll()
        assert at.step == "baseline"
        assert "Nothing to confirm" in at.screen()


async def test_enters_go_on_while_the_steps_pass_by_themselves_and_still_confirm_one() -> None:
    """The conductor answers between the keys: the next card is up, but was not read by anybody."""
    session = idle()
    session.open()
    async with desk(session) as at:
        for _ in range(10):
            await at.press("enter")
            session.poll()
            await at.pilot.pause()
            session.clock.advance(-1.0)  # no time passes between the keys of one write
        assert session.asked == [("confirm", "preflight", "")]
        assert "Nothing was done" in at.screen()


async def test_a_key_counts_from_700_milliseconds_after_the_paint_on() -> None:
    session = idle()
    session.open()
    session.walk("users-out")
    times = ScriptedTimes(session)
    console = console_of(session, times=times)
    async with console.run_test(size=(120, 36)) as pilot:
        at = Desk(session, console, pilot)
        await at.settle(0.0)
        painted = session.clock.instant().seconds
        session.clock.advance(5)
        times.read_at = painted + SETTLE - 0.01
        await at.press("enter")
        assert session.asked == []
        times.read_at = painted + SETTLE + 0.01
        await at.press("enter")
        assert session.asked == [("confirm", "users-out", "")]


async def test_a_key_read_while_another_card_was_up_confirms_neither() -> None:
    session = idle()
    session.open()
    times = ScriptedTimes(session)
    console = console_of(session, times=times)
    async with console.run_test(size=(120, 36)) as pilot:
        at = Desk(session, console, pilot)
        await at.settle()
        read = session.clock.instant().seconds
        session.walk("users-out")  # somebody else confirmed meanwhile
        await at.settle(5.0)
        times.read_at = read
        await at.press("enter")
        assert session.asked == []


async def test_the_hosts_name_is_asked_for_where_a_server_goes_down() -> None:
    async with desk(shut_down()) as at:
        await at.press("enter")
        assert "Type sky-a and press Enter" in at.screen()
        assert "sky-a$ bin/stop.sh" in at.screen()
        await at.settle()
        await at.type("sky-b")
        await at.press("enter")
        assert "'sky-b' is not sky-a: nothing was done." in at.screen()
        assert at.asked("confirm") == []
        await at.type("sky-a")
        await at.press("enter")
        assert at.asked("confirm") == [("confirm", "shut-down", "sky-a")]
        await at.poll(2)
        assert at.step == "last-byte"


async def test_the_point_of_no_return_is_said_in_the_dialog() -> None:
    async with desk(no_way_back()) as at:
        await at.press("enter")
        assert "After this there is no way back." in at.screen()
        await at.settle()
        await at.press("escape")
        assert at.asked("confirm") == []
        assert at.step == "promote"


async def test_keys_typed_ahead_do_not_reach_the_dialog() -> None:
    session = shut_down()
    times = ScriptedTimes(session)
    console = console_of(session, times=times)
    async with console.run_test(size=(120, 36), notifications=True) as pilot:
        at = Desk(session, console, pilot)
        await at.settle()
        times.read_at = session.clock.instant().seconds
        session.clock.advance(0.1)  # the dialog is painted later than everything was typed
        await at.press("enter", *"sky-a", "enter")
        assert session.asked == []
        assert "Type sky-a and press Enter" in at.screen()
        times.read_at = None
        await at.settle()
        await at.type("sky-a")
        await at.press("enter")
        assert session.asked == [("confirm", "shut-down", "sky-a")]


async def test_the_servers_go_on_being_shown_behind_a_dialog() -> None:
    session = shut_down()
    async with desk(session) as at:
        await at.press("enter")
        session.world.gone_agents = {"ag-oslo"}
        await at.poll()
        assert "3/4 connected, not ag-oslo" in at.screen()


async def test_a_dialog_about_a_step_that_went_by_is_closed() -> None:
    session = shut_down()
    async with desk(session) as at:
        await at.press("enter")
        session.accept()
        await at.poll(2)
        assert "Type sky-a" not in at.screen()
        assert "went on" in at.screen()


async def test_a_blocked_step_says_why_and_sends_nothing() -> None:
    async with desk(blocked()) as at:
        assert "Enter: not yet. 2 File Replication Requests" in at.screen()
        await at.press("enter")
        assert at.session.asked == []
        assert "Not yet: 2 File Replication Requests." in at.screen()


async def test_a_waiting_step_cannot_be_confirmed_again() -> None:
    async with desk(counting()) as at:
        await at.press("enter")
        assert at.session.asked == []
        assert "Nothing to confirm" in at.screen()


async def test_a_whole_swap_by_keyboard() -> None:
    session = ScriptedSession(World())
    async with desk(session) as at:
        await at.press("s")
        await at.settle()
        await at.press("tab", "enter")
        assert at.step == "preflight"
        while not (session.shown.run and session.shown.run.over):
            run = session.shown.run
            assert run is not None
            assert run.step is not None
            place, phrase = len(run.records), run.phrase(run.step)
            await at.settle()
            await at.press("enter")
            if phrase:
                await at.settle()
                await at.type(phrase)
                await at.press("enter")
            for _ in range(30):
                await at.poll()
                after = session.shown.run
                assert after is not None
                if len(after.records) > place:
                    break
        assert [step for _, step, _ in at.asked("confirm")] == [step.id for step in plan_of(Kind.PLANNED)]
        assert "done: sky-b is the master now, sky-a its standby." in at.screen()
        assert "s starts the swap back, from sky-b to sky-a" in at.screen()


async def test_nothing_is_confirmed_while_the_card_is_not_in_sight() -> None:
    session = idle()
    session.open()
    async with desk(session) as at:
        await at.press("l")
        await at.settle()
        await at.press("enter")
        assert session.asked == []
        assert "not in sight" in at.screen()


async def test_the_enter_that_ends_a_search_does_not_confirm() -> None:
    session = idle()
    session.open()
    async with desk(session) as at:
        await at.press("slash", *"sky", "enter", "enter")
        assert session.asked == []


async def test_enter_repeats_a_failed_step_only_after_the_name() -> None:
    async with desk(failed()) as at:
        assert "Enter tries again, after you type sky-a" in at.screen()
        await at.press("enter")
        await at.settle()
        await at.type("sky-a")
        await at.press("enter")
        assert at.asked("confirm") == [("confirm", "convert", "sky-a")]


def test_no_key_that_changes_a_server_is_what_a_torn_arrow_key_looks_like() -> None:
    changing = [binding for binding in MAIN if binding.id in CHANGES_SERVER]
    assert len(changing) == len(CHANGES_SERVER)
    assert not {binding.key for binding in changing} & TORN


def test_every_binding_has_an_id_and_says_what_it_does() -> None:
    assert all(binding.id and binding.tooltip for binding in MAIN)
    assert len({binding.id for binding in MAIN}) == len(MAIN)


@pytest.mark.parametrize("name", sorted(SCENARIOS))
async def test_the_footer_has_at_most_eight_keys_and_room_for_them(name: str) -> None:
    async with desk(SCENARIOS[name](), size=(80, 24)) as at:
        keys = list(at.console.main.query(FooterKey))
        assert 4 <= len(keys) <= 8
        last = max(key.region.right for key in keys)
        assert last <= 80
        assert at.screen().splitlines()[-1].endswith(keys[-1].description)


async def test_keys_on_other_keys_do_what_the_screen_says_they_do() -> None:
    session = idle()
    keys, faults = keyboard({"start": "g", "abort": "w", "waive": "a", "take": "o"})
    assert faults == {}
    console = console_of(session, keys=keys)
    async with console.run_test(size=(120, 36), notifications=True) as pilot:
        at = Desk(session, console, pilot)
        await at.settle()
        assert "g starts the planned swap" in at.screen()
        await at.press("s")
        assert console.screen is console.main
        await at.press("g")
        assert isinstance(console.screen, StartDialog)
        await at.settle()
        await at.press("escape")
        session.open()
        await at.settle()
        assert " w abort" in at.screen().splitlines()[-1]
        await at.press("a")
        assert "No check blocks that may be waived" in at.screen()
        await at.press("w")
        assert "Take the run back?" in at.screen()
        await at.press("escape", "question_mark")
        assert "o         Operate the run" in at.screen()
