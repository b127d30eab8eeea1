"""A profile: how one kind of system is read and acted on. The language is described in `docs/profiles.md`."""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from skytui.config.login import LoginSpec, UrlPath, secrets_of
from skytui.config.placeholders import holes
from skytui.config.values import Duration, Pattern, Pick
from skytui.pair.vocabulary import Action

SCHEMA = 1

Words = Annotated[list[str], Meta(min_length=1)]

HOW_READ = ("get", "run", "shell", "connect", "manual", "absent")
HOW_ACTED = ("post", "run", "shell", "manual", "absent")


class ReadingSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How one reading is asked; exactly one of `HOW_READ` is given.

    `get`: a path over HTTP. `run`: a list of arguments on the host; `shell`: a text for its `sh`, `args`
    being its positional parameters. `connect`: ports that are tried from here. `manual`: what a person looks
    at. `absent`: this kind of system has no such thing.
    `reply` says what a command prints. `pick` takes the value out of the reply. `on` says which server is
    asked. `deadline` is for one request.
    """

    get: UrlPath | None = None
    run: Words | None = None
    shell: str | None = None
    args: list[str] = []
    connect: str | None = None
    manual: str | None = None
    absent: bool | None = None
    reply: Literal["json", "text"] = "json"
    pick: Pick | None = None
    on: Literal["each", "master", "standby"] = "each"
    deadline: Duration = Duration(5)


class ActionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How one action is carried out; exactly one of `HOW_ACTED` is given.

    `post` with `json`: over HTTP; `pick` takes the log position out of the reply. `run`, `shell`, `args` as
    in a reading, detached from the connection; `stdin` are lines for its standard input; `refused` are the
    exit codes that mean *refused, nothing changed*; `progress` finds a group `percent` in what it says.
    `deadline` is how long the outcome is waited for at most; an order may ask for less.
    """

    post: UrlPath | None = None
    json: dict[str, Any] = {}
    pick: Pick | None = None
    run: Words | None = None
    shell: str | None = None
    args: list[str] = []
    stdin: list[str] = []
    refused: list[Annotated[int, Meta(ge=1, le=255)]] = []
    progress: Pattern | None = None
    manual: str | None = None
    absent: bool | None = None
    deadline: Duration | None = None

    @property
    def remote(self) -> bool:
        """Whether it runs on the host."""
        return self.run is not None or self.shell is not None


class LogSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A log that is followed: a file on the host."""

    follow: str


class CheckSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How the right server is made sure of, immediately before something is done to it.

    Commands: `run` is run first in the same shell and must print exactly `expect`. HTTP: `headers` carry a
    precondition that the server enforces; without them the readings `identity` and `role` are asked just
    before, which leaves a gap.
    """

    run: Words | None = None
    expect: str = "{expect.name} {expect.role}"
    headers: dict[str, str] = {}


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a profile file says."""

    name: str
    file: Path
    readings: dict[str, ReadingSpec]
    actions: dict[Action, ActionSpec]
    logs: dict[str, LogSpec] = {}
    login: LoginSpec | None = None
    check: CheckSpec = CheckSpec()

    def secret_names(self) -> set[str]:
        """The secrets it asks for."""
        values: list[object] = [action.stdin for action in self.actions.values()]
        values += [action.json for action in self.actions.values()]
        names = {hole.removeprefix("secret.") for hole in holes(values) if hole.startswith("secret.")}
        return names.union(secrets_of(self.login))


def how(spec: ReadingSpec | ActionSpec) -> list[str]:
    """The ways a spec gives."""
    ways = HOW_READ if isinstance(spec, ReadingSpec) else HOW_ACTED
    return [way for way in ways if getattr(spec, way) is not None]
