"""PURE. The average true range, by Wilder's smoothing."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from core.domain.market import Candle
from core.domain.money import ZERO, divide


def atr_of(candles: Sequence[Candle], length: int) -> Decimal | None:
    """ATR in quote per base over `candles` (oldest first), None with fewer than `length` + 1 of them.

    True range: max(high - low, |high - previous close|, |low - previous close|). The first value is the mean of
    `length` ranges; then atr = (atr x (length - 1) + range) / length (J. W. Wilder, 1978).
    """
    if len(candles) < length + 1:
        return None
    ranges = [
        max(now.high - now.low, abs(now.high - before.close), abs(now.low - before.close))
        for before, now in pairwise(candles)
    ]
    atr = divide(sum(ranges[:length], ZERO), Decimal(length))
    for value in ranges[length:]:
        atr = divide(atr * (length - 1) + value, Decimal(length))
    return atr if atr > ZERO else None
