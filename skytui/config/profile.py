"""A profile: how one kind of system is read and acted on. The language is described in `docs/profiles.md`.

The descriptions of the keys stand with their types; the tables of that page are generated from them.
"""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from skytui.config.action_spec import ActionSpec, RepairSpec
from skytui.config.login import LoginSpec, secrets_of
from skytui.config.placeholders import holes
from skytui.config.reading_spec import ReadingSpec
from skytui.config.values import Words
from skytui.pair.vocabulary import Action

SCHEMA = 1


class LogSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A log that is followed: a file on the host."""

    follow: Annotated[
        str, Meta(description="the file, followed over lost connections, rotation and truncation")
    ]


class CheckSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How the right server is made sure of, immediately before something is done to it.

    Commands: `run` is run first in the same shell and must print exactly `expect`. HTTP: `headers` carry a
    precondition that the server enforces; without them the readings `identity` and `role` are asked just
    before, which leaves a gap.
    """

    run: Annotated[
        Words | None, Meta(description="run on the host, in the same shell, immediately before a command")
    ] = None
    expect: Annotated[str, Meta(description="what it must print, exactly")] = "{expect.name} {expect.role}"
    headers: Annotated[
        dict[str, str], Meta(description="a precondition over HTTP that the server enforces")
    ] = {}


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a profile file says."""

    name: str
    file: Path
    readings: dict[str, ReadingSpec]
    actions: dict[Action, ActionSpec]
    repairs: dict[str, RepairSpec] = {}
    logs: dict[str, LogSpec] = {}
    login: LoginSpec | None = None
    check: CheckSpec = CheckSpec()

    def secret_names(self) -> set[str]:
        """The secrets it asks for."""
        done = [*self.actions.values(), *self.repairs.values()]
        values: list[object] = [[action.stdin, action.json, action.headers] for action in done]
        names = {hole.removeprefix("secret.") for hole in holes(values) if hole.startswith("secret.")}
        return names.union(secrets_of(self.login))
