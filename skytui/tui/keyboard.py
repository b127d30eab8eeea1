"""The console's keys as they are on this operator's keyboard: those of `keys`, with some on other keys."""

import difflib
import unicodedata
from collections.abc import Iterator, Mapping

import msgspec
from textual.binding import Binding
from textual.keys import KEY_NAME_REPLACEMENTS, format_key

from skytui.tui.keys import CHANGES_SERVER, MAIN, TORN

NAMED = ("enter", "space", "escape", "up", "down", "left", "right", "pageup", "pagedown", "home", "end")
"""Keys that are written with their name; every other one is a single character. Function keys and Ctrl are
not among them: a slow link tears the first apart, and terminals keep half of the second for themselves."""

SAFE = ("enter", "space")
"""Of those, the ones that no slow link makes out of something else."""

TOGETHER = {"hand-over": "take", "take": "hand-over"}
"""Bindings that share a key: only one of them ever does something."""

_SHOWN = {"ctrl+c": "^c", "ctrl+q": "^q", "pageup": "PgUp", "pagedown": "PgDn", "escape": "Esc"}
_WORDS = {"enter": "Enter", "space": "Space", **_SHOWN}


def key_name(binding: Binding) -> str:
    """A key as it is written on the keyboard."""
    names = (binding.key_display or binding.key).split(",")
    return " ".join(_SHOWN.get(name) or (name if name in NAMED else format_key(name)) for name in names)


class Keyboard(msgspec.Struct, frozen=True):
    """Which bindings of the main screen are on another key: its name, as textual has it, by binding."""

    changed: Mapping[str, str] = {}

    @property
    def main(self) -> list[Binding]:
        """The main screen's bindings."""
        return [
            binding.with_key(key) if (key := self.changed.get(binding.id or "")) else binding
            for binding in MAIN
        ]

    def word(self, binding_id: str) -> str:
        """The key of a binding, in a sentence.

        Raises KeyError when there is none of this id.
        """
        found = {binding.id: binding for binding in self.main}[binding_id]
        return _WORDS.get(found.key) or key_name(found)


USUAL = Keyboard()
"""Every key is where it usually is."""


def keyboard(given: Mapping[str, object]) -> tuple[Keyboard, dict[str, str]]:
    """The keyboard of a `[keys]` table, and by key of that table what is wrong with it.

    Whatever is wrong with, the keyboard leaves as it was.
    """
    faults: dict[str, str] = {}
    changed: dict[str, str] = {}
    for name, raw in given.items():
        key, fault = _key(name, raw)
        if fault:
            faults[name] = fault
        else:
            changed[name] = key
    for name, other in TOGETHER.items():
        if name in changed and other not in given:
            changed[other] = changed[name]
    for name, fault in _clashes(changed):
        faults.setdefault(name, fault)
    return Keyboard({name: key for name, key in changed.items() if not faults}), faults


def _key(name: str, raw: object) -> tuple[str, str]:
    """The key's name, and why it cannot be that."""
    binding = next((binding for binding in MAIN if binding.id == name), None)
    if binding is None:
        return "", _unknown(name)
    if not isinstance(raw, str) or not (key := _named(raw)):
        return "", f"must be a single character, or one of {', '.join(NAMED)}"
    torn = key in TORN or (key in NAMED and key not in SAFE)
    if name in CHANGES_SERVER and torn:
        return "", (
            f"{raw!r} cannot lead to a change on a server: over a slow link an arrow key can arrive as it"
        )
    return key, ""


def _unknown(name: str) -> str:
    known = [binding.id for binding in MAIN if binding.id]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"is not known here; {f'did you mean `{close[0]}`?' if close else 'known: ' + ', '.join(known)}"


def _named(written: str) -> str:
    """The name textual has for a key; empty where it is none that can be chosen."""
    if written in NAMED:
        return written
    if len(written) != 1 or not written.isprintable() or not written.isascii():
        return ""
    if written.isalnum():
        return written
    name = unicodedata.name(written).lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


def _clashes(changed: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each binding that was put on a key that another one has."""
    for binding in Keyboard(changed).main:
        own = binding.id or ""
        for other in Keyboard(changed).main if own in changed else ():
            if other.key == binding.key and other.id not in (own, TOGETHER.get(own)):
                yield own, f"{format_key(binding.key)!r} is the key of `{other.id}`; give that another one"
