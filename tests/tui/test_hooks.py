"""A hook that failed, on the operator's screen: its card is back, and `w` goes on without it."""

import msgspec

from skytui.runbook.events import Hooked, HookWaived
from tests.tui.consoles import desk
from tests.tui.scenarios import idle
from tests.tui.scripted import ScriptedSession

NAME = "before shut-down"


def hook_failed() -> ScriptedSession:
    session = idle()
    session.open()
    session.walk("users-out")
    run = session.shown.run
    assert run is not None
    session.show(run=msgspec.structs.replace(run, hooks=(NAME,)))
    session.accept()
    at, wall = session.clock.instant(), session.clock.now()
    says = "ended with 3: monitoring is locked"
    assert (
        session._event(Hooked(at=at, wall=wall, phase="shut-down", when="before", ok=False, says=says)) == ""
    )
    session.poll()
    return session


async def test_the_card_says_what_failed_and_w_waives_the_hook_and_not_the_step() -> None:
    session = hook_failed()
    async with desk(session) as at:
        assert at.stage == "Waiting"
        assert f"hook {NAME} failed: ended with 3" in " ".join(at.screen().split())
        await at.press("w")
        assert f"Waive the hook {NAME}?" in at.screen()
        await at.settle()
        await at.press("escape")
        assert at.stage == "Waiting"
    run = session.shown.run
    assert run is not None
    waived = HookWaived(
        at=session.clock.instant(),
        wall=session.clock.now(),
        hook=NAME,
        who=run.operator,
        reason="it is done by hand",
    )
    assert session._event(waived) == ""
    session.poll()
    async with desk(session) as at:
        assert (at.step, at.stage) == ("users-out", "Waiting")
        shown = " ".join(at.screen().split())
        assert "failed: ended with 3" not in shown
        assert f"hook {NAME} was waived" in shown
