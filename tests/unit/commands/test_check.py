"""`skytui check`: what it prints, what it ends with, and its documentation."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from skytui.commands.check import WIDTH, Document, as_text, document_of
from skytui.commands.look import Looked
from skytui.pair.pair import PairReading
from skytui.pair.reading import Unknown
from skytui.pair.vocabulary import Agent, Role
from skytui.runbook.checks import CHECKS, Group, Verdict
from tests.support.world import NEW, OLD, World, with_readings, with_value

DOCS = Path(__file__).parents[3] / "docs"


def document(reading: PairReading | None = None) -> Document:
    return document_of(Looked("test", True, False, reading or World().poll(), None, {}))


def test_nothing_that_blocks_ends_with_0_though_something_warns() -> None:
    made = document()
    assert made.exit_code == 0
    assert made.counts["warn"] == 1


def test_a_block_ends_with_10_also_beside_an_unknown() -> None:
    reading = with_value(World().poll(), NEW, "role", Role.MASTER)
    assert document(with_readings(reading, OLD, process=Unknown("cut off"))).exit_code == 10


def test_an_unknown_of_a_check_that_can_block_ends_with_13() -> None:
    assert document(with_readings(World().poll(), OLD, process=Unknown("cut off"))).exit_code == 13


def test_an_unknown_of_a_check_that_only_warns_ends_with_0() -> None:
    made = document(with_readings(World().poll(), OLD, guard=Unknown("cut off")))
    assert made.counts["unknown"] >= 1
    assert made.exit_code == 0


@pytest.mark.parametrize("colour", [False, True])
def test_the_text_has_every_check_under_its_group_in_80_columns(colour: bool) -> None:
    text = as_text(document(with_value(World().poll(), OLD, "agents", [Agent("a" * 40, "x")])), colour=colour)
    plain = re.sub(r"\x1b\[\d+m", "", text)
    assert (plain == text) is not colour
    assert all(len(line) <= WIDTH for line in plain.splitlines())
    places = [plain.index(f" {check.id} ") for check in CHECKS]
    assert places == sorted(places)
    assert [line for line in plain.splitlines() if line in {group.value for group in Group}] == list(Group)
    assert plain.splitlines()[-1].startswith(f"{len(CHECKS)} checks: 1 block")


def test_what_blocks_says_how_to_mend_it() -> None:
    text = as_text(document(with_value(World().poll(), NEW, "role", Role.MASTER)), colour=False)
    assert "✖ block   roles " in text
    assert "→ Find out which server should be what" in " ".join(text.split())


def test_the_json_is_as_its_schema_says() -> None:
    """The schema is made from the types; so that decoding by them is decoding by it."""
    made = document()
    encoded = msgspec.json.encode(made)
    assert msgspec.json.decode(encoded, type=Document) == made
    schema = json.loads((DOCS / "check.schema.json").read_text())
    keys = schema["$defs"]["Checked"]["properties"]
    assert set(keys) == set(json.loads(encoded)["checks"][0])
    assert set(schema["$defs"]["Document"]["properties"]) == set(json.loads(encoded))


def test_the_documented_schema_is_that_of_the_types() -> None:
    written = json.loads((DOCS / "check.schema.json").read_text())
    assert written == json.loads(json.dumps(msgspec.json.schema(Document))), (
        "write docs/check.schema.json anew: python -m tests.unit.commands.test_check"
    )


def test_the_page_lists_every_check() -> None:
    page = (DOCS / "check.md").read_text()
    assert table() in page, "write the table anew: python -m tests.unit.commands.test_check"
    assert all(f"`{verdict}`" in page or f"| {verdict} |" in page for verdict in Verdict)


def table() -> str:
    rows = ["| id | proves | may block | may be waived |", "| --- | --- | --- | --- |"]
    for check in CHECKS:
        blocks, waived = "yes" if check.blocks else "", "yes" if check.waivable else ""
        rows.append(f"| `{check.id}` | {check.proves} | {blocks} | {waived} |")
    return "\n".join(rows)


def write() -> None:
    """The schema and the table, from the types and the registry."""
    schema = json.dumps(msgspec.json.schema(Document), indent=2)
    (DOCS / "check.schema.json").write_text(f"{schema}\n")
    page = DOCS / "check.md"
    begin, end = "<!-- checks: written by tests/unit/commands/test_check.py -->", "<!-- /checks -->"
    head, _, rest = page.read_text().partition(begin)
    _, _, tail = rest.partition(end)
    page.write_text(f"{head}{begin}\n{table()}\n{end}{tail}")


if __name__ == "__main__":
    write()
