"""python -m tests.simulation [--seeds N] [--first K] [--workers N] [--seed K]: run many lives, or replay one."""

import argparse
import os
import sys

from tests.simulation.table import replay, simulate


def main() -> int:
    """Parse, run, and return the exit status."""
    parser = argparse.ArgumentParser(prog="tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20_000, help="how many lives")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="how many processes")
    parser.add_argument("--seed", type=int, help="replay this one and tell it")
    given = parser.parse_args()
    if given.seed is not None:
        return replay(given.seed)
    return simulate(range(given.first, given.first + given.seeds), given.workers)


if __name__ == "__main__":
    sys.exit(main())
