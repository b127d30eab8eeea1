"""The first step: no check blocks, judged by what was asked after the confirmation; waived by name only."""

import msgspec
import pytest

from skytui.pair.reading import Known
from skytui.pair.vocabulary import Script
from skytui.runbook.checks import CHECKS
from skytui.runbook.effects import Look
from skytui.runbook.events import Confirmed, Passed, Waived
from skytui.runbook.machine import advance
from skytui.runbook.model import Checking, Ended, Ending, Waiting
from skytui.runbook.prospect import Turn, prospect
from tests.support.walk import WHO, Walk
from tests.support.world import NEW, OLD, with_value


def waive(walk: Walk, check: str, reason: str = "known", step: str = "preflight") -> str:
    at, wall = walk.world.tick(0.1), walk.world.clock.now()
    return walk.feed(Waived(at=at, wall=wall, step=step, who=WHO, reason=reason, check=check))


def full_disk(walk: Walk, server: str = NEW) -> None:
    """A poll in which a disk is full."""
    reading = with_value(walk.world.poll(), server, "disk_free", 1_000)
    assert walk.observe(reading) == ""


def test_what_every_check_found_is_journalled() -> None:
    walk = Walk().to("baseline")
    passed = next(event for event in walk.events if isinstance(event, Passed))
    assert passed.step == "preflight"
    assert [proof.partition(":")[0] for proof in passed.proofs] == [check.id for check in CHECKS]
    assert all(": " in proof for proof in passed.proofs)


def test_a_condition_that_flips_at_the_moment_of_confirmation_blocks() -> None:
    walk = Walk()
    before = walk.world.poll()
    assert prospect(walk.run, before).gate.passes
    assert walk.confirm() == ""
    full_disk(walk)
    assert isinstance(walk.at(), Checking)
    walk.poll()
    assert walk.at() == Waiting("baseline")


def test_what_was_asked_before_the_confirmation_is_no_evidence() -> None:
    walk = Walk()
    old = walk.world.poll()
    assert walk.confirm() == ""
    assert walk.observe(old) == ""
    assert isinstance(walk.at(), Checking)
    ahead = prospect(walk.run, old)
    assert ahead.reasons == ("the next reading counts",)


def test_a_slow_reading_from_before_the_confirmation_is_no_evidence_either() -> None:
    walk = Walk()
    known = walk.world.poll().server(OLD).scripts
    assert isinstance(known, Known)
    assert walk.confirm() == ""
    reading = walk.world.poll()
    earlier = msgspec.structs.replace(reading.server(OLD), scripts=known)
    assert walk.observe(msgspec.structs.replace(reading, servers={**reading.servers, OLD: earlier})) == ""
    assert isinstance(walk.at(), Checking)


def test_the_confirmation_asks_for_everything_anew() -> None:
    walk = Walk()
    at, wall = walk.world.tick(), walk.world.clock.now()
    _, effects = advance(walk.run, Confirmed(at=at, wall=wall, run=walk.run.id, step="preflight", who=WHO))
    assert effects == [Look(everything=True)]


def test_the_card_names_what_blocks_and_how_to_mend_it() -> None:
    walk = Walk()
    reading = with_value(walk.world.poll(), OLD, "scripts", [Script("stop.sh", False)])
    ahead = prospect(walk.run, reading)
    assert ahead.turn is Turn.OPERATOR, "confirmed, it waits for its gate"
    (reason,) = ahead.reasons
    assert reason.startswith("scripts-present: block: stop.sh on sky-a is not there.")
    assert "Put the script there" in reason


def test_a_waived_check_lets_the_step_pass_and_the_run_is_not_clean() -> None:
    walk = Walk()
    assert waive(walk, "disk", "the old copy goes first") == ""
    assert walk.at() == Waiting("preflight"), "a check is waived, not the step"
    assert walk.confirm() == ""
    full_disk(walk)
    assert walk.at() == Waiting("baseline")
    passed = next(event for event in walk.events if isinstance(event, Passed))
    assert any("waived by ann: the old copy goes first" in proof for proof in passed.proofs)
    walk.to_end()
    assert walk.at() == Ended(Ending.NOT_CLEAN)
    assert [(w.step, w.check, w.reason) for w in walk.run.waivers] == [
        ("preflight", "disk", "the old copy goes first")
    ]


def test_a_waiver_is_for_its_own_check_only() -> None:
    walk = Walk()
    assert waive(walk, "clocks") == ""
    assert walk.confirm() == ""
    full_disk(walk)
    assert isinstance(walk.at(), Checking)


@pytest.mark.parametrize(
    ("check", "reason", "step", "why"),
    [
        ("roles", "x", "preflight", "the check roles cannot be waived"),
        ("replication-link", "x", "preflight", "cannot be waived"),
        ("nonsense", "x", "preflight", "there is no check nonsense"),
        ("disk", " ", "preflight", "a waiver needs a reason"),
        ("", "x", "preflight", "the procedure does not let preflight be waived"),
        ("disk", "x", "users-out", "this waiver was for another step"),
    ],
)
def test_what_cannot_be_waived(check: str, reason: str, step: str, why: str) -> None:
    assert why in waive(Walk(), check, reason, step)


def test_a_check_is_waived_once_and_in_its_step_only() -> None:
    walk = Walk()
    assert waive(walk, "disk") == ""
    assert waive(walk, "disk") == "the check disk is waived already"
    walk.to("users-out")
    assert waive(walk, "clocks", step="users-out") == "users-out has no checks; only preflight has"
