"""What a server answered over HTTP, with all its text made harmless."""

from urllib.parse import urljoin, urlsplit

import httpx
import msgspec

from skytui.plaintext import plain


class Reply(msgspec.Struct, frozen=True):
    """A status and a body, with all text made harmless; a body that is no JSON is its text.

    `content` is the body as it came; `next` the address of the next page, by the `Link` header (RFC 8288);
    `redirect` the address a redirect points to, without what may be secret in it; it was not followed.
    """

    status: int
    body: object
    content: bytes = b""
    next: str = ""
    redirect: str = ""

    @property
    def message(self) -> str:
        """The server's own words about an error, or the start of what it sent."""
        if self.redirect:
            return f"redirects to {self.redirect}: not followed"
        error = self.body.get("error") if isinstance(self.body, dict) else None
        said = (
            error.get("message")
            if isinstance(error, dict)
            else self.body
            if isinstance(self.body, str)
            else ""
        )
        return said[:300].rstrip(".") if isinstance(said, str) else ""


def clean(value: object) -> object:
    """Decoded JSON with all its text made harmless."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        return {plain(str(key)): clean(item) for key, item in value.items()}
    return value


def reply_of(response: httpx.Response) -> Reply:
    """An answer, as readings and actions use it."""
    following = response.links.get("next", {}).get("url", "")
    return Reply(response.status_code, _body(response), response.content, following, redirect_of(response))


def redirect_of(response: httpx.Response) -> str:
    """Where a redirect points to, up to its path; empty when the answer is none."""
    if response.status_code not in (301, 302, 303, 307, 308) or "location" not in response.headers:
        return ""
    try:
        parts = urlsplit(urljoin(str(response.request.url), response.headers["location"]))
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "somewhere that is no address"
    host = f"[{host}]" if ":" in host else host
    return plain(f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}")


def _body(response: httpx.Response) -> object:
    if not response.content:
        return None
    try:
        return clean(msgspec.json.decode(response.content))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return plain(response.content[:1000].decode("utf-8", "replace").split("\n", 1)[0])
