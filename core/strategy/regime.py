"""PURE. What kind of market each candle closed in."""

import numpy as np
from numpy.typing import NDArray

from core.strategy.config import Regimes
from core.strategy.indicators import Figures
from core.strategy.words import Regime

REGIMES = tuple(Regime)
"""A regime's number is its place here."""

Codes = NDArray[np.int8]
Holds = NDArray[np.bool_]
"""Numbers of regimes, votes, decisions; and where something holds. Rows by symbols."""


def regimes(found: Figures, config: Regimes) -> Codes:
    """The regime's number for each cell. First that holds: too few numbers, volatile, a trend, chop, else a range."""
    needed = (found.atr_ratio, found.adx, found.sma_fast, found.sma_slow, found.slope_pct, found.chop)
    unknown = np.any([np.isnan(one) for one in needed], axis=0)
    directed = found.adx >= config.trend_adx
    rises = (found.sma_fast > found.sma_slow) & (found.slope_pct >= config.trend_slope_pct)
    falls = (found.sma_fast < found.sma_slow) & (found.slope_pct <= -config.trend_slope_pct)
    tests = [
        (unknown, Regime.UNKNOWN),
        (found.atr_ratio >= config.volatile_atr_ratio, Regime.VOLATILE),
        (directed & rises, Regime.TREND_UP),
        (directed & falls, Regime.TREND_DOWN),
        (found.chop >= config.chop_min, Regime.CHOP),
    ]
    holds, names = zip(*tests, strict=True)
    codes = [REGIMES.index(name) for name in names]
    return np.select(holds, codes, REGIMES.index(Regime.RANGE)).astype(np.int8)
