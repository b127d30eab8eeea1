"""Our side of one login: which key it was the host showed, and what it asks of a person."""

from collections.abc import Callable, Sequence

import asyncssh

from skytui.errors import RefusedError
from skytui.plaintext import plain
from skytui.remote.credentials import Credentials

MOST_CHALLENGES = 3
"""How often a host may ask in one login; OpenSSH itself gives up on a person as soon."""


class LoginClient(asyncssh.SSHClient):
    """What asyncssh calls during a login.

    `reached` is called when the host has answered at all, `asking` with a question when it waits for a
    person and with nothing when it goes on. `offered` is a host key that was not trusted, `refused` why a
    question got no answer, `answered` whether one did.
    """

    def __init__(
        self,
        where: str,
        credentials: Credentials,
        *,
        reached: Callable[[], None],
        asking: Callable[[str], None],
    ) -> None:
        self._where = where
        self._credentials = credentials
        self._reached = reached
        self._asking = asking
        self._challenges = 0
        self.offered: asyncssh.SSHKey | None = None
        self.refused: RefusedError | None = None
        self.answered = False

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """The host has been reached; logging in begins."""
        self._reached()

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """A host key that is not known."""
        self.offered = key
        return False

    def validate_host_ca_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """A host certificate of an authority that is not known."""
        self.offered = key
        return False

    def kbdint_auth_requested(self) -> str | None:
        """Whether questions may be asked at all."""
        self._challenges += 1
        return "" if self._challenges <= MOST_CHALLENGES and self.refused is None else None

    async def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        """Ask a person, one question after the other; None gives up."""
        introduction = [line for text in (name, instructions) for line in _lines(text)]
        answers = []
        for prompt, _ in prompts:
            question = " / ".join([*introduction, *_lines(prompt)]).rstrip(": ") or "a word"
            try:
                answer = await self._credentials.ask(self._where, question, self._asking)
            except RefusedError as error:
                self.refused = error
                return None
            self.answered = True
            self._asking("")
            answers.append(answer.reveal())
        return answers


def _lines(text: str) -> list[str]:
    return [line for each in text.splitlines() if (line := plain(each).strip())]
