"""The planned swap and the swap back without a screen, as a script would run them."""

import msgspec
import pytest

from skytui.conductor.runs import StoredRun, load_run, stored_runs
from skytui.paths import PRACTICE, pair_state_dir
from skytui.runbook.events import Recorded
from skytui.runbook.model import Ended, Ending
from skytui.runbook.report import Report
from tests.e2e.conftest import Practice
from tests.e2e.roles import check_replication, check_roles
from tests.e2e.walk import planned_sequence, sequence
from tests.support.pages import Page

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
        occasion = ("--why", "patch day", "--ticket", f"OPS-{turn}")
        done = practice.skytui("swap", PRACTICE, "--headless", "--yes", *occasion, *swap_options(old, new))
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
        check_report(practice, stored, turn)


def check_report(practice: Practice, stored: StoredRun, turn: int) -> None:
    """Written by itself, and printed again the same; from the second run on with usual times."""
    written = {form: (stored.folder / f"report.{form}").read_text() for form in ("md", "json", "html")}
    made = msgspec.json.decode(written["json"], type=Report)
    assert (made.clean, made.exit_code, made.earlier) == (True, 0, turn - 1)
    assert (made.why, made.ticket) == ("patch day", f"OPS-{turn}")
    assert all(step.state == "passed" for step in made.steps)
    assert all(span.seconds and span.until for span in made.spans)
    assert [step.id for step in made.steps if step.usual] == (list(stored.run.plan) if turn > 1 else [])
    (conversion,) = (action for action in made.actions if action.step == "convert")
    assert conversion.tail
    assert any("convert" in excerpt.title for excerpt in made.excerpts)
    Page(written["html"])
    printed = practice.skytui("report", PRACTICE, stored.run.id)
    assert printed.returncode == 0, printed.stderr
    # The logs go on being written for a moment after the run has ended.
    head, _, _ = written["md"].partition("## Logs")
    assert printed.stdout.startswith(head)
    listed = practice.skytui("runs", PRACTICE)
    assert f"(run {stored.run.id}; {stored.run.new} became the master)" in listed.stdout
    password = practice.places.admin_password.read_text().strip()
    assert password not in "".join((*written.values(), printed.stdout, listed.stdout))


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
