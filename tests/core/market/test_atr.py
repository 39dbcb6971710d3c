"""The average true range against examples calculated by hand."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.domain.market import Candle
from core.domain.money import divide
from core.market.atr import atr_of
from tests.rig import START

D = Decimal


def candles(*rows: tuple[str, str, str]) -> list[Candle]:
    """High, low, close of candles in a row."""
    return [
        Candle(
            "ZEC/USD",
            START + timedelta(minutes=5 * n),
            300,
            Decimal(close),
            Decimal(high),
            Decimal(low),
            Decimal(close),
            D(1),
        )
        for n, (high, low, close) in enumerate(rows)
    ]


# True ranges by hand, from the second candle on:
#   2: max(11 - 9, |11 - 10|, |9 - 10|) = 2      3: max(15 - 13, |15 - 10.5|, |13 - 10.5|) = 4.5 (gap up)
#   4: max(9 - 8, |9 - 14|, |8 - 14|) = 6 (gap down)      5: max(8.5 - 8, |8.5 - 8.5|, |8 - 8.5|) = 0.5
EXAMPLE = candles(("11", "9", "10"), ("11", "9", "10.5"), ("15", "13", "14"), ("9", "8", "8.5"), ("8.5", "8", "8.25"))


def test_the_first_value_is_the_mean_of_the_true_ranges() -> None:
    assert atr_of(EXAMPLE[:4], 3) == divide(D("12.5"), D(3))


def test_later_values_follow_wilders_smoothing() -> None:
    first = (D(2) + D("4.5")) / 2
    second = (first * 1 + D(6)) / 2
    assert atr_of(EXAMPLE, 2) == (second * 1 + D("0.5")) / 2 == D("2.5625")


def test_a_length_of_one_is_the_last_true_range() -> None:
    assert atr_of(EXAMPLE, 1) == D("0.5")


def test_without_enough_candles_there_is_no_number() -> None:
    assert atr_of(EXAMPLE[:3], 3) is None
    assert atr_of([], 14) is None


def test_a_market_that_did_not_move_has_no_range_and_no_number() -> None:
    assert atr_of(candles(*[("10", "10", "10")] * 20), 14) is None


@given(st.lists(st.integers(1, 10_000), min_size=15, max_size=40))
def test_an_average_lies_between_the_smallest_and_the_largest_range(closes: list[int]) -> None:
    rows = [(str(close + 1), str(close), str(close)) for close in closes]
    made = candles(*rows)
    ranges = [
        max(now.high - now.low, abs(now.high - before.close), abs(now.low - before.close))
        for before, now in pairwise(made)
    ]
    atr = atr_of(made, 14)
    assert atr is not None
    assert min(ranges) - D("1E-30") <= atr <= max(ranges) + D("1E-30")
