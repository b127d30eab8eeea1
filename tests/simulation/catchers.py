"""What catches a change that lets skytui do what it must not: the tests that are quick, then the simulation.

The tests are called as functions, with each set of their parameters, in the process in which the change was
made. They are the very tests that pytest collects from those files.
"""

import contextlib
import importlib
import inspect
import io
import logging
import pkgutil
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from _pytest.mark import ParameterSet

from tests.simulation.machine import tell_stories
from tests.simulation.mutants import Mutant
from tests.support.lies import LIES, LOOKS_AT
from tests.unit import runbook
from tests.unit.runbook import test_gates

QUICK = ("test_guards", "test_refused", "test_operator", "test_waivers", "test_abort", "test_unplanned")
"""Those that are tried first."""


def _guards() -> tuple[ModuleType, ...]:
    found = {module.name for module in pkgutil.iter_modules(runbook.__path__)} - {"test_gates"}
    names = [*QUICK, *sorted(found.difference(QUICK, ("test_gate_table", "test_prefixes")))]
    return tuple(importlib.import_module(f"{runbook.__name__}.{name}") for name in names)


GUARDS = _guards()
"""The tests of what the machine refuses and of how it goes on. Without the gates written down a second time,
which only says that something was changed."""

STORIES, STEPS, NUMBER = 30, 30, 1
"""How long the simulation is tried for."""

WHOLE: Any = inspect.unwrap(test_gates.whole)()  # the function in what pytest makes of it
"""The polls in which every gate was open; seen by skytui as it is."""


def caught_by(mutant: Mutant) -> str:
    """The name of the first test that fails when this is changed, or of the simulation; empty for none."""
    with quiet(), mutant.inside():
        return _worlds(mutant) or _tests(_only(mutant)) or _stories()


def caught_in_a_story(mutant: Mutant) -> str:
    """What the simulation alone says to this change; empty when it sees nothing wrong."""
    with quiet(), mutant.inside():
        return _stories()


def _worlds(mutant: Mutant) -> str:
    """For a conjunct of a gate: the worlds in which it alone does not hold, or what it needs is not read."""
    if mutant.gate is None:
        return ""
    table, step, conjunct = mutant.gate
    whole = WHOLE
    for name, lie in LIES.get(conjunct, {}).items():
        shut = test_gates.test_a_gate_is_shut_when_one_conjunct_alone_does_not_hold
        if not _holds(shut, whole, table, step, conjunct, lie):
            return f"world: {name}"
    for server, reading in LOOKS_AT[conjunct]:
        named = test_gates.test_a_reading_that_does_not_count_shuts_the_gate_and_is_named
        if not _holds(named, whole, table, step, conjunct, server, reading):
            return f"world: {reading} of {server} does not count"
    return ""


def _only(mutant: Mutant) -> tuple[ModuleType, ...]:
    return (test_gates,) if mutant.name.startswith("sight.") else GUARDS


def _tests(modules: tuple[ModuleType, ...]) -> str:
    for module in modules:
        for name, test, arguments in cases_of(module):
            if not _holds(test, **arguments):
                return f"{module.__name__.rpartition('.')[2]}::{name}"
    return ""


def _stories() -> str:
    try:
        tell_stories(STORIES, STEPS, NUMBER, shrink=False)
    except Exception as error:  # noqa: BLE001 - whatever it is, it was noticed
        return f"simulation: {first_line(error)}"
    return ""


def first_line(error: BaseException) -> str:
    """What went wrong, in one line."""
    return (str(error).splitlines() or [type(error).__name__])[0][:80]


def _holds(test: Callable[..., object], *arguments: object, **named: object) -> bool:
    try:
        test(*arguments, **named)
    except Exception:  # noqa: BLE001 - a test fails by whatever it raises
        return False
    return True


def cases_of(module: ModuleType) -> Iterator[tuple[str, Callable[..., object], dict[str, object]]]:
    """The tests of a file with their arguments; without those that need more than `whole`."""
    for name, test in _named(module):
        if not inspect.iscoroutinefunction(test):
            for arguments in _parameters(test):
                given = (
                    {"whole": WHOLE} | arguments
                    if "whole" in inspect.signature(test).parameters
                    else arguments
                )
                if set(inspect.signature(test).parameters) == set(given):
                    yield name, test, given


def _named(module: ModuleType) -> Iterator[tuple[str, Callable[..., object]]]:
    """The tests of a file: functions, and what the classes in it have."""
    places: list[object] = [module]
    places += [found() for name, found in vars(module).items() if name.startswith("Test")]
    for place in places:
        for name in dir(place):
            if name.startswith("test_") and inspect.isroutine(test := getattr(place, name)):
                yield name, test


def _parameters(test: Callable[..., object]) -> Iterator[dict[str, object]]:
    """Every combination of what `pytest.mark.parametrize` gives a test."""
    sets: list[dict[str, object]] = [{}]
    for mark in getattr(test, "pytestmark", []):
        if mark.name == "parametrize":
            names, values = mark.args[0], mark.args[1]
            names = re.split(r"[,\s]+", names.strip()) if isinstance(names, str) else list(names)
            rows = [_row(value, len(names)) for value in values]
            sets = [{**given, **dict(zip(names, row, strict=True))} for given in sets for row in rows]
    yield from sets


def _row(value: object, width: int) -> tuple[object, ...]:
    if isinstance(value, ParameterSet):
        return tuple(value.values)
    return tuple(value) if width > 1 and isinstance(value, tuple | list) else (value,)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without what a run that goes wrong has to say."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(before)
