"""What only the old master has: saved before it is converted, or proven to be nothing, or waived."""

from skytui.clock import Instant
from skytui.pair.order import Order, Outcome, Result
from skytui.pair.vocabulary import Action, FinishedRun, Salvage
from skytui.runbook.events import Salvaged
from skytui.runbook.machine import fold
from skytui.runbook.model import Doubtful, Ended, Ending, Failed, Running, Waiting
from skytui.runbook.prospect import Turn, prospect
from skytui.runbook.rows import rows
from tests.support.walk import Walk, card_of

LOST_RUN = FinishedRun("nightly@2026-03-01T02:00:00Z", "nightly", code=0)


def saves(walk: Walk, *runs: FinishedRun, aside: bool = False) -> None:
    """The script does its work and finds these."""

    def act(order: Order) -> Outcome:
        done = walk.world.act(order)
        if order.action is Action.SALVAGE:
            folder = f"/salvage/{order.mark}"
            walk.world.old.salvage = Salvage(order.mark, folder, list(runs), len(runs), 1, aside)
        return done

    walk.act = act


def test_nothing_is_started_where_the_last_byte_proved_that_there_is_nothing() -> None:
    walk = Walk().to("salvage")
    ahead = prospect(walk.run, walk.world.poll())
    assert (ahead.turn, ahead.phrase) == (Turn.OPERATOR, "")
    walk.to("convert")
    assert Action.SALVAGE not in {order.action for order in walk.performed}
    record = walk.run.record("salvage")
    assert record is not None
    assert not record.waived
    assert "nothing to save: sky-a is as it was" in " ".join(record.proofs)
    assert walk.run.salvage is None


def test_what_is_saved_is_recorded_by_name_and_kept_by_the_run() -> None:
    walk = card_of("salvage")
    saves(walk, LOST_RUN)
    assert walk.confirm() == ""
    walk.settle()
    (order,) = [order for order in walk.performed if order.action is Action.SALVAGE]
    assert (order.server, order.mark) == ("sky-a", walk.run.id)
    assert isinstance(walk.events[-2], Salvaged)
    assert walk.run.salvage is not None
    assert walk.run.salvage.runs == [LOST_RUN]
    record = walk.run.record("salvage")
    assert record is not None
    assert f"1 runs and 1 output files saved in /salvage/{walk.run.id}: {LOST_RUN.id}" in record.proofs
    assert fold(walk.events) == walk.run
    walk.to("server-history")
    assert [row.id for row in rows(walk.run, walk.world.poll())] == [LOST_RUN.id]
    assert walk.decide(LOST_RUN.id, "rerun") == ""
    assert walk.to_end().run.stage == Ended(Ending.DONE)


def test_a_data_directory_kept_aside_counts_as_saved() -> None:
    walk = card_of("salvage")
    saves(walk, aside=True)
    walk.confirm()
    walk.settle()
    record = walk.run.record("salvage")
    assert record is not None
    assert any("the data directory of sky-a is kept in" in proof for proof in record.proofs)


def test_what_another_run_saved_is_not_this_run_s() -> None:
    walk = card_of("salvage")
    walk.world.old.salvage = Salvage("20260201-020000", "/salvage/20260201-020000", [LOST_RUN], 1)
    walk.act = lambda order: None
    walk.confirm()
    walk.poll()
    assert isinstance(walk.run.stage, Running)


def test_a_salvage_that_failed_may_be_tried_again_or_waived_with_a_reason() -> None:
    walk = card_of("salvage")
    walk.act = lambda order: Outcome(Result.FAILED, "its disk is full", 1)
    walk.confirm()
    walk.poll()
    assert isinstance(walk.at(), Failed)
    assert walk.waive("salvage", "") == "a waiver needs a reason"
    assert walk.waive("salvage", "the disk is broken; nothing of value ran") == ""
    assert walk.at() == Waiting("convert")
    walk.act = walk.world.act
    assert walk.to_end().run.stage == Ended(Ending.NOT_CLEAN)


def test_one_that_was_lost_is_found_by_what_it_saved() -> None:
    walk = card_of("salvage")
    saves(walk, LOST_RUN)
    carry_out = walk.act

    def lost(order: Order) -> Outcome:
        carry_out(order)
        return Outcome(Result.UNKNOWN, "the connection was cut")

    walk.act = lost
    walk.confirm()
    walk.poll()
    assert isinstance(walk.run.stage, Doubtful)
    walk.settle()
    assert walk.run.salvage is not None
    assert walk.run.record("salvage") is not None


def test_it_is_recorded_only_at_its_own_step() -> None:
    walk = Walk().to("convert")
    at: Instant = walk.world.tick()
    event = Salvaged(at=at, wall=walk.world.clock.now(), salvage=Salvage("x"))
    assert walk.feed(event) == "what was saved is recorded when it is found"


def test_a_disk_too_small_holds_the_run_until_there_is_room() -> None:
    walk = Walk().to("disk-space")
    walk.world.old.disk_free = 3_000_000_000
    assert walk.confirm() == ""
    for _ in range(3):
        walk.poll()
    assert walk.run.record("disk-space") is None
    ahead = prospect(walk.run, walk.world.poll())
    assert any("make room there" in reason for reason in ahead.reasons)
    assert walk.waive("disk-space", "it will do") == "the procedure does not let disk-space be waived"
    walk.world.old.disk_free = 40_000_000_000
    walk.settle()
    assert walk.run.record("disk-space") is not None
