"""`skytui config init`: what is asked, what is tried, and what is written or left as it was."""

import asyncio
import os
import pty
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import pytest

from skytui import paths
from skytui.commands.init import init
from skytui.commands.interview import Interview
from skytui.config.pairs import load_pair
from skytui.config.secrets import SecretSource
from skytui.errors import ConfigError, StateError, UsageError
from skytui.lab.pki import Authority

SECONDS = 60.0


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("SKYTUI_CONFIG", raising=False)
    monkeypatch.setattr("skytui.config.pairs.SYSTEM_FILE", tmp_path / "etc.toml")
    return tmp_path


def own() -> Path:
    return paths.config_dir() / "config.toml"


class Person:
    """Answers by what a question begins with: each list from its start, its last answer again and again."""

    def __init__(self, answers: dict[str, list[str]]) -> None:
        self._answers = {question: list(given) for question, given in answers.items()}
        self.asked: list[str] = []
        self.told: list[str] = []

    def __call__(self, question: str) -> str:
        self.asked.append(question)
        assert len(self.asked) < 200, self.told[-5:]
        for begins, answers in self._answers.items():
            if question.strip().startswith(begins):
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                if answer == "^C":
                    raise KeyboardInterrupt
                return f"{answer}\n"
        return "\n"

    def init(self, pair: str = "") -> int:
        return init(pair, Interview(self, self.told.append))

    @property
    def heard(self) -> str:
        return "\n".join(self.told)


PROFILE = """\
schema = 1
[reading.role]
get = "/role"
[reading.disk_free]
run = ["df", "{home}"]
[action.convert]
run = ["{home}/bin/convert"]
stdin = ["{secret.admin}"]
[check]
run = ["whoami"]
"""

UNREACHED = {
    "Profile": ["mine.toml"],
    "Its URL": ["https://127.0.0.1:9"],
    "Its host over SSH": ["127.0.0.1"],
    "SSH port": ["9"],
    "Private key": ["KEY"],
    "File of known": ["KNOWN"],
    "Answer again?": ["n"],
    "Its folder": ["/opt/sky bot"],
    "All ports": ["9"],
}
"""Nobody listens on port 9, and everything is to be taken as it is."""


@pytest.fixture
def answers(folders: Path) -> dict[str, list[str]]:
    own().parent.mkdir(parents=True)
    (own().parent / "mine.toml").write_text(PROFILE)
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(folders / "key")
    (folders / "known").write_text("")
    files = {"KEY": str(folders / "key"), "KNOWN": str(folders / "known")}
    return {question: [files.get(text, text) for text in given] for question, given in UNREACHED.items()}


def test_what_is_written_is_a_sound_pair_with_remarks_for_its_owner_alone(
    answers: dict[str, list[str]],
) -> None:
    person = Person(answers)
    assert person.init("night") == 0
    pair = load_pair("night")
    assert list(pair.servers) == ["sky-a", "sky-b"]
    a = pair.servers["sky-a"]
    assert (a.url, a.listen_port, a.home, a.ports) == ("https://127.0.0.1:9", 9, "/opt/sky bot", [9])
    assert a.ssh is not None
    assert (a.ssh.host, a.ssh.port) == ("127.0.0.1", 9)
    assert pair.secrets == {"admin": SecretSource(prompt="Password of admin")}
    assert stat.S_IMODE(own().stat().st_mode) == 0o600
    assert "# all of these must refuse before it counts as down" in own().read_text()
    assert sorted(file.name for file in own().parent.iterdir()) == ["config.toml", "mine.toml"]
    assert "127.0.0.1:9 cannot be reached" in person.heard
    assert "no SSH connection" in person.heard


def test_the_built_in_profile_needs_no_more() -> None:
    person = Person(
        {"Its URL": ["https://127.0.0.1:9"], "Answer again?": ["n"], "Private key": ["/dev/null", "-"]}
    )
    own().parent.mkdir(parents=True)
    (own().parent / "known").write_text("")
    person._answers["File of known"] = [str(own().parent / "known")]
    assert person.init("night") == 0
    assert load_pair("night").profile == "skybot"


def test_a_pair_is_added_to_a_file_that_is_there_and_the_rest_of_it_stays(
    answers: dict[str, list[str]],
) -> None:
    assert Person(answers).init("night") == 0
    before = own().read_text() + "# a remark at the end"
    own().write_text(before)
    own().chmod(0o640)
    person = Person({**answers, "Name of the pair": ["night", "day"]})
    assert person.init("night") == 0
    assert own().read_text().startswith(before)
    assert stat.S_IMODE(own().stat().st_mode) == 0o640
    assert load_pair("night").servers == load_pair("day").servers
    assert "has a pair `night` already, which is left as it is" in person.heard
    written = person.heard[person.heard.index("[pair.day]") :]
    assert "[pair.night]" not in written


def test_a_link_stays_a_link(answers: dict[str, list[str]], folders: Path) -> None:
    (folders / "dotfiles.toml").write_text("schema = 1\n")
    own().symlink_to(folders / "dotfiles.toml")
    assert Person(answers).init("night") == 0
    assert own().is_symlink()
    assert "[pair.night]" in (folders / "dotfiles.toml").read_text()


def test_the_file_that_skytui_config_names_is_written(
    answers: dict[str, list[str]], folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKYTUI_CONFIG", str(own().parent / "team.toml"))
    assert Person(answers).init("night") == 0
    assert load_pair("night").file == own().parent / "team.toml"
    assert not own().exists()


@pytest.mark.parametrize(
    "question",
    ["Name of", "Profile", "Its name", "Its URL", "SSH port", "Secret", "Folder that", "Write this"],
)
def test_ctrl_c_at_any_question_leaves_nothing_behind(answers: dict[str, list[str]], question: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        Person({**answers, question: ["^C"]}).init()
    assert [file.name for file in own().parent.iterdir()] == ["mine.toml"]


def test_who_does_not_want_it_gets_nothing(answers: dict[str, list[str]]) -> None:
    assert Person({**answers, "Write this": ["maybe", "n"]}).init() == 10
    assert not own().exists()


def test_a_file_that_was_changed_meanwhile_is_left_as_it_is(answers: dict[str, list[str]]) -> None:
    class Meanwhile(Person):
        def __call__(self, question: str) -> str:
            if question.startswith("Write this"):
                own().write_text("schema = 1\n# by somebody else\n")
            return super().__call__(question)

    for _ in ("when it was not there", "when it was"):
        with pytest.raises(StateError, match="was changed meanwhile; nothing was written"):
            Meanwhile(answers).init("night")
        assert own().read_text() == "schema = 1\n# by somebody else\n"
        own().write_text("schema = 1\n")


def test_a_file_that_is_faulty_is_not_added_to() -> None:
    own().parent.mkdir(parents=True)
    own().write_text("[[[")
    with pytest.raises(ConfigError, match="is not TOML"):
        Person({}).init("night")
    assert own().read_text() == "[[["


def test_answers_that_make_no_sense_are_asked_for_again(answers: dict[str, list[str]]) -> None:
    person = Person(
        {
            **answers,
            "Name of": ["a b", "practice", "night"],
            "Profile": ["skybto", "none.toml", "mine.toml"],
            "Its name": ["", "sky-a", "sky-b"],
            "Its URL": ["sky-a", "http://sky-a", "https://sky-a:x", "https://127.0.0.1:9"],
            "SSH port": ["0", "70000", "x", "9"],
            "File of known": ["/no/such/file", *answers["File of known"]],
            "All ports": ["1,x", "9"],
            "Folder that": ["relative", "-"],
        }
    )
    assert person.init() == 0
    for says in (
        "A name is letters",
        "The practice pair is called that",
        "did you mean `skybot`?",
        "none.toml cannot be read",
        "That is the first one's name",
        "is no URL like",
        "It must be https",
        "A port is a number from 1 to 65535",
        "There is no file /no/such/file",
        "It is the whole path",
    ):
        assert says in person.heard, says


def test_a_secret_is_fetched_once_and_shown_nowhere(
    answers: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHT_PASSWORD", "xyzzy-plugh")
    person = Person(
        {
            **answers,
            "Secret": ["nowhere", "command", "env"],
            "Command": ["sh -c 'echo no key >&2; exit 2'"],
            "Environment": ["NIGHT_PASSWORD"],
            "Answer again?": [*["n"] * 4, "y", "n"],
        }
    )
    assert person.init("night") == 0
    assert "ended with 2: no key" in person.heard
    assert "The secret `admin` is there." in person.heard
    assert "xyzzy-plugh" not in person.heard + own().read_text()
    assert load_pair("night").secrets == {"admin": SecretSource(env="NIGHT_PASSWORD")}


class Host:
    """A host with SSH and, over HTTPS, a server whose certificate a CA of its own has signed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.ssh_port = self.https_port = 0

    @asynccontextmanager
    async def up(self) -> AsyncIterator["Host"]:
        authority = Authority.make("test")
        authority.save(self.folder / "ca.pem", self.folder / "ca.key")
        authority.issue("localhost", "127.0.0.1", self.folder / "web.pem", self.folder / "web.key")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.folder / "web.pem", self.folder / "web.key")
        public = asyncssh.read_private_key(str(self.folder / "key")).export_public_key()
        (self.folder / "authorized").write_bytes(public)

        async def answer(process: asyncssh.SSHServerProcess[str]) -> None:
            process.exit(0)

        async def web(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        acceptor = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[self.key],
            authorized_client_keys=str(self.folder / "authorized"),
            process_factory=answer,
        )
        server = await asyncio.start_server(web, "127.0.0.1", 0, ssl=context)
        self.ssh_port, self.https_port = acceptor.get_port(), server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            acceptor.close()
            server.close()
            await acceptor.wait_closed()


async def test_connections_are_tried_and_nothing_is_trusted_that_is_not_known(
    answers: dict[str, list[str]], folders: Path
) -> None:
    async with Host(folders).up() as host:
        known = folders / "known"

        class Careful(Person):
            """Adds the host's key, as one would who has compared it, when asked the second time."""

            def __call__(self, question: str) -> str:
                if question.startswith("File of known") and "SHA256:" in self.heard:
                    public = host.key.export_public_key().decode().strip()
                    known.write_text(f"[127.0.0.1]:{host.ssh_port} {public}\n")
                return super().__call__(question)

        person = Careful(
            {
                **answers,
                "Its URL": [f"https://127.0.0.1:{host.https_port}"],
                "File with the certificate": [str(folders / "ca.pem")],
                "SSH port": [str(host.ssh_port)],
                "Answer again?": ["y"],
            }
        )
        assert await asyncio.to_thread(person.init, "night") == 0
        fingerprint = host.key.get_fingerprint()
        assert "is not trusted: unable to get local issuer certificate" in person.heard
        assert f"127.0.0.1:{host.https_port} answers; its certificate is trusted until 20" in person.heard
        assert [line for line in person.told if "is not trusted" in line and fingerprint in line], person.told
        assert f"its host key is a known one: {fingerprint} (ssh-ed25519)." in person.heard
        assert load_pair("night").servers["sky-a"].ca_file == folders / "ca.pem"


async def test_a_host_key_that_has_changed_is_said_and_nothing_is_written_over_the_known_one(
    answers: dict[str, list[str]], folders: Path
) -> None:
    async with Host(folders).up() as host:
        other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
        before = f"[127.0.0.1]:{host.ssh_port} {other}\n"
        (folders / "known").write_text(before)
        person = Person({**answers, "SSH port": [str(host.ssh_port)]})
        assert await asyncio.to_thread(person.init, "night") == 0
        assert host.key.get_fingerprint() in person.heard
        assert "logged in" not in person.heard
        assert (folders / "known").read_text() == before


def test_without_a_terminal_it_refuses_and_says_what_to_do_instead() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "skytui", "config", "init"],
        input="night\n",
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 2
    assert "this is no terminal. Write the file by hand: docs/configuration.md" in done.stderr
    assert not own().exists()
    with pytest.raises(UsageError):
        init("night")


ON_ITS_TERMINAL = """\
import fcntl, os, signal, sys, termios
signal.signal(signal.SIGINT, signal.SIG_DFL)  # it is ignored where the tests were started beside a shell
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "skytui", "config", "init"])
"""


@pytest.fixture
def on_a_terminal() -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    near, far = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", ON_ITS_TERMINAL],
        stdin=far,
        stdout=far,
        stderr=far,
        start_new_session=True,
    )
    os.close(far)
    try:
        yield process, near
    finally:
        process.kill()
        process.wait()
        os.close(near)


@pytest.mark.parametrize("typed", [b"\x03", b"\x04"])
def test_on_a_terminal_ctrl_c_and_ctrl_d_stop_it(
    on_a_terminal: tuple["subprocess.Popen[bytes]", int], typed: bytes
) -> None:
    process, near = on_a_terminal
    written, deadline = b"", time.monotonic() + SECONDS
    while b"Name of the pair [night]: " not in written:
        assert time.monotonic() < deadline, written
        written += os.read(near, 4096)
    os.write(near, typed)
    assert process.wait(SECONDS) == 130
    assert not own().exists()
