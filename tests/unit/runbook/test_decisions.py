"""A decision for each row of a list; steps done by hand; the latest time for promote."""

from datetime import timedelta

import pytest

from skytui.pair.vocabulary import OPTIONAL_STEPS, Action, FinishedRun, Job, LateRun
from skytui.runbook.events import Decided
from skytui.runbook.machine import fold
from skytui.runbook.model import Checking, Ended, Ending, Waiting
from skytui.runbook.prospect import Turn, prospect
from skytui.runbook.rows import rows
from skytui.runbook.steps import PLANNED, STEPS, Kind, plan_of
from skytui.runbook.undo import plan_of_abort
from tests.support.walk import PLAN, WHO, Walk
from tests.support.world import START

RUNNING = Job("nightly@02:00", "nightly", "agent-1", since="02:00:00")
LISTS = {step.id for step in PLANNED if step.decisions}


def stays(walk: Walk, step: str) -> None:
    for _ in range(3):
        walk.poll()
        if walk.run.unlocked_at:
            walk.world.job_completes()
    assert walk.run.record(step) is None
    assert isinstance(walk.at(), Checking)


def missed(walk: Walk, name: str = "hourly") -> LateRun:
    return LateRun(f"{name}@late", name, walk.world.clock.now(), "missed", "scheduler stopped")


def test_a_running_job_is_accepted_by_name_and_only_that_one() -> None:
    walk = Walk().to("drain-jobs")
    walk.world.old.running = [RUNNING, Job("weekly@02:00", "weekly", "agent-2")]
    assert walk.confirm() == ""
    stays(walk, "drain-jobs")
    assert walk.decide(RUNNING.id, "accept") == ""
    stays(walk, "drain-jobs")
    walk.world.old.running = [RUNNING]
    walk.settle()
    record = walk.run.record("drain-jobs")
    assert record is not None
    assert record.proofs == (f"1 running and accepted: {RUNNING.id} (by {WHO})",)
    assert fold(walk.events) == walk.run


def test_an_accepted_job_whose_end_nobody_recorded_is_asked_about_afterwards() -> None:
    walk = Walk().to("drain-jobs")
    walk.world.old.running = [RUNNING]
    walk.decide(RUNNING.id, "accept")
    walk.to("server-history")
    walk.confirm()
    stays(walk, "server-history")
    (row,) = rows(walk.run, walk.world.poll())
    assert "accepted while it ran" in row.says
    assert walk.decide(row.id, "recorded") == ""
    walk.settle()
    assert walk.to_end().at() == Ended(Ending.DONE)


def test_one_whose_end_is_recorded_needs_no_decision() -> None:
    walk = Walk().to("drain-jobs")
    walk.world.old.running = [RUNNING]
    walk.decide(RUNNING.id, "accept")
    walk.to("server-history")
    walk.world.new.finished.append(FinishedRun(RUNNING.id, "nightly", START, walk.world.clock.now(), 0))
    assert rows(walk.run, walk.world.poll()) == ()
    walk.to_end()


def test_what_was_not_recognised_before_the_run_is_not_its_business() -> None:
    walk = Walk()
    walk.world.old.unrecognised = [FinishedRun("old-news@01:00")]
    walk.to("server-history")
    walk.world.new.unrecognised = [FinishedRun("old-news@01:00"), FinishedRun("lost@02:00", code=3)]
    (row,) = rows(walk.run, walk.world.poll())
    assert row.id == "lost@02:00"
    assert "ended with code 3, not recognised" in row.says
    walk.confirm()
    stays(walk, "server-history")
    walk.decide(row.id, "ignored")
    walk.settle()
    assert walk.run.step is STEPS["close"]


def test_each_missed_run_is_decided_and_the_chosen_ones_are_started_once() -> None:
    walk = Walk().to("first-job")
    late = [missed(walk, "hourly"), missed(walk, "weekly")]
    queued = LateRun("daily@late", "daily", START, "queued")
    before = LateRun("ancient@late", "ancient", START - timedelta(days=1), "missed")
    walk.world.new.late = [*late, queued, before]
    listed = {row.id: row for row in rows(walk.run, walk.world.poll())}
    assert set(listed) == {"next-start", "hourly@late", "weekly@late", "daily@late"}
    assert not listed["daily@late"].choices
    assert not listed["daily@late"].open
    walk.confirm()
    stays(walk, "first-job")
    walk.decide("hourly@late", "run-now")
    stays(walk, "first-job")
    walk.decide("weekly@late", "leave")
    walk.settle()
    assert walk.at() == Waiting("run-missed")
    walk.confirm()
    walk.settle()
    (order,) = [order for order in walk.performed if order.action is Action.RUN_NOW]
    assert (order.server, order.runs) == ("sky-b", ("hourly@late",))
    assert [late.id for late in walk.world.new.late] == ["weekly@late", "daily@late", "ancient@late"]
    walk.to_end()


def test_where_none_was_chosen_nothing_is_started() -> None:
    walk = Walk().to_end()
    assert Action.RUN_NOW not in {order.action for order in walk.performed}


def test_the_next_start_time_is_accepted_instead_of_waiting_for_a_run() -> None:
    walk = Walk().to("first-job")
    walk.world.new.finished.clear()
    walk.confirm()
    for _ in range(3):
        walk.poll()  # no job completes
    assert walk.run.record("first-job") is None
    assert walk.decide("next-start", "accept") == ""
    walk.poll()
    record = walk.run.record("first-job")
    assert record is not None
    assert f"the next start, 03:00, was shown and accepted by {WHO}" in record.proofs


class TestRefused:
    @pytest.mark.parametrize("step", sorted(set(PLAN) - LISTS))
    def test_a_step_without_a_list_takes_no_decision(self, step: str) -> None:
        assert Walk().to(step).decide("x", "accept") == f"{step} has no list to decide on"

    @pytest.mark.parametrize("step", sorted(LISTS))
    def test_what_is_not_one_of_its_decisions(self, step: str) -> None:
        assert Walk().to(step).decide("x", "perhaps").startswith(f"{step} takes ")

    def test_for_another_step_or_nobody_s_row(self) -> None:
        walk = Walk().to("drain-jobs")
        assert walk.decide("x", "accept", step="first-job") == "this decision was for another step"
        assert walk.decide("", "accept").startswith("drain-jobs takes accept")

    def test_by_somebody_who_does_not_operate(self) -> None:
        walk = Walk().to("drain-jobs")
        assert walk.decide("x", "accept", who="eve") == f"{WHO} operates this run, not eve"

    def test_while_the_run_is_held(self) -> None:
        walk = Walk().to("drain-jobs")
        walk.hold()
        assert walk.decide("x", "accept") == "held by bob: lunch"

    def test_a_missed_run_is_not_accepted_and_the_next_start_is_not_run(self) -> None:
        walk = Walk().to("first-job")
        for row, decision in (("hourly@late", "accept"), ("next-start", "run-now")):
            assert walk.decide(row, decision).startswith("a missed run is run now or left")

    def test_for_another_run(self) -> None:
        walk = Walk().to("drain-jobs")
        at, wall = walk.world.tick(), walk.world.clock.now()
        event = Decided(
            at=at, wall=wall, run="another", step="drain-jobs", row="x", decision="accept", who=WHO
        )
        assert walk.feed(event) == "this decision was for another step"


class TestByHand:
    def test_only_what_is_configured_is_in_the_plan(self) -> None:
        assert not set(OPTIONAL_STEPS) & {step.id for step in plan_of(Kind.PLANNED)}
        some = [step.id for step in plan_of(Kind.PLANNED, ["repoint"])]
        assert some[some.index("promote") + 1] == "repoint"
        assert len(some) == len(PLAN) + 1

    def test_what_is_silenced_is_always_let_speak_again(self) -> None:
        plan = [step.id for step in plan_of(Kind.PLANNED, ["silence-monitoring"])]
        assert plan[plan.index("baseline") + 1] == "silence-monitoring"
        assert plan[-2:] == ["unsilence", "close"]

    def test_it_is_confirmed_with_a_word_and_attested_and_the_run_is_not_clean(self) -> None:
        walk = Walk(optional=["announce"]).to("announce")
        assert walk.run.phrase(STEPS["announce"]) == "done"
        assert walk.confirm(phrase="") == "type done, to confirm this step"
        assert walk.confirm() == ""
        walk.settle()
        record = walk.run.record("announce")
        assert record is not None
        assert record.attested
        assert record.proofs == (f"{WHO} says that it is done",)
        assert walk.run.instructions == {"announce": "do announce"}
        assert walk.to_end().at() == Ended(Ending.NOT_CLEAN)

    def test_silence_is_owed_until_it_is_taken_back(self) -> None:
        walk = Walk(optional=["silence-monitoring"]).to("lock-queues")
        assert [debt.what for debt in walk.run.ledger] == ["silence-monitoring"]
        walk.to("close")
        assert walk.run.ledger == ()
        walk.to_end()

    def test_an_abort_asks_for_it_too_and_does_not_say_it_by_itself(self) -> None:
        walk = Walk(optional=["silence-monitoring"]).to("drain-jobs")
        assert plan_of_abort(walk.run) == ("unlock-again", "restored", "unsilence")
        walk.abort()
        for _ in range(10):
            walk.poll()
        assert walk.at() == Waiting("unsilence")
        walk.confirm()
        walk.settle()
        assert walk.at() == Ended(Ending.ROLLED_BACK)
        assert walk.run.ledger == ()


class TestTooLate:
    def test_past_the_latest_time_every_card_before_promote_proposes_to_abort(self) -> None:
        walk = Walk(promote_before=START + timedelta(minutes=10)).to("lock-queues")
        assert prospect(walk.run, walk.world.poll()).too_late == ""
        walk.world.tick(600.0)
        for step in ("lock-queues", "shut-down", "promote"):
            walk.to(step)
            ahead = prospect(walk.run, walk.world.poll())
            assert "it is past 2026-03-01 02:10 UTC, the latest time for promote: abort" in ahead.too_late
            assert ahead.turn is Turn.OPERATOR, "it is the operator who decides"
        walk.to("agents-back")
        assert prospect(walk.run, walk.world.poll()).too_late == ""

    def test_nothing_is_aborted_by_itself(self) -> None:
        walk = Walk(promote_before=START)
        walk.to_end()
        assert walk.run.abort is None
        assert walk.at() == Ended(Ending.DONE)
