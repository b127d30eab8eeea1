"""Text from outside is made harmless, and loses nothing else."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skytui.plaintext import plain, plain_bytes

HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u061c\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
NASTY = st.text(
    st.one_of(
        st.sampled_from(list("\x1b\x9b\x9d\x90\x07\x9c[]PX^_\\;0123mJHc?$ \t\r\n\u202e\u2066\u200f[/b]")),
        st.characters(),
    )
)


@given(NASTY)
@example("\x1b\x1b[31m[2J")
@example("\x1b]0;\x1b]52;c;x\x07\x07")
@example("\x9b\x9b1m31m")
def test_no_control_and_no_mark_that_reorders_gets_through(text: str) -> None:
    assert not HARMFUL.search(plain(text))


@given(NASTY)
def test_what_is_harmless_already_stays_as_it_is(text: str) -> None:
    once = plain(text)
    assert plain(once) == once


@given(st.binary())
def test_bytes_of_any_kind_come_out_as_harmless_text(data: bytes) -> None:
    text = plain_bytes(data)
    assert not HARMFUL.search(text)
    text.encode()


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_words_of_any_language_are_kept(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("scheduler stopped\r\n", "scheduler stopped"),
        ("job [/opt/skybot/bin] failed", "job [/opt/skybot/bin] failed"),
        ("[active] [b]not bold[/b]", "[active] [b]not bold[/b]"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("before\x1b[2J\x1b[Hafter", "beforeafter"),
        ("copy\x1b]52;c;cm0gLXJmIC8=\x07 that", "copy that"),
        ("title\x1b]0;owned\x1b\\ end", "title end"),
        ("never ended \x1b]52;c;cm0gLXJmIC8=", "never ended "),
        ("eight bits \x9b2J and \x9d0;x\x9c done", "eight bits  and  done"),
        ("reset\x1bc charset\x1b(0 end", "reset charset end"),
        ("device \x1bPq#0\x1b\\ control", "device  control"),
        ("a\tb", "a   b"),
        ("bell\x07 back\x08space nul\x00", "bell\ufffd back\ufffdspace nul\ufffd"),
        ("one\rtwo", "one\ufffdtwo"),
        ("one\ntwo", "one\ufffdtwo"),
        ("user \u202eexe.txt\u202c", "user \ufffdexe.txt\ufffd"),
        ("Überprüfung 日本語 🐘", "Überprüfung 日本語 🐘"),
        ("", ""),
    ],
)
def test_by_example(raw: str, shown: str) -> None:
    assert plain(raw) == shown


def test_what_is_not_utf_8_shows_as_such() -> None:
    assert plain_bytes(b"ok \xff\xfe end\n") == "ok \ufffd\ufffd end"


def test_no_format_character_that_reorders_is_forgotten() -> None:
    """Every character Unicode gives a direction to embed, override or isolate with."""
    bidi = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    for code in range(0x110000):
        if unicodedata.bidirectional(chr(code)) in bidi:
            assert plain(chr(code)) == "\ufffd", hex(code)
