"""What an action runs: one command, several one after the other, or one for each item of a list.

Several are one durable command: a shell on the host runs them in turn, so that a lost connection loses none
and repeats none, and the first that fails is the last.
"""

import shlex
from pathlib import Path

import msgspec

from skytui.config.action_spec import ActionSpec
from skytui.config.placeholders import fill, text
from skytui.drivers.scope import Scope

_SEQUENCE = (Path(__file__).parent / "sequence.sh").read_text()


class Part(msgspec.Struct, frozen=True):
    """One command of an action, and what it is called where there are several."""

    label: str
    words: list[str]


def items_of(spec: ActionSpec, scope: Scope) -> list[tuple[str, Scope]]:
    """The items of `each`, each with the scope where `{item}` is that one; without `each` the scope alone."""
    if spec.each is None:
        return [("", scope)]
    items = fill(spec.each, scope)
    return [(str(item), scope.with_item(item)) for item in (items if isinstance(items, list) else [items])]


def parts_of(spec: ActionSpec, scope: Scope) -> list[Part]:
    """The commands an action runs on the host, in turn."""
    if spec.steps is not None:
        commands = [_filled(words, scope) for words in spec.steps]
        return [Part(shlex.join(words), words) for words in commands]
    parts: list[Part] = []
    for label, one in items_of(spec, scope):
        words = _filled(spec.args if spec.shell is not None else spec.run or [], one)
        parts.append(
            Part(label, ["sh", "-c", spec.shell, "skytui", *words] if spec.shell is not None else words)
        )
    return parts


def argv_of(spec: ActionSpec, scope: Scope) -> list[str]:
    """The one command that does all of it; empty when there is nothing to do."""
    parts = parts_of(spec, scope)
    if spec.each is None and spec.steps is None:
        return parts[0].words
    if not parts:
        return []
    told = [word for part in parts for word in (part.label, str(len(part.words)), *part.words)]
    return ["sh", "-c", _SEQUENCE, "skytui", str(len(parts)), *told]


def _filled(words: list[str], scope: Scope) -> list[str]:
    return [text(word, scope) for word in words]
