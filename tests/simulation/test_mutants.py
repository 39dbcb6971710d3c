"""The planted faults fit the code as it is, and the hunt for them finds one, and does not find what is not there."""

import pytest

from tests.simulation.live_mutants import LIVE_MUTANTS
from tests.simulation.mutant import Mutant
from tests.simulation.mutants import MUTANTS, ROOT, hunt

ALL = (*MUTANTS, *LIVE_MUTANTS)


@pytest.mark.parametrize("mutant", ALL, ids=lambda one: one.name)
def test_a_mutant_fits_the_code_in_exactly_one_place(mutant: Mutant) -> None:
    for edit in mutant.edits:
        compile(edit.of(ROOT), edit.path, "exec")


def test_no_two_mutants_are_the_same() -> None:
    assert len({mutant.name for mutant in ALL}) == len(ALL) >= 14
    assert len({mutant.edits for mutant in ALL}) == len(ALL)


@pytest.mark.simulation
def test_a_fault_planted_in_decide_is_found_and_the_same_code_without_it_is_clean() -> None:
    planted = Mutant(
        "nothing is covered and nothing is sold",
        "core/lifecycle/decide.py",
        "    steps = (_work_entry, trail, _choose_to_leave, cover, _watch_cover, _finish)\n",
        "    steps = (_work_entry, trail, _choose_to_leave, _watch_cover, _finish)\n",
    )
    harmless = Mutant("nothing", "core/lifecycle/decide.py", '"""PURE. What a bracket', '"""PURE. What each bracket')
    found = hunt(planted, 40)
    assert found.seeds is not None, "a fault in decide was not noticed"
    assert found.broken
    assert hunt(harmless, 5).seeds is None
