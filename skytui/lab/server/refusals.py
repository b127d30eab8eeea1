"""What the server answers when it does not do what was asked."""

import msgspec
from starlette.responses import Response


class Refusal(Exception):  # noqa: N818 - an answer, not a failure of ours
    """An HTTP status, a code for programs and one sentence for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def as_json(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON reply; times come out as ISO 8601 in UTC."""
    return Response(msgspec.json.encode(content), status, headers, media_type="application/json")


def refused(refusal: Refusal, headers: dict[str, str] | None = None) -> Response:
    """The JSON form of a refusal."""
    body = {"error": {"code": refusal.code, "message": refusal.message}}
    return as_json(body, refusal.status, headers)
