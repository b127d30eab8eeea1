"""Profiles and configurations with something wrong in them: never a traceback, always file and key."""

import copy
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skytui.config.pairs import read_pair
from skytui.config.profile_file import BUILT_IN, read_profile
from skytui.config.tables import Document
from skytui.errors import ConfigError
from skytui.tomltext import text_of

EVERYTHING = r"""
schema = 1
[login]
post = "/login"
json = { user = "admin", password = "{secret.admin}" }
pick = "token"
[check]
run = ["{home}/id"]
headers = { If-Match = "{expect.name}" }
[reading.identity]
get = "/who"
pick = { name = "name", timeline = "t" }
[reading.role]
get = "/who"
status = { 200 = "master", 503 = "standby" }
means = { 404 = "process gone" }
[reading.version]
run = ["v"]
reply = "text"
regex = 'v(\d+)'
stderr = true
[reading.version.standby]
shell = 'cat "$1"'
args = ["{home}"]
[reading.version.server.sky-b]
deadline = "3s"
[reading.queues]
run = ["q"]
reply = "text"
split = { columns = "|", header = ["name", "locked"], skip = 1, ignore = "^#" }
[reading.queues.map.locked]
"LOCK*" = true
open = false
[reading.users]
get = "/users?page={page}"
pages = { items = "items", size = 10, total = "of", most = 5, first = 0 }
except = [{ user = "mon*", address = "{console}" }]
default = []
[reading.agents]
get = "/agents"
on = "any"
reply = "json5"
html = true
[reading.guard]
run = ["g"]
ok = [0, 4]
exit = { 1 = true }
[reading.ports]
connect = "{server.ports}"
[reading.replication_link]
get = "/link"
[reading.wal_position]
get = "/position"
[reading.replication_pending]
difference = ["{master.wal_position}", "{standby.wal_position}"]
[reading.next_start]
manual = "look"
[reading.marker]
absent = true
[action.lock_queues]
post = "/lock"
json = { name = "{item}" }
headers = { X-Key = "{secret.key}" }
each = "{queues}"
[action.promote]
steps = [["a", "{peer.name}"], ["b"]]
refused = [3]
progress = '(?P<percent>\d+)%'
usual = "3s"
deadline = "1m"
judged = "readings"
[action.convert]
run = ["c"]
stdin = ["{secret.admin}"]
[repair.stop_hung]
says = "Stop it"
run = ["s"]
[repair.stop_hung.when]
process = { pick = "[?running]" }
role = { unknown = "does not answer" }
guard = { is = false }
[log.server]
follow = "{home}/log"
"""

CONFIG = """
schema = 1
[pair.night]
profile = "skybot"
practice = true
operators = ["ops"]
state = "/var/lib/skytui"
secrets = { admin = { prompt = "x" } }
[pair.night.thresholds]
poll_seconds = 2.0
[pair.night.server.sky-a]
address = "10.0.0.1"
listen_port = 8443
url = "https://a:8443"
ports = [8443, 5432]
home = "/opt"
ssh = { host = "a", user = "sky", known_hosts = "/k", port = 22 }
[pair.night.server.sky-b]
address = "10.0.0.2"
listen_port = 8443
"""

KEYS = sorted(set(re.findall(r"[a-z_]{2,}", EVERYTHING + CONFIG)))
WORDS = [*KEYS, "", "{", "{peer.name}", "{secret.x}", "[", "(", "\n", "é"]
SCALARS = (
    st.sampled_from(WORDS)
    | st.text(max_size=8).filter(str.isprintable)
    | st.integers(-5, 70000)
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=6,
)


def places(tree: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything in a tree."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    found = [path] if path else []
    for key, item in inner:
        found += places(item, (*path, key))
    return found


@st.composite
def damaged(draw: st.DrawFn, written: str) -> str:
    """The text with up to three things in it replaced, removed, renamed or added."""
    tree = tomllib.loads(written)
    for _ in range(draw(st.integers(1, 3))):
        *above, key = draw(st.sampled_from(places(tree)))
        holder: Any = tree
        for step in above:
            holder = holder[step]
        match draw(st.sampled_from(["replace", "remove", "rename", "add", "move"])):
            case "replace":
                holder[key] = draw(VALUES)
            case "remove":
                del holder[key]
            case "rename" if isinstance(holder, dict):
                holder[draw(st.sampled_from(KEYS))] = holder.pop(key)
            case "add" if isinstance(holder, dict):
                holder[draw(st.sampled_from(KEYS))] = draw(VALUES)
            case _ if isinstance(holder, dict):
                holder[draw(st.sampled_from(KEYS))] = copy.deepcopy(holder[key])
        if not places(tree):
            return text_of(tree)
    return text_of(tree)


FAULT = re.compile(r"x\.toml(:\d+)?: (\[.+\] )?[^\s\]].*: .+")


def faults(read: Callable[[Document], object], written: str) -> list[str]:
    try:
        document = Document(Path("x.toml"), written)
    except ConfigError as error:  # what TOML itself does not take, such as two kinds of one key
        return [] if str(error).startswith("x.toml is not TOML") else [str(error)]
    try:
        read(document)
    except ConfigError as error:
        return str(error).splitlines()
    return []


def test_everything_is_sound() -> None:
    assert faults(read_profile, EVERYTHING) == []
    assert faults(lambda document: read_pair(document, "night"), CONFIG) == []
    assert faults(read_profile, text_of(tomllib.loads(EVERYTHING))) == []


def fuzz(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])


PROFILES = damaged(EVERYTHING) | damaged((BUILT_IN / "skybot.toml").read_text())


def read_night(document: Document) -> None:
    if "night" in document.table(document.data, "pair", ()):
        read_pair(document, "night")


@fuzz(30)
@given(PROFILES)
def test_a_profile_with_something_wrong(written: str) -> None:
    for fault in faults(read_profile, written):
        assert FAULT.fullmatch(fault), fault


@fuzz(30)
@given(damaged(CONFIG))
def test_a_configuration_with_something_wrong(written: str) -> None:
    for fault in faults(read_night, written):
        assert FAULT.fullmatch(fault), fault


@pytest.mark.slow
@fuzz(500)
@given(st.tuples(st.just(read_profile), PROFILES) | st.tuples(st.just(read_night), damaged(CONFIG)))
def test_much_with_something_wrong(case: tuple[Callable[[Document], object], str]) -> None:
    for fault in faults(*case):
        assert FAULT.fullmatch(fault), fault


@pytest.mark.parametrize("key", ["get", "pick", "on", "deadline", "split", "pages", "map", "except", "exit"])
@pytest.mark.parametrize(
    "value", ["3", "[]", "{}", '"("', "true", "-1", "[[1]]", "{ a = { b = [1] } }", "1979-05-27"]
)
def test_any_value_of_any_key_is_taken_or_named(key: str, value: str) -> None:
    for fault in faults(read_profile, f"schema = 1\n[reading.users]\nrun = ['x']\n{key} = {value}\n"):
        assert FAULT.fullmatch(fault), fault
