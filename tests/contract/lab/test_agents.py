"""Agents over real servers and databases, under kill -9 and outages, judged from their ledgers."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from skytui.lab import processes
from skytui.lab.judge import Verdict, judge
from skytui.lab.places import Places
from tests.contract.lab.servers import Server, two_servers, until

pytestmark = pytest.mark.pair

JOBS = """
[[agent]]
name = "NIGHT-01"
queues = ["NIGHT-01", "NIGHT-01/long"]
[[agent]]
name = "NIGHT-02"
queues = ["NIGHT-02"]
[[job]]
name = "export"
agent = "NIGHT-01"
queue = "NIGHT-01"
cron = "* * * * * *"
command = "echo $SKYTUI_RUN"
output = true
[[job]]
name = "report [slow]"
agent = "NIGHT-01"
queue = "NIGHT-01/long"
cron = "*/4 * * * * *"
command = "echo begun; sleep 3; echo complete; exit 3"
output = true
[[job]]
name = "sync"
agent = "NIGHT-02"
queue = "NIGHT-02"
cron = "*/2 * * * * *"
command = ":"
"""


class Agents:
    """The agent processes of a pair."""

    def __init__(self, master: Server) -> None:
        self._places = Places.of(master.node.node.lab)
        self._master = master
        self.pids: dict[str, int] = {}

    def start(self, name: str) -> None:
        folder = self._places.agent(name)
        self.pids[name] = processes.spawn(
            processes.python("skytui.lab.agent", "--config", str(folder / "agent.toml")),
            log=folder / "agent.out",
            env=processes.environment(self._places.lab),
            cwd=folder,
        )

    def end(self, name: str, number: signal.Signals) -> float:
        """Send a signal; seconds until the process was gone."""
        pid, begun = self.pids.pop(name), time.monotonic()
        os.kill(pid, number)
        until(lambda: not processes.alive(pid))
        return time.monotonic() - begun

    def end_all(self) -> None:
        for name in list(self.pids):
            self.end(name, signal.SIGKILL)
        for command in self.commands():
            command.kill()

    def commands(self) -> list[psutil.Process]:
        """The commands that run now, whoever started them."""
        return [
            process for process in psutil.process_iter() if _runs_below(process, self._places.lab / "agents")
        ]

    def slow_commands(self) -> list[psutil.Process]:
        """Those of `report [slow]`, which take three seconds."""
        return [process for process in self.commands() if "sleep 3" in " ".join(_arguments(process))]

    def connected(self) -> bool:
        return all(agent["connected"] for agent in self._master.get("/agents")["items"])

    def ledger(self, name: str) -> Path:
        return self._places.agent(name) / "ledger.jsonl"

    def judge(self, window: tuple[datetime, datetime]) -> Verdict:
        ledgers = [self.ledger(name) for name in ("NIGHT-01", "NIGHT-02")]
        with self._master.connect() as connection:
            return judge(ledgers, connection, self._master.node.home / "files", window)


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _runs_below(process: psutil.Process, folder: Path) -> bool:
    arguments = _arguments(process)
    return arguments[:2] == ["/bin/sh", "-c"] and any(each.startswith(f"{folder}/") for each in arguments)


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with two_servers(tmp_path_factory.mktemp("agents"), JOBS) as (server, _):
        yield server


@pytest.fixture(scope="module")
def agents(master: Server) -> Iterator[Agents]:
    found = Agents(master)
    for name in ("NIGHT-01", "NIGHT-02"):
        found.start(name)
    until(found.connected)
    yield found
    found.end_all()


def settle(master: Server) -> None:
    """Nothing new, nothing under way."""
    master.act("/scheduler/stop").raise_for_status()
    until(lambda: not master.get("/jobs/running")["items"], 60)
    until(lambda: not any(queue["waiting"] for queue in master.get("/queues")["items"]), 60)


def test_every_run_is_accounted_for_after_kills_and_an_outage(master: Server, agents: Agents) -> None:
    begin = datetime.now(UTC)
    master.act("/scheduler/start").raise_for_status()
    # One that has seconds to go: the short ones would be over before their agent is.
    until(agents.slow_commands)
    agents.end("NIGHT-01", signal.SIGKILL)
    assert agents.slow_commands(), "the command must outlive its agent"
    agents.start("NIGHT-01")
    until(agents.connected)
    assert agents.end("NIGHT-01", signal.SIGTERM) < 5
    agents.start("NIGHT-01")
    outage = threading.Timer(2.0, master.cluster.start)
    master.cluster.stop()
    outage.start()
    outage.join()
    stopped = datetime.now(UTC)
    until(lambda: master.ask("GET", "/queues").status_code == 200)
    until(
        lambda: [
            r
            for r in master.get("/runs")["items"]
            if r["started_at"] and r["started_at"] > f"{stopped:%FT%TZ}"
        ]
    )
    master.stop()
    master.start()
    until(agents.connected)
    # A tick that is due at the very moment of the stop is recorded as missed at the next start only.
    end = datetime.now(UTC) - timedelta(seconds=1)
    settle(master)
    verdict = agents.judge((begin, end))
    assert verdict.faults == []
    assert verdict.runs >= 10
    codes = {run["job"]: run["code"] for run in master.get("/runs")["items"]}
    assert codes == {"export": 0, "report [slow]": 3, "sync": 0}


def test_the_judge_sees_what_is_done_to_rows_and_files(master: Server, agents: Agents) -> None:
    settle(master)
    window = (datetime.now(UTC), datetime.now(UTC))
    assert agents.judge(window).faults == []
    ((run, code),) = master.sql("SELECT id, code FROM sky.run WHERE sha256 IS NOT NULL ORDER BY id LIMIT 1")

    def faults_while(change: str, back: str, *values: Any) -> list[str]:
        master.sql(change, *values)
        try:
            return agents.judge(window).faults
        finally:
            master.sql(back, *values)

    doubled = faults_while(
        """
        INSERT INTO sky.server_history
        SELECT id, agent, code, sha256, ended_at, 'copied' FROM sky.run WHERE id = %s
        """,
        "DELETE FROM sky.server_history WHERE run = %s",
        run,
    )
    assert doubled == [f"{run} has 2 terminal rows on the master, and must have one."]
    other = faults_while(
        "UPDATE sky.run SET code = code + 1 WHERE id = %s",
        "UPDATE sky.run SET code = code - 1 WHERE id = %s",
        run,
    )
    assert other == [f"{run} ended with {code} on NIGHT-01, and the master says {code + 1}."]
    master.sql("CREATE TABLE kept AS SELECT * FROM sky.run WHERE id = %s", run)
    lost = faults_while(
        "DELETE FROM sky.run WHERE id = %s", "INSERT INTO sky.run SELECT * FROM kept WHERE id = %s", run
    )
    assert lost == [f"{run} has 0 terminal rows on the master, and must have one."]
    assert agents.judge(window).faults == []


def test_a_stopped_agent_is_silent_and_its_row_says_so_after_a_while(master: Server, agents: Agents) -> None:
    until(agents.connected)
    pid = agents.pids["NIGHT-02"]
    os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: not agents.connected())
        (row,) = [agent for agent in master.get("/agents")["items"] if not agent["connected"]]
        assert row["name"] == "NIGHT-02"
        until(lambda: master.sql("SELECT name FROM sky.agent WHERE status = 'inactive'") == [("NIGHT-02",)])
    finally:
        os.kill(pid, signal.SIGCONT)
    until(agents.connected)
