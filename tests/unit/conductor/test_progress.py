"""How far a command is, as the conductor hears it; a stall is said once, on every way out."""

import asyncio
from pathlib import Path

import msgspec

from skytui.conductor.progress import Listener
from skytui.drivers.driver import Said
from skytui.link.wire import NewLines, NewProgress, Notice
from skytui.pair.order import Order, Outcome
from skytui.runbook.events import Finished
from skytui.runbook.progress import Progress
from tests.support.conducted import conducted, confirm, go_to, open_run, until
from tests.support.drivers import drivers_of
from tests.support.walk import Walk
from tests.support.world import OLD


class Heard:
    """A listener to the conversion of a walk, and everything it said."""

    def __init__(self) -> None:
        self.walk = Walk().to("convert")
        self.walk.act = lambda order: None
        self.walk.confirm()
        self.walk.poll()
        self.sent: list[Progress | None] = []
        self.stalls: list[str] = []
        self.listener = Listener(
            drivers_of(self.walk.world),
            self.walk.world.clock,
            45.0,
            send=lambda message: self.sent.append(message.progress),
            stalled=lambda _, says: self.stalls.append(says),
        )
        self.order = self.walk.performed[-1]
        self.listener.follow(self.walk.run)

    def hear(self, line: str, after: float = 1.0) -> None:
        self.walk.world.clock.advance(after)
        self.listener.hear(self.order, "convert", line)

    def look(self, after: float = 1.0) -> None:
        self.walk.world.clock.advance(after)
        self.listener.look()


def test_what_changes_is_sent_on_once_a_poll() -> None:
    heard = Heard()
    heard.look()
    for percent in range(10):
        heard.hear(f"{percent}00/1000 kB {percent}0 %")
    heard.look()
    heard.look()
    first, last = heard.sent
    assert first is not None
    assert first.percent is None
    assert last is not None
    assert last.percent == 90


def test_a_stall_is_said_once_until_it_gets_on_and_stalls_again() -> None:
    heard = Heard()
    heard.hear("37 %")
    heard.look(44)
    assert heard.stalls == []
    heard.look(2)
    heard.look(60)
    (says,) = heard.stalls
    assert says == "convert on sky-a: no progress for 46 s at 37 %; it is left to run."
    heard.hear("38 %")
    heard.look(50)
    assert len(heard.stalls) == 2


def test_when_the_command_has_ended_nothing_is_under_way() -> None:
    heard = Heard()
    heard.hear("37 %")
    heard.look()
    outcome = heard.walk.world.act(heard.order)
    assert heard.walk.finish(outcome, heard.order) == ""
    heard.listener.follow(heard.walk.run)
    heard.look(1000)
    assert heard.stalls == []
    assert heard.sent[-1] is None


def test_one_that_was_taken_up_again_is_heard_from_its_next_line_on() -> None:
    heard = Heard()
    fresh = Listener(
        drivers_of(heard.walk.world), heard.walk.world.clock, 45.0,
        send=lambda message: heard.sent.append(message.progress), stalled=lambda _, says: None,
    )  # fmt: skip
    heard.walk.resume()
    fresh.follow(heard.walk.run)
    fresh.look()
    assert heard.sent == []
    fresh.hear(heard.order, "convert", "50 %")
    fresh.look()
    (sent,) = heard.sent
    assert sent is not None
    assert (sent.percent, sent.server) == (50.0, OLD)


async def test_a_conversion_that_stalls_is_said_to_everybody(tmp_path: Path) -> None:
    async with conducted(tmp_path) as here:
        client = await here.client()
        run = await go_to(client, await open_run(client), "convert")
        driver = here.drivers[OLD]
        goes_on = asyncio.Event()

        async def slow(order: Order, said: Said) -> Outcome:
            said("370/1000 kB, 37 %")
            await goes_on.wait()
            return here.world.act(order)

        driver.act = slow  # type: ignore[method-assign]
        assert await confirm(client, run) == ""
        moved = await until(client, lambda m: isinstance(m, NewProgress) and m.progress is not None)
        assert isinstance(moved, NewProgress)
        # The world's clock goes on with every poll: nothing is heard for longer than a stall takes.
        notice = await until(client, lambda m: isinstance(m, Notice) and "no progress" in m.says)
        assert isinstance(notice, Notice)
        assert "convert on sky-a: no progress for" in notice.says
        assert "at 37 %" in notice.says
        late = await here.client("watch")
        assert late.welcome.progress is not None
        assert late.welcome.progress.percent == 37
        lines = await until(
            client, lambda m: isinstance(m, NewLines) and any(line.log == "skytui" for line in m.lines)
        )
        assert isinstance(lines, NewLines)
        goes_on.set()
        assert here.conductor.run
        await until(client, lambda m: isinstance(getattr(m, "event", None), Finished))


def test_progress_travels_over_the_link() -> None:
    heard = Heard()
    heard.hear("37 %")
    heard.look()
    sent = NewProgress(heard.sent[-1])
    assert msgspec.json.decode(msgspec.json.encode(sent), type=NewProgress) == sent
