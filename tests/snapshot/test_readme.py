"""The README shows the keys there are, and pictures that exist."""

import re

import pytest

from tests.snapshot.write_readme import README, with_keys

TEXT = README.read_text(encoding="utf-8")


def test_the_table_of_keys_is_not_stale() -> None:
    assert with_keys(TEXT) == TEXT, "run `python -m tests.snapshot.write_readme`"


def test_a_readme_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the mark"):
        with_keys("# skytui\n")


def test_what_the_readme_points_to_is_there() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", TEXT)
    assert "screenshots/replication.svg" in targets
    assert [target for target in targets if not (README.parent / target).exists()] == []
