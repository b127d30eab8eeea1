"""The console when the master is lost: what it shows, asks and refuses."""

import pytest

from tests.tui.consoles import Desk, desk
from tests.tui.lost import (
    assessing,
    before_conversion,
    fencing,
    master_lost,
    postponed,
    refuted,
    stated,
    turnable,
)
from tests.tui.scenarios import agents_missing, idle, shut_down

WORDS = "I confirm sky-a is powered off"


def words(at: Desk) -> str:
    return " ".join(at.screen().replace("│", " ").split())


async def test_u_starts_an_unplanned_swap_where_no_master_is_read() -> None:
    session = master_lost()
    async with desk(session) as at:
        assert "u starts an unplanned swap, from sky-a to sky-b" in words(at)
        await at.press("u")
        assert "sky-a is lost: sky-b is to become the master without it." in words(at)
        await at.settle()
        await at.press("enter")
        assert session.asked == []
        await at.press("u")
        await at.settle()
        await at.press("tab", "enter")
        assert session.asked == [("open", "unplanned")]
        await at.poll()
        assert "See what may be lost" in words(at)


async def test_with_a_master_and_a_standby_it_is_not_offered() -> None:
    async with desk(idle()) as at:
        await at.press("u")
        assert at.console.screen is at.console.main
        assert at.session.asked == []


async def test_assess_says_what_is_known_and_wants_its_words() -> None:
    session = assessing()
    async with desk(session) as at:
        screen = words(at)
        assert "4 File Replication Requests were left on sky-a" in screen
        assert "month-end on ag-oslo" in screen
        await at.press("enter")
        await at.settle()
        await at.type("yes")
        await at.press("enter")
        assert "'yes' is not accept the loss" in words(at)
        assert session.asked == []
        await at.type("accept the loss")
        await at.press("enter")
        assert session.asked == [("confirm", "assess", "accept the loss")]
        await at.poll(2)
        assert "Make sure the original master is down" in words(at)


async def test_i_states_word_for_word_that_it_is_off() -> None:
    session = fencing()
    async with desk(session) as at:
        assert "if sky-a cannot be reached and you know that it is off: i states so" in words(at)
        await at.press("i")
        await at.settle()
        await at.type("sky-a")
        await at.press("enter")
        assert session.asked == []
        await at.type(WORDS)
        await at.press("enter")
        assert session.asked == [("state", "fence-master", WORDS)]
        await at.poll()
        assert f"jo: {WORDS}" in words(at)


async def test_a_statement_leads_on_to_the_activation() -> None:
    session = stated()
    async with desk(session) as at:
        await at.press("enter")
        await at.settle()
        await at.type("sky-a")
        await at.press("enter")
        await at.poll(2)
        assert "Activate your standby server" in words(at)
        assert "jo states that sky-a is powered off" in words(at)


async def test_a_refuted_statement_is_said_in_alarm_and_enter_does_nothing() -> None:
    session = refuted()
    async with desk(session) as at:
        assert "not true (sky-a is not powered off: skybot runs, postgres runs)" in words(at)
        await at.press("enter")
        assert session.asked == []


async def test_u_turns_a_planned_run_whose_master_is_lost_for_a_reason() -> None:
    session = turnable()
    async with desk(session) as at:
        assert "if sky-a is lost: u makes an unplanned swap of this run" in words(at)
        await at.press("u")
        assert "Is sky-a lost?" in words(at)
        await at.settle()
        await at.type("its host is dead")
        await at.press("enter")
        assert session.asked == [("turn", "its host is dead")]
        await at.poll()
        assert "See what may be lost" in words(at)
        assert "by jo, at shut down: its host is dead" in words(at)


async def test_a_planned_run_whose_master_lives_is_not_turned_from_here() -> None:
    async with desk(shut_down()) as at:
        await at.press("u", "i", "p")
        assert at.console.screen is at.console.main
        assert at.session.asked == []


async def test_p_leaves_the_conversion_for_a_run_that_s_starts() -> None:
    session = before_conversion()
    async with desk(session) as at:
        assert "while sky-a stays away: p leaves the conversion for a run of its own" in words(at)
        await at.press("p")
        await at.settle()
        await at.type("its disk is broken")
        await at.press("enter")
        assert session.asked == [("postpone", "its disk is broken")]
        await at.poll(2)
        screen = words(at)
        assert "sky-a is not its standby yet" in screen
        assert "s starts the conversion of sky-a into the standby of sky-b" in screen
        await at.press("s")
        assert "Start the conversion?" in words(at)
        await at.settle()
        await at.press("tab", "enter")
        assert session.asked[-1] == ("open", "convert")


async def test_the_run_that_left_it_is_not_called_clean() -> None:
    async with desk(postponed()) as at:
        screen = words(at)
        assert "done, but not clean" in screen
        assert "guard-master on sky-a" in screen


@pytest.mark.parametrize("key", ["u", "i", "p"])
async def test_after_the_activation_the_keys_of_before_are_not_offered(key: str) -> None:
    async with desk(agents_missing()) as at:
        await at.press(key)
        assert at.console.screen is at.console.main
        assert at.session.asked == []
