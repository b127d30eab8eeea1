"""`python -m skytui.lab up|down|status`: the practice pair without the rest of skytui."""

import argparse
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from skytui.errors import SkytuiError
from skytui.lab import pair


def main() -> int:
    """Bring the pair up or down, or say how it is."""
    parser = argparse.ArgumentParser(prog="python -m skytui.lab", description=__doc__)
    parser.add_argument("action", choices=["up", "down", "status"])
    parser.add_argument("--jobs", type=Path, help="another job set")
    parser.add_argument("--fast", action="store_true", help="shorter waits")
    parser.add_argument("--saved", type=Path, help="a folder made by `save`")
    arguments = parser.parse_args()
    began = time.monotonic()

    def report(line: str) -> None:
        print(f"{time.monotonic() - began:5.1f} s  {line}", file=sys.stderr, flush=True)  # noqa: T201

    def interrupted(number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    try:
        if arguments.action == "up":
            pair.up(report, jobs=arguments.jobs, fast=arguments.fast, saved=arguments.saved)
        elif arguments.action == "down":
            pair.down(report)
        else:
            found = pair.status()
            for part in found.parts:
                print(f"{part.name:10} {part.role:10} {part.pid or 'not running'}")  # noqa: T201
            print("ready" if found.ready else f"not ready: {found.lacking}")  # noqa: T201
            return 0 if found.ready else 1
    except SkytuiError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
