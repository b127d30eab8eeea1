"""Finding the server that is master now, and talking to it.

A standby answers 409, so no question about roles is asked beforehand. A master on an older timeline than one
already heard is a server that came back without conversion: nothing is told to it.
"""

import re
import ssl
from typing import Any

import httpx
import msgspec

from skytui.lab.node import AgentConfig

_ETAG = re.compile(r'"(?P<name>.+)/(?P<role>master|standby)/(?P<timeline>\d+)"')
_TIMEOUT = httpx.Timeout(5.0, connect=2.0)
_NOT_MASTER = {401, 409, 412, 500, 502, 503}


class NoMasterError(Exception):
    """No server took it; the sentence says what each of them did."""


class RejectedError(Exception):
    """The master has refused this for good."""


class _Refusal(msgspec.Struct):
    code: str
    message: str


class _Error(msgspec.Struct):
    error: _Refusal


class Master:
    """Both servers of the pair, seen from an agent. `transport` stands in for the network in tests."""

    def __init__(self, config: AgentConfig, transport: httpx.AsyncBaseTransport | None = None) -> None:
        # A stand-in needs no certificate.
        trust = ssl.create_default_context(cafile=str(config.ca)) if transport is None else False
        headers = {"Authorization": f"Bearer {config.token}"}
        self._client = httpx.AsyncClient(
            verify=trust, headers=headers, timeout=_TIMEOUT, trust_env=False, transport=transport
        )
        self._urls = [server.url for server in config.server]
        self.heard: tuple[int, str] = (0, "")
        """Timeline and name of the newest master heard so far."""

    async def close(self) -> None:
        """Let go of all connections."""
        await self._client.aclose()

    async def post(self, path: str, content: dict[str, Any]) -> Any:
        """The master's answer to a POST. Raises `NoMasterError` or `RejectedError`."""
        said = []
        for url in list(self._urls):
            try:
                reply = await self._client.post(
                    url + path,
                    content=msgspec.json.encode(content),
                    headers={"Content-Type": "application/json"},
                )
            except httpx.HTTPError as error:
                said.append(f"{url}: {str(error) or type(error).__name__}")
                continue
            refusal = None if reply.is_success else _refusal(reply)
            if refusal is not None and self._try_next(reply.status_code, refusal):
                said.append(f"{url}: {reply.status_code} {refusal.message}")
                continue
            if not self._is_newest(reply):
                said.append(f"{url}: a master on an older timeline than {self.heard[0]}")
                continue
            self._prefer(url)
            if refusal is not None:
                raise RejectedError(f"{reply.status_code} {refusal.message}")
            return msgspec.json.decode(reply.content)
        raise NoMasterError("; ".join(said))

    @staticmethod
    def _try_next(status: int, refusal: _Refusal) -> bool:
        return status in _NOT_MASTER and refusal.code not in ("other_result", "other_agent")

    def _is_newest(self, reply: httpx.Response) -> bool:
        match = _ETAG.fullmatch(reply.headers.get("etag", ""))
        if match is None or match["role"] != "master":
            return False
        timeline = int(match["timeline"])
        if timeline < self.heard[0]:
            return False
        self.heard = (timeline, match["name"])
        return True

    def _prefer(self, url: str) -> None:
        self._urls.remove(url)
        self._urls.insert(0, url)


def _refusal(reply: httpx.Response) -> _Refusal:
    try:
        return msgspec.json.decode(reply.content, type=_Error).error
    except msgspec.MsgspecError:
        return _Refusal("http", reply.text[:200])
