import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skytui.remote.lines import LineSplitter
from skytui.remote.ssh import Host
from skytui.remote.tail import follow_log, news
from tests.unit.remote.conftest import SshServer


async def take(lines: AsyncIterator[str], count: int) -> list[str]:
    async with asyncio.timeout(15):
        return [await anext(lines) for _ in range(count)]


def write(file: Path, *lines: str) -> None:
    with file.open("a") as opened:
        opened.writelines(f"{line}\n" for line in lines)


async def test_it_starts_with_the_last_lines_and_goes_on(host: Host, sshd: SshServer) -> None:
    log = sshd.home / "server.log"
    write(log, *(f"old {n}" for n in range(100)))
    async with aclosing(follow_log(host, str(log))) as lines:
        assert await take(lines, 50) == [f"old {n}" for n in range(50, 100)]
        write(log, "new", "\x1b[2Jclear [/x]")
        assert await take(lines, 2) == ["new", "clear [/x]"]


async def test_it_survives_rotation_and_truncation(host: Host, sshd: SshServer) -> None:
    log = sshd.home / "server.log"
    write(log, "one")
    async with aclosing(follow_log(host, str(log))) as lines:
        assert await take(lines, 1) == ["one"]
        write(log, "two")
        assert await take(lines, 1) == ["two"]
        log.rename(log.with_suffix(".1"))
        write(log, "three")
        assert await take(lines, 1) == ["three"]
        log.write_text("")
        write(log, "four")
        assert await take(lines, 1) == ["four"]


async def test_no_line_is_lost_or_doubled_by_a_drop(host: Host, sshd: SshServer) -> None:
    log = sshd.home / "server.log"
    write(log, "same", "same")
    async with aclosing(follow_log(host, str(log))) as lines:
        assert await take(lines, 2) == ["same", "same"]
        write(log, "same")
        assert await take(lines, 1) == ["same"]
        await sshd.drop()
        write(log, "same", "last")
        assert await take(lines, 2) == ["same", "last"]


async def test_a_line_is_not_cut_where_the_connection_was(host: Host, sshd: SshServer) -> None:
    log = sshd.home / "server.log"
    log.write_text("whole\nha")
    async with aclosing(follow_log(host, str(log))) as lines:
        assert await take(lines, 1) == ["whole"]
        with log.open("a") as opened:
            opened.write("lf\n")
        assert await take(lines, 1) == ["half"]


async def test_a_log_that_is_not_there_yet_is_waited_for(host: Host, sshd: SshServer) -> None:
    log = sshd.home / "server.log"
    async with aclosing(follow_log(host, str(log))) as lines:
        first = asyncio.create_task(take(lines, 1))
        while not any("server.log" in text for text in sshd.commands):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        write(log, "here")
        assert await first == ["here"]


@pytest.mark.parametrize(
    ("seen", "snapshot", "new"),
    [
        ("", "abc", "abc"),
        ("abc", "abc", ""),
        ("abc", "abcde", "de"),
        ("abc", "bcd", "d"),
        ("xyz", "abc", "abc"),
        ("aa", "aaa", ""),  # cannot be told apart: the log has only ever said `a`
        ("xaa", "xaaa", "a"),
        ("abc", "", ""),
    ],
)
def test_what_is_new_after_a_reconnect(seen: str, snapshot: str, new: str) -> None:
    as_lines = [bytes([one]) for one in seen.encode()], [bytes([one]) for one in snapshot.encode()]
    assert b"".join(news(*as_lines)).decode() == new


@given(st.lists(st.sampled_from(["a", "b\r", "", "c" * 25]), max_size=6), st.lists(st.integers(1, 9)))
def test_lines_are_the_same_however_the_stream_is_cut(texts: list[str], cuts: list[int]) -> None:
    stream = "".join(f"{text}\n" for text in texts).encode()
    whole: list[str] = []
    one = LineSplitter(whole.append, 10)
    one.feed(stream)
    one.end()
    pieces: list[str] = []
    many = LineSplitter(pieces.append, 10)
    for cut in cuts:
        many.feed(stream[:cut])
        stream = stream[cut:]
    many.feed(stream)
    many.end()
    assert pieces == whole
    assert max(map(len, whole), default=0) <= 10
