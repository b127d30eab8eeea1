"""Quoting as pure functions: tables of cases, and whatever hypothesis thinks of, taken apart again.

What really reaches a program on a host is in `test_literal.py`.
"""

import base64
import re
import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skytui.errors import RefusedError
from skytui.remote.quoting import cmd, posix, powershell, powershell_script, windows_argument

WORDS = st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=12), max_size=5)
CMD_WORDS = st.lists(
    st.text(st.characters(exclude_characters="\0\r\n\x1a", codec="utf-8"), max_size=12), max_size=5
)
WINDOWS_ALPHABET = st.text(st.sampled_from(list('\\" \ta^&%|<>()!')), max_size=10)


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("plain", "plain"),
        ("a/b-c_d.e:f,g@h+i%", "a/b-c_d.e:f,g@h+i%"),
        ("", "''"),
        ("a b", "'a b'"),
        ("$(id)", "'$(id)'"),
        ("`id`", "'`id`'"),
        ("it's", "'it'\"'\"'s'"),
        ('"', "'\"'"),
        ("a\nb", "'a\nb'"),
        ("-rf", "-rf"),
        ("--", "--"),
        ("~", "'~'"),
        ("*", "'*'"),
        ("{a,b}", "'{a,b}'"),
        ("=ls", "'=ls'"),
        ("A=b", "'A=b'"),
        ("ä", "'ä'"),
        ("\\", "'\\'"),
        ("!!", "'!!'"),
        ("#", "'#'"),
        (";", "';'"),
    ],
)
def test_a_word_for_a_posix_shell(word: str, quoted: str) -> None:
    assert posix([word]) == quoted


@given(WORDS)
def test_a_posix_shell_takes_apart_what_was_put_together(words: list[str]) -> None:
    assert shlex.split(posix(words)) == words


def test_a_first_word_with_an_equals_sign_is_a_program_and_no_assignment() -> None:
    done = subprocess.run(["sh", "-c", posix(["A=b"])], capture_output=True, text=True, check=False)
    assert done.returncode == 127
    assert "A=b" in done.stderr


def test_no_argument_holds_a_nul() -> None:
    for quoted in (posix, cmd, powershell):
        with pytest.raises(RefusedError, match=r"NUL|control character"):
            quoted(["prog", "a\0b"])


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("plain", "plain"),
        ("", '""'),
        ("a b", '"a b"'),
        ("a\tb", '"a\tb"'),
        ('"', '"\\""'),
        ('a"b', '"a\\"b"'),
        ("a\\", "a\\"),
        ("a b\\", '"a b\\\\"'),
        ('a\\"b', '"a\\\\\\"b"'),
        ("a\\\\b", "a\\\\b"),
    ],
)
def test_a_word_for_a_windows_program(word: str, quoted: str) -> None:
    assert windows_argument(word) == quoted


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["prog", "plain"], "prog plain"),
        (["prog", ""], 'prog ^"^"'),
        (["prog", "a b"], 'prog ^"a b^"'),
        (["prog", "a&b"], "prog a^&b"),
        (["prog", "%PATH%"], "prog ^%PATH^%"),
        (["prog", "!x!"], "prog ^!x^!"),
        (["prog", 'say "hi" & del x'], 'prog ^"say \\^"hi\\^" ^& del x^"'),
        (["prog", "-x", "/y"], "prog -x /y"),
        (["prog", "$(id)"], "prog $^(id^)"),
        ([r"C:\Program Files\s\x.exe", "a"], r'"C:\Program Files\s\x.exe" a'),
        (["a;b", "c"], '"a;b" c'),
    ],
)
def test_a_line_for_cmd(words: list[str], line: str) -> None:
    assert cmd(words) == line


@pytest.mark.parametrize("words", [["prog", "a\nb"], ["prog", "a\rb"], ["a%b"], ['a"b'], [""]])
def test_what_cmd_cannot_carry_is_said(words: list[str]) -> None:
    with pytest.raises(RefusedError, match=r"cmd\.exe"):
        cmd(words)


def _after_cmd(line: str) -> str:
    """What is left of a line when cmd has had its way: nothing is quoted, so each caret goes.

    Raises AssertionError where a character of a meaning stands without its caret.
    """
    left = re.sub(r"\^.", "", line)
    assert not re.search(r'[()%!"<>&|]', left), line
    return re.sub(r"\^(.)", r"\1", line)


def _taken_apart(line: str) -> list[str]:
    """How a Windows program reads its arguments (Microsoft, *Parsing C command-line arguments*)."""
    words, word, quoted, inside, at = [], "", False, False, 0
    while at < len(line):
        slashes = re.compile(r"\\*").match(line, at)
        assert slashes is not None
        count, at = len(slashes[0]), slashes.end()
        here = line[at] if at < len(line) else ""
        if here == '"':
            word += "\\" * (count // 2)
            if count % 2:
                word += '"'
            else:
                inside = not inside
            quoted = True
        else:
            word += "\\" * count
            if here in (" ", "\t", "") and not inside:
                if word or quoted:
                    words.append(word)
                word, quoted = "", False
            else:
                word += here
        at += 1
    if word or quoted:
        words.append(word)
    return words


@given(CMD_WORDS)
def test_behind_cmd_a_program_reads_what_was_put_together(words: list[str]) -> None:
    assert _taken_apart(_after_cmd(cmd(["prog", *words]))) == ["prog", *words]


@given(st.lists(WINDOWS_ALPHABET, max_size=4))
def test_behind_cmd_backslashes_and_quotation_marks_stay(words: list[str]) -> None:
    assert _taken_apart(_after_cmd(cmd(["prog", *words]))) == ["prog", *words]


@pytest.mark.parametrize(
    ("words", "script"),
    [
        (["prog", "plain"], "& 'prog' 'plain'"),
        (["prog", "it's"], "& 'prog' 'it''s'"),
        (["prog", "\u2019"], "& 'prog' '\u2019\u2019'"),
        (["prog", "$(id) `n $env:PATH"], "& 'prog' '$(id) `n $env:PATH'"),
        (["prog", "a\nb"], "& 'prog' 'a\nb'"),
        (["prog", "--%"], "& 'prog' '--%'"),
        (["prog", ""], "& 'prog' ''"),
        (["prog", 'a"b'], "& 'prog' 'a\"b'"),
    ],
)
def test_a_script_for_powershell(words: list[str], script: str) -> None:
    assert powershell_script(words, legacy=False) == script


@pytest.mark.parametrize(
    ("word", "prepared"),
    [
        ("", '""'),
        ("plain", "plain"),
        ("a b", "a b"),
        ('a"b', 'a\\"b'),
        ('a\\"b', 'a\\\\\\"b'),
        ("a\\", "a\\"),
        ("a b\\", "a b\\\\"),
    ],
)
def test_a_word_for_a_powershell_up_to_seven_two(word: str, prepared: str) -> None:
    assert powershell_script(["prog", word]) == f"& 'prog' '{prepared}'"


def _handed_on(word: str) -> str:
    """What such a PowerShell makes of a word for a program: quotation marks around it where it has spaces."""
    return f'"{word}"' if re.search(r"\s", word) and not word.startswith('"') else word


@given(st.lists(st.text(st.sampled_from(list("\\\" ab'$`")), min_size=1, max_size=8), max_size=4))
def test_a_powershell_up_to_seven_two_hands_on_what_was_put_together(words: list[str]) -> None:
    literals = re.findall(r"'((?:[^']|'')*)'", powershell_script(["prog", *words]))
    passed = [literal.replace("''", "'") for literal in literals]
    assert _taken_apart(" ".join(map(_handed_on, passed))) == ["prog", *words]


def test_an_encoded_line_has_nothing_a_shell_could_touch() -> None:
    line = powershell(["prog", "a & b", "it's"])
    *options, encoded = line.split(" ")
    assert options == ["powershell.exe", "-NoLogo", "-NoProfile", "-NonInteractive", "-EncodedCommand"]
    text = base64.b64decode(encoded).decode("utf-16-le")
    assert text == "$ErrorActionPreference = 'Stop'; & 'prog' 'a & b' 'it''s'; exit $LASTEXITCODE"
