"""How a reading is asked, and what is taken out of the reply: `[reading.NAME]` of the profile language.

The descriptions stand here, with the types; the tables of `docs/profiles.md` are generated from them.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from skytui.config.values import Duration, Pattern, Pick, UrlPath, Words
from skytui.pair.reading import Cause

HOW_READ = ("get", "run", "shell", "connect", "difference", "manual", "absent")

_OF_A_REPLY = frozenset(
    ("on", "reply", "html", "regex", "split", "pick", "except_", "map", "default", "deadline")
)


class SplitSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How a text is split into rows."""

    columns: Annotated[
        str,
        Meta(
            description="what stands between two columns; without it any run of blanks. For `csv` one"
            " character,"
            " `,` unless given"
        ),
    ] = ""
    header: Annotated[
        bool | list[str] | None,
        Meta(
            description="`true`: the first row names the columns; a list: their names; `false`: a row is"
            " a list."
            " Unless given `true` for `csv`, else `false`"
        ),
    ] = None
    skip: Annotated[int, Meta(ge=0, description="how many lines before the first row are left out")] = 0
    ignore: Annotated[Pattern | None, Meta(description="lines in which this is found are left out")] = None


class PagesSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How a list that comes in pages is read to its end. The pages are joined; `pick` sees one list."""

    items: Annotated[
        Pick | None, Meta(description="where the list is in a page; without it the page is one")
    ] = None
    next: Annotated[
        Pick | None,
        Meta(
            description="a JMESPath that finds the next page's path or address in a page; where it finds"
            " nothing, the"
            " page is the last. Without `next` and `link` the path of `get` carries `{page}` or `{offset}`"
        ),
    ] = None
    link: Annotated[
        bool, Meta(description='`true`: the `Link` header names the next page, as `rel="next"` (RFC 8288)')
    ] = False
    first: Annotated[int, Meta(ge=0, description="the number of the first page, for `{page}`")] = 1
    size: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="how many items a full page has: a shorter one is the last"),
    ] = None
    total: Annotated[Pick | None, Meta(description="where a page says how many items there are in all")] = (
        None
    )
    most: Annotated[
        int,
        Meta(
            ge=1, le=1000, description="how many pages there are at most; one more is an error, no short list"
        ),
    ] = 20


class ReadingSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How one reading is asked; exactly one of `HOW_READ` is given.

    `said` are the keys that were written, for a variant to be laid over what it varies; it stands in no file.
    """

    get: Annotated[UrlPath | None, Meta(description="a path over HTTP, with the session of `[login]`")] = None
    run: Annotated[
        Words | None,
        Meta(
            description="a list: program and arguments, on the host over SSH; each reaches the program"
            " literally"
        ),
    ] = None
    shell: Annotated[
        str | None,
        Meta(description="a text for the host's `sh`; it has no placeholders, its arguments are `args`"),
    ] = None
    args: Annotated[list[str], Meta(description="the `$1`, `$2`, … of `shell`")] = []
    connect: Annotated[
        str | None,
        Meta(
            description="TCP, from here; only for `ports`: `open`, `refused`, or `no answer`, which"
            " proves nothing."
            " `{server.ports}`, or numbers with commas between"
        ),
    ] = None
    difference: Annotated[
        Annotated[list[str], Meta(min_length=2, max_length=2)] | None,
        Meta(description="two readings, `{master.NAME}` and `{standby.NAME}`: the first minus the second"),
    ] = None
    manual: Annotated[str | None, Meta(description="what a person looks at")] = None
    absent: Annotated[bool | None, Meta(description="`true`: this kind of system has no such thing")] = None
    on: Annotated[
        Literal["each", "master", "standby", "any"],
        Meta(
            description="who is asked: each server; the one that reads so in the same poll; or `any`:"
            " where this"
            " server does not answer, the other's answer counts"
        ),
    ] = "each"
    reply: Annotated[
        Literal["json", "json5", "csv", "text"],
        Meta(
            description="what comes back; `json5` takes unquoted keys, single quotes, comments, commas"
            " at the end"
        ),
    ] = "json"
    html: Annotated[
        bool, Meta(description="`true`: tags are taken out of every text, entities are resolved")
    ] = False
    stderr: Annotated[
        bool,
        Meta(description="`true`: what a command writes to standard error is read too, after its output"),
    ] = False
    ok: Annotated[
        list[Annotated[int, Meta(ge=0, le=255)]],
        Meta(description="the exit codes of a command whose output counts; `[0]` unless given"),
    ] = msgspec.field(default_factory=lambda: [0])
    exit: Annotated[
        dict[str, Any],
        Meta(
            description="exit codes and the value each stands for, whatever was printed: `{ 0 = true, 3"
            " = false }`"
        ),
    ] = {}
    status: Annotated[
        dict[str, Any],
        Meta(description='the same for HTTP status codes: `{ 200 = "master", 503 = "standby" }`'),
    ] = {}
    means: Annotated[
        dict[str, Cause],
        Meta(
            description="exit or status codes that give no value, and why: `process gone`, `port closed`,"
            " `does not answer`, `standby`"
        ),
    ] = {}
    regex: Annotated[
        Pattern | None,
        Meta(
            description="a pattern for a text: its named groups make a table, else its only group, else"
            " the whole"
            " match is the value. With `split` each row must match"
        ),
    ] = None
    split: Annotated[SplitSpec | None, Meta(description="how a text is split into rows; see below")] = None
    pages: Annotated[
        PagesSpec | None, Meta(description="how a list that comes in pages is read; see below")
    ] = None
    pick: Annotated[
        Pick | None,
        Meta(
            description="a [JMESPath](https://jmespath.org) expression that takes the value out of the"
            " reply, or a"
            " table of them, by field"
        ),
    ] = None
    except_: Annotated[
        list[dict[str, str]],
        Meta(
            description="items that are left out of a list: those of which every field named here matches;"
            " `*` and `?` stand for any text and any character"
        ),
    ] = msgspec.field(name="except", default_factory=list)
    map: Annotated[
        dict[str, Any],
        Meta(
            description='words and what they are called here, `{ "idle*" = "active" }`; for lists and tables'
            " by field, `[reading.NAME.map.FIELD]`. A word that nothing here matches is *unknown*"
        ),
    ] = {}
    default: Annotated[
        Any, Meta(description="the value where a good reply does not say; never where there is no good reply")
    ] = None
    deadline: Annotated[
        Duration,
        Meta(description="how long an answer is waited for, all its pages together; `5s` unless given"),
    ] = Duration(5)
    master: Annotated[
        "ReadingSpec | None",
        Meta(
            description="a table, `[reading.NAME.master]`: what is different on the server that reads master"
        ),
    ] = None
    standby: Annotated["ReadingSpec | None", Meta(description="the same for the one that reads standby")] = (
        None
    )
    server: Annotated[
        "dict[str, ReadingSpec]",
        Meta(
            description="tables, `[reading.NAME.server.SERVER]`: what is different on the server of this name"
        ),
    ] = {}
    said: frozenset[str] = frozenset()

    @property
    def by_role(self) -> bool:
        """Whether it is asked in another way of a master than of a standby."""
        return self.master is not None or self.standby is not None

    def of(self, server: str, role: str | None) -> "ReadingSpec":
        """How it is asked of `server` while it reads `role`: the role's variant, over it the server's."""
        spec = self
        for variant in (getattr(self, role) if role else None, self.server.get(server)):
            if variant is not None:
                spec = laid_over(spec, variant)
        return spec

    def variants(self) -> dict[tuple[str, ...], "ReadingSpec"]:
        """Every variant by the keys it stands under, laid over what it varies."""
        roles = {(role,): getattr(self, role) for role in ("master", "standby") if getattr(self, role)}
        own = {("server", name): spec for name, spec in self.server.items()}
        return {path: laid_over(self, spec) for path, spec in (roles | own).items()}

    @property
    def how(self) -> list[str]:
        """The ways it gives."""
        return [way for way in HOW_READ if getattr(self, way) is not None]


def laid_over(base: ReadingSpec, variant: ReadingSpec) -> ReadingSpec:
    """`base` with what `variant` says. One with a way of its own takes over only how a reply is read."""
    kept = base.said
    if variant.how:
        kept &= _OF_A_REPLY if {"get", "run", "shell"} & set(variant.how) else frozenset({"on"})
    said = {key: getattr(base, key) for key in kept} | {key: getattr(variant, key) for key in variant.said}
    return ReadingSpec(**said, said=frozenset(said))
