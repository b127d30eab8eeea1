"""How a server is logged in to, as the `[login]` of a profile says."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from skytui.config import placeholders
from skytui.config.tables import Document, nearest
from skytui.config.values import Pattern, Pick, UrlPath

HeaderName = Annotated[str, Meta(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]


class TokenLogin(msgspec.Struct, frozen=True, kw_only=True):
    """A session opened with JSON: `json` is posted to `post`, `pick` takes the token out of the reply.

    Every request then carries `header` with `value`, where `{token}` stands for the token. `logout` is a
    path that is sent a DELETE at the end.
    """

    post: UrlPath
    json: dict[str, Any]
    pick: Pick
    header: HeaderName = "Authorization"
    value: str = "Bearer {token}"
    logout: UrlPath | None = None


class BasicLogin(msgspec.Struct, frozen=True, kw_only=True):
    """User and password with every request (RFC 7617).

    `get` is asked first, alone: 401 or 403 to it means that they are wrong.
    """

    get: UrlPath
    user: str
    password: str


class BearerLogin(msgspec.Struct, frozen=True, kw_only=True):
    """A token that does not change, with every request (RFC 6750). `get` as in `BasicLogin`."""

    get: UrlPath
    token: str


class HeaderLogin(msgspec.Struct, frozen=True, kw_only=True):
    """A header with a secret in it, with every request. `get` as in `BasicLogin`."""

    get: UrlPath
    header: HeaderName
    value: str


class FormLogin(msgspec.Struct, frozen=True, kw_only=True):
    """A form for people: `get` is its page, `fields` is what is filled in; the session is a cookie.

    Hidden fields of the form go with it as they came. It is sent to where the form says, or to `post`.
    `failed` is found in a page that says that the login failed; the login page itself says so, too. `logout`
    is a path that is sent a `logout_method` at the end.
    """

    get: UrlPath
    fields: dict[str, str]
    post: UrlPath | None = None
    failed: Pattern | None = None
    logout: UrlPath | None = None
    logout_method: Literal["DELETE", "GET", "POST"] = "DELETE"


LoginSpec = TokenLogin | BasicLogin | BearerLogin | HeaderLogin | FormLogin

KINDS: dict[str, type[LoginSpec]] = {
    "token": TokenLogin,
    "basic": BasicLogin,
    "bearer": BearerLogin,
    "header": HeaderLogin,
    "form": FormLogin,
}
"""Values of `kind`; without one it is a `token`."""

_SECRET_IN = ("password", "token", "value", "fields", "json")
"""The first of these that a kind has is where its secret stands."""


def secrets_of(login: LoginSpec | None) -> tuple[str, ...]:
    """The names of the secrets it needs."""
    found = placeholders.holes(msgspec.structs.astuple(login)) if login is not None else ()
    return tuple(dict.fromkeys(hole.removeprefix("secret.") for hole in found if hole.startswith("secret.")))


def read_login(document: Document) -> LoginSpec | None:
    """The `[login]` of a profile; None when it has none, or after its faults were remembered."""
    if "login" not in document.data:
        return None
    table = dict(document.table(document.data, "login", ()))
    kind = table.pop("kind", "token")
    if not isinstance(kind, str) or kind not in KINDS:
        hint = nearest(kind, KINDS) if isinstance(kind, str) else f"one of {', '.join(KINDS)}"
        document.fault(("login", "kind"), f"there is no login of this kind; {hint}")
        return None
    login = document.struct(KINDS[kind], table, ("login",))
    if login is None:
        return None
    for key, says in _faults(login):
        document.fault(("login", key), says)
    return login


def _faults(login: LoginSpec) -> Iterator[tuple[str, str]]:
    token = isinstance(login, TokenLogin)
    for key in login.__struct_fields__:
        value = getattr(login, key)
        if key in ("get", "post", "logout", "header"):
            for hole in dict.fromkeys(placeholders.holes(value)):
                yield key, f"`{{{hole}}}` may not stand here: it goes out as it is"
        elif token and key == "value":
            yield from ((key, says) for says in _wrong(value, "token"))
        else:
            yield from ((key, says) for says in _wrong(value))
    if token:
        return
    key = next(key for key in _SECRET_IN if key in login.__struct_fields__)
    if not secrets_of(login):
        yield key, "needs a secret: `{secret.NAME}`; what is written into a profile is none"


def _wrong(value: object, *more: str) -> Iterator[str]:
    # A token is put into a header of its own; no other secret belongs beside it.
    return placeholders.wrong(value, order=False, secrets=not more, more=more)
