"""Profit targeting: each step at its R, once, and never one that would trade at once or leave dust."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.domain.brackets import Bracket, Level, LevelUnit
from core.market.builtin import builtin_instruments
from core.strategy.config import Profit
from core.strategy.profit import Step, Wish, goal_reached, next_step
from tests.core.lifecycle.build import World, bracket

D = Decimal
INSTRUMENT = builtin_instruments()["ZEC/USD"]


def held(**given: Any) -> Bracket:
    """One coin bought at 100 with its stop at 99: one R is one."""
    world = World(bracket())
    world.step()
    return replace(world.bracket, **given)


def step(one: Bracket, bid: str, after_s: float = 60, **config: Any) -> Wish | None:
    return next_step(one, D(bid), one.created_at + timedelta(seconds=after_s), 300, Profit(**config), INSTRUMENT)


def test_nothing_is_done_unless_it_is_switched_on() -> None:
    assert step(held(), "200", 10**6) is None


def test_a_part_is_taken_at_its_r_and_not_before() -> None:
    one = held()
    risk = one.risk_per_unit or D(0)
    average = one.entry_average or D(0)
    assert step(one, str(average + risk - D("0.01")), partial_at_r=D(1)) is None
    wish = step(one, str(average + risk), partial_at_r=D(1))
    assert wish is not None
    assert (wish.step, wish.quantity) == (Step.PARTIAL, one.held / 2)


def test_a_stop_goes_to_its_entry_once_and_never_backwards() -> None:
    one = held()
    wish = step(one, "105", break_even_at_r=D(1))
    assert wish is not None
    assert (wish.step, wish.stop) == (Step.BREAK_EVEN, one.entry_average)
    assert step(replace(one, stop_price=one.entry_average), "105", break_even_at_r=D(1)) is None


def test_a_stop_begins_to_trail_only_with_an_atr_and_only_once() -> None:
    one = held(atr=D(2))
    wish = step(one, "105", trail_at_r=D(1))
    assert wish is not None
    assert wish.step is Step.TRAIL
    assert step(replace(one, atr=None), "105", trail_at_r=D(1)) is None
    assert step(replace(one, trail=Level(D(2), LevelUnit.ATR)), "105", trail_at_r=D(1)) is None


def test_time_runs_out_after_so_many_candles() -> None:
    assert step(held(), "100", 299 * 3, time_exit_candles=3) is None
    wish = step(held(), "100", 300 * 3, time_exit_candles=3)
    assert wish is not None
    assert wish.step is Step.TIME


def test_what_was_bought_seconds_after_a_candle_has_had_its_first_candle_with_the_next_end() -> None:
    one = held()
    began = one.created_at.timestamp() % 300
    late = replace(one, created_at=one.created_at + timedelta(seconds=(4 - began) % 300))
    assert step(late, "100", 295, time_exit_candles=1) is None
    assert step(late, "100", 296, time_exit_candles=1) is not None


def test_what_is_being_left_is_left_alone() -> None:
    assert step(held(gone=D(1)), "100", 10**6, time_exit_candles=1) is None


@pytest.mark.parametrize(
    ("result", "goal", "reached"),
    [(D(100), D(1), True), (D("99.99"), D(1), False), (None, D(1), False), (D(10_000), D(0), False)],
)
def test_a_goal_is_reached_by_its_share_of_the_day(result: Decimal | None, goal: Decimal, *, reached: bool) -> None:
    assert goal_reached(result, D(10_000), Profit(daily_goal_pct=goal)) is reached
