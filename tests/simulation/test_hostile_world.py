"""The real service, commands, lifecycle, ledger and SQLite in a world that fails in every way it can. Seeded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.life import live
from tests.simulation.table import Sum, print_table, some_lives

SEEDS = 500
PARTS = 10
ROOT = Path(__file__).parents[2]


@pytest.mark.simulation
@pytest.mark.parametrize("part", range(PARTS))
def test_no_fault_and_no_crash_breaks_a_promise(part: int) -> None:
    seeds = range(1 + part, 1 + SEEDS, PARTS)
    total: Sum = some_lives(seeds)
    print(f"seeds {seeds}")
    print_table(total, 0.0)
    assert total.violations == [], "make simulate SEED=k tells the story"
    assert total.counts


@pytest.mark.simulation
def test_a_seed_is_the_same_life_in_every_process() -> None:
    told = [_told_by_another_process(hash_seed) for hash_seed in ("1", "2")]
    here = "\n".join(live(7, traced=True).lines)
    assert told[0] == told[1] == here
    assert len(here.splitlines()) > 40


@pytest.mark.simulation
def test_the_first_acts_of_a_life_are_the_same_however_long_it_lasts() -> None:
    whole, beginning = live(11, traced=True), live(11, 10, traced=True)
    until = next(number for number, line in enumerate(beginning.lines) if "no more faults" in line)
    assert beginning.acts == 10
    assert whole.lines[: until - 1] == beginning.lines[: until - 1]


def _told_by_another_process(hash_seed: str) -> str:
    code = "from loguru import logger; logger.remove()\nfrom tests.simulation.life import live\n"
    code += "print('\\n'.join(live(7, traced=True).lines))"
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True)
    return done.stdout.decode().rstrip("\n")
