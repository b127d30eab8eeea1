"""A small client of the practice servers' HTTPS API, for the programs that build and convert the pair."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from skytui.errors import RefusedError, RemoteError, UnreachableError
from skytui.lab.node import ADMIN_USER

_SECONDS = 5.0


class Api:
    """One server, by its base address. A context manager; its certificate must be of the pair's CA."""

    def __init__(self, url: str, ca: Path) -> None:
        self.url = url
        context = ssl.create_default_context(cafile=str(ca))
        self._client = httpx.Client(base_url=url, verify=context, timeout=_SECONDS, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def login(self, password: str) -> None:
        """Log in as `admin`; `RefusedError` when the password is wrong."""
        token = self._ask("POST", "/login", {"user": ADMIN_USER, "password": password})["token"]
        self._client.headers["Authorization"] = f"Bearer {token}"

    def logout(self) -> None:
        """End the session, so that it is not among the users logged in."""
        self._ask("DELETE", "/login")

    def show(self, token: str) -> None:
        """Show a token of one's own from here on, as agents and the peer's host do, instead of logging in."""
        self._client.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str) -> dict[str, Any]:
        """What the server says at `/api/v1` + `path`."""
        return self._ask("GET", path)

    def post(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        """What the server answers to `body`."""
        return self._ask("POST", path, body)

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        try:
            reply = self._client.request(method, f"/api/v1{path}", json=body)
        except httpx.HTTPError as error:
            raise UnreachableError(
                f"{self.url} does not answer: {str(error) or type(error).__name__}."
            ) from error
        try:
            said = reply.json() if reply.content else {}
        except ValueError as error:
            raise RemoteError(
                f"{self.url} answers {method} {path} with something that is not JSON."
            ) from error
        if reply.status_code in (401, 403):
            raise RefusedError(f"{self.url} refuses: {_message(said) or reply.status_code}.")
        if not reply.is_success or not isinstance(said, dict):
            raise RemoteError(
                f"{self.url} answers {method} {path} with {reply.status_code}: {_message(said)}."
            )
        return said


def _message(said: object) -> str:
    match said:
        case {"error": {"message": str(message)}}:
            return message.rstrip(".")
    return ""
