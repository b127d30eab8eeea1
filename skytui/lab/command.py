"""What the programs behind a host's scripts have in common: their argument, their words, their exit code."""

import argparse
import fcntl
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from skytui.errors import LabError
from skytui.lab.node import NodeConfig

Say = Callable[[str], None]


class CommandError(LabError):
    """A command on a host refused or failed. `code` is what its script ends with."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def run(work: Callable[[NodeConfig, Sequence[str]], None], program: str) -> int:
    """Read the command line, do `work`, and put a failure into one line on stderr; the exit code."""
    parser = argparse.ArgumentParser(prog=program)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--config", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        work(NodeConfig.load(arguments.config), arguments.words)
    except CommandError as error:
        return _fail(error.code, str(error))
    except LabError as error:
        return _fail(1, str(error))
    return 0


def say(line: str) -> None:
    """One line on stdout, at once: somebody follows it."""
    print(line, flush=True)  # noqa: T201 (this is what the script prints)


@contextmanager
def exclusive(node: NodeConfig) -> Iterator[None]:
    """Hold the host's lock: two commands that change its server never run at once."""
    with (node.home / "run" / "command.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"Another command is changing {node.name}; wait for its end. Nothing was done."
            raise CommandError(3, message) from None
        yield


def _fail(code: int, message: str) -> int:
    print(" ".join(message.split()), file=sys.stderr, flush=True)  # noqa: T201
    return code
