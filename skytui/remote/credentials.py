"""What proves to hosts who we are, and what a person must be asked for it.

One for all connections of a process. Passphrases open a key and are gone; answers to a host's questions
(one-time codes) go to that host, once. Nothing of it is stored or repeated.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import asyncssh

from skytui.config.secrets import Secret
from skytui.errors import RefusedError

VERDICT_SECONDS = 15.0
"""How long it is waited for what a host says to an answer."""
LONGEST_QUESTION = 300

NO_PERSON = "nobody is attached who could answer"


class _Question:
    """What one host asks. `live` is waited for by a connection; without it the connection has gone.

    `answer` is one that was given meanwhile; `delivered` tells that the host has one and has not said yet
    what it makes of it, `verdict` is for whoever gave it.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self.live: asyncio.Future[Secret] | None = None
        self.answer: Secret | None = None
        self.delivered = False
        self.verdict: asyncio.Future[str] | None = None


class Credentials:
    """Keys, agent and answers. `changed` is called each time something else is wanted of a person.

    `round` grows with everything that may make a login succeed that did not: somebody has attached, a key
    was opened, an answer is there.
    """

    def __init__(self, agent: str | None = None) -> None:
        self.agent = os.environ.get("SSH_AUTH_SOCK", "") if agent is None else agent
        self.round = 0
        self.changed: Callable[[], None] = lambda: None
        self._people = 0
        self._opened: dict[Path, asyncssh.SSHKey] = {}
        self._locked: dict[Path, bytes] = {}
        self._questions: dict[str, _Question] = {}

    @property
    def wanted(self) -> tuple[str, ...]:
        """The names of what a person must give, in the order it was asked for."""
        return (*map(passphrase_of, self._locked), *self._questions)

    def attached(self, agent: str) -> None:
        """Somebody has come who can answer, with this agent; without one, the agent before stays."""
        self._people += 1
        self.agent = agent or self.agent
        self.round += 1
        for name in [name for name, question in self._questions.items() if question.live is None]:
            del self._questions[name]  # it is asked again by whoever asked it
        self.changed()

    def left(self) -> None:
        """Somebody who could answer has gone."""
        self._people -= 1

    # -- keys with a passphrase

    def opened(self, file: Path) -> asyncssh.SSHKey | None:
        """A key whose passphrase was given."""
        return self._opened.get(file)

    def want_passphrase(self, file: Path, data: bytes) -> None:
        """Ask for the passphrase of a key, whose encrypted text is `data`."""
        if file not in self._locked:
            self._locked[file] = data
            self.changed()

    # -- questions of a host

    async def ask(self, where: str, prompt: str, waiting: Callable[[str], None]) -> Secret:
        """What a person answers to a host. `prompt` is harmless text; `waiting` is called before the wait.

        Raises RefusedError when nobody is attached. Cancelled, the question stays until it is answered or
        somebody else attaches; the answer then goes to the same question of the next connection.
        """
        name = f"{where} asks: {prompt[:LONGEST_QUESTION]}"
        for asked in self._asked_by(where):
            self._settle(asked, f"{where} did not accept it" if asked == name else "")
            self._forget(asked, name)
        question = self._questions.get(name)
        if question is not None and question.answer is not None:
            answer, question.answer, question.delivered = question.answer, None, True
            return answer
        if not self._people:
            raise RefusedError(f"{name}; {NO_PERSON}.")
        if question is None:
            question = self._questions[name] = _Question(where)
        question.live = asyncio.get_running_loop().create_future()
        waiting(prompt)
        self.changed()
        try:
            return await question.live
        finally:
            question.live = None

    def question_of(self, where: str) -> str:
        """What this host has asked and nobody has answered; empty when there is no such thing."""
        return next((name for name in self._asked_by(where) if self._questions[name].answer is None), "")

    def login_over(self, where: str, refused: str) -> None:
        """A login has ended: what its answers came to is told to whoever gave them. `refused` is empty when
        it succeeded; then nothing is wanted for this host any more.
        """
        asked = self._asked_by(where)
        for name in asked:
            self._settle(name, refused)
            if not refused:
                self._questions.pop(name, None)
        if asked:
            self.round += not refused  # what waits behind a jump host may go on
            self.changed()

    def _settle(self, name: str, refused: str) -> None:
        """The verdict on an answer that was delivered. What was accepted is done with."""
        question = self._questions[name]
        if not question.delivered:
            return
        question.delivered = False
        if not refused:
            del self._questions[name]
        verdict, question.verdict = question.verdict, None
        if verdict is not None and not verdict.done():
            verdict.set_result(refused)

    def _forget(self, name: str, instead: str) -> None:
        """An answer that waited for its question is dropped when the host asks something else."""
        question = self._questions.get(name)
        if question is None or question.answer is None or name == instead:
            return
        del self._questions[name]
        if question.verdict is not None and not question.verdict.done():
            question.verdict.set_result(f"{question.where} asks something else now")

    def _asked_by(self, where: str) -> list[str]:
        return [name for name, question in self._questions.items() if question.where == where]

    # -- what a person gives

    async def give(self, name: str, secret: Secret) -> str:
        """Take what a person gives, and say why it was not accepted; empty when it was."""
        for file, data in self._locked.items():
            if passphrase_of(file) == name:
                return await self._open(file, data, secret)
        question = self._questions.get(name)
        if question is None:
            return f"{name} is not wanted any more"
        if question.verdict is not None:
            return "an answer is on its way already"
        verdict: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        question.verdict = verdict
        if question.live is not None and not question.live.done():
            question.delivered = True
            question.live.set_result(secret)
        else:
            question.answer = secret
            self.round += 1
        try:
            async with asyncio.timeout(VERDICT_SECONDS):
                return await verdict
        except TimeoutError:
            question.verdict = question.answer = None
            return f"{question.where} has not said whether it accepts it; it was not kept"

    async def _open(self, file: Path, data: bytes, secret: Secret) -> str:
        try:
            # Some hundred thousand rounds of a hash, to make guessing slow.
            key = await asyncio.to_thread(asyncssh.import_private_key, data, secret.reveal())
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
            return f"it does not open {file}"
        self._opened[file] = key
        self._locked.pop(file, None)
        self.round += 1
        self.changed()
        return ""


def passphrase_of(file: Path) -> str:
    """The name by which the passphrase of a key is asked for."""
    return f"passphrase of {file}"
