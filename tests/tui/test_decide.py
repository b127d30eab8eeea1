"""The list of a step: opened with d, decided row by row or in one go. Steps done by hand, and a late run."""

from datetime import timedelta

from skytui.pair.vocabulary import Job, LateRun
from skytui.tui.screens.decide import letters
from tests.tui.consoles import desk
from tests.tui.scenarios import draining, idle
from tests.tui.scripted import ScriptedSession


def missing_three() -> ScriptedSession:
    """At `first-job`, confirmed: three runs were missed while there was no scheduler."""
    session = idle()
    session.open()
    session.walk("first-job")
    due = session.clock.now()
    session.world.late = [
        LateRun(f"job-{n}@late", f"job-{n}", due + timedelta(seconds=n), "missed", "scheduler stopped")
        for n in (1, 2, 3)
    ]
    session.accept()
    session.poll(2)
    return session


async def test_a_running_job_is_accepted_by_name() -> None:
    async with desk(draining()) as at:
        assert "1 row to be decided: d shows the list." in at.screen()
        await at.press("d")
        await at.settle()
        assert "Decide: Let running jobs end" in at.screen()
        assert "month-end on ag-oslo, since 02:40:00" in at.screen()
        assert "a accept" in at.screen()
        await at.press("a", "tab", "enter")
        assert at.asked("decide") == [("decide", "drain-jobs", "month-end@02:40:00=accept")]
        await at.poll(2)
        assert at.step == "stop-scheduler"


async def test_rows_are_decided_one_by_one_and_the_rest_in_one_go() -> None:
    session = missing_three()
    async with desk(session) as at:
        assert "3 rows to be decided: d shows them." in at.screen()
        await at.press("d")
        await at.settle()
        assert "All the rest: run-now" in at.screen()
        assert "All the rest: leave" in at.screen(), "no button is cut off"
        await at.press("r", "down", "r", "up", "l")  # the first, the third, then the second one
        await at.press("tab", "tab", "tab", "enter")
        (asked,) = at.asked("decide")
        assert set(asked[2:]) == {"job-1@late=run-now", "job-2@late=leave", "job-3@late=run-now"}
        await at.poll(2)
        assert at.step == "run-missed"


async def test_all_of_them_are_left_in_one_go() -> None:
    async with desk(missing_three()) as at:
        await at.press("d")
        await at.settle()
        await at.press("tab", "tab", "tab", "enter")
        (asked,) = at.asked("decide")
        assert set(asked[2:]) == {f"job-{n}@late=leave" for n in (1, 2, 3)}


async def test_the_list_starts_on_cancel_and_records_nothing_by_itself() -> None:
    async with desk(draining()) as at:
        await at.press("d")
        await at.settle()
        await at.press("enter")
        assert at.asked("decide") == []
        await at.press("d")
        await at.settle()
        await at.press("tab", "enter")
        assert "Nothing was decided" in at.screen()
        await at.press("2", "x")
        await at.press("enter")
        assert "Nothing was decided" in at.screen()
        await at.press("escape")
        assert at.asked("decide") == []


async def test_d_says_why_it_does_nothing_where_nothing_is_listed() -> None:
    session = idle()
    session.open()
    session.walk("drain-jobs")
    async with desk(session) as at:
        await at.press("d")
        assert "Nothing is listed that could be decided." in at.notices()


async def test_a_list_that_is_open_when_the_run_goes_on_closes_and_says_so() -> None:
    session = draining()
    async with desk(session) as at:
        await at.press("d")
        await at.settle()
        session.world.jobs = []
        await at.poll(3)
        assert "Decide:" not in at.screen()
        assert any("drain-jobs is behind it" in notice for notice in at.notices())


async def test_more_rows_than_fit_scroll_with_the_chosen_one() -> None:
    session = idle()
    session.open()
    session.walk("drain-jobs")
    session.world.jobs = [Job(f"job-{n:02}", f"job-{n:02}", "ag-oslo") for n in range(30)]
    session.accept()
    session.poll(2)
    async with desk(session, (80, 24)) as at:
        await at.press("d")
        await at.settle()
        assert "job-00" in at.screen()
        assert "22 more" in at.screen()
        await at.press(*["down"] * 20)
        assert "job-20" in at.screen()
        assert "job-00" not in at.screen()


async def test_a_step_done_by_hand_shows_what_to_do_and_is_confirmed_with_a_word() -> None:
    session = idle()
    session.open(optional={"announce": "Tell the night desk, extension 7"})
    session.walk("announce")
    async with desk(session) as at:
        assert "Tell the night desk, extension 7" in at.screen()
        await at.press("enter")
        await at.settle()
        assert "Type done and press Enter." in at.screen()
        await at.type("done")
        await at.press("enter")
        assert at.asked("confirm") == [("confirm", "announce", "done")]
        await at.poll(2)
        assert at.step == "users-out"


async def test_past_the_latest_time_card_and_confirmation_of_promote_say_so() -> None:
    session = idle()
    session.open(promote_before=session.clock.now() + timedelta(seconds=1))
    session.walk("promote")
    async with desk(session, (120, 40)) as at:
        assert "It is past 2026-11-22" in at.screen()
        await at.press("enter")
        await at.settle()
        assert "Consider: it is past 2026-11-22 03:00 UTC" in at.screen()
        await at.press("escape")


def test_every_decision_has_a_letter_of_its_own() -> None:
    assert letters(("recorded", "rerun", "ignored")) == {"r": "recorded", "e": "rerun", "i": "ignored"}
    assert letters(("run-now", "leave")) == {"r": "run-now", "l": "leave"}
    assert letters(()) == {}
