"""The watch after a run: told once, kept beside the journal, gone on with, ended; and the alarm command."""

from datetime import timedelta
from pathlib import Path

import msgspec

from skytui.conductor.afterwatch import BLIND_POLLS, FILE, AfterWatch
from skytui.conductor.bell import Bell
from skytui.config.pairs import PairConfig, ServerConfig
from skytui.link.wire import Watched
from skytui.pair.reading import Unknown
from skytui.pair.vocabulary import Role
from tests.support.walk import Walk
from tests.support.world import NEW, OLD, with_readings, with_value


class Watching:
    """A watch over the world of a run that has just ended."""

    def __init__(self, folder: Path, hours: float = 1.0) -> None:
        self.walk = Walk().to_end()
        self.folder = folder
        (folder / "runs" / self.walk.run.id).mkdir(parents=True)
        (folder / "runs" / self.walk.run.id / "journal.jsonl").write_text("")
        self.told: list[Watched] = []
        self.called: list[tuple[str, bool]] = []
        self.after = self.new(hours)
        self.after.ended(self.walk.run)
        self.after.observe(self.walk.world.poll())

    def new(self, hours: float = 1.0) -> AfterWatch:
        return AfterWatch(
            self.folder,
            hours,
            changed=self.told.append,
            called=lambda says, serious: self.called.append((says, serious)),
        )

    @property
    def watched(self) -> Watched:
        assert self.after.watched is not None
        return self.after.watched

    def agent_leaves(self) -> None:
        reading = self.walk.world.poll()
        agents = reading.server(NEW).agents
        assert not isinstance(agents, Unknown)
        self.after.observe(with_value(reading, NEW, "agents", agents.value[1:]))


def test_what_it_finds_is_told_once_and_when_it_is_over(tmp_path: Path) -> None:
    watching = Watching(tmp_path)
    watching.agent_leaves()
    watching.agent_leaves()
    assert watching.called == [("sky-b does not list agent agent-1 any more", True)]
    assert [alarm.about for alarm in watching.watched.open] == ["agent agent-1"]
    watching.after.observe(watching.walk.world.poll())
    assert watching.watched.open == ()
    assert watching.watched.alarms[0].over is not None
    assert len(watching.told) == 3


def test_two_masters_are_kept_and_the_conductor_itself_has_called(tmp_path: Path) -> None:
    watching = Watching(tmp_path)
    watching.after.observe(with_value(watching.walk.world.poll(), OLD, "role", Role.MASTER))
    assert [alarm.about for alarm in watching.watched.open] == ["masters"]
    assert watching.called == []


def test_a_blink_is_not_told_and_blindness_closes_nothing(tmp_path: Path) -> None:
    watching = Watching(tmp_path)
    watching.agent_leaves()
    for _ in range(BLIND_POLLS):
        assert len(watching.called) == 1
        reading = watching.walk.world.poll()
        watching.after.observe(with_readings(reading, NEW, role=Unknown("no route")))
    assert watching.called[1] == ("sky-b cannot be watched: no route", False)
    assert [alarm.about for alarm in watching.watched.open] == ["agent agent-1", "sight"]


def test_a_conductor_that_is_started_later_goes_on_with_it(tmp_path: Path) -> None:
    watching = Watching(tmp_path)
    watching.agent_leaves()
    later = watching.new()
    later.resume(watching.walk.world.clock.now())
    assert later.watched == watching.watched
    assert later.on
    too_late = watching.new()
    too_late.resume(watching.watched.watch.until + timedelta(seconds=1))
    assert not too_late.on


def test_it_ends_when_its_time_is_over_or_another_run_is_open_or_somebody_says_so(tmp_path: Path) -> None:
    watching = Watching(tmp_path / "a", hours=0.001)
    watching.after.observe(watching.walk.world.poll(seconds=60))
    assert watching.watched.ended == "its time was over"
    watching = Watching(tmp_path / "b")
    watching.after.opened()
    assert watching.watched.ended == "another run was opened"
    watching = Watching(tmp_path / "c")
    assert watching.after.stop("ann", "done here") == ""
    assert watching.watched.ended == "ann: done here"
    assert watching.after.stop("ann", "again") == "nothing is watched"
    later = watching.new()
    later.resume(watching.walk.world.clock.now())
    assert not later.on


def test_what_is_kept_can_be_read_again_and_rubbish_is_passed_over(tmp_path: Path) -> None:
    watching = Watching(tmp_path)
    file = tmp_path / "runs" / watching.walk.run.id / FILE
    assert msgspec.json.decode(file.read_bytes(), type=Watched) == watching.watched
    file.write_text("{")
    later = watching.new()
    later.resume(watching.walk.world.clock.now())
    assert later.watched is None


async def test_the_alarm_command_is_told_what_it_is_about_and_its_failure_is_said(tmp_path: Path) -> None:
    out = tmp_path / "out"
    servers = {name: ServerConfig(name=name, address=name, listen_port=1) for name in (OLD, NEW)}
    config = PairConfig(name="night", file=tmp_path / "c.toml", profile="skybot", servers=servers)
    rings = ["sh", "-c", f'echo "$SKYTUI_PAIR: $SKYTUI_ALARM" > {out}']
    trouble: list[str] = []
    bell = Bell(msgspec.structs.replace(config, alarm=rings), trouble=trouble.append, said=lambda line: None)
    bell.ring("two masters", None)
    await bell.close()
    assert out.read_text() == "night: two masters\n"
    assert trouble == []
    bell = Bell(
        msgspec.structs.replace(config, alarm=["false"]), trouble=trouble.append, said=lambda line: None
    )
    bell.ring("two masters", None)
    await bell.close()
    assert trouble == ["The alarm command false failed: ended with 1. It was to say: two masters"]
