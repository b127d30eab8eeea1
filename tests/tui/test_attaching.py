"""What somebody who attaches late sees at once: where the run is, since when, and what has happened to it."""

import pytest

from tests.tui.consoles import desk
from tests.tui.scenarios import SCENARIOS, resumed


async def test_after_a_death_the_card_says_so_and_what_carries_no_mark() -> None:
    async with desk(resumed()) as at:
        screen = " ".join(at.screen().split())
        assert "Taken up again at" in screen
        assert "no mark on sky-b" in screen


OPEN = [name for name, make in SCENARIOS.items() if (run := make().shown.run) is not None and not run.over]


@pytest.mark.parametrize("name", OPEN)
async def test_every_card_says_since_when_it_is_up(name: str) -> None:
    session = SCENARIOS[name]()
    run = session.shown.run
    assert run is not None
    async with desk(session) as at:
        assert f"since {run.stage_wall:%H:%M:%S}" in at.screen()
