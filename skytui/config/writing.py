"""The text of a new pair, with what each key is for, and the file it is put into: whole or not at all."""

import contextlib
import os
import tempfile
from pathlib import Path

import msgspec

from skytui.config.pairs import SCHEMA, read_pair
from skytui.config.tables import Document
from skytui.errors import ConfigError, StateError
from skytui.tomltext import key_text, value_text

HEAD = f"""\
# The pairs that skytui knows. Every key: docs/configuration.md. What is wrong here: skytui config check
schema = {SCHEMA}
"""


class NewServer(msgspec.Struct, frozen=True, kw_only=True):
    """One server, as it was answered. What is empty is left out."""

    name: str
    address: str
    listen_port: int
    url: str = ""
    ca_file: str = ""
    ssh: dict[str, object] = {}
    home: str = ""
    ports: list[int] = []


class NewPair(msgspec.Struct, frozen=True, kw_only=True):
    """A pair, as it was answered. `secrets` are, by name, where each comes from."""

    name: str
    profile: str
    servers: tuple[NewServer, NewServer]
    secrets: dict[str, dict[str, object]] = {}
    state: str = ""
    group: str = ""


def text_of_pair(pair: NewPair) -> str:
    """The pair as TOML, with a remark on every key."""
    head = f"pair.{key_text(pair.name)}"
    lines = [
        f"[{head}]",
        _line("profile", pair.profile, "how this kind of system is read and acted on"),
        *_given(pair, "state", "the folder a team shares for it"),
        *_given(pair, "group", "whose that folder must be"),
        '# every = "60d"                          # how often it is to be swapped',
        '# quiet = "Sun 02:00-05:00 Europe/Berlin"  # when that disturbs nobody',
    ]
    if pair.secrets:
        lines += ["", f"[{head}.secrets]  # only where they come from, never themselves"]
        lines += [f"{key_text(name)} = {_inline(source)}" for name, source in pair.secrets.items()]
    for server in pair.servers:
        lines += ["", *_server_lines(head, server)]
    return "\n".join(lines) + "\n"


def _server_lines(head: str, server: NewServer) -> list[str]:
    lines = [
        f"[{head}.server.{key_text(server.name)}]  # a fixed name; its role is always read from it",
        _line("address", server.address, "where the other server finds it"),
        _line("listen_port", server.listen_port, ""),
        *_given(server, "url", "where this console finds it"),
        *_given(server, "ca_file", "who signed its certificate"),
    ]
    if server.ssh:
        lines.append(f"ssh = {_inline(server.ssh)}")
    return [
        *lines,
        *_given(server, "home", "its folder on its host"),
        *_given(server, "ports", "all of these must refuse before it counts as down"),
    ]


def _given(holder: msgspec.Struct, key: str, remark: str) -> list[str]:
    value = getattr(holder, key)
    return [_line(key, value, remark)] if value else []


def _line(key: str, value: object, remark: str) -> str:
    text = f"{key} = {value_text(value)}"
    return f"{text:40} # {remark}" if remark else text


def _inline(table: dict[str, object]) -> str:
    return "{ " + ", ".join(f"{key_text(key)} = {value_text(value)}" for key, value in table.items()) + " }"


class Target:
    """The file a pair is put into, as it was when the questions began.

    Raises ConfigError when it is there and cannot be read, or is not TOML.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        # Through a link: what it points to is replaced, not the link.
        self._real = file.resolve()
        self._before = self._real.read_text() if self._there(file) else None

    @staticmethod
    def _there(file: Path) -> bool:
        if not file.exists():
            return False
        Document(file)
        return True

    @property
    def names(self) -> list[str]:
        """The pairs that are in it already."""
        if self._before is None:
            return []
        document = Document(self.file, self._before)
        return list(document.table(document.data, "pair", ()))

    def with_pair(self, pair: NewPair) -> str:
        """The whole text of the file with the pair in it, which was read back and found sound.

        Raises ConfigError where the pair is there already, or would not be sound.
        """
        if pair.name in self.names:
            raise ConfigError(f"{self.file} has a pair `{pair.name}` already; nothing was written.")
        before = HEAD if self._before is None else self._before
        text = f"{before.rstrip()}\n\n{text_of_pair(pair)}" if before.strip() else HEAD + text_of_pair(pair)
        read_pair(Document(self.file, text), pair.name)
        return text

    def write(self, text: str) -> None:
        """Put `text` in the place of what was there when the questions began: whole, or not at all.

        A new file is its owner's alone (0600); one that was there keeps its mode. Raises StateError when it
        cannot be written, or was changed meanwhile.
        """
        try:
            self._real.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(prefix=f".{self._real.name}.", dir=self._real.parent)
            fresh = Path(name)
            try:
                with os.fdopen(handle, "w") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                self._put(fresh)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    fresh.unlink()
        except OSError as error:
            raise StateError(f"{self.file} cannot be written: {error.strerror}.") from error

    def _put(self, fresh: Path) -> None:
        changed = StateError(f"{self.file} was changed meanwhile; nothing was written. Begin again.")
        if self._before is None:
            try:
                os.link(fresh, self._real)  # unlike a rename, never over another file
            except FileExistsError:
                raise changed from None
            return
        if not self._real.exists() or self._real.read_text() != self._before:
            raise changed
        state = self._real.stat()
        fresh.chmod(state.st_mode & 0o777)
        if state.st_uid != fresh.stat().st_uid:
            os.chown(fresh, state.st_uid, state.st_gid)
        fresh.replace(self._real)
