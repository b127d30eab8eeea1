"""How an action or a repair is carried out: `[action.NAME]` and `[repair.NAME]` of the profile language.

The descriptions stand here, with the types; the tables of `docs/profiles.md` are generated from them.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from skytui.config.conditions import Condition
from skytui.config.values import Duration, Pattern, Pick, UrlPath, Words

HOW_ACTED = ("post", "run", "shell", "steps", "manual", "absent")


class ActionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How one action is carried out; exactly one of `HOW_ACTED` is given."""

    post: Annotated[UrlPath | None, Meta(description="a path that is sent a POST")] = None
    json: Annotated[dict[str, Any], Meta(description="the body of the `post`")] = {}
    headers: Annotated[
        dict[str, str],
        Meta(description="headers of the `post`, secrets too, beside those of `[check]` and `[login]`"),
    ] = {}
    pick: Annotated[
        Pick | None, Meta(description="a JMESPath that takes a log position out of the reply to the `post`")
    ] = None
    run: Annotated[
        Words | None,
        Meta(
            description="a list: program and arguments, on the host, detached from the connection: it"
            " goes on when"
            " that is lost, and the same order never runs twice"
        ),
    ] = None
    shell: Annotated[str | None, Meta(description="a text for the host's `sh`, likewise, with `args`")] = None
    args: Annotated[list[str], Meta(description="the `$1`, `$2`, … of `shell`")] = []
    steps: Annotated[
        Annotated[list[Words], Meta(min_length=1)] | None,
        Meta(
            description="several such lists, run one after the other as one command; the first that"
            " fails ends it,"
            " and what was done before is said"
        ),
    ] = None
    each: Annotated[
        Literal["{queues}", "{server.ports}", "{peer.ports}"] | None,
        Meta(
            description="once for each item of this list, which is `{item}`; the first failure ends it,"
            " and what was"
            " done before is said"
        ),
    ] = None
    stdin: Annotated[
        list[str],
        Meta(
            description="lines for the standard input of `run` or `shell`, which then is at its end. The"
            " only way for"
            " a secret to a command"
        ),
    ] = []
    refused: Annotated[
        list[Annotated[int, Meta(ge=1, le=255)]],
        Meta(description="exit codes that mean *refused, nothing changed*"),
    ] = []
    progress: Annotated[
        Pattern | None,
        Meta(description="a pattern with a group `percent`, looked for in what a command says"),
    ] = None
    judged: Annotated[
        Literal["answer", "readings"],
        Meta(
            description="`readings`: its exit code or the server's answer means nothing; once it has"
            " ended the gate's"
            " readings tell. `answer` unless given"
        ),
    ] = "answer"
    usual: Annotated[Duration | None, Meta(description="how long it usually takes, for people")] = None
    deadline: Annotated[
        Duration | None,
        Meta(description="how long the outcome is waited for at most; over HTTP `30s` unless given"),
    ] = None
    manual: Annotated[str | None, Meta(description="what a person does by hand")] = None
    absent: Annotated[bool | None, Meta(description="`true`: this kind of system has nothing to do here")] = (
        None
    )

    @property
    def remote(self) -> bool:
        """Whether it runs on the host."""
        return self.run is not None or self.shell is not None or self.steps is not None

    @property
    def how(self) -> list[str]:
        """The ways it gives."""
        return [way for way in HOW_ACTED if getattr(self, way) is not None]


class RepairSpec(ActionSpec, frozen=True, kw_only=True):
    """Something that can be done to a server in trouble. Never to a master, or to what may be one."""

    says: Annotated[str, Meta(min_length=1, description="what it does, in a few words")]
    when: Annotated[
        dict[str, Condition],
        Meta(description="readings of that server and what must be so of each; all of them, now"),
    ]
