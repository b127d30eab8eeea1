"""What the screen says: too small, stale, lost, two masters, plain ASCII."""

import pytest

from skytui.tui.leaving import DrillEnding
from tests.tui.consoles import desk
from tests.tui.scenarios import (
    SCENARIOS,
    counting,
    dead_link,
    failed,
    idle,
    lost,
    shut_down,
    stale,
    two_masters,
)


@pytest.mark.parametrize("size", [(79, 24), (80, 23), (40, 10)])
async def test_too_small_shows_a_sentence_and_confirms_nothing(size: tuple[int, int]) -> None:
    session = shut_down()
    async with desk(session, size=size) as at:
        screen = " ".join(at.screen().split())
        assert "The run goes on" in screen
        assert "80 columns" in screen
        assert "MASTER" not in screen
        await at.press("enter")
        assert session.asked == []


async def test_a_window_that_was_too_small_shows_everything_once_it_is_larger() -> None:
    async with desk(counting(), size=(60, 20)) as at:
        await at.pilot.resize_terminal(80, 24)
        await at.settle()
        assert "MASTER" in at.screen()
        assert "too small" not in at.screen()


async def test_a_lost_conductor_is_never_silently_stale() -> None:
    session = lost()
    async with desk(session) as at:
        await at.settle()
        assert "NOT CONNECTED: The conductor has ended." in at.screen()
        assert "too old to count" in at.screen()
        assert "UNKNOWN" in at.screen()
        await at.press("enter")
        assert session.asked == []
        session.show(lost="")
        await at.poll()
        assert "NOT CONNECTED" not in at.screen()
        assert "MASTER" in at.screen()


async def test_readings_grow_old_by_themselves() -> None:
    session = counting()
    async with desk(session) as at:
        assert "● MASTER" in at.screen()
        session.clock.advance(30)
        at.console.tick()
        await at.settle()
        assert "● MASTER" not in at.screen()
        assert "was master" in at.screen()


async def test_stale_readings_are_refused_in_the_card_too() -> None:
    async with desk(stale()) as at:
        assert "only 10 s count" in at.screen()


async def test_a_zero_over_a_dead_link_names_the_link() -> None:
    async with desk(dead_link()) as at:
        assert "a count of 0" in at.screen().replace("\n", " ") or "a count" in at.screen()
        assert "╳" in at.screen()
        assert "Nothing to press" in at.screen()


async def test_two_masters_raise_the_alarm() -> None:
    async with desk(two_masters()) as at:
        assert "TWO MASTERS: sky-a and sky-b both read master." in at.screen()


async def test_a_failed_script_shows_its_last_lines_to_the_end() -> None:
    for size in ((80, 24), (120, 36)):
        async with desk(failed(), size=size) as at:
            assert "run it again when sky-b answers" in at.screen()
            assert "[/opt/skybot/bin]" in at.screen()


@pytest.mark.parametrize("name", sorted(SCENARIOS))
async def test_ascii_only_is_ascii_only(name: str) -> None:
    size = (120, 36) if name in ("counting", "failed") else (80, 24)
    async with desk(SCENARIOS[name](), size=size, ascii_only=True) as at:
        strange = {sign for sign in at.screen() if ord(sign) > 127}
        assert strange == set()


async def test_q_outside_a_drill_leaves_and_says_where_the_run_waits() -> None:
    async with desk(counting()) as at:
        await at.press("q")
        leaving = at.left()
        assert leaving is not None
        assert leaving.ending is None
        assert "The run goes on to its next gate and waits there" in leaving.says
        assert "step 7 of 22, replication-zero" in leaving.says
        assert at.session.asked == []


async def test_q_in_a_drill_asks_and_starts_on_the_harmless_choice() -> None:
    async with desk(counting(), drill=True) as at:
        await at.press("q")
        assert "Leave the drill?" in at.screen()
        await at.settle()
        await at.press("enter")
        leaving = at.left()
        assert leaving is not None
        assert leaving.ending is DrillEnding.LEAVE_RUNNING


async def test_q_in_a_drill_without_a_run_starts_on_staying() -> None:
    async with desk(idle(), drill=True) as at:
        await at.press("q")
        await at.settle()
        await at.press("enter")
        assert at.left() is None
        await at.press("q")
        await at.settle()
        await at.press("tab", "tab", "enter")
        leaving = at.left()
        assert leaving is not None
        assert leaving.ending is DrillEnding.BRING_DOWN


async def test_ctrl_c_closes_a_dialog_and_then_leaves() -> None:
    async with desk(shut_down()) as at:
        await at.press("enter")
        await at.settle()
        await at.press("ctrl+c")
        assert "Type sky-a" not in at.screen()
        assert at.left() is None
        await at.press("ctrl+c")
        assert at.left() is not None
        assert at.session.asked == []
