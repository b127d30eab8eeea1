"""An agent's runs: real commands, a real ledger, and two servers played by a function."""

import asyncio
import base64
import hashlib
import json
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from skytui.clock import SystemClock
from skytui.lab.agent.commands import Command, Order
from skytui.lab.agent.heartbeat import Heartbeat
from skytui.lab.agent.master import Master, NoMasterError, RejectedError
from skytui.lab.agent.outbox import Outbox, Parcel
from skytui.lab.agent.runner import AT_ONCE, Runner
from skytui.lab.ledger import LOST, Ledger, read_ledger
from skytui.lab.node import AgentConfig, ServerAddress

LOG = logging.getLogger("test")
SECOND = "2026-11-22T12:00:{:02d}Z"


@dataclass
class Pair:
    """Two servers. `roles` by name: master, standby or down; `timelines` by name."""

    roles: dict[str, str] = field(default_factory=lambda: {"a": "master", "b": "standby"})
    timelines: dict[str, int] = field(default_factory=lambda: {"a": 1, "b": 1})
    results: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    beats: list[dict[str, Any]] = field(default_factory=list)
    asks: list[str] = field(default_factory=list)
    wanted: list[str] = field(default_factory=list)
    reconciled: list[list[str]] = field(default_factory=list)
    refuse: str = ""

    def answer(self, request: httpx.Request) -> httpx.Response:
        name = request.url.host
        if self.roles[name] == "down":
            raise httpx.ConnectError("nobody listens")
        etag = {"ETag": f'"{name}/{self.roles[name]}/{self.timelines[name]}"'}
        if self.roles[name] == "standby":
            return httpx.Response(409, json={"error": {"code": "standby", "message": "ask"}}, headers=etag)
        body = json.loads(request.content)
        path = request.url.raw_path.decode()
        if self.refuse and path.endswith("/result"):
            return httpx.Response(409, json={"error": {"code": self.refuse, "message": "no"}}, headers=etag)
        return httpx.Response(200, json=self._reply(name, path, body), headers=etag)

    def _reply(self, name: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path.endswith("/heartbeat"):
            self.beats.append(body)
            return {"asks": self.asks}
        if path.endswith("/reconcile"):
            self.reconciled.append(body["ended"])
            return {"wanted": self.wanted}
        if path.endswith("/result"):
            self.results.append((name, unquote(path.split("/")[-2]), body))
        return {}


@dataclass
class Agent:
    runner: Runner
    outbox: Outbox
    ledger: Ledger
    master: Master
    folder: Path


@asynccontextmanager
async def agent(folder: Path, pair: Pair) -> AsyncIterator[Agent]:
    """One life of an agent; leaving it is a SIGTERM."""
    servers = tuple(ServerAddress(name, f"https://{name}", "127.0.0.1", 1) for name in ("a", "b"))
    config = AgentConfig("NIGHT-01", folder, folder, folder / "ca", "token", "d", "u", "p", ("Q",), servers)
    ledger = Ledger(folder / "ledger.jsonl")
    master = Master(config, httpx.MockTransport(pair.answer))
    outbox = Outbox(folder / "outbox", folder / "output", "NIGHT-01", master, LOG)
    runner = Runner(ledger, outbox, folder / "output", SystemClock(), LOG)
    runner.recover()
    delivery = asyncio.create_task(outbox.deliver())
    try:
        yield Agent(runner, outbox, ledger, master, folder)
    finally:
        delivery.cancel()
        await asyncio.gather(delivery, return_exceptions=True)
        await runner.close()
        await master.close()
        ledger.close()


def order(second: int, command: str, output: bool = True) -> Order:
    return Order(f"job@{SECOND.format(second)}", "job", command, output)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for happens outside this process
            await asyncio.sleep(0.02)


async def test_a_run_is_started_ended_and_delivered_with_its_output(tmp_path: Path) -> None:
    pair = Pair()
    async with agent(tmp_path, pair) as living:
        await living.runner.take(order(1, "echo $SKYTUI_RUN; echo oops >&2; exit 3"))
    ((server, run, body),) = pair.results
    printed = f"{run}\noops\n".encode()
    assert (server, run, body["code"], body["agent"]) == ("a", f"job@{SECOND.format(1)}", 3, "NIGHT-01")
    assert base64.b64decode(body["output_base64"]) == printed
    assert body["sha256"] == hashlib.sha256(printed).hexdigest()
    started, ended = read_ledger(tmp_path / "ledger.jsonl")
    assert (started.event, ended.event, ended.code, ended.sha256) == ("started", "ended", 3, body["sha256"])


async def test_a_job_without_output_delivers_none(tmp_path: Path) -> None:
    pair = Pair()
    async with agent(tmp_path, pair) as living:
        await living.runner.take(order(1, "echo hidden", output=False))
    body = pair.results[0][2]
    assert body["sha256"] is None
    assert "output_base64" not in body


async def test_a_command_ended_by_a_signal_says_so(tmp_path: Path) -> None:
    pair = Pair()
    async with agent(tmp_path, pair) as living:
        await living.runner.take(order(1, "kill -TERM $$"))
    assert pair.results[0][2]["code"] == -signal.SIGTERM


async def test_a_run_fetched_again_is_not_started_again(tmp_path: Path) -> None:
    pair = Pair()
    count = tmp_path / "count"
    async with agent(tmp_path, pair) as living:
        once = order(1, f"echo x >>{count}")
        await asyncio.gather(living.runner.take(once), living.runner.take(once))
        await living.runner.take(once)
    async with agent(tmp_path, pair) as later:
        await later.runner.take(once)
    assert count.read_text() == "x\n"
    assert len(read_ledger(tmp_path / "ledger.jsonl")) == 2
    assert {body["code"] for _, _, body in pair.results} == {0}


async def test_a_result_waits_on_disk_until_a_master_takes_it(tmp_path: Path) -> None:
    pair = Pair(roles={"a": "down", "b": "standby"})
    async with agent(tmp_path, pair) as living:
        task = asyncio.create_task(living.runner.take(order(1, "echo kept")))
        await until(lambda: len(living.outbox.waiting) == 1)
        task.cancel()
    assert pair.results == []
    assert len(list((tmp_path / "outbox").glob("*.json"))) == 1
    pair.roles, pair.timelines = {"a": "down", "b": "master"}, {"a": 1, "b": 2}
    async with agent(tmp_path, pair) as later:
        await later.outbox.delivered(f"job@{SECOND.format(1)}")
    assert [(server, base64.b64decode(body["output_base64"])) for server, _, body in pair.results] == [
        ("b", b"kept\n")
    ]
    assert list((tmp_path / "outbox").glob("*.json")) == []


async def test_a_command_outlives_its_agent_and_its_end_is_delivered(tmp_path: Path) -> None:
    pair = Pair()
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    async with agent(tmp_path, pair) as living:
        task = asyncio.create_task(living.runner.take(order(1, f"cat {gate}; exit 7")))
        await until((Command(tmp_path / "output", f"job@{SECOND.format(1)}").folder / "pid").exists)
        task.cancel()
    async with agent(tmp_path, pair) as later:
        await asyncio.sleep(0)
        assert later.runner.under_way() == [f"job@{SECOND.format(1)}"]
        await asyncio.to_thread(gate.write_text, "late\n")
        await until(lambda: len(pair.results) == 1)
    body = pair.results[0][2]
    assert (body["code"], base64.b64decode(body["output_base64"])) == (7, b"late\n")
    assert len(read_ledger(tmp_path / "ledger.jsonl")) == 2


async def test_a_command_that_ended_while_the_agent_was_away_has_its_own_code(tmp_path: Path) -> None:
    pair = Pair()
    go = tmp_path / "go"
    async with agent(tmp_path, pair) as living:
        task = asyncio.create_task(
            living.runner.take(order(1, f"while [ ! -e {go} ]; do sleep 0.02; done; exit 5"))
        )
        command = Command(tmp_path / "output", f"job@{SECOND.format(1)}")
        await until((command.folder / "pid").exists)
        task.cancel()
    go.touch()
    await until(lambda: command.code() is not None)
    async with agent(tmp_path, pair):
        await until(lambda: len(pair.results) == 1)
    assert pair.results[0][2]["code"] == 5


async def test_a_run_that_was_lost_with_the_agent_ends_with_minus_one(tmp_path: Path) -> None:
    pair = Pair()
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.start(f"job@{SECOND.format(1)}", datetime.now(UTC))
    ledger.close()
    async with agent(tmp_path, pair):
        await until(lambda: len(pair.results) == 1)
    assert pair.results[0][2]["code"] == LOST
    assert read_ledger(tmp_path / "ledger.jsonl")[-1].code == LOST


async def test_a_crash_between_parcel_and_ledger_is_completed_from_the_parcel(tmp_path: Path) -> None:
    pair = Pair(roles={"a": "down", "b": "down"})
    run, now = f"job@{SECOND.format(1)}", datetime.now(UTC)
    async with agent(tmp_path, pair) as living:
        living.ledger.start(run, now)
        living.outbox.put(Parcel(run, 9, now, now, None))
    async with agent(tmp_path, pair):
        await until(lambda: len(read_ledger(tmp_path / "ledger.jsonl")) == 2)
    assert read_ledger(tmp_path / "ledger.jsonl")[-1].code == 9


async def test_at_most_four_commands_run_at_once(tmp_path: Path) -> None:
    pair = Pair()
    go = tmp_path / "go"
    async with agent(tmp_path, pair) as living:
        tasks = [
            asyncio.create_task(living.runner.take(order(n, f"while [ ! -e {go} ]; do sleep 0.02; done")))
            for n in range(AT_ONCE + 2)
        ]
        await until(lambda: len(read_ledger(tmp_path / "ledger.jsonl")) == AT_ONCE)
        assert len(living.runner.under_way()) == AT_ONCE + 2
        await asyncio.sleep(0.1)
        assert len(read_ledger(tmp_path / "ledger.jsonl")) == AT_ONCE
        go.touch()
        await asyncio.gather(*tasks)
    assert len(pair.results) == AT_ONCE + 2


async def test_a_result_refused_for_good_is_kept_aside(tmp_path: Path) -> None:
    pair = Pair(refuse="other_result")
    async with agent(tmp_path, pair) as living:
        await living.runner.take(order(1, ":"))
    assert len(list((tmp_path / "outbox" / "refused").iterdir())) == 1
    assert list((tmp_path / "outbox").glob("*.json")) == []


async def test_nothing_is_told_to_a_master_on_an_older_timeline(tmp_path: Path) -> None:
    pair = Pair(roles={"a": "standby", "b": "master"}, timelines={"a": 1, "b": 2})
    async with agent(tmp_path, pair) as living:
        await living.master.post("/x", {})
        assert living.master.heard == (2, "b")
        pair.roles = {"a": "master", "b": "down"}
        with pytest.raises(NoMasterError, match="older timeline than 2"):
            await living.master.post("/x", {})
        pair.timelines["a"] = 3
        await living.master.post("/x", {})


async def test_a_refusal_of_the_master_itself_is_not_asked_elsewhere(tmp_path: Path) -> None:
    pair = Pair(refuse="other_agent")
    async with agent(tmp_path, pair) as living:
        with pytest.raises(RejectedError, match="409"):
            await living.master.post("/api/v1/runs/x/result", {})


async def test_the_heartbeat_answers_what_it_is_asked_and_reconciles_with_each_new_master(
    tmp_path: Path,
) -> None:
    pair = Pair()
    done, never = f"job@{SECOND.format(1)}", f"job@{SECOND.format(2)}"
    async with agent(tmp_path, pair) as living:
        await living.runner.take(order(1, ":"))
        pair.results.clear()
        pair.asks = [done, never]
        beating = asyncio.create_task(Heartbeat("NIGHT-01", living.runner, LOG).beat(living.master))
        await until(lambda: len(pair.beats) >= 2)
        pair.asks = []
        assert pair.beats[0]["unknown"] == []
        assert pair.beats[1]["unknown"] == [never]
        assert {run for _, run, _ in pair.results} == {done}
        assert pair.reconciled == [[done]]
        pair.wanted = [done]
        pair.roles, pair.timelines = {"a": "down", "b": "master"}, {"a": 1, "b": 2}
        await until(lambda: len(pair.reconciled) == 2 and any(server == "b" for server, _, _ in pair.results))
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
