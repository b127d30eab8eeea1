"""Everything that keeps skytui from doing what it must not, and skytui without each of it, one at a time.

The list is made from the code: a conjunct of a gate or a guard that is added is on it by itself.

    gates    every conjunct of every gate, taken out
    guards   in the functions that say why an event does not count, what may be done now, or which reading
             counts: every `if` that returns or raises, never taken; every `return` with a reason, without
             it; every `return` of a truth, always true
"""

import ast
import contextlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

import msgspec

from skytui.runbook import machine, refusals, statements, turning, undo
from skytui.runbook.gates import AFTER, AGAIN, BEFORE, Gate
from skytui.runbook.sight import Sight

TABLES: dict[str, dict[str, Gate]] = {"before": BEFORE, "again": AGAIN, "after": AFTER}


class Mutant(msgspec.Struct, frozen=True):
    """One change. `inside` applies it for as long as the block lasts."""

    name: str
    inside: Callable[[], contextlib.AbstractContextManager[None]]
    gate: tuple[str, str, str] | None = None
    """Table, step and conjunct, where it is one of a gate."""


def every_mutant() -> list[Mutant]:
    """All of them."""
    return [*of_gates(), *of_guards()]


# -- gates


def of_gates() -> list[Mutant]:
    """One for every conjunct of every gate."""
    return [
        _without(table, step, proof.__name__)
        for table, rows in TABLES.items()
        for step, gate in rows.items()
        for proof in gate
    ]


def _without(table: str, step: str, conjunct: str) -> Mutant:
    rows = TABLES[table]

    @contextlib.contextmanager
    def inside() -> Iterator[None]:
        whole = rows[step]
        rows[step] = tuple(proof for proof in whole if proof.__name__ != conjunct)
        try:
            yield
        finally:
            rows[step] = whole

    return Mutant(f"{table} {step}: without {conjunct}", inside, (table, step, conjunct))


# -- guards


def guarding() -> list[FunctionType]:
    """All of `refusals`, and the functions that say what may be done now and what counts."""
    whole = [f for f in vars(refusals).values() if isinstance(f, FunctionType)]
    ours = [f for f in whole if f.__module__ == refusals.__name__]
    functions: list[Any] = [  # functions all, also those that mypy knows as callables only
        *ours,
        undo.why_no_abort,
        turning.why_no_turn,
        turning.why_not_later,
        statements.why_no_statement,
        statements.sign_of_life,
        machine.advance,
        machine._observe,
        machine._start_or_balk,
        Sight.server,
        Sight.take,
        Sight.counts,
    ]
    return functions


def of_guards() -> list[Mutant]:
    """One for every place in those functions where something is kept from happening."""
    return [
        _changed(function, place, says)
        for function in guarding()
        for place, says in enumerate(_Places().of(function))
    ]


def _changed(function: FunctionType, place: int, says: str) -> Mutant:
    @contextlib.contextmanager
    def inside() -> Iterator[None]:
        whole = function.__code__
        # The code is exchanged and not the name: whoever imported the function calls the changed one.
        function.__code__ = _Places(place).code(function)
        try:
            yield
        finally:
            function.__code__ = whole

    return Mutant(
        f"{function.__module__.removeprefix('skytui.runbook.')}.{function.__qualname__}: {says}", inside
    )


class _Places(ast.NodeTransformer):
    """Walks through a function, and changes the place with this number; none for None."""

    def __init__(self, place: int | None = None) -> None:
        self._place = place
        self._says: list[str] = []
        self._truths = False

    def of(self, function: FunctionType) -> list[str]:
        """What each place is, in words."""
        self.visit(_parsed(function))
        return self._says

    def code(self, function: FunctionType) -> CodeType:
        """The code of the function, changed."""
        tree = ast.fix_missing_locations(self.visit(_parsed(function)))
        found: dict[str, FunctionType] = {}
        exec(compile(tree, function.__code__.co_filename, "exec"), function.__globals__, found)  # noqa: S102
        return found[function.__name__].__code__

    def _here(self, says: str) -> bool:
        self._says.append(" ".join(says.split()))
        return len(self._says) - 1 == self._place

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Whether it returns a truth is what its `return`s go by."""
        self._truths = isinstance(node.returns, ast.Name) and node.returns.id == "bool"
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST:
        """One that returns or raises is never taken; what its test assigns is assigned all the same."""
        self.generic_visit(node)
        ends = isinstance(node.body[-1], ast.Return | ast.Raise)
        if ends and not node.orelse and self._here(f"never if {ast.unparse(node.test)}"):
            node.test = ast.BoolOp(ast.And(), [node.test, ast.Constant(value=False)])
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        """With a reason on one side: none. A truth: always true."""
        value = node.value
        if isinstance(value, ast.IfExp):
            for side in (value.body, value.orelse):
                if isinstance(side, ast.Constant) and side.value == "":
                    if self._here(f"never {ast.unparse(value)}"):
                        node.value = side
                    return node
        plain = value is None or isinstance(value, ast.Constant)
        if self._truths and not plain and self._here(f"always {ast.unparse(node)}"):
            node.value = ast.Constant(value=True)
        return node


def _parsed(function: FunctionType) -> ast.AST:
    return ast.parse(textwrap.dedent(inspect.getsource(function)))
