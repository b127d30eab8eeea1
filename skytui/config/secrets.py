"""Secrets: where they come from, and the only place they are kept, the memory of one process."""

import os
import shlex
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec

from skytui.errors import ConfigError

_COMMAND_SECONDS = 30.0


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
    """Where a secret comes from; exactly one is given.

    `file`: its first line; the file must be its owner's alone. `env`: an environment variable of this
    process. `command`: the first line it prints. `prompt`: a person is asked with these words.
    """

    file: Path | None = None
    env: str | None = None
    command: list[str] | None = None
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
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            if stat.S_ISREG(mode) and mode & 0o077:
                raise ConfigError(
                    f"The secret `{name}` is not used: others may read {file}.", hint=f"Run: chmod 600 {file}"
                )
            text = opened.read(65536).decode()
    except OSError as error:
        raise ConfigError(f"The secret `{name}` cannot be read from {file}: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise ConfigError(f"The secret `{name}` in {file} is not UTF-8 text.") from None
    return _first_line(name, text, str(file))


def _from_command(name: str, command: list[str]) -> Secret:
    said = shlex.join(command)
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_COMMAND_SECONDS, check=False
        )
        text = done.stdout.decode()
    except OSError as error:
        raise ConfigError(f"The secret `{name}` is not there: `{said}`: {error.strerror}.") from error
    except subprocess.TimeoutExpired:
        raise ConfigError(
            f"The secret `{name}` is not there: `{said}` took longer than {_COMMAND_SECONDS:.0f} s."
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"The secret `{name}` from `{said}` is not UTF-8 text.") from None
    if done.returncode:
        raise ConfigError(f"The secret `{name}` is not there: `{said}` ended with {done.returncode}.")
    return _first_line(name, text, f"`{said}`")


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
