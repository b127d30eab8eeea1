"""What the console shows of time, on its screen and after it was left."""

from skytui.link.wire import Past
from skytui.runbook.history import UsualTime
from tests.tui.consoles import desk
from tests.tui.scenarios import failed, idle, shut_down

PAST = Past(usual={"planned": {"shut-down": UsualTime(9.0, 31.0, 5), "convert": UsualTime(250.0, 600.0, 4)}})


async def test_the_usual_time_is_on_the_screen() -> None:
    session = shut_down()
    session.show(past=PAST)
    async with desk(session) as at:
        assert "Usual 9 s (p90 31 s, of 5 runs)" in at.screen()


async def test_why_and_ticket_are_asked_for_and_may_be_left_out() -> None:
    async with desk(idle()) as at:
        await at.press("s")
        await at.settle()
        await at.press("shift+tab", "shift+tab")
        await at.type("patch day")
        await at.press("enter")
        await at.type("OPS-7")
        await at.press("enter")
        assert at.asked("open") == []  # Enter in a field starts nothing
        await at.press("tab", "enter")
        assert at.asked("open") == [("open", "patch day", "OPS-7")]
        run = at.session.shown.run
        assert run is not None
        assert (run.why, run.ticket) == ("patch day", "OPS-7")


async def test_whoever_leaves_a_run_that_stopped_half_way_is_given_the_steps_that_are_left() -> None:
    session = failed()
    session.show(past=PAST)
    async with desk(session) as at:
        await at.press("q")
        left = at.left()
        assert left is not None
        assert "It has stopped half-way." in left.says
        assert "(`convert`)" in left.says
        assert "usually 4 min 10 s (p90 10 min, of 4 runs)" in left.says
        assert "## Still owed" in left.says


async def test_whoever_leaves_one_that_goes_on_is_told_what_prints_them() -> None:
    async with desk(shut_down()) as at:
        await at.press("q")
        left = at.left()
        assert left is not None
        assert "`skytui plan practice` prints the steps that are left." in left.says
        assert "(`convert`)" not in left.says
