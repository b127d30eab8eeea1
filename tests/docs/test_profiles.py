"""The page on profiles says what the types say, and its examples are sound."""

import re
from pathlib import Path

import pytest

from skytui.config.profile_file import read_profile
from skytui.config.tables import Document
from tests.docs.write_profiles import PAGE, marks, tables, with_tables

TEXT = PAGE.read_text(encoding="utf-8")
BASE = 'schema = 1\n[check]\nrun = ["id"]\nheaders = { If-Match = "{expect.name}" }\n'
LINK = '[reading.replication_link]\nget = "/link"\n[reading.wal_position]\nget = "/position"\n'
EXAMPLES = [
    "\n".join(line[4:] for line in block.splitlines())
    for block in re.findall(r"(?m)(?:^    .*\n|^\n(?=    ))+", TEXT)
    if re.search(r"(?m)^    \[(reading|action|repair|log)\.", block)
]


def test_the_tables_are_not_stale() -> None:
    assert with_tables(TEXT) == TEXT, "run `python -m tests.docs.write_profiles`"


def test_every_mark_is_a_table() -> None:
    assert sorted(marks(TEXT)) == sorted(tables())


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the mark"):
        with_tables("# Profiles\n")


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 8


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_sound(example: str) -> None:
    more = LINK if "difference" in example else ""
    read_profile(Document(Path("example.toml"), BASE + more + example))
