"""Nothing is lost and nothing runs twice: judged from the agents' own ledgers over a swap and a swap back.

The run accepts what still runs in `drain-jobs`. One of these jobs ends when this test lets it: while there is
no master.
"""

import asyncio
import shutil
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest

from skytui.lab.judge import Verdict, judge
from skytui.lab.ledger import read_ledger
from skytui.lab.node import DATABASE, SUPERUSER
from skytui.runbook.events import Finished, Recorded
from skytui.runbook.model import Ended, Ending
from tests.e2e.conftest import DENSE_JOBS, PairUp, Practice
from tests.e2e.walk import Walk

pytestmark = [pytest.mark.pair, pytest.mark.slow]

RUNS_WANTED = 200


def ledgers(practice: Practice) -> list[Path]:
    return sorted(practice.places.lab.glob("agents/*/ledger.jsonl"))


def connect(practice: Practice, host: str) -> "psycopg.Connection[tuple[object, ...]]":
    node = practice.node(host)
    return psycopg.connect(
        host=node.http.address, port=node.postgres.port, user=SUPERUSER, dbname=DATABASE,
        password=node.secrets().superuser, autocommit=True,
    )  # fmt: skip


def judged(practice: Practice, host: str, began: datetime, ended: datetime) -> Verdict:
    with connect(practice, host) as master:
        return judge(ledgers(practice), master, practice.node(host).home / "files", (began, ended))


def started(practice: Practice) -> int:
    return sum(entry.event == "started" for file in ledgers(practice) for entry in read_ledger(file))


def dark_window(events: list[Recorded]) -> tuple[datetime, datetime]:
    """From the end of the shut-down to the end of the promotion: nobody was master."""
    ends = {event.step: event.wall for event in events if isinstance(event, Finished)}
    return ends["shut-down"], ends["promote"]


async def swap_accepting_running_jobs(walk: Walk) -> None:
    await walk.to("drain-jobs")
    walk.decisions["drain-jobs"] = "accept"
    await walk.pass_step()
    await walk.to("promote")


async def eventually(holds: Callable[[], bool], what: str, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(0.2)


async def a_long_job_runs(practice: Practice) -> None:
    """Wait until the job has begun that goes on until it is let end."""
    begun = practice.places.lab / "agents" / "NIGHT-02" / "waits"
    await eventually(begun.is_dir, "invoice-print has begun")


async def it_ends_without_a_master(practice: Practice) -> None:
    """Let it end now, and wait until the agent's own ledger says that it did."""
    agent = practice.places.lab / "agents" / "NIGHT-02"

    def ended() -> int:
        return sum(
            entry.event == "ended" and entry.run.startswith("invoice-print@")
            for entry in read_ledger(agent / "ledger.jsonl")
        )

    before = ended()
    (agent / "may-end").touch()
    await eventually(lambda: ended() > before, "invoice-print has ended")


def ends(practice: Practice) -> list[datetime]:
    return [entry.at for file in ledgers(practice) for entry in read_ledger(file) if entry.event == "ended"]


async def everything_has_ended(practice: Practice, host: str) -> None:
    """Stop the scheduler's supply and wait until nothing is queued or running any more."""
    deadline = time.monotonic() + 120
    sql = "SELECT count(*) FROM sky.run WHERE state <> 'ended'"
    while practice.psql(host, sql) != "0":
        assert time.monotonic() < deadline, practice.psql(
            host, f"{sql.replace('count(*)', 'id, state')} LIMIT 9"
        )
        await asyncio.sleep(0.5)


async def test_two_hundred_runs_over_swap_and_swap_back(pair_up: PairUp, tmp_path: Path) -> None:
    practice = pair_up(DENSE_JOBS)
    began = datetime.now(UTC)
    dark: list[tuple[datetime, datetime]] = []
    async with await Walk.attached() as walk:
        for _ in range(2):
            walk.events.clear()
            if not dark:
                await a_long_job_runs(practice)
            await swap_accepting_running_jobs(walk)
            if not dark:
                await it_ends_without_a_master(practice)
            await walk.to_the_end()
            assert walk.run is not None
            assert walk.run.stage == Ended(Ending.DONE), "accepted by name is within the procedure"
            accepted = {each.row for each in walk.run.decisions if each.step == "drain-jobs"}
            assert accepted, "a job ran on through the swap"
            dark.append(dark_window(walk.events))
        deadline = time.monotonic() + 180
        while started(practice) < RUNS_WANTED:
            assert time.monotonic() < deadline, started(practice)
            await asyncio.sleep(0.5)
        # The last tick that counts; what is due until then is let end.
        ended = datetime.now(UTC)
        await stop_scheduler(practice, "sky-a")
        await everything_has_ended(practice, "sky-a")
    verdict = judged(practice, "sky-a", began, ended)
    assert not verdict.faults, verdict.faults
    assert verdict.runs >= RUNS_WANTED
    assert any(since <= end <= until for since, until in dark for end in ends(practice)), (
        "no job ended without a master"
    )
    await the_judge_can_fail(practice, began, ended)


async def stop_scheduler(practice: Practice, host: str) -> None:
    node = practice.node(host)
    context = ssl.create_default_context(cafile=str(node.http.ca))
    password = practice.places.admin_password.read_text().strip()
    async with httpx.AsyncClient(base_url=f"{node.url}/api/v1", verify=context, trust_env=False) as client:
        login = await client.post("/login", json={"user": "admin", "password": password})
        client.headers["Authorization"] = f"Bearer {login.json()['token']}"
        etag = (await client.get("/identity")).headers["ETag"]
        stopped = await client.post("/scheduler/stop", headers={"If-Match": etag})
        assert stopped.is_success, stopped.text


async def the_judge_can_fail(practice: Practice, began: datetime, ended: datetime) -> None:
    """A row deleted, a result changed, a file changed, a run started twice: each is found."""
    with connect(practice, "sky-a") as master:
        files = practice.node("sky-a").home / "files"
        found = master.execute(
            "SELECT id FROM sky.run WHERE state = 'ended' AND sha256 IS NOT NULL ORDER BY id LIMIT 1"
        ).fetchone()
        assert found is not None
        run = str(found[0])

        def faults(books: list[Path] | None = None) -> str:
            return "\n".join(judge(books or ledgers(practice), master, files, (began, ended)).faults)

        with master.transaction(force_rollback=True):
            master.execute("DELETE FROM sky.run WHERE id = %s", (run,))
            assert run in faults(), "a deleted row"
        with master.transaction(force_rollback=True):
            master.execute("UPDATE sky.run SET code = code + 1 WHERE id = %s", (run,))
            assert run in faults(), "another exit code"
        with master.transaction(force_rollback=True):
            master.execute(
                "INSERT INTO sky.server_history (run, agent, code, ended_at, reason)"
                " SELECT id, agent, code, ended_at, 'twice' FROM sky.run WHERE id = %s",
                (run,),
            )
            assert run in faults(), "a doubled row"
        (book,) = [file for file in ledgers(practice) if run in file.read_text()]
        copies = practice.places.lab.parent / "copies" / book.parent.name
        copies.mkdir(parents=True)
        shutil.copy(book, copies)
        lines = book.read_text().splitlines()
        with (copies / book.name).open("a") as file:
            file.writelines(f"{line}\n" for line in lines if run in line)
        others = [each for each in ledgers(practice) if each != book]
        assert run in faults([*others, copies / book.name]), "started twice"
        assert not faults(), "and without these there is none"
