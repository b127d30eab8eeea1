"""The table of mutations: skytui without each thing that keeps it safe, and what catches that.

    python -m tests.simulation.mutations            all of them (`make mutations`)
    python -m tests.simulation.mutations promote    those with this word in their name

Ends with 1 when one is caught by nothing.
"""

import sys
import time

from tests.simulation.catchers import caught_by
from tests.simulation.mutants import every_mutant

HEAD = f"{'seconds':>7}  {'caught by':60}  mutation"


def main(words: list[str]) -> int:
    """Try them, one line each; how many were caught by nothing, as an exit code."""
    print(HEAD)
    free = tried = 0
    for mutant in every_mutant():
        if all(word in mutant.name for word in words):
            began = time.perf_counter()
            by = caught_by(mutant)
            tried, free = tried + 1, free + (not by)
            print(f"{time.perf_counter() - began:7.2f}  {by or 'NOTHING':60}  {mutant.name}", flush=True)
    print(f"{tried} mutations, {tried - free} caught, {free} caught by nothing")
    return 1 if free else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
