"""Whatever stands in a configuration file: it is read, or what is said names the file and the key."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skytui.commands.config import check
from skytui.config.hooks import Hooks
from skytui.config.pairs import PairConfig, ServerConfig, SshConfig, load_pair, pair_names
from skytui.errors import ConfigError
from skytui.pair.procedure import STEP_IDS
from skytui.pair.thresholds import Thresholds
from skytui.tomltext import text_of
from skytui.tui.keys import MAIN
from tests.unit.config.test_documented import example

EXAMPLE = example("docs/configuration.md", "every key")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The only file that is searched."""
    folder = tmp_path_factory.mktemp("fuzz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        patch.setenv("SKYTUI_CONFIG", str(folder / "some.toml"))
        patch.setattr("skytui.config.pairs.SYSTEM_FILE", folder / "etc.toml")
        yield folder / "some.toml"


TEXTS = st.sampled_from(
    ["", "a", "10m", "60d", "Sun 02:00-05:00 UTC", "~nobody-at-all/x", "/a\0b", "\x1b[2J", "{", "https://h"]
) | st.text(max_size=8).filter(lambda text: text.isprintable())
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def table(*keys: str, **known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A table with some of these keys, each with anything or with what is meant for it."""
    some = dict.fromkeys(keys, VALUES) | {key: VALUES | meant for key, meant in known.items()}
    return st.fixed_dictionaries({}, optional=some) | VALUES


SSH = table(*SshConfig.__struct_fields__)
SERVER = table(*ServerConfig.__struct_fields__, ssh=SSH)
SERVERS = st.dictionaries(st.sampled_from(["a", "b", "c", "-", ""]), SERVER, max_size=3)
PAIR = table(
    *PairConfig.__struct_fields__,
    "nonsense",
    server=SERVERS,
    thresholds=table(*Thresholds.__struct_fields__),
    deadlines=table(*STEP_IDS[:4], "nonsense"),
    hooks=table(*Hooks.__struct_fields__),
    secrets=st.dictionaries(TEXTS, table("file", "env", "command", "prompt"), max_size=2),
)
KEYS = table(*(binding.id or "" for binding in MAIN[:4]), "nonsense")


def look_into(file: Path) -> None:
    """Read all of it in every way there is."""
    for read in (pair_names, lambda: load_pair("night")):
        try:
            read()
        except ConfigError as error:
            names_the_place(str(error), file)
    text, code = check(None, as_json=False)
    assert code in (0, 2)
    assert code == 0 or str(file) in text
    assert "\x1b" not in text
    check(None, as_json=True)


def names_the_place(says: str, file: Path) -> None:
    if says.startswith("There is no pair `night`"):
        return
    assert says
    for line in says.splitlines():
        assert re.match(rf"{re.escape(str(file))}(:\d+)?(:? |$)", line), says
    if "is not TOML" not in says and "cannot be read" not in says and "is not UTF-8" not in says:
        assert re.search(r"(\[[^\n]*\] |schema|nonsense|pair|keys)", says), says


@given(pair=PAIR, keys=KEYS, schema=st.just(1) | VALUES)
@settings(max_examples=50, deadline=None)
def test_any_tree_of_tables(file: Path, pair: object, keys: object, schema: object) -> None:
    tree: dict[str, object] = {"schema": schema, "pair": {"night": pair}, "keys": keys}
    try:
        file.write_text(text_of(tree))
    except UnicodeEncodeError:
        return
    look_into(file)


@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_any_slip_in_a_file_that_was_sound(file: Path, data: st.DataObject) -> None:
    lines = EXAMPLE.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(lines) - 1))
        line = lines[place]
        match data.draw(st.sampled_from(["drop", "double", "swap", "cut", "put"])):
            case "drop":
                lines[place] = ""
            case "double":
                lines.insert(place, line)
            case "swap":
                other = data.draw(st.integers(0, len(lines) - 1))
                lines[place], lines[other] = lines[other], line
            case "cut":
                at = data.draw(st.integers(0, len(line)))
                lines[place] = line[:at] + line[at + 1 :]
            case _:
                at = data.draw(st.integers(0, len(line)))
                lines[place] = line[:at] + data.draw(st.sampled_from('"[]{}=.,#\n -1aé\x00\x1b')) + line[at:]
    file.write_text("\n".join(lines))
    look_into(file)


@given(st.binary(max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_bytes(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    look_into(file)


def test_a_number_of_too_many_digits_is_said(file: Path) -> None:
    file.write_text(f"schema = {'1' * 5000}\n")
    with pytest.raises(ConfigError, match="is not TOML"):
        load_pair("night")
