"""Questions and answers on a terminal. Every answer is looked at before the next question."""

import shlex
from collections.abc import Callable

from skytui.config.pairs import NAME
from skytui.plaintext import plain

_ANSWERS = {"y": True, "yes": True, "n": False, "no": False}


def nothing_against_it(_text: str) -> str:
    """Every answer will do."""
    return ""


def is_name(text: str) -> str:
    """Why this is no name for a pair or a server; empty when it is one."""
    if NAME.fullmatch(text):
        return ""
    return "A name is letters, digits, dots, dashes and underscores, at most 63."


class Interview:
    """`read` shows a question and gives the line that was typed; `say` shows a line.

    `read` raises KeyboardInterrupt when the person has had enough.
    """

    def __init__(self, read: Callable[[str], str], say: Callable[[str], None]) -> None:
        self._read = read
        self._say = say

    def say(self, text: str) -> None:
        """Show text, harmless: much of it comes from servers."""
        self._say("\n".join(map(plain, text.split("\n"))))

    def ask(self, question: str, usual: str = "", fault: Callable[[str], str] = nothing_against_it) -> str:
        """An answer that `fault` has nothing against; only Enter is the usual one, where there is one."""
        while True:
            answer = plain(self._read(f"{question}{f' [{usual}]' if usual else ''}: ")).strip() or usual
            if answer and not (says := fault(answer)):
                return answer
            self.say(says if answer else "It must be given.")

    def yes(self, question: str, *, usually: bool) -> bool:
        """Yes or no."""
        while True:
            answer = plain(self._read(f"{question} {'[Y/n]' if usually else '[y/N]'}: ")).strip().lower()
            if answer in _ANSWERS:
                return _ANSWERS[answer]
            if not answer:
                return usually
            self.say("Answer y or n.")

    def number(self, question: str, usual: int) -> int:
        """A port's number."""
        return int(self.ask(question, str(usual), _port))

    def numbers(self, question: str, usual: list[int]) -> list[int]:
        """Ports' numbers, with commas between."""
        answer = self.ask(question, ", ".join(map(str, usual)), _ports)
        return [int(part) for part in answer.split(",")]

    def words(self, question: str, usual: str) -> list[str]:
        """A command, as a shell would take it apart."""
        return shlex.split(self.ask(question, usual, _words))


def _port(text: str) -> str:
    good = text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= 65535
    return "" if good else "A port is a number from 1 to 65535."


def _ports(text: str) -> str:
    return next((says for part in text.split(",") if (says := _port(part.strip()))), "")


def _words(text: str) -> str:
    try:
        return "" if shlex.split(text) else "It must be given."
    except ValueError as error:
        return f"It cannot be taken apart: {error}."
