"""Secrets: where they come from, and the only place they are kept, the memory of one process."""

import os
import shlex
import signal
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec

from skytui.config.values import Command
from skytui.errors import ConfigError
from skytui.plaintext import plain, plain_bytes

_COMMAND_SECONDS = 30.0
_NEVER_WAITING = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
"""How a file is opened: one that is a pipe nobody writes into is not waited for."""
_LONGEST = 65536
"""Bytes of a file that are read."""
_LONGEST_LINE = 300
"""Characters of a command's complaint that are shown."""


class Secret:
    """A secret value. It shows itself nowhere; `reveal` is called only where it goes out on the wire."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"

    def __format__(self, spec: str) -> str:
        return "…"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> str:
        raise TypeError("a secret is never stored")


class SecretSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a secret comes from; one is given at most, and without any a person is asked.

    `file`: its first line; the file must be its owner's alone. `env`: an environment variable of this
    process. `command`: the first line it prints. `prompt`: the words a person is asked with.
    """

    file: Path | None = None
    env: str | None = None
    command: Command | None = None
    prompt: str | None = None

    def given(self) -> list[str]:
        """The names of the sources that are given."""
        return [name for name in self.__struct_fields__ if getattr(self, name) is not None]


def resolve(name: str, source: SecretSource) -> Secret | None:
    """The secret `name` from its source, or None when a person must be asked for it.

    Raises ConfigError when the source gives nothing, or may be read by others.
    """
    if source.file is not None:
        return _from_file(name, source.file)
    if source.env is not None:
        value = os.environ.get(source.env, "")
        if not value:
            raise ConfigError(f"The secret `{name}` is not there: the variable {source.env} is not set.")
        return Secret(value)
    if source.command is not None:
        return _from_command(name, source.command)
    return None


def _from_file(name: str, file: Path) -> Secret:
    try:
        handle = os.open(file, _NEVER_WAITING)
        try:
            _check_private(name, file, os.fstat(handle))
            text = os.read(handle, _LONGEST).decode()
        finally:
            os.close(handle)
    except OSError as error:
        raise ConfigError(f"The secret `{name}` cannot be read from {file}: {error.strerror}.") from error
    except ValueError as error:  # a path with a NUL in it, or what is not UTF-8
        # The text of the error has bytes of the secret in it.
        why = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else "cannot be: that is no path"
        raise ConfigError(f"The secret `{name}` in {file} {why}.") from None
    return _first_line(name, text, str(file))


def _check_private(name: str, file: Path, state: os.stat_result) -> None:
    if not stat.S_ISREG(state.st_mode):
        raise ConfigError(f"The secret `{name}` is not used: {file} is not a file.")
    if state.st_mode & 0o077:
        raise ConfigError(
            f"The secret `{name}` is not used: others may read {file}.",
            hint=f"Run: chmod 600 {shlex.quote(str(file))}",
        )
    if state.st_uid not in (os.getuid(), 0):
        raise ConfigError(
            f"The secret `{name}` is not used: {file} belongs to another user.",
            hint=f"Make a copy of your own, or run: sudo chown {os.getuid()} {shlex.quote(str(file))}",
        )


def _from_command(name: str, command: list[str]) -> Secret:
    said = plain(shlex.join(command))
    try:
        # A session of its own, so that what it started ends with it.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:  # ValueError: a NUL in it
        why = error.strerror if isinstance(error, OSError) else "there is a NUL in it"
        raise ConfigError(f"The secret `{name}` is not there: `{said}`: {why}.") from error
    with process:
        try:
            out, complaint = process.communicate(timeout=_COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise ConfigError(
                f"The secret `{name}` is not there: `{said}` took longer than {_COMMAND_SECONDS:g} s.",
                hint="Does it ask for something? It has no terminal here.",
            ) from None
    if process.returncode:
        why = _last_line(complaint, out)
        raise ConfigError(
            f"The secret `{name}` is not there: `{said}` ended with {process.returncode}: {why}."
        )
    try:
        text = out.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"The secret `{name}` from `{said}` is not UTF-8 text.") from None
    return _first_line(name, text, f"`{said}`")


def _last_line(complaint: bytes, out: bytes) -> str:
    """What a command complained of last, harmless, and without anything that it printed as its secret."""
    for secret in filter(None, out.splitlines()):
        complaint = complaint.replace(secret, "…".encode())
    lines = [line for raw in complaint.splitlines() if (line := plain_bytes(raw).strip())]
    return lines[-1].rstrip(".")[:_LONGEST_LINE] if lines else "it said nothing"


def _first_line(name: str, text: str, where: str) -> Secret:
    line = text.split("\n", 1)[0].rstrip("\r")
    if not line:
        raise ConfigError(f"The secret `{name}` is not there: the first line of {where} is empty.")
    return Secret(line)


class SecretStore:
    """The secrets of one pair, known so far. Those that are prompted for are put in when they arrive."""

    def __init__(self, sources: Mapping[str, SecretSource]) -> None:
        self._sources = dict(sources)
        self._known: dict[str, Secret] = {}
        self._refused: dict[str, str] = {}

    def resolve(self) -> None:
        """Fetch every secret that is not known and needs no person. Blocks; raises ConfigError."""
        for name, source in self._sources.items():
            secret = resolve(name, source) if name not in self._known else None
            if secret is not None:
                self.put(name, secret)

    def missing(self) -> dict[str, str]:
        """The secrets a person must still give: name and the words to ask with."""
        return {
            name: source.prompt or name for name, source in self._sources.items() if name not in self._known
        }

    def refused(self) -> dict[str, str]:
        """Those of the missing ones that were known and refused: name and who said what."""
        return dict(self._refused)

    def why_missing(self, name: str) -> str:
        """Why there is no secret of this name, as a sentence."""
        if name in self._refused:
            return f"The secret `{name}` was refused: {self._refused[name]}"
        return f"The secret `{name}` has not been given yet."

    def put(self, name: str, secret: Secret) -> None:
        """Take a secret that a person gave.

        Raises KeyError for a name this pair does not have.
        """
        if name not in self._sources:
            raise KeyError(name)
        self._known[name] = secret
        self._refused.pop(name, None)

    def refuse(self, name: str, secret: Secret, why: str) -> None:
        """Drop a secret that somebody did not take, unless another was given meanwhile; it is missing again.

        `why` is what they said, as a sentence.
        """
        if self._known.get(name) == secret:
            del self._known[name]
            self._refused[name] = why

    def get(self, name: str) -> Secret | None:
        """The secret, or None while it is not known."""
        return self._known.get(name)
