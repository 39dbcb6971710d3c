"""PURE. The direction of a longer timeframe, as it could be known at each candle of the shorter one."""

import numpy as np
import pandas as pd

from core.strategy.config import Indicators
from core.strategy.panel import NO_TIME, Floats, Ints, Panel


def direction(panel: Panel, length_s: int, config: Indicators) -> Floats:
    """Above 0 where the fast average of the longer candles stands over the slow one, below 0 under; NaN until known.

    A longer candle counts from the close of its last short one on: at the end of its time, or, where trades were
    missing there, with the first candle after it.
    """
    found = [
        _of_one(panel.times[:, column], panel.close[:, column], panel.interval_s, length_s, config)
        for column in range(len(panel.symbols))
    ]
    return np.column_stack(found) if found else np.empty_like(panel.close)


def _of_one(at: Ints, close: Floats, step_s: int, length_s: int, config: Indicators) -> Floats:
    result = np.full(len(at), np.nan)
    rows = np.flatnonzero(at != NO_TIME)
    if len(rows) == 0:
        return result
    groups = at[rows] // length_s
    closes = pd.Series(close[rows]).groupby(groups).last()
    gap = closes.rolling(config.sma_fast).mean() - closes.rolling(config.sma_slow).mean()
    places = np.searchsorted(closes.index.to_numpy(), groups)
    is_complete = at[rows] + step_s >= (groups + 1) * length_s
    known = np.where(is_complete, places, places - 1)
    values = gap.to_numpy()
    result[rows] = np.where(known >= 0, values[np.maximum(known, 0)], np.nan)
    return result
