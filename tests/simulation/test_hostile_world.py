"""The real service, commands, lifecycle, ledger and SQLite on a venue that fails in every way it can. Seeded."""

import os
import statistics

import pytest

from tests.simulation.story import STEPS, live

SEEDS = int(os.environ.get("ZYN_SEEDS", "150"))
FIRST = int(os.environ.get("ZYN_SEED", "1"))
WORKERS = 6


@pytest.mark.simulation
@pytest.mark.parametrize("part", range(WORKERS))
async def test_no_fault_breaks_a_promise(part: int) -> None:
    seeds = range(FIRST + part, FIRST + SEEDS, WORKERS) if SEEDS > 1 else [FIRST] if part == 0 else []
    stories = [await live(seed) for seed in seeds]
    faults = [sum(story.venue.counted.values()) for story in stories]
    if stories:
        print(
            f"seeds {seeds}: {len(stories)} lives of {STEPS} steps, {sum(s.crashes for s in stories)} crashes, "
            f"faults in the median {statistics.median(faults)}, longest without a stop "
            f"{max(s.longest_uncovered_s for s in stories):.0f} s"
        )
        assert statistics.median(faults) >= 2
