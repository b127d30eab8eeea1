"""How a server is reached over HTTPS: whom to trust, who we are, and through which proxy."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from skytui.config.tables import nearest

DIRECT, ENVIRONMENT = "none", "environment"
"""Words for `proxy`: no proxy, whatever the pair says; the one that HTTPS_PROXY names."""

_PIN = re.compile(r"sha256:[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}")
_PROXY = re.compile(r"http://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?/?")


class WebConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The HTTPS side of a server.

    Whom to trust: `ca_file`, a file of authorities; or `pin`, the SHA-256 fingerprint of the one certificate
    it may show, as `sha256:` and 64 hexadecimal digits; or `insecure`, the sentence of `accepted_words`, with
    which nothing is verified; without any, the system's trust store. `cert` and `key` are our own
    certificate, in PEM, for servers that ask for one. `proxy` is `http://HOST:PORT`, `environment` or `none`;
    `proxy_user` and the name of a secret, `proxy_secret`, are for a proxy that wants a login.
    """

    url: Annotated[str, Meta(pattern=r"^https?://[^/\s]+$")] = ""
    ca_file: Path | None = None
    pin: str = ""
    insecure: str = ""
    cert: Path | None = None
    key: Path | None = None
    proxy: str = ""
    proxy_user: str = ""
    proxy_secret: str = ""

    @property
    def unverified(self) -> bool:
        """Whether it is not verified who answers."""
        return bool(self.insecure)

    @property
    def proxied(self) -> bool:
        """Whether a proxy is named, or the environment may name one."""
        return self.proxy not in ("", DIRECT)


class ProxyDefaults(msgspec.Struct, frozen=True, kw_only=True):
    """The proxy of both servers of a pair, where a server's own table names none."""

    proxy: str = ""
    proxy_user: str = ""
    proxy_secret: str = ""

    def given(self) -> dict[str, str]:
        """Keys and values."""
        return {"proxy": self.proxy, "proxy_user": self.proxy_user, "proxy_secret": self.proxy_secret}


def accepted_words(server: str) -> str:
    """The sentence that turns verification off for one server."""
    return f"I accept that {server} is not verified"


def web_faults(
    name: str, web: WebConfig, secrets: Collection[str], *, practice: bool
) -> Iterator[tuple[str, str]]:
    """Every key of the server `name` that is wrong, and why. `secrets` are those the pair has."""
    if web.url.startswith("http://") and not practice:
        yield "url", "must be https: passwords go over it"
    ways = [key for key in ("ca_file", "pin", "insecure") if getattr(web, key)]
    if len(ways) > 1:
        yield ways[1], f"give one of {' and '.join(ways)}: each says by itself whom to trust"
    if web.pin and not _PIN.fullmatch(web.pin):
        yield "pin", "is `sha256:` and the 64 hexadecimal digits of the certificate's fingerprint"
    if web.insecure and web.insecure != accepted_words(name):
        yield "insecure", f'turns verification off only as: insecure = "{accepted_words(name)}"'
    if (web.cert is None) is not (web.key is None):
        yield ("cert" if web.cert else "key"), "our certificate needs both `cert` and `key`"
    yield from proxy_faults(web, secrets)
    if web.proxied and web.url.startswith("http://"):
        yield "proxy", "is for https only: over http the proxy's answers could not be told from the server's"


def proxy_faults(web: WebConfig | ProxyDefaults, secrets: Collection[str]) -> Iterator[tuple[str, str]]:
    """Every key about a proxy that is wrong, and why."""
    if "@" in web.proxy:
        yield "proxy", "holds no login: give `proxy_user`, and the name of a secret as `proxy_secret`"
    elif web.proxy not in ("", DIRECT, ENVIRONMENT) and not _PROXY.fullmatch(web.proxy):
        yield "proxy", f"is `http://HOST:PORT`, or `{ENVIRONMENT}`, or `{DIRECT}`"
    if bool(web.proxy_user) is not bool(web.proxy_secret):
        yield (
            ("proxy_user" if web.proxy_user else "proxy_secret"),
            "a proxy's login needs both `proxy_user` and `proxy_secret`",
        )
    if web.proxy_user and web.proxy in ("", DIRECT):
        yield "proxy_user", "there is no `proxy` to log in to"
    if web.proxy_user and web.proxy == ENVIRONMENT:
        yield "proxy_user", "the environment's proxy has its login in HTTPS_PROXY"
    if web.proxy_secret and web.proxy_secret not in secrets:
        hint = nearest(web.proxy_secret, secrets)
        yield "proxy_secret", f"the pair has no secret of that name; {hint}".rstrip("; ")
