"""Who takes up a run that a dead conductor left, and what the run makes of it."""

import msgspec
import pytest

from skytui.conductor.succession import SAME, Succession, succession
from skytui.errors import RunRefusedError
from skytui.runbook.events import HandedOver, Opened, Resumed
from skytui.runbook.machine import fold
from skytui.runbook.model import Doubtful, Run
from tests.support.walk import Walk


@pytest.fixture
def walk() -> Walk:
    return Walk().to("guard-master")


def resumed(walk: Walk, who: str, **fields: object) -> Run:
    event = Resumed(at=walk.world.tick(), wall=walk.world.clock.now(), who=who)
    assert walk.feed(msgspec.structs.replace(event, **fields)) == ""
    return walk.run


def inherit(
    run: Run, heir: str, *, silent: float = 0.0, reason: str = "", operators: tuple[str, ...] = ()
) -> Succession:
    return succession(run, heir, silent=silent, reason=reason, operators=operators)


def test_a_run_goes_by_the_keys_of_the_conductor_not_of_the_client_that_opened_it(walk: Walk) -> None:
    assert walk.run.keys_of == "ann"
    opened, *rest = walk.events
    assert isinstance(opened, Opened)
    run = fold([msgspec.structs.replace(opened, keys_of="bob"), *rest])
    assert run is not None
    assert (run.who, run.operator, run.keys_of) == ("ann", "ann", "bob")


def test_the_same_person_goes_on_without_a_word(walk: Walk) -> None:
    assert inherit(walk.run, "ann", silent=9999) == SAME
    run = resumed(walk, "ann")
    assert (run.operator, run.keys_of) == ("ann", "ann")


def test_handing_a_run_over_hands_no_keys_over(walk: Walk) -> None:
    at, wall = walk.world.tick(), walk.world.clock.now()
    assert walk.feed(HandedOver(at=at, wall=wall, to="bob", by="ann")) == ""
    assert inherit(walk.run, "ann") == SAME
    with pytest.raises(RunRefusedError, match="by the keys of ann"):
        inherit(walk.run, "bob")
    assert resumed(walk, "ann").operator == "bob"


@pytest.mark.parametrize(
    ("silent", "age"),
    [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h 0 min"), (9000, "2 h 30 min")],
)
def test_another_person_is_refused_with_whose_it_is_for_how_long_and_what_to_do(
    walk: Walk, silent: float, age: str
) -> None:
    with pytest.raises(RunRefusedError) as refused:
        inherit(walk.run, "bob", silent=silent, reason="  ")
    assert str(refused.value) == (
        f"Run 20260301-020000 of test goes by the keys of ann, whose conductor has been dead for {age};"
        " it is not gone on with just so. If ann does not: skytui take test --reason '…'"
    )
    assert refused.value.exit_code == 10


def test_with_a_reason_another_person_goes_on_and_operates_it(walk: Walk) -> None:
    how = inherit(walk.run, "bob", silent=300.0, reason="her shift is over")
    assert how == Succession("ann", 300.0, "her shift is over")
    run = resumed(walk, "bob", after=how.after, silent=how.silent, reason=how.reason)
    assert (run.who, run.operator, run.keys_of) == ("ann", "bob", "bob")
    assert fold(walk.events) == run
    assert inherit(run, "bob") == SAME
    with pytest.raises(RunRefusedError, match="by the keys of bob"):
        inherit(run, "ann")


def test_who_may_not_operate_the_pair_takes_nothing_over(walk: Walk) -> None:
    with pytest.raises(RunRefusedError, match=r"carol is none of this pair's operators \(ann, bob\)"):
        inherit(walk.run, "carol", reason="I want it", operators=("bob", "ann"))
    assert inherit(walk.run, "bob", reason="I may", operators=("bob", "ann")).after == "ann"


def test_an_action_that_was_under_way_is_asked_for_and_not_repeated() -> None:
    walk = Walk().to("promote")
    walk.act = lambda order: None
    walk.confirm()
    walk.poll()
    resumed(walk, "bob", after="ann", silent=60.0, reason="the jump host was booted")
    assert isinstance(walk.run.stage, Doubtful)
    assert [order.token for order in walk.probed] == [walk.performed[-1].token]
    assert len(walk.performed) == len({order.token for order in walk.performed})
