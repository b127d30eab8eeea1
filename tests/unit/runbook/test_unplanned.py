"""The unplanned swap: what is accepted, proven or stated, what is owed, and what is left for later."""

import pytest

from skytui.pair.order import Outcome, Result
from skytui.pair.vocabulary import Action, LateRun, Role
from skytui.runbook.assess import assessment
from skytui.runbook.events import Baselined, Refuted
from skytui.runbook.machine import fold
from skytui.runbook.model import Checking, Debt, Ended, Ending, Waiting
from skytui.runbook.sides import sides_of
from skytui.runbook.steps import Kind
from tests.support.walk import PLAN, Walk
from tests.support.world import LOCKED_QUEUES, NEW, OLD, OPEN_QUEUES, START, World

GUARD = Debt("guard-master", OLD)
BACK = PLAN[: PLAN.index("promote") + 1]


def lost(*, reached: bool) -> World:
    """A master that crashed; its host answers, or does not."""
    world = World()
    world.old.up, world.old.reached, world.old.control = False, reached, "in production"
    return world


def unplanned(*, reached: bool) -> Walk:
    return Walk(lost(reached=reached), kind=Kind.UNPLANNED)


def through(walk: Walk) -> None:
    """Confirm the current step and go on until the next one's card is up."""
    assert walk.confirm() == ""
    walk.settle()


def test_a_crashed_master_whose_host_answers_is_guarded_and_the_swap_goes_to_its_end() -> None:
    walk = unplanned(reached=True)
    through(walk)
    assert walk.run.accepted == "ann"
    through(walk)
    assert walk.world.old.guard
    assert [order.action for order in walk.performed] == [Action.FENCE]
    walk.to_end()
    assert walk.run.stage == Ended(Ending.NOT_CLEAN)
    assert walk.run.ledger == ()
    assert fold(walk.events) == walk.run
    assert {name for name, locked in walk.world.new.queues.items() if locked} == set(LOCKED_QUEUES)


def test_a_master_that_is_down_and_guarded_is_not_touched() -> None:
    walk = unplanned(reached=True)
    walk.world.old.guard = True
    through(walk)
    through(walk)
    assert walk.performed == []
    assert walk.run.ledger == (GUARD,)


def test_a_master_that_still_runs_is_stopped_where_it_can_be_reached() -> None:
    walk = Walk(World(), kind=Kind.UNPLANNED)
    through(walk)
    through(walk)
    assert not walk.world.old.up
    assert walk.world.old.guard


def test_the_loss_is_accepted_by_its_words_only() -> None:
    walk = unplanned(reached=True)
    assert walk.confirm(phrase="") == "type accept the loss, to confirm this step"
    assert walk.confirm(phrase=OLD) == "type accept the loss, to confirm this step"
    assert walk.run.accepted == ""
    assert walk.confirm(phrase="accept the loss") == ""


def test_out_of_reach_is_not_down_and_a_statement_stands_for_it() -> None:
    walk = unplanned(reached=False)
    through(walk)
    walk.act = lambda order: Outcome(Result.NOT_STARTED, "sky-a: no SSH connection")
    assert walk.confirm() == ""
    walk.poll()
    assert isinstance(walk.at(), Waiting)
    assert walk.state() == ""
    through(walk)
    record = walk.run.record("fence-master")
    assert record is not None
    assert any("ann states that sky-a is powered off" in proof for proof in record.proofs)
    assert GUARD in walk.run.ledger
    walk.act = walk.world.act
    walk.to("disk-space")
    assert walk.run.no_way_back
    assert GUARD in walk.run.ledger


def test_without_a_statement_nothing_is_activated_while_the_master_is_out_of_reach() -> None:
    walk = Walk().to("promote")
    walk.world.old.reached = False
    assert walk.confirm() == ""
    walk.poll()
    assert isinstance(walk.at(), Waiting)
    assert Action.PROMOTE not in [order.action for order in walk.performed]


@pytest.mark.parametrize(
    "words", ["", "sky-a", "I confirm sky-b is powered off", "i confirm sky-a is powered off"]
)
def test_a_statement_is_made_in_its_own_words(words: str) -> None:
    walk = unplanned(reached=False)
    through(walk)
    assert walk.state(words) == "the statement is: I confirm sky-a is powered off"
    assert walk.run.statements == ()


def test_a_statement_is_the_operators_and_for_steps_that_depend_on_it() -> None:
    walk = unplanned(reached=False)
    assert walk.state() == "assess does not depend on sky-a being down"
    through(walk)
    assert walk.state(who="bob") == "ann operates this run, not bob"
    assert walk.state(step="promote") == "this statement was for another step"
    assert walk.state() == ""
    assert walk.state() == "ann has stated it already"


@pytest.mark.parametrize("sign", ["host", "server"])
def test_a_sign_of_life_refutes_a_statement_for_good(sign: str) -> None:
    walk = unplanned(reached=False)
    through(walk)
    assert walk.state() == ""
    through(walk)
    old = walk.world.old
    old.reached, old.up = True, True
    walk.poll()
    assert walk.run.statement is None
    assert isinstance(walk.events[-1], Refuted)
    old.reached, old.up = sign == "host", False
    if sign == "server":
        assert walk.confirm() == ""
        walk.poll()
        assert Action.PROMOTE not in [order.action for order in walk.performed]


def test_a_statement_never_outweighs_what_is_read() -> None:
    walk = unplanned(reached=False)
    through(walk)
    walk.world.old.reached = walk.world.old.up = True
    assert walk.state() == ""
    walk.act = lambda order: Outcome(Result.FAILED, "stop.sh ended with 1")
    assert walk.confirm() == ""
    walk.poll()
    walk.poll()
    assert walk.run.statement is None
    assert walk.run.record("fence-master") is None


def test_the_baseline_is_the_standbys() -> None:
    walk = unplanned(reached=False)
    walk.world.new.queues["night"] = True
    through(walk)
    baseline = next(event.baseline for event in walk.events if isinstance(event, Baselined))
    assert baseline.timeline == 3
    assert set(baseline.locked_queues()) == {*LOCKED_QUEUES, "night"}
    assert set(baseline.open_queues()) == set(OPEN_QUEUES) - {"night"}
    assert baseline.active_agents() == ("agent-1", "agent-2", "agent-3")
    assert baseline.scheduler == ""


@pytest.mark.parametrize("step", BACK)
def test_a_planned_run_is_turned_before_the_point_of_no_return_and_keeps_what_it_has(step: str) -> None:
    walk = Walk().to(step)
    baseline, ledger, records = walk.run.baseline, walk.run.ledger, walk.run.records
    walk.world.old.up, walk.world.old.reached = False, False
    assert walk.turn() == ""
    assert walk.run.kind is Kind.UNPLANNED
    assert walk.run.step is not None
    assert walk.run.step.id == "assess"
    assert (walk.run.ledger, walk.run.records) == (ledger, records)
    through(walk)
    assert baseline is None or walk.run.baseline == baseline
    walk.act = lambda order: Outcome(Result.NOT_STARTED, "no connection")
    assert walk.state() == ""
    through(walk)
    walk.act = walk.world.act
    walk.to("disk-space")
    assert {name for name, locked in walk.world.new.queues.items() if locked} == set(LOCKED_QUEUES)
    assert walk.postpone() == ""
    assert walk.run.stage == Ended(Ending.NOT_CLEAN)
    assert fold(walk.events) == walk.run


def test_turning_needs_the_operator_a_reason_the_steps_and_a_way_back() -> None:
    walk = Walk().to("shut-down")
    assert walk.turn(who="bob") == "ann operates this run, not bob"
    assert walk.turn(reason=" ") == "to make an unplanned swap of it needs a reason"
    assert walk.turn(plan=("promote",)) == "these are not the steps of an unplanned swap"
    walk.hold()
    assert walk.turn().startswith("held by bob")
    walk.release()
    walk.to("agents-back")
    assert walk.turn() == "sky-b was told to become the master already: go on with this run"


def test_a_run_is_not_turned_while_its_master_may_be_starting() -> None:
    walk = Walk().to("last-byte")
    walk.act = lambda order: Outcome(Result.UNKNOWN, "lost")
    assert walk.abort() == ""
    walk.poll()
    assert walk.turn() == "sky-a may be starting: what became of that must be known first"


def test_an_aborted_run_whose_master_dies_can_be_turned() -> None:
    walk = Walk().to("shut-down")
    walk.act = lambda order: Outcome(Result.FAILED, "no")
    assert walk.abort() == ""
    walk.poll()
    assert walk.turn() == ""
    assert walk.run.abort is None


def test_an_unplanned_swap_is_taken_back_until_the_activation() -> None:
    walk = Walk(World(), kind=Kind.UNPLANNED)
    through(walk)
    through(walk)
    assert walk.abort() == ""
    walk.settle()
    assert walk.run.stage == Ended(Ending.ROLLED_BACK)
    assert walk.world.old.up
    assert not walk.world.old.guard


def test_the_conversion_is_left_for_later_and_is_a_run_of_its_own() -> None:
    walk = unplanned(reached=True)
    walk.to("convert")
    assert walk.postpone(who="bob") == "ann operates this run, not bob"
    assert walk.postpone(reason="") == "to leave the conversion for later needs a reason"
    assert walk.postpone() == ""
    assert walk.run.stage == Ended(Ending.NOT_CLEAN)
    assert walk.run.ledger == (GUARD,)
    later = Walk(walk.world, kind=Kind.CONVERT, owed=walk.run.ledger)
    later.to_end()
    assert later.run.stage == Ended(Ending.DONE)
    assert later.run.ledger == ()
    assert walk.world.old.role is Role.STANDBY


def test_only_the_conversion_is_left_for_later() -> None:
    walk = Walk().to("agents-back")
    assert walk.postpone() == "only the conversion can be left for later, not agents-back"
    walk.to("standby-active")
    assert walk.postpone() == "sky-a is the standby already: only its state is waited for"


def test_a_conversion_is_not_taken_back() -> None:
    walk = unplanned(reached=True)
    walk.to("convert")
    walk.postpone()
    later = Walk(walk.world, kind=Kind.CONVERT)
    assert "nothing is taken back" in later.abort()


def test_whether_the_old_master_came_back_is_looked_at_before_a_conversion() -> None:
    walk = unplanned(reached=True)
    walk.to("convert")
    walk.postpone()
    walk.world.old.up = True
    later = Walk(walk.world, kind=Kind.CONVERT)
    through(later)
    assert not walk.world.old.up


@pytest.mark.parametrize(
    ("kind", "old", "new", "says"),
    [
        (Kind.PLANNED, Role.MASTER, Role.STANDBY, ""),
        (Kind.PLANNED, None, Role.STANDBY, "a planned swap needs one server that reads master and one"),
        (Kind.UNPLANNED, None, Role.STANDBY, ""),
        (Kind.UNPLANNED, Role.MASTER, Role.STANDBY, ""),
        (Kind.UNPLANNED, None, Role.MASTER, "no server reads standby"),
        (Kind.UNPLANNED, Role.STANDBY, Role.STANDBY, "both servers read standby"),
        (Kind.CONVERT, None, Role.MASTER, ""),
        (Kind.CONVERT, Role.STANDBY, Role.MASTER, "sky-a reads standby already"),
        (Kind.CONVERT, Role.MASTER, Role.MASTER, "both servers read master"),
        (Kind.CONVERT, None, Role.STANDBY, "no server reads master"),
    ],
)
def test_what_each_kind_of_run_needs(kind: Kind, old: Role | None, new: Role | None, says: str) -> None:
    world = World()
    for server, role in ((world.old, old), (world.new, new)):
        if role is None:
            server.up = False
        else:
            server.role = role
    sides = sides_of(kind, world.poll())
    assert says in sides.why_not
    assert bool(says) == bool(sides.why_not)
    if not says:
        assert (sides.old, sides.new) == (OLD, NEW)


def test_with_two_masters_the_run_that_left_it_says_which_one_is_converted() -> None:
    walk = unplanned(reached=True)
    walk.to("convert")
    walk.postpone()
    walk.world.old.up = True
    sides = sides_of(Kind.CONVERT, walk.world.poll(), walk.run)
    assert (sides.old, sides.new, sides.owed) == (OLD, NEW, (GUARD,))


def test_what_may_be_lost_is_said_in_words() -> None:
    world = World()
    world.old.pending = 4
    before = world.poll()
    walk = Walk(world, kind=Kind.UNPLANNED)
    said = assessment(walk.run, before)
    assert said[0] == "sky-a answers and reads master: a planned swap would lose nothing."
    assert "4 File Replication Requests were left on sky-a, read 0 s ago" in said[1]
    world.old.up = world.old.reached = False
    said = assessment(walk.run, world.poll())
    assert said[0] == "sky-a has not answered since the conductor of this pair was started."
    assert "never read" in said[1]
    assert said[3] == "Which jobs were running then is not known."


def test_a_wait_for_the_disk_of_a_host_out_of_reach_is_left_for_later() -> None:
    walk = unplanned(reached=False)
    through(walk)
    assert walk.state() == ""
    walk.act = lambda order: Outcome(Result.NOT_STARTED, "no connection")
    through(walk)
    walk.act = walk.world.act
    walk.to("disk-space")
    assert walk.confirm() == ""
    walk.poll()
    assert isinstance(walk.at(), Checking)
    assert walk.postpone() == ""
    assert walk.at() == Ended(Ending.NOT_CLEAN)


def test_what_a_lost_master_alone_had_is_salvaged_before_it_is_converted() -> None:
    walk = unplanned(reached=True)
    walk.to("convert")
    assert Action.SALVAGE in [order.action for order in walk.performed]
    assert walk.run.salvage is not None


def test_what_was_missed_is_decided_though_nobody_knows_when_the_scheduler_stopped() -> None:
    walk = unplanned(reached=True).to("first-job")
    walk.world.new.late = [LateRun("hourly@late", "hourly", START, "missed")]
    assert walk.confirm() == ""
    for _ in range(3):
        walk.poll()
        walk.world.job_completes()
    assert walk.run.record("first-job") is None
    assert walk.decide("hourly@late", "leave") == ""
    walk.settle()
    assert walk.run.record("first-job") is not None


def test_a_turned_run_keeps_what_is_done_by_hand_and_lets_monitoring_speak_again() -> None:
    walk = Walk(optional=["silence-monitoring", "repoint"]).to("drain-jobs")
    walk.world.old.up, walk.world.old.reached = False, False
    assert walk.turn() == ""
    assert walk.run.plan[-2:] == ("unsilence", "close")
    assert "repoint" in walk.run.plan
