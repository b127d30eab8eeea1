"""The examples in the documents are read as any file is; the reference has every key there is."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from skytui.config.hooks import Hooks
from skytui.config.pairs import PairConfig, ServerConfig, SshConfig, read_pair
from skytui.config.secrets import SecretSource
from skytui.config.tables import Document
from skytui.config.web import accepted_words
from skytui.pair.procedure import PHASES
from skytui.pair.thresholds import Thresholds
from skytui.tui.keyboard import NAMED, keyboard
from skytui.tui.keys import MAIN

ROOT = Path(__file__).parents[3]
REFERENCE = (ROOT / "docs" / "configuration.md").read_text("utf-8")


def example(file: str, which: str) -> str:
    text = (ROOT / file).read_text("utf-8")
    found = re.findall(rf"<!-- example: {which} -->\n```toml\n(.*?)```\n<!-- /example -->", text, re.DOTALL)
    assert len(found) == 1, f"{file} has {len(found)} examples of {which}"
    return str(found[0])


@pytest.mark.parametrize(("file", "which"), [("README.md", "a pair"), ("docs/configuration.md", "every key")])
def test_the_example_is_a_sound_pair(file: str, which: str) -> None:
    text = example(file, which)
    pair = read_pair(Document(Path(file), text), "night")
    assert list(pair.servers) == ["sky-a", "sky-b"]
    assert pair.quiet is not None
    assert keyboard(tomllib.loads(text).get("keys", {}))[1] == {}


def fields(kind: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind)}


def test_the_reference_has_every_key() -> None:
    document: dict[str, Any] = tomllib.loads(example("docs/configuration.md", "every key"))
    night = document["pair"]["night"]
    given = fields(PairConfig) - {"name", "file", "servers"} | {"server"}
    assert given - set(night) == set()
    server = night["server"]["sky-a"]
    given = set(server) | set(night["server"]["sky-b"])
    assert fields(ServerConfig) - {"name", "insecure"} - given == set()  # insecure goes with no other
    assert f'# insecure = "{accepted_words("sky-b")}"' in REFERENCE
    assert fields(SshConfig) - set(server["ssh"]) == set()
    assert fields(Thresholds) == set(night["thresholds"])
    assert fields(SecretSource) == {key for source in night["secrets"].values() for key in source}


def test_what_is_usual_is_what_the_reference_calls_usual() -> None:
    night = tomllib.loads(example("docs/configuration.md", "every key"))["pair"]["night"]
    assert msgspec.convert(night["thresholds"], Thresholds) == Thresholds()
    assert Hooks().deadline == 60.0
    (hours,) = (field for field in msgspec.structs.fields(PairConfig) if field.name == "watch_hours")
    assert hours.default == night["watch_hours"]


def test_the_reference_names_every_binding_key_and_phase() -> None:
    for name in (*(binding.id for binding in MAIN), *NAMED, *(phase.replace("-", "_") for phase in PHASES)):
        assert f"`{name}`" in REFERENCE, name


def test_the_file_that_is_written_for_a_person_reads_back() -> None:
    assert "[pair.night]" in example("README.md", "a pair")
