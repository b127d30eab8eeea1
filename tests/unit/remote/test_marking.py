import asyncio
import re
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from skytui.errors import RemoteError, UnreachableError
from skytui.pair.mark import Carried, Foreign, Mark
from skytui.remote import marking
from skytui.remote.marking import clear_mark, set_mark
from skytui.remote.ssh import Host
from tests.unit.remote.conftest import SshServer

SINCE = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


def mark(run: str = "20260301-020000", key: str = "a1", who: str = "ann") -> Mark:
    return Mark(pair="night", run=run, key=key, who=who, host=f"jump-of-{who}", since=SINCE)


ANN, BOB, EVE = mark(), mark("20260301-030000", "b2", "bob"), mark("20260301-030001", "e5", "eve")


def place(sshd: SshServer) -> Path:
    return sshd.home / ".skytui/marks/night"


def silence(sshd: SshServer, seconds: int) -> None:
    """The heartbeat of the mark that is there was so long ago."""
    file = place(sshd) / "held/mark"
    identity, _, what = file.read_text().splitlines()
    file.write_text(f"{identity}\n{int(time.time()) - seconds}\n{what}\n")


def nothing_left(sshd: SshServer) -> bool:
    """Nothing but the mark lies in its folder."""
    return {one.name for one in place(sshd).rglob("*")} <= {"held", "mark"}


async def test_a_free_mark_is_set_and_then_kept_fresh(host: Host, sshd: SshServer) -> None:
    assert await set_mark(host, ANN) == Carried()
    silence(sshd, 30)
    fresh = msgspec.structs.replace(ANN, hash="abc")
    kept = await set_mark(host, fresh)
    assert isinstance(kept, Carried)
    assert kept.before == ANN
    assert 30 <= kept.silent < 60
    again = await set_mark(host, fresh)
    assert isinstance(again, Carried)
    assert again.before == fresh
    assert again.silent < 30
    assert nothing_left(sshd)


async def test_another_runs_mark_stays_as_it_is(host: Host, sshd: SshServer) -> None:
    await set_mark(host, ANN)
    silence(sshd, 100)
    before = (place(sshd) / "held/mark").read_text()
    found = await set_mark(host, BOB)
    assert isinstance(found, Foreign)
    assert found.mark == ANN
    assert 100 <= found.silent < 130
    assert found.mark.words == "run 20260301-020000 by ann from jump-of-ann, since 2026-03-01 02:00 UTC"
    assert (place(sshd) / "held/mark").read_text() == before
    assert nothing_left(sshd)


async def test_runs_of_the_same_second_on_two_jump_hosts_are_two(host: Host) -> None:
    await set_mark(host, ANN)
    found = await set_mark(host, mark(key="other", who="bob"))
    assert isinstance(found, Foreign)
    assert found.mark == ANN


async def test_a_silent_mark_is_replaced_when_it_is_the_one_that_is_meant(
    host: Host, sshd: SshServer
) -> None:
    await set_mark(host, ANN)
    silence(sshd, 100)
    assert isinstance(await set_mark(host, BOB, take=EVE, stale=60), Foreign)
    assert isinstance(await set_mark(host, BOB, take=ANN, stale=200), Foreign)
    taken = await set_mark(host, BOB, take=ANN, stale=60)
    assert isinstance(taken, Carried)
    assert taken.before == ANN
    assert 100 <= taken.silent < 130
    assert isinstance(await set_mark(host, ANN), Foreign)
    assert nothing_left(sshd)


async def test_a_fresh_mark_is_not_taken(host: Host) -> None:
    await set_mark(host, ANN)
    assert isinstance(await set_mark(host, BOB, take=ANN, stale=60), Foreign)
    assert isinstance(await set_mark(host, ANN), Carried)


async def test_only_our_own_mark_is_cleared(host: Host, sshd: SshServer) -> None:
    assert await clear_mark(host, ANN) == ""
    assert not (sshd.home / ".skytui").exists(), "clearing what is not there makes nothing"
    await set_mark(host, ANN)
    assert await clear_mark(host, BOB) == f"sky-a carries the mark of {ANN.words}."
    assert isinstance(await set_mark(host, ANN), Carried)
    assert await clear_mark(host, ANN) == ""
    assert await set_mark(host, BOB) == Carried()
    assert nothing_left(sshd)


async def test_of_those_who_claim_it_at_once_one_wins(host: Host, sshd: SshServer) -> None:
    for turn in range(5):
        marks = [mark(f"run-{turn}-{n}", f"k{n}") for n in range(6)]
        found = await asyncio.gather(*(set_mark(host, one) for one in marks))
        winners = [one for one, what in zip(marks, found, strict=True) if isinstance(what, Carried)]
        assert len(winners) == 1
        assert all(what.mark == winners[0] for what in found if isinstance(what, Foreign))
        assert nothing_left(sshd)
        assert await clear_mark(host, winners[0]) == ""


async def test_of_those_who_take_it_at_once_one_wins(host: Host, sshd: SshServer) -> None:
    for turn in range(5):
        dead = mark(f"dead-{turn}", "d")
        await set_mark(host, dead)
        silence(sshd, 100)
        marks = [mark(f"run-{turn}-{n}", f"k{n}") for n in range(6)]
        await asyncio.gather(*(set_mark(host, one, take=dead, stale=60) for one in marks))
        # What each is told from now on is what counts before an action.
        found = await asyncio.gather(*(set_mark(host, one) for one in [*marks, dead]))
        assert Counter(type(what) for what in found) == {Carried: 1, Foreign: 6}
        assert nothing_left(sshd)
        winner = next(one for one, what in zip(marks, found, strict=False) if isinstance(what, Carried))
        assert await clear_mark(host, winner) == ""


async def test_a_run_that_comes_back_while_it_is_taken_over_is_told(host: Host, sshd: SshServer) -> None:
    for turn in range(8):
        dead = mark(f"dead-{turn}", "d")
        await set_mark(host, dead)
        silence(sshd, 100)
        await asyncio.gather(set_mark(host, BOB, take=dead, stale=60), set_mark(host, dead))
        found = [await set_mark(host, one) for one in (BOB, dead)]
        assert Counter(type(what) for what in found) == {Carried: 1, Foreign: 1}
        assert [await clear_mark(host, one) for one in (BOB, dead)].count("") >= 1
        assert not (place(sshd) / "held").exists()


def stall(sshd: SshServer, pattern: str) -> Path:
    """From now on an `mv` of what fits this pattern says so, and waits until it may go on."""
    tools = sshd.folder / "tools"
    tools.mkdir()
    (tools / "mv").write_text(
        f'#!/bin/sh\ncase $2 in {pattern}) : >"$HOME/there"\n'
        'while [ ! -e "$HOME/go" ]; do sleep 0.02; done ;; esac\nexec /bin/mv "$@"\n'
    )
    (tools / "mv").chmod(0o755)
    sshd.environment["PATH"] = f"{tools}:{sshd.environment['PATH']}"
    return tools


async def stalled(sshd: SshServer, tools: Path) -> None:
    """It waits; whoever comes next does not."""
    async with asyncio.timeout(5):
        while not (sshd.home / "there").exists():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    sshd.environment["PATH"] = sshd.environment["PATH"].removeprefix(f"{tools}:")


async def test_a_slow_taker_puts_back_what_it_did_not_mean_to_take(host: Host, sshd: SshServer) -> None:
    """Between its look at the dead run's mark and its hand on it another one has come."""
    await set_mark(host, ANN)
    silence(sshd, 100)
    tools = stall(sshd, f'"{place(sshd)}/held"')
    slow = asyncio.create_task(set_mark(host, EVE, take=ANN, stale=60))
    await stalled(sshd, tools)
    assert isinstance(await set_mark(host, BOB, take=ANN, stale=60), Carried)
    (sshd.home / "go").touch()
    found = await slow
    assert isinstance(found, Foreign)
    assert found.mark == BOB
    assert isinstance(await set_mark(host, BOB), Carried)
    assert nothing_left(sshd)


async def test_what_a_slow_heartbeat_writes_goes_with_the_mark_that_was_taken(
    host: Host, sshd: SshServer
) -> None:
    """Between its look at the mark and its write another jump host replaces it."""
    await set_mark(host, ANN)
    silence(sshd, 100)
    tools = stall(sshd, "./mark.*")
    slow = asyncio.create_task(set_mark(host, ANN))
    await stalled(sshd, tools)
    assert isinstance(await set_mark(host, BOB, take=ANN, stale=60), Carried)
    (sshd.home / "go").touch()
    found = await slow
    assert isinstance(found, Foreign)
    assert found.mark == BOB
    assert isinstance(await set_mark(host, BOB), Carried)


@pytest.mark.parametrize("left", [None, "", "20260301-020000/a1\n", "20260301-020000/a1\nsoon\n{}\n"])
async def test_a_mark_that_a_crash_left_half_is_nobodys(
    host: Host, sshd: SshServer, left: str | None
) -> None:
    (place(sshd) / "held").mkdir(parents=True)
    if left is not None:
        (place(sshd) / "held/mark").write_text(left)
    assert await set_mark(host, BOB) == Carried()
    assert isinstance(await set_mark(host, ANN), Foreign)
    assert nothing_left(sshd)


async def test_a_mark_that_we_cannot_read_is_still_anothers(host: Host, sshd: SshServer) -> None:
    (place(sshd) / "held").mkdir(parents=True)
    (place(sshd) / "held/mark").write_text(f"r\x1b[2J9/k\n{int(time.time()) - 90}\n[of another version]\n")
    found = await set_mark(host, ANN)
    assert isinstance(found, Foreign)
    assert (found.mark.run, found.mark.key) == ("r9", "k")
    assert found.mark.words == "run r9 by somebody from an unknown host"
    assert found.silent >= 90


async def test_a_heartbeat_from_the_future_is_fresh(host: Host, sshd: SshServer) -> None:
    await set_mark(host, ANN)
    silence(sshd, -500)
    found = await set_mark(host, BOB, take=ANN, stale=60)
    assert isinstance(found, Foreign)
    assert found.silent == 0


async def test_a_host_that_cannot_be_marked_says_why(host: Host, sshd: SshServer) -> None:
    (sshd.home / ".skytui").write_text("in the way")
    with pytest.raises(RemoteError, match=r"sky-a: it cannot be marked: .*/night cannot be made\."):
        await set_mark(host, ANN)


async def test_a_host_that_is_not_there_is_unreachable(host: Host, sshd: SshServer) -> None:
    await sshd.stop()
    with pytest.raises(UnreachableError):
        await set_mark(host, ANN)


def test_the_script_is_plain_posix_sh() -> None:
    assert not re.search(r"\[\[|==|\bfunction\b|\blocal\b|<<<|\$'", marking._MARK)
