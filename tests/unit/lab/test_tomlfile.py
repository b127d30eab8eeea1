import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skytui.errors import LabError
from skytui.lab import tomlfile
from skytui.lab.node import Secrets

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.one_of(TEXT, st.integers(-(2**62), 2**62), st.booleans(), st.lists(TEXT, max_size=3))
TABLES = st.dictionaries(TEXT, SCALARS, max_size=4)


@given(
    tree=st.dictionaries(
        TEXT, st.one_of(SCALARS, TABLES, st.lists(TABLES, min_size=1, max_size=3)), max_size=5
    )
)
def test_what_is_written_is_read_again(
    tree: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    tomlfile.dump(path, tree)
    kept = {key: value for key, value in tree.items() if value != {}}
    assert tomllib.loads(path.read_text("utf-8")) == kept


def test_a_secret_is_the_owner_s_alone_from_its_first_moment(tmp_path: Path) -> None:
    path = tmp_path / "secrets.toml"
    path.write_text("old")
    path.chmod(0o644)
    secrets = Secrets.make("hash")
    secrets.dump(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Secrets.load(path) == secrets
    assert [each.name for each in tmp_path.iterdir()] == ["secrets.toml"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("superuser = ", "Invalid value"),
        ('superuser = "x"', "missing required field"),
        ("superuser = 1", "Expected `str`"),
        ('unknown = "x"', "unknown field"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "secrets.toml"
    path.write_text(text)
    with pytest.raises(LabError, match=words) as caught:
        Secrets.load(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"nothing\.toml cannot be read"):
        Secrets.load(tmp_path / "nothing.toml")
