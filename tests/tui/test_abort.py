"""Taking a run back from the console."""

from tests.tui.consoles import desk
from tests.tui.scenarios import aborted, agents_missing, held, no_way_back, undo_failed, users_in


async def test_it_says_what_is_undone_and_wants_a_reason() -> None:
    session = no_way_back()
    async with desk(session) as at:
        await at.press("a")
        screen = " ".join(at.screen().split())
        assert "Take the run back?" in screen
        assert "On sky-a: start your master server again;" in screen
        await at.settle()
        await at.press("enter")
        assert session.asked == []
        await at.type("not tonight")
        await at.press("enter")
        assert session.asked == [("abort", "not tonight")]
        await at.poll(20)
        screen = at.screen()
        assert "rolled back: sky-a is the master, sky-b its standby, as before." in screen
        assert "by jo, at promote: not tonight" in screen


async def test_where_nothing_was_changed_it_says_so() -> None:
    async with desk(users_in()) as at:
        await at.press("a")
        assert "Nothing has been changed that must be undone." in at.screen()
        await at.press("escape")
        assert at.session.asked == []


async def test_after_the_point_of_no_return_it_says_what_to_do_instead() -> None:
    async with desk(agents_missing()) as at:
        await at.press("a")
        assert at.console.screen is at.console.main
        (says,) = at.notices()
        assert says.startswith("Sky-b was told to become the master")
        assert says.endswith("finish the run, then swap back.")


async def test_a_held_run_is_let_go_on_first() -> None:
    async with desk(held()) as at:
        await at.press("a")
        (says,) = at.notices()
        assert "let it go on first" in says


async def test_an_undo_that_fails_says_what_is_not_taken_back_and_can_be_tried_again() -> None:
    async with desk(undo_failed()) as at:
        screen = " ".join(at.screen().split())
        assert "not taken back yet: lock queues on sky-a" in screen
        assert "Enter tries again." in screen
        await at.press("enter")
        assert at.session.asked == [("confirm", "unguard-master", "")]
        await at.poll(20)
        assert "rolled back" in at.screen()


async def test_the_question_goes_when_the_run_has_gone_on() -> None:
    session = no_way_back()
    async with desk(session) as at:
        await at.press("a")
        await at.settle()
        session.accept()
        session.poll(3)
        await at.settle()
        assert at.console.screen is at.console.main
        assert any("cannot be taken back" in says for says in at.notices())


async def test_rolled_back_the_swap_can_be_started_anew() -> None:
    async with desk(aborted()) as at:
        assert "s starts the planned swap, from sky-a to sky-b." in at.screen()
