"""The HTTP proxy between us and a server, by configuration; the environment only where that says so.

What goes through it is TLS to the server, in a tunnel (CONNECT): no answer of the proxy can be taken for one
of the server.
"""

import ipaddress
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies_environment

import msgspec

from skytui.config.pairs import ServerConfig
from skytui.config.secrets import Secret
from skytui.config.web import DIRECT, ENVIRONMENT
from skytui.errors import ConfigError


class Proxy(msgspec.Struct, frozen=True):
    """A proxy: its address without login, and the login, if there is one.

    The password is `password`, or the secret of the name `secret`.
    """

    url: str
    user: str = ""
    secret: str = ""
    password: Secret | None = None


def proxy_for(server: ServerConfig) -> Proxy | None:
    """The proxy to this server; None where there is none, or NO_PROXY names the server.

    Raises ConfigError when the environment names one that cannot be used.
    """
    if server.proxy in ("", DIRECT) or passed_by(server.url):
        return None
    if server.proxy != ENVIRONMENT:
        return Proxy(server.proxy.rstrip("/"), server.proxy_user, server.proxy_secret)
    known = getproxies_environment()
    given = known.get("https") or known.get("all")
    return _of_environment(server.name, given) if given else None


def passed_by(url: str) -> bool:
    """Whether NO_PROXY (or no_proxy) names the host of this URL: by name, domain, address or network."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    names = {host, f"{host}:{parts.port}"}
    for entry in getproxies_environment().get("no", "").lower().split(","):
        name = entry.strip().lstrip(".")
        if name and (name == "*" or name in names or host.endswith(f".{name}") or _holds(name, host)):
            return True
    return False


def _holds(network: str, host: str) -> bool:
    try:
        return "/" in network and ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:  # a name is in no network
        return False


def _of_environment(server: str, given: str) -> Proxy:
    try:
        parts = urlsplit(given if "://" in given else f"http://{given}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, SplitResult("", "", "", "", "")
    if parts.scheme != "http" or not host:
        raise ConfigError(
            f"{server}: the proxy that HTTPS_PROXY names cannot be used: it must be http://HOST:PORT."
        )
    name = f"[{host}]" if ":" in host else host
    password = Secret(unquote(parts.password)) if parts.password is not None else None
    return Proxy(f"http://{name}:{port or 80}", unquote(parts.username or ""), password=password)
