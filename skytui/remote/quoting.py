"""Lists of arguments as one command line, so that each word reaches the program as one literal argument.

An SSH server is sent one text, which the account's shell there takes apart again. `posix` is for every shell
of that kind (sh, bash, dash, ksh, zsh), `cmd` and `powershell` are for Windows. Pure functions: a word that
cannot be carried over raises RefusedError, and nothing is ever left out of one.
"""

import base64
import re
from collections.abc import Sequence

from skytui.errors import RefusedError

# Narrower than shlex's: `=` stands for a path in zsh (`=ls`), makes an assignment of a first word everywhere.
_SAFE = re.compile(r"[A-Za-z0-9_@%+:,./-]+")

# What cmd.exe gives a meaning to, also where it stands in the middle of a word.
_CMD_SPECIAL = re.compile(r'[()%!^"<>&|]')
_CMD_PROGRAM = re.compile(r"[A-Za-z0-9_.:\\/-]+")
_CMD_NEVER = re.compile(r"[\0\r\n\x1a]")
_CMD_NOT_IN_PROGRAM = re.compile(r'["%!]')

# PowerShell takes the typographic ones for the plain one (about_Quoting_Rules).
_SINGLE_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")


def posix(words: Sequence[str]) -> str:
    """The command line for a POSIX shell.

    Raises RefusedError for a word with a NUL in it, which no argument can hold.
    """
    for word in words:
        if "\0" in word:
            raise RefusedError(f"{word!r} has a NUL in it, which no argument can hold.")
    return " ".join(map(_posix_word, words))


def _posix_word(word: str) -> str:
    return word if _SAFE.fullmatch(word) else "'" + word.replace("'", "'\"'\"'") + "'"


def windows_argument(word: str) -> str:
    """One word as a Windows program takes it apart again.

    Source: Microsoft, *Parsing C command-line arguments*: a backslash counts only before a quotation mark.
    """
    if word and not re.search(r'[\s"]', word):
        return word
    escaped = re.sub(r'(\\*)"', r'\1\1\\"', word)
    return '"' + re.sub(r"(\\+)$", r"\1\1", escaped) + '"'


def cmd(words: Sequence[str]) -> str:
    """The command line for `cmd.exe`, for a program that is no batch file (one is taken apart once more).

    Every character with a meaning gets a caret, quotation marks too: cmd never sees a quoted text, in which
    a caret would not count. `%NAME^%` names no variable, and what names none stays as it is on a command
    line. Raises RefusedError for line breaks, which cmd cannot carry, and for a program whose name cannot be
    quoted.
    """
    for word in words:
        if _CMD_NEVER.search(word):
            raise RefusedError(
                f"{word!r} has a line break or control character, which cmd.exe cannot pass on."
            )
    program, *arguments = words
    if not program or _CMD_NOT_IN_PROGRAM.search(program):
        raise RefusedError(f"{program!r} cannot be the name of a program for cmd.exe.")
    name = program if _CMD_PROGRAM.fullmatch(program) else f'"{program}"'
    return " ".join([name, *(_CMD_SPECIAL.sub(r"^\g<0>", windows_argument(word)) for word in arguments)])


def powershell_script(words: Sequence[str], *, legacy: bool = True) -> str:
    """The PowerShell text that runs a program with these arguments.

    Up to 7.2 PowerShell hands quotation marks and empty arguments on wrongly
    (`PSNativeCommandArgumentPassing` is *Legacy*); with `legacy` the words are prepared for that. Raises
    RefusedError for a NUL.
    """
    for word in words:
        if "\0" in word:
            raise RefusedError(f"{word!r} has a NUL in it, which no argument can hold.")
    program, *arguments = words
    given = [_legacy(word) for word in arguments] if legacy else arguments
    return "& " + " ".join(map(_literal, [program, *given]))


def powershell(words: Sequence[str], *, legacy: bool = True) -> str:
    """The same as a command line in letters and digits alone, which cmd and PowerShell pass on alike."""
    text = f"$ErrorActionPreference = 'Stop'; {powershell_script(words, legacy=legacy)}; exit $LASTEXITCODE"
    encoded = base64.b64encode(text.encode("utf-16-le")).decode("ascii")
    return f"powershell.exe -NoLogo -NoProfile -NonInteractive -EncodedCommand {encoded}"


def _literal(word: str) -> str:
    return "'" + _SINGLE_QUOTES.sub(r"\g<0>\g<0>", word) + "'"


def _legacy(word: str) -> str:
    """What a PowerShell that puts bare quotation marks around a word with white space makes right again."""
    if not word:
        return '""'
    escaped = re.sub(r'(\\*)"', r'\1\1\\"', word)
    return re.sub(r"(\\+)$", r"\1\1", escaped) if re.search(r"\s", word) else escaped
