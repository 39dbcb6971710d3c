"""Clocks: a market's time goes with the machine's, faster or in steps, and stands still while nobody runs it."""

from dataclasses import dataclass
from datetime import UTC, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.market.clocks import MarketClock, wall_clock
from tests.rig import START


@dataclass
class Machine:
    """The machine's monotonic time, moved by hand."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


def after(seconds: float) -> object:
    return START + timedelta(seconds=seconds)


def test_the_wall_clock_is_aware_and_utc() -> None:
    assert wall_clock().tzinfo is UTC


def test_a_market_clock_starts_where_it_is_told_and_goes_with_the_machine() -> None:
    machine = Machine()
    clock = MarketClock(START, monotonic=machine)
    assert clock() == START
    machine.seconds += 12.5
    assert clock() == after(12.5)


def test_a_market_clock_stands_still_while_the_machine_does() -> None:
    clock = MarketClock(START, monotonic=Machine())
    assert {clock() for _ in range(100)} == {START}


def test_time_that_passes_while_no_clock_runs_does_not_pass_in_the_market() -> None:
    machine = Machine()
    clock = MarketClock(START, monotonic=machine)
    machine.seconds += 60
    stopped_at = clock()
    machine.seconds += 86_400
    assert MarketClock(stopped_at, monotonic=machine)() == after(60)


def test_speed_multiplies_what_passes() -> None:
    machine = Machine()
    clock = MarketClock(START, speed=60.0, monotonic=machine)
    machine.seconds += 2
    assert clock() == after(120)


def test_a_stepping_clock_jumps_from_one_step_to_the_next() -> None:
    machine = Machine()
    clock = MarketClock(START, speed=100.0, step_s=300, monotonic=machine)
    seen = []
    for _ in range(7):
        seen.append(clock())
        machine.seconds += 1
    assert seen == [after(0), after(0), after(0), after(300), after(300), after(300), after(600)]


def test_a_resumed_clock_goes_on_from_the_moment_given() -> None:
    machine = Machine()
    clock = MarketClock(START, speed=2.0, monotonic=machine)
    machine.seconds += 500
    clock.resume_at(START + timedelta(days=1))
    assert clock() == after(86_400)
    machine.seconds += 5
    assert clock() == after(86_410)


@given(passes=st.lists(st.floats(min_value=0, max_value=1e6), max_size=20), step=st.sampled_from([None, 60, 300]))
def test_a_clock_never_goes_back_and_a_stepping_one_only_shows_its_steps(passes: list[float], step: int | None) -> None:
    machine = Machine(0.0)
    clock = MarketClock(START, speed=3.0, step_s=step, monotonic=machine)
    before = clock()
    for seconds in passes:
        machine.seconds += seconds
        now = clock()
        assert now >= before
        assert step is None or (now - START).total_seconds() % step == 0
        before = now
