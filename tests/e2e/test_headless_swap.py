"""The planned swap and the swap back without a screen, as a script would run them."""

import msgspec
import pytest

from skytui.conductor.runs import load_run, stored_runs
from skytui.paths import PRACTICE, pair_state_dir
from skytui.runbook.events import Recorded
from skytui.runbook.model import Ended, Ending
from tests.e2e.conftest import Practice
from tests.e2e.roles import check_replication, check_roles
from tests.e2e.walk import planned_sequence, sequence

pytestmark = pytest.mark.pair

EVENT: "msgspec.json.Decoder[Recorded]" = msgspec.json.Decoder(Recorded)


def swap_options(old: str, new: str) -> list[str]:
    typed = {"shut-down": old, "promote": new, "convert": old}
    decided = {"first-job": "leave", "server-history": "recorded"}
    return [
        *(option for step, host in typed.items() for option in ("--confirm", f"{step}={host}")),
        *(option for step, decision in decided.items() for option in ("--decide", f"{step}={decision}")),
    ]


def test_swap_and_swap_back(practice: Practice) -> None:
    timeline = int(practice.psql("sky-a", "SELECT timeline_id FROM pg_control_checkpoint()"))
    for turn, (old, new) in enumerate((("sky-a", "sky-b"), ("sky-b", "sky-a")), start=1):
        done = practice.skytui("swap", PRACTICE, "--headless", "--yes", *swap_options(old, new))
        assert done.returncode == 0, done.stderr
        events = [EVENT.decode(line) for line in done.stdout.splitlines()]
        stored = load_run(stored_runs(pair_state_dir(PRACTICE))[-1])
        assert list(stored.contents.events) == events, "stdout and the journal say the same"
        assert isinstance(stored.run.stage, Ended)
        assert stored.run.stage.ending is Ending.DONE
        assert stored.run.ledger == ()
        assert sequence(events) == planned_sequence(stored.run)
        check_roles(practice, master=new, standby=old, timeline=timeline + turn)
        check_replication(practice, master=new, standby=old, mark=f"mark_{turn}")


def test_missing_answers_are_foreseen_and_nothing_is_started(practice: Practice) -> None:
    done = practice.skytui("swap", PRACTICE, "--headless", "--yes", "--confirm", "shut-down=sky-b")
    assert done.returncode == 10
    assert "--confirm shut-down=sky-a" in done.stderr
    assert "--confirm promote=sky-b" in done.stderr
    assert not stored_runs(pair_state_dir(PRACTICE))


def test_status_and_plan(practice: Practice) -> None:
    status = practice.skytui("status", PRACTICE, "--json")
    assert status.returncode == 0, status.stderr
    document = msgspec.json.decode(status.stdout)
    assert (document["master"], document["standby"]) == ("sky-a", "sky-b")
    assert document["servers"]["sky-a"]["agents"]["state"] == "known"
    assert document["run"] is None
    plan = practice.skytui("plan", PRACTICE)
    assert plan.returncode == 0, plan.stderr
    assert "bin/standbyToMaster.sh" in plan.stdout
    assert "bin/masterToStandby.sh" in plan.stdout
    password = practice.places.admin_password.read_text().strip()
    assert password not in status.stdout + plan.stdout
