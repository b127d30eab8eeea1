from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skytui.config.tables import Document, nearest
from skytui.config.values import Duration, Pattern, Pick
from skytui.errors import ConfigError


class Inner(msgspec.Struct, frozen=True):
    port: int
    names: list[str] = []


class Outer(msgspec.Struct, frozen=True, kw_only=True):
    title: str
    wait: Duration = Duration(1)
    inner: Inner | None = None
    many: dict[str, Inner] = {}
    pick: Pick | None = None
    finds: Pattern | None = None
    file: Path | None = None


def read(text: str) -> Outer:
    document = Document(Path("some.toml"), text)
    outer = document.struct(Outer, document.table(document.data, "outer", ()), ("outer",))
    document.check()
    assert outer is not None
    return outer


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        read(text)
    return str(error.value).splitlines()


def test_everything_in_its_type() -> None:
    outer = read(
        """
        [outer]
        title = "a"
        wait = "1.5s"
        inner = { port = 1, names = ["x"] }
        pick = "a.b"
        finds = "x+"
        file = "/a/b"
        [outer.many.first]
        port = 2
        """
    )
    assert outer.wait == 1.5
    assert outer.inner == Inner(1, ["x"])
    assert outer.many == {"first": Inner(2)}
    assert outer.pick is not None
    assert outer.pick.search({"a": {"b": 3}}) == 3
    assert outer.finds is not None
    assert outer.finds.compiled.fullmatch("xxx")
    assert outer.file == Path("/a/b")


def test_every_fault_is_named_with_its_line() -> None:
    assert faults(
        '[outer]\ntitel = "a"\nwait = "soon"\ninner = { port = "x" }\n[outer.many.one]\nprot = 1\n'
    ) == [
        "some.toml:1: [outer] title: is missing",
        "some.toml:2: [outer] titel: is not known here; did you mean `title`?",
        "some.toml:3: [outer] wait: 'soon' is not a duration; write it as `10m`, `1.5s` or `250ms`",
        "some.toml:4: [outer.inner] port: Expected `int`, got `str`",
        "some.toml:5: [outer.many.one] port: is missing",
        "some.toml:6: [outer.many.one] prot: is not known here; did you mean `port`?",
    ]


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("[outer]\n\n# title\n  'title' = 1", 4),
        ('["outer"]  # here\n"title"=1', 2),
        ("[ outer ]\ntitle = 1", 2),
        ("outer.title = 1", 1),
        ("outer = { title = 1 }", 1),
    ],
)
def test_the_line_is_found_however_it_is_written(written: str, line: int) -> None:
    assert faults(written)[0] == f"some.toml:{line}: [outer] title: Expected `str`, got `int`"


@pytest.mark.parametrize(
    ("written", "seconds"), [('"10m"', 600), ('"1.5s"', 1.5), ('"250ms"', 0.25), ('"1h"', 3600), ("7", 7)]
)
def test_durations(written: str, seconds: float) -> None:
    assert read(f'[outer]\ntitle = ""\nwait = {written}').wait == seconds


@pytest.mark.parametrize(
    "written", ['"0s"', '"-1s"', '"2d"', '""', "true", "nan", "inf", "[]", '"1e3s"', "1e9"]
)
def test_bad_durations(written: str) -> None:
    assert faults(f'[outer]\ntitle = ""\nwait = {written}')[0].startswith("some.toml:3: [outer] wait: ")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('pick = "a["', "is not JMESPath"),
        ('finds = "("', "is not a regular expression"),
        ("pick = 3", "Expected"),
    ],
)
def test_bad_expressions(line: str, says: str) -> None:
    assert says in faults(f'[outer]\ntitle = ""\n{line}')[0]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        Document(tmp_path / "none.toml")


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"a = '\xff'")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        Document(tmp_path / "x.toml")


def test_no_toml_says_where() -> None:
    with pytest.raises(ConfigError, match=r"is not TOML: .*line 2"):
        Document(Path("x"), "a = 1\nb = = 2")


def test_control_characters_do_not_reach_the_message() -> None:
    assert "\x1b" not in "\n".join(faults('[outer]\ntitle = ""\n"\\u001b[2Jx" = 1'))


def test_the_nearest_name() -> None:
    assert nearest("queus", ["queues", "agents"]) == "did you mean `queues`?"
    assert nearest("zzz", ["queues", "agents"]) == "known here: agents, queues"
    assert nearest("zzz", []) == ""


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["title", "wait", "inner", "many", "pick", "finds", "x"]), VALUES))
def test_whatever_stands_there_is_a_struct_or_a_sentence(table: dict[str, object]) -> None:
    document = Document(Path("x"), "")
    outer = document.struct(Outer, table, ("outer",))
    if outer is None:
        with pytest.raises(ConfigError):
            document.check()
    else:
        document.check()


@given(st.text(max_size=200))
def test_whatever_text_there_is_it_is_read_or_refused(text: str) -> None:
    try:
        document = Document(Path("x"), text)
    except ConfigError:
        return
    document.only(document.data, ("a",), ())
    if set(document.data) - {"a"}:
        with pytest.raises(ConfigError):
            document.check()
