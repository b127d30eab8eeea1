"""Keys on other keys: what can be chosen, and what is said about the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skytui.tui.keyboard import NAMED, Keyboard, key_name, keyboard
from skytui.tui.keys import CHANGES_SERVER, MAIN, TORN

IDS = [binding.id or "" for binding in MAIN]


def of(**given: object) -> tuple[dict[str, str], dict[str, str]]:
    board, faults = keyboard({name.replace("_", "-"): key for name, key in given.items()})
    return dict(board.changed), faults


def test_a_key_is_a_character_or_a_name() -> None:
    assert of(abort="x", find="?", help="/") == (
        {"abort": "x", "find": "question_mark", "help": "slash"},
        {},
    )
    assert of(start="space", pause="z") == ({"start": "space", "pause": "z"}, {})


def test_taking_over_and_handing_over_stay_on_one_key() -> None:
    assert of(take="g") == ({"take": "g", "hand-over": "g"}, {})
    assert of(hand_over="g", take="o") == ({"hand-over": "g", "take": "o"}, {})


def test_two_can_change_places() -> None:
    assert of(abort="w", waive="a") == ({"abort": "w", "waive": "a"}, {})


@pytest.mark.parametrize("key", [*"[]ABCDFH;~5O", "escape", "up", "pageup", "end"])
@pytest.mark.parametrize("binding", CHANGES_SERVER)
def test_what_an_arrow_key_can_arrive_as_changes_no_server(binding: str, key: str) -> None:
    changed, faults = of(**{binding: key})
    assert changed == {}
    assert "over a slow link an arrow key can arrive as it" in faults[binding]
    assert keyboard({"filter": "A"})[1] == {}


def test_every_key_but_those_that_are_safe_is_told_apart() -> None:
    for key in NAMED:
        freed = {"pause": "x", "confirm": "v"}
        assert (keyboard({**freed, "abort": key})[1] == {}) == (key in ("enter", "space")), key


@pytest.mark.parametrize("raw", ["", "xx", "ctrl+x", "f1", "é", "\x1b", 5, None, ["x"], True])
def test_what_is_no_key(raw: object) -> None:
    assert "must be a single character, or one of enter, space" in keyboard({"abort": raw})[1]["abort"]


def test_a_clash_is_named_with_whose_key_it_is() -> None:
    assert of(abort="l") == ({}, {"abort": "'l' is the key of `log`; give that another one"})
    assert of(abort="x", log="x") == (
        {},
        {
            "abort": "'x' is the key of `log`; give that another one",
            "log": "'x' is the key of `abort`; give that another one",
        },
    )
    assert of(take="s")[1] == {
        "take": "'s' is the key of `start`; give that another one",
        "hand-over": "'s' is the key of `start`; give that another one",
    }


def test_an_unknown_binding_gets_the_nearest_known_one() -> None:
    assert of(aborrt="x")[1] == {"aborrt": "is not known here; did you mean `abort`?"}
    assert of(zzzzzz="x")[1]["zzzzzz"].startswith("is not known here; known: confirm, start")


def test_what_a_key_is_called() -> None:
    board, _ = keyboard({"abort": "!", "confirm": "space", "pause": "x"})
    assert [board.word(name) for name in ("abort", "confirm", "hold")] == ["!", "Space", "h"]
    assert Keyboard().word("confirm") == "Enter"
    names = {binding.id: key_name(binding) for binding in board.main}
    assert (names["abort"], names["help"], names["log-up"]) == ("!", "?", "PgUp")


@given(
    st.dictionaries(
        st.sampled_from(IDS) | st.text(max_size=4),
        st.sampled_from([*"abcxyzAHO[?/5 ", *NAMED]) | st.text(max_size=2) | st.integers(),
        max_size=5,
    )
)
def test_whatever_is_chosen_every_binding_keeps_a_key_of_its_own(given_keys: dict[str, object]) -> None:
    board, faults = keyboard(given_keys)
    if faults:
        assert board.main == MAIN
        return
    taken: dict[str, str] = {}
    for binding in board.main:
        other = taken.setdefault(binding.key, binding.id or "")
        assert {other, binding.id} in ({binding.id}, {"take", "hand-over"})
        assert binding.id not in CHANGES_SERVER or binding.key not in TORN
