"""The log panel: it follows, stands still, filters, finds, and shows the last line whatever came before."""

from skytui.tui.logring import KEPT, LogRing
from tests.tui.consoles import Desk, desk
from tests.tui.scenarios import failed, idle


async def chatty(at: Desk, count: int, word: str = "line") -> None:
    at.session.say("sky-a", "server", *(f"INFO  {word} {number}" for number in range(count)))
    await at.flush()


async def test_the_last_line_is_on_the_screen_after_more_lines_than_are_kept() -> None:
    async with desk(idle()) as at:
        for _ in range(4):
            await chatty(at, KEPT // 2)
        await chatty(at, 1, "the very last")
        assert "the very last 0" in at.screen()
        assert len(at.session.log.lines()) == KEPT
        for number in range(3):
            await chatty(at, 1, f"and still going {number}")
            assert f"and still going {number}" in at.screen()


async def test_paused_it_stands_still_and_counts_what_comes() -> None:
    async with desk(idle()) as at:
        await chatty(at, 50)
        await at.press("space")
        before = log_rows(at)
        await chatty(at, KEPT + 100, "later")
        assert log_rows(at) == before
        assert f"paused, {KEPT + 100} new lines" in at.screen()
        await at.press("space")
        assert f"later {KEPT + 99}" in at.screen()
        assert "follow" in at.screen()


async def test_page_up_goes_back_and_end_follows_again() -> None:
    async with desk(idle()) as at:
        await chatty(at, 100)
        await at.press("pageup")
        assert "line 99" not in at.screen()
        assert "paused" in at.screen()
        await at.press("pagedown")
        assert "line 99" in at.screen()
        await at.press("pageup", "pageup", "end")
        assert "line 99" in at.screen()
        assert "follow" in at.screen()


async def test_page_up_stops_at_the_first_line() -> None:
    async with desk(idle()) as at:
        await chatty(at, 20)
        await at.press(*["pageup"] * 8)
        assert "1 session, admin from 10.0.0.7" in at.screen()


async def test_the_filter_shows_one_server_then_the_other_then_scripts() -> None:
    async with desk(failed()) as at:
        await at.press("l")  # a failed card takes the log's place; the whole screen shows it
        shown = {}
        for _ in range(4):
            rows = log_rows(at)
            word = next(row for row in at.screen().splitlines() if "Log ·" in row).split("·")[1].strip()
            shown[word] = rows
            await at.press("f")
        assert set(shown) == {"both", "sky-a", "sky-b", "scripts"}
        assert "replication" in shown["both"]
        assert "sky-b" not in shown["sky-a"].replace("connection to sky-b", "").replace(
            "sky-b:7443", ""
        ).replace("when sky-b", "")
        assert "convert" not in shown["sky-b"]
        assert "convert" in shown["scripts"]
        assert "scheduler" not in shown["scripts"]


async def test_find_marks_jumps_and_goes_from_match_to_match() -> None:
    async with desk(idle()) as at:
        await chatty(at, 100)
        await at.press("slash")
        await at.type("LINE 4")
        assert "line 49" in at.screen()
        assert "11 matches" in at.screen()
        await at.press("enter")
        await at.press("n")
        assert last_row(at).endswith("line 48")
        await at.press("N")
        assert last_row(at).endswith("line 49")
        await at.press("N")
        assert "No newer match." in at.screen()
        await at.press("escape")
        assert "matches" not in at.screen()


async def test_what_servers_say_is_shown_as_it_is_and_drives_nothing() -> None:
    """Cleaned at the edge; here markup must do no harm, nor a control that slipped through."""
    async with desk(idle()) as at:
        at.session.say(
            "sky-a",
            "server",
            "job [/opt/skybot/bin] failed",
            "[bold]loud[/bold] [active]",
            "a\x1b]52;c;aGk=\x07b",
        )
        await at.flush()
        screen = at.screen()
        assert "job [/opt/skybot/bin] failed" in screen
        assert "[bold]loud[/bold] [active]" in screen
        assert "\x07" not in screen
        assert "\x1b" not in screen


async def test_names_with_brackets_do_no_harm_anywhere() -> None:
    session = idle()
    session.world.agent_names = ("[/red]ag", "[active]", "ag[1]")
    session.world.gone_agents = {"[active]"}
    session.notice("agent [/opt] is gone")
    async with desk(session) as at:
        await at.poll()
        assert "2/3 connected, not [active]" in at.screen()
        session.notice("job [/opt/skybot/bin] [bold]failed")
        await at.settle()
        assert "job [/opt/skybot/bin] [bold]failed" in at.screen()


async def test_a_refusal_with_brackets_is_shown_as_it_is() -> None:
    session = idle()
    session.open()
    async with desk(session) as at:
        at.console.say("Refused: [/opt/skybot] is [bold]busy", bad=True)
        await at.settle()
        assert "Refused: [/opt/skybot] is [bold]busy" in at.screen()


def test_the_ring_keeps_the_last_lines_and_counts_all() -> None:
    session = idle()
    lines = session.log.lines()
    ring = LogRing(kept=3)
    ring.extend(lines)
    assert ring.lines() == lines[-3:]
    assert ring.total == len(lines)
    ring.replace(lines[:2])
    assert ring.lines() == lines[:2]
    assert ring.total == len(lines) + 2


def log_rows(at: Desk) -> str:
    """What stands below the log's title."""
    rows = at.screen().splitlines()
    first = next(index for index, row in enumerate(rows) if "Log ·" in row)
    return "\n".join(row[row.find("│") :] for row in rows[first + 1 : -2])


def last_row(at: Desk) -> str:
    rows = [row.rstrip("│ ") for row in at.screen().splitlines() if "INFO" in row]
    return rows[-1].rstrip()
