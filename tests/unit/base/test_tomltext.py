"""TOML, written."""

import math
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skytui.tomltext import text_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.one_of(TEXT, st.integers(-(2**62), 2**62), st.booleans(), st.floats(allow_nan=False))
TABLES = st.recursive(
    st.dictionaries(TEXT, st.one_of(SCALARS, st.lists(TEXT, max_size=3)), min_size=1, max_size=3),
    lambda inner: st.dictionaries(TEXT, st.one_of(SCALARS, inner), min_size=1, max_size=3),
    max_leaves=8,
)


@given(tree=TABLES)
def test_tables_within_tables_are_read_again(tree: dict[str, object]) -> None:
    assert tomllib.loads(text_of(tree)) == tree


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 1e300, 1e-7, 5e16])
def test_every_number_is_read_again(number: float) -> None:
    assert repr(tomllib.loads(text_of({"n": number}))["n"]) == repr(number)
