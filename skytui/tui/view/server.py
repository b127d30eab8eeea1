"""The panel of one server: a handful of rows, by what the server is now."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec
from textual.content import Content

from skytui.pair.reading import Known, Stale, Unknown, shown
from skytui.pair.vocabulary import Queue, Scheduler, ServerReading
from skytui.tui.glyphs import Look
from skytui.tui.scene import Scene
from skytui.tui.view import values
from skytui.tui.view.face import Face, State, face_of, last_role
from skytui.tui.view.figures import ago, pace_of, short_time
from skytui.tui.view.wrap import cut

T = TypeVar("T")
LABEL = 11
"""Width of the column of labels."""

TITLE_STYLE = {
    State.MASTER: "$ink on $sky",
    State.STANDBY: "bold $sky",
    State.DOWN: "bold $attention",
    State.UNKNOWN: "$ink on $attention",
}


class PanelView(msgspec.Struct, frozen=True):
    """What a panel shows. `faded`: nothing on it counts any more."""

    title: Content
    body: Content
    foot: Content
    state: State
    faded: bool


def server_view(scene: Scene, name: str, look: Look, width: int) -> PanelView:
    """The panel of the server `name`, whose text is `width` cells wide."""
    face = face_of(scene, name)
    rows = _Rows(scene, name, look, width - LABEL - 1)
    match face.state:
        case State.MASTER:
            lines = rows.master()
        case State.STANDBY:
            lines = rows.standby()
        case State.DOWN | State.UNKNOWN:
            lines = rows.silent(face)
    age = rows.oldest
    faded = face.state is State.UNKNOWN or age > scene.limit
    body = Content("\n").join(cut(line, width, look.glyphs) for line in lines)
    return PanelView(_title(scene, name, face, look), body, _foot(scene, name, age, look), face.state, faded)


def _title(scene: Scene, name: str, face: Face, look: Look) -> Content:
    word = f"{face.sign(look.glyphs)} {face.state}"
    warning = " not verified " if any(facts.unverified for facts in scene.facts(name)) else ""
    return Content.assemble(
        (warning, "bold $alarm"), (f"{name} ", "bold"), (f" {word} ", TITLE_STYLE[face.state])
    )


def _foot(scene: Scene, name: str, age: float, look: Look) -> Content:
    run = scene.run
    unmarked = run is not None and not run.over and run.marks.get(name)
    mark = Content.styled(f"no mark {look.glyphs.dot} " if unmarked else "", "$quiet")
    if scene.reading is None:
        return mark + Content.styled("not read yet", "$quiet")
    if age > scene.limit:
        return mark + Content.styled(f"{ago(age)}, too old to count", "bold $attention")
    return mark + Content.styled(ago(age), "$quiet")


class _Rows:
    """Rows of one server. Keeps the age of the oldest value it shows."""

    def __init__(self, scene: Scene, name: str, look: Look, room: int) -> None:
        self._scene = scene
        self._name = name
        self._glyphs = look.glyphs
        self._room = room
        self._server: ServerReading = scene.server(name)
        self.oldest = 0.0

    def master(self) -> list[Content]:
        """Rows of a master."""
        return [
            self._row("scheduler", self._server.scheduler, self._scheduler),
            self._row("queues", self._server.queues, self._queues),
            self._row("agents", self._server.agents, values.agents),
            self._row("jobs", self._server.running_jobs, values.jobs),
            self._row("users", self._server.users, values.users),
            self._row("link", self._server.replication_link, partial(values.link, self._glyphs)),
        ]

    def standby(self) -> list[Content]:
        """Rows of a standby."""
        return [
            self._replication(),
            self._row("link", self._server.replication_link, partial(values.link, self._glyphs)),
            self._row("status", self._server.standby_status, Content),
            self._row("disk free", self._server.disk_free, self._disk),
            self._row("position", self._server.wal_position, Content),
            self._row("guard", self._server.guard, values.guard),
        ]

    def silent(self, face: Face) -> list[Content]:
        """Rows of a server that does not answer: what its host says."""
        rows = [
            self._row("processes", self._server.process, values.processes),
            self._row("ports", self._server.ports, values.ports),
            self._row("control", self._server.control, values.control),
            self._row("guard", self._server.guard, values.guard),
        ]
        if face.state is State.UNKNOWN:
            first = _labelled("role", Content.styled(face.why, "$attention"))
            was = last_role(self._scene, self._name)
            return [first, *([_labelled("", Content.styled(was, "$quiet"))] if was else []), *rows]
        return [*rows, self._row("disk free", self._server.disk_free, self._disk)]

    def _row(
        self, label: str, reading: Known[T] | Stale[T] | Unknown, show: Callable[[T], Content]
    ) -> Content:
        if isinstance(reading, Unknown):
            return _labelled(label, Content.styled(f"unknown: {reading.reason}", "$quiet"))
        age = self._scene.age(reading.at)
        if isinstance(reading, Stale):
            since = f" ({ago(age)}; {reading.reason})"
            old = Content.assemble((show(reading.value).plain, "$quiet"), (since, "$attention"))
            return _labelled(label, old)
        self.oldest = max(self.oldest, age)
        if age > self._scene.limit:
            return _labelled(label, Content.styled(show(reading.value).plain, "$quiet"))
        return _labelled(label, show(reading.value))

    def _scheduler(self, scheduler: Scheduler) -> Content:
        run = self._scene.run
        dark = run.dark_since if run and not run.dark_until else None
        stopped = scheduler.state == "stopped" and dark
        since = f"  {short_time((self._scene.wall - dark).total_seconds())}" if dark and stopped else ""
        return values.marked(self._glyphs, scheduler.state == "running", scheduler.state + since)

    def _queues(self, queues: list[Queue]) -> Content:
        run = self._scene.run
        return values.queues(queues, len(run.baseline.locked_queues()) if run and run.baseline else 0)

    def _replication(self) -> Content:
        """File Replication Requests, counted by the master; by the standby itself where there is none."""
        scene = self._scene
        masters = [name for name in scene.names if face_of(scene, name).state is State.MASTER]
        master = masters[0] if masters else self._name
        reading = scene.server(master).replication_pending
        pace = pace_of(scene.reading.trail if scene.reading else (), master)
        by_itself = master == self._name

        def show(count: int) -> Content:
            return values.pending(count, pace, self._glyphs, self._room, own=by_itself)

        return self._row("replication", reading, show)

    def _disk(self, free: int) -> Content:
        database = shown(self._server.database_bytes)
        if database is None:
            others = (name for name in self._scene.names if name != self._name)
            database = next((shown(self._scene.server(name).database_bytes) for name in others), None)
        return values.disk(free, database)


def _labelled(label: str, value: Content) -> Content:
    return Content.assemble((label.ljust(LABEL), "$quiet"), " ", value)
