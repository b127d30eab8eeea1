"""Hooks as processes: what they are told, what is kept of what they print, and how they end."""

import asyncio
import os
import sys
import time
from pathlib import Path

import msgspec
import pytest

from skytui.conductor.hooks import HookRunner
from skytui.config.hooks import Hooks
from skytui.config.pairs import PairConfig, ServerConfig
from skytui.config.secrets import SecretSource
from skytui.config.values import Duration
from skytui.link.wire import Waive
from skytui.runbook.events import Hooked, HookWaived
from skytui.runbook.model import Ended, Ending, Waiting
from tests.support.conducted import conducted, confirm, go_to, open_run, until_run
from tests.support.walk import Walk
from tests.support.world import NEW, OLD
from tests.unit.conductor.test_conductor import journal_of

SECONDS = 60.0
RUN = Walk().run


class Runner(HookRunner):
    """Of a pair with this one command before `activate`; `lines` is what it printed."""

    def __init__(self, *command: str, deadline: float = SECONDS, **changes: object) -> None:
        config = PairConfig(
            name="test",
            file=Path("config.toml"),
            profile="skybot",
            servers={name: ServerConfig(name=name, address=name, listen_port=1) for name in (OLD, NEW)},
            hooks=Hooks(before_activate=list(command), deadline=Duration(deadline)),
        )
        self.lines: list[tuple[str, str]] = []
        super().__init__(
            msgspec.structs.replace(config, **changes), lambda hook, line: self.lines.append((hook, line))
        )

    async def go(self) -> tuple[bool, str]:
        return await self.run("before activate", RUN)


async def test_what_it_prints_is_kept_harmless_and_its_code_decides() -> None:
    runner = Runner("sh", "-c", "echo one; printf 'two\\033[2J' >&2; exit 0")
    assert await runner.go() == (True, "ended with 0: two")
    assert runner.lines == [("before activate", "one"), ("before activate", "two")]
    assert await Runner("sh", "-c", "echo no VIP; exit 3").go() == (False, "ended with 3: no VIP")
    assert await Runner("true").go() == (True, "ended with 0")
    assert await Runner("sh", "-c", "kill -9 $$").go() == (False, "ended with -9")


async def test_it_is_told_what_it_is_about_and_never_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHT_PASSWORD", "xyzzy-plugh")
    monkeypatch.setenv("ITS_OWN", "here")
    runner = Runner(
        sys.executable,
        "-c",
        "import os; print(*sorted(f'{k}={v}' for k, v in os.environ.items()), sep='\\n')",
        secrets={"admin": SecretSource(env="NIGHT_PASSWORD")},
    )
    assert (await runner.go())[0]
    said = {line for _, line in runner.lines}
    assert {
        f"SKYTUI_RUN={RUN.id}",
        "SKYTUI_PAIR=test",
        "SKYTUI_PHASE=activate",
        "SKYTUI_WHEN=before",
        f"SKYTUI_OLD={OLD}",
        f"SKYTUI_NEW={NEW}",
        "ITS_OWN=here",
    } <= said
    assert not any("NIGHT_PASSWORD" in line or "xyzzy" in line for line in said)


async def test_no_shell_looks_at_it() -> None:
    runner = Runner("echo", "$(id)", "a b", "; rm")
    assert await runner.go() == (True, "ended with 0: $(id) a b ; rm")


@pytest.mark.parametrize("command", ["/no/such/program", "a\0b"])
async def test_one_that_cannot_be_run_says_why(command: str) -> None:
    ok, says = await Runner(command).go()
    assert not ok
    assert "cannot be run: " in says


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def gone(pid: int) -> None:
    deadline = time.monotonic() + SECONDS
    while running(pid):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_one_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    runner = Runner("sh", "-c", f"sleep 600 & echo $! > {pids}; echo begun; wait", deadline=1.0)
    assert await runner.go() == (False, "it took longer than 1 s, and was ended")
    await gone(int(pids.read_text()))


async def test_what_it_leaves_behind_does_not_hold_it_up(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    runner = Runner("sh", "-c", f"sleep 600 & echo $! > {pids}; echo done")
    assert await runner.go() == (True, "ended with 0: done")
    os.kill(int(pids.read_text()), 9)


async def test_a_line_without_end_is_cut_into_lines() -> None:
    runner = Runner("sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x")
    ok, says = await runner.go()
    assert ok
    assert len(says) < 400
    assert sum(len(line) for _, line in runner.lines) == 300000


async def test_the_names_are_those_that_are_configured() -> None:
    assert Runner("true").names == ("before activate",)
    hooks = Hooks(before_shut_down=["true"], after_convert=["true"])
    assert Runner("true", hooks=hooks).names == ("before shut-down", "after convert")


async def test_a_run_with_hooks_over_the_socket(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    hooks = Hooks(
        before_shut_down=["sh", "-c", f"echo $SKYTUI_PHASE; test -e {flag}"],
        before_activate=["sh", "-c", "echo no VIP; exit 3"],
        after_convert=["false"],
    )
    folder = tmp_path / "pair"
    folder.mkdir()
    async with conducted(folder, hooks=hooks) as here:
        client = await here.client()
        run = await go_to(client, await open_run(client), "users-out")
        await confirm(client, run)
        run = await until_run(client, lambda run: isinstance(run.stage, Waiting) and bool(run.stage.note))
        assert isinstance(run.stage, Waiting)
        assert "the hook before shut-down failed: ended with 1: shut-down" in run.stage.note
        assert run.attempts == {}
        flag.touch()
        run = await go_to(client, run, "promote")
        await confirm(client, run)
        run = await until_run(client, lambda run: isinstance(run.stage, Waiting) and bool(run.stage.note))
        assert not run.no_way_back
        reply = await client.request(lambda number: Waive(number, run.id, "promote", "done by hand"))
        assert reply.refused == ""
        run = await until_run(client, lambda run: bool(run.waivers))
        run = await go_to(client, run, "")
        assert run.stage == Ended(Ending.NOT_CLEAN)
        events = journal_of(folder)
        assert [(event.hook, event.ok) for event in events if isinstance(event, Hooked)] == [
            ("before shut-down", False),
            ("before shut-down", True),
            ("before activate", False),
            ("after convert", False),
        ]
        assert len([event for event in events if isinstance(event, HookWaived)]) == 1
        log = folder / "runs" / run.id / "logs" / "hook-before-activate.log"
        assert log.read_text().endswith(" no VIP\n")
