"""What a profile takes out of replies: each a table of cases, from bytes to the typed value or the reason."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skytui.clock import Instant
from skytui.config.pairs import PairConfig, ServerConfig
from skytui.config.profile_file import read_profile
from skytui.config.reading_spec import ReadingSpec
from skytui.config.tables import Document
from skytui.drivers.asking import value_of
from skytui.drivers.replies import Answer, words_of
from skytui.drivers.scope import Scope
from skytui.pair.reading import Cause, Known, Unknown
from skytui.pair.vocabulary import Agent, Job, Process, Queue, Role, User, value_type
from skytui.plaintext import plain

AT = Instant("test", 1.0)


def spec_of(reading: str, written: str) -> ReadingSpec:
    text = f"schema = 1\n[reading.{reading}]\n{written}\n"
    return read_profile(Document(Path("t.toml"), text)).readings[reading]


def scope() -> Scope:
    servers = {
        name: ServerConfig(name=name, address=f"{name}.example.com", listen_port=1)
        for name in ("sky-a", "sky-b")
    }
    return Scope(PairConfig(name="test", file=Path("c.toml"), profile="t", servers=servers), "sky-a")


def value(reading: str, written: str, content: bytes | str, **answer: Any) -> Known[Any] | Unknown:
    raw = content.encode() if isinstance(content, str) else content
    code = answer.pop("code", 200 if "get" in written else 0)
    came = Answer(AT, code=code, content=raw, **answer)
    return value_of(spec_of(reading, written), value_type(reading), came, source="test", scope=scope())


AGENTS_HTML = """{items: [
  {id: 1, name: 'A&amp;B', status: "<span><span class='icon-agent-active'></span>Active</span>",},
  {id: 2, name: "C", status: "<span><span class='icon-agent-idle'></span>Idle (3)</span>"}, // the second
]}"""


@pytest.mark.parametrize(
    ("reading", "written", "content", "expected"),
    [
        ("version", 'run = ["v"]\nreply = "text"', "  7.1 \r\n", "7.1"),
        ("version", "run = ['v']\nreply = 'text'\nregex = 'v(\\d+)'", "server v12 up", "12"),
        ("version", "run = ['v']\nreply = 'text'\nregex = '\\d+'", "server 12 up", "12"),
        (
            "disk_free",
            "run = ['v']\nreply = 'text'\nregex = 'free (?P<n>\\d+)'\npick = 'n'",
            "free 4096 B",
            4096,
        ),
        (
            "scheduler",
            "run = ['v']\nreply = 'text'\nregex = '(?P<state>\\w+), (?P<ticks>\\d+) ticks'\n"
            "map.state = {up='running'}",
            "up, 31 ticks\n",
            ("running", 31),
        ),
        ("guard", "run = ['v']\nreply = 'text'", "true", True),
        ("guard", "run = ['v']\nexit = {0 = false, 3 = true}", "not json at all", False),
        (
            "queues",
            "run = ['v']\nreply = 'text'\nsplit = {columns = '|', header = true}\n"
            "map.locked = {'LOCK*' = true, open = false}",
            "name | locked | waiting\r\nQ 1 | LOCKED! | 3\r\n\r\nQ2 | open | 0\r\n",
            [Queue("Q 1", True, 3), Queue("Q2", False, 0)],
        ),
        (
            "process",
            "run = ['v']\nreply = 'text'\nsplit = {header = ['pid', 'name'], skip = 1}\n"
            "pick = '[].{name: name, running: `true`, pid: pid}'",
            "PID COMMAND\n 17  postgres\n",
            [Process("postgres", True, 17)],
        ),
        (
            "running_jobs",
            "run = ['v']\nreply = 'text'\nsplit = {ignore = '^#'}\nregex = '(?P<id>\\d+):(?P<job>.*)'",
            "# two\n1:night run\n2:\n",
            [Job("1", "night run"), Job("2", "")],
        ),
        (
            "users",
            "run = ['v']\nreply = 'csv'",
            'user,address\r\n"ops, night",10.0.0.1\r\nroot,"a""b"\r\n',
            [User("ops, night", address="10.0.0.1"), User("root", address='a"b')],
        ),
        (
            "users",
            "run = ['v']\nreply = 'csv'\nsplit = {columns = ';', header = ['user', 'since']}",
            "ops;today\n",
            [User("ops", "today")],
        ),
        (
            "users",
            "run = ['v']\nreply = 'csv'\nsplit = {columns = ';'}",
            "user;since\na;b\n",
            [User("a", "b")],
        ),
        (
            "agents",
            "get = '/a'\nreply = 'json5'\nhtml = true\npick = 'items[].{name: name, state: status}'\n"
            "map.state = {Active = 'active', 'Idle*' = 'active', '*' = 'inactive'}",
            AGENTS_HTML,
            [Agent("A&B", "active"), Agent("C", "active")],
        ),
        ("standby_status", "get = '/a'\nreply = 'text'\nhtml = true", "<p> Up  <b>now</b></p>", "Up now"),
        ("role", "get = '/a'\nstatus = {200 = 'master', 503 = 'standby'}", "", Role.MASTER),
        (
            "identity",
            "get = '/a'\npick = {name = 'a.b', timeline = 'tl'}",
            '{"a": {"b": "x"}, "tl": 3}',
            ("x", 3),
        ),
        ("users", "get = '/a'\npick = 'items'\ndefault = []", "{}", []),
        (
            "users",
            "get = '/a'\nexcept = [{user = 'mon*'}, {user = 'root', address = '{server.address}'}]",
            '[{"user": "monitor"}, {"user": "root", "address": "sky-a.example.com"},'
            ' {"user": "root", "address": "x"}]',
            [User("root", address="x")],
        ),
        ("replication_pending", "run = ['v']\nreply = 'text'\nstderr = true\nregex = 'left: (\\d+)'", "x", 7),
    ],
)
def test_values(reading: str, written: str, content: str, expected: object) -> None:
    errors = b"left: 7\n" if "stderr" in written else b""
    found = value(reading, written, content, errors=errors)
    assert isinstance(found, Known), found
    if isinstance(expected, tuple):
        fields = [getattr(found.value, name) for name in found.value.__struct_fields__]
        assert tuple(fields[: len(expected)]) == expected
    else:
        assert found.value == expected


@pytest.mark.parametrize(
    ("reading", "written", "content", "reason", "cause"),
    [
        ("users", "get = '/a'\ndefault = []", "<html>log in</html>", "it is not JSON", Cause.UNUSABLE),
        ("users", "get = '/a'\nreply = 'json5'\ndefault = []", "{a: 1", "it is not JSON5", Cause.UNUSABLE),
        ("users", "get = '/a'\nreply = 'json5'", "[" * 5000, "it is not JSON5", Cause.UNUSABLE),
        ("users", "get = '/a'\nreply = 'json5'", "", "it is not JSON5", Cause.UNUSABLE),
        (
            "version",
            "run = ['v']\nreply = 'text'\nregex = 'v(.)'",
            "none",
            "the answer does not say",
            Cause.UNUSABLE,
        ),
        (
            "agents",
            "get = '/a'\nmap.state = {'act*' = 'active'}",
            '[{"name": "A", "state": "Activ?"}]',
            "`Activ?` is no word that the profile knows",
            Cause.UNUSABLE,
        ),
        (
            "standby_status",
            "run = ['v']\nreply = 'text'\nmap = {'idle' = 'Active'}",
            "idle*",
            "`idle*` is no word",
            Cause.UNUSABLE,
        ),
        (
            "users",
            "run = ['v']\nreply = 'csv'",
            "user,since\nops\n",
            "row 2 has 1 columns where 2 are named",
            Cause.UNUSABLE,
        ),
        ("users", "run = ['v']\nreply = 'csv'", 'user\n"ops', "it is not CSV", Cause.UNUSABLE),
        ("users", "run = ['v']\nreply = 'csv'", "", "no row that names the columns", Cause.UNUSABLE),
        (
            "running_jobs",
            "run = ['v']\nreply = 'text'\nsplit = {}\nregex = '(?P<id>\\d+)'",
            "1\nerror\n",
            "line 2 is not as `regex` says",
            Cause.UNUSABLE,
        ),
        ("guard", "get = '/a'", '"true"', "Expected `bool`, got `str`", Cause.UNUSABLE),
    ],
)
def test_what_cannot_be_used_is_unknown(
    reading: str, written: str, content: str, reason: str, cause: Cause
) -> None:
    found = value(reading, written, content)
    assert isinstance(found, Unknown), found
    assert reason in found.reason
    assert found.cause is cause


CODES = """run = ["v"]
reply = "text"
ok = [0, 4]
exit = { 1 = "one" }
means = { 2 = "process gone", 3 = "standby", 5 = "port closed", 6 = "does not answer" }
"""


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0, "said"),
        (4, "said"),
        (1, "one"),
        (2, Cause.GONE),
        (3, Cause.STANDBY),
        (5, Cause.CLOSED),
        (6, Cause.SILENT),
        (7, Cause.REFUSED),
        (-1, Cause.REFUSED),
    ],
)
def test_what_exit_codes_mean(code: int, expected: object) -> None:
    found = value("version", CODES, "said", code=code, complaint="the complaint")
    if isinstance(expected, Cause):
        assert isinstance(found, Unknown)
        assert found.cause is expected
        assert "the complaint" in found.reason
    else:
        assert isinstance(found, Known)
        assert found.value == expected


def test_a_default_stands_for_no_failure() -> None:
    failed = value("users", "get = '/a'\ndefault = []", "{}", code=500)
    assert isinstance(failed, Unknown)


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<span><span class='icon-agent-active'></span>Active</span>", "Active"),
        ("a &lt;b&gt; &#27;[2J", "a <b> [2J"),
        ("<script>x</script><b>A</b>\n B", "A B"),
        ("plain", "plain"),
        ("a < b", "a < b"),
    ],
)
def test_words_of_html(html: str, words: str) -> None:
    assert words_of(html) == words


SPECS = [
    ("users", "get = '/a'\nreply = 'json5'\nhtml = true\npick = 'items'\nexcept = [{user = '*'}]"),
    (
        "queues",
        "run = ['v']\nreply = 'text'\nsplit = {columns = '|', header = true}\nmap.locked = {l = true}",
    ),
    ("users", "run = ['v']\nreply = 'csv'\nsplit = {skip = 1, ignore = '#'}"),
    ("version", "run = ['v']\nreply = 'text'\nregex = '(?P<a>.)(?P<b>.)?'\npick = 'b'\nmap = {x = 'y'}"),
    ("scheduler", "get = '/a'\npick = {state = 'a', ticks = 'length(b)'}\nmap.state = {'*' = 'running'}"),
    ("clock", "get = '/a'"),
]
PIECES = st.sampled_from(
    [b"{", b"}", b"[", b'"', b"'", b":", b",", b"items", b"user", b"a", b"b", b"1", b"|", b"\n", b"\x1b[2J"]
)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SPECS), st.binary(max_size=40) | st.lists(PIECES, max_size=30).map(b"".join))
def test_whatever_comes_back_is_known_or_unknown(case: tuple[str, str], content: bytes) -> None:
    found = value(*case, content)
    assert isinstance(found, Known | Unknown)
    if isinstance(found, Known):
        assert all(text == plain(text) for text in texts(msgspec.to_builtins(found.value)))


def texts(value: object) -> list[str]:
    if isinstance(value, dict | list):
        return [
            text for item in (value.values() if isinstance(value, dict) else value) for text in texts(item)
        ]
    return [value] if isinstance(value, str) else []
