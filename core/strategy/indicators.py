"""PURE. Indicators over closed candles, all symbols of a panel at once; NaN until there is enough history.

RSI and Bollinger bands are those of `ta`. Its ATR and ADX are loops in Python and say 0.0 before they know anything, so
both are smoothed here with pandas, by Wilder's method (J. W. Wilder, New Concepts in Technical Trading Systems, 1978).
Each value depends on its own row and earlier ones, and on nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from ta.momentum import RSIIndicator
from ta.volatility import BollingerBands

from core.strategy.config import Indicators
from core.strategy.panel import Floats, Panel


@dataclass(frozen=True, slots=True)
class Figures:
    """One array (rows by symbols) for each indicator. Prices in quote, `_pct` in percent, ratios as such."""

    rsi: Floats
    sma_fast: Floats
    sma_slow: Floats
    slope_pct: Floats
    """Change of the fast average, percent per candle."""
    atr: Floats
    atr_ratio: Floats
    """ATR beside its own mean: well above 1 is a spike."""
    band_low: Floats
    band_mid: Floats
    band_high: Floats
    adx: Floats
    volume_ratio: Floats
    """Volume beside its own mean."""
    volatility_pct: Floats
    """Standard deviation of the candles' logarithmic returns."""
    chop: Floats
    """Choppiness index, 0 (one straight move) to 100 (none at all)."""

    def as_mapping(self) -> Mapping[str, Floats]:
        """By name."""
        return {name: getattr(self, name) for name in self.__slots__}


def figures(panel: Panel, config: Indicators) -> Figures:
    """All indicators of `panel`. A number that is missing makes those missing that need it, and no others."""
    with np.errstate(divide="ignore", invalid="ignore"):
        high, low, close = _clean(panel.high), _clean(panel.low), _clean(panel.close)
        ranges = true_range(high, low, close)
        atr = wilder(ranges, config.atr)
        fast = _mean(close, config.sma_fast)
        bands = [_bands(close[:, column], config) for column in range(close.shape[1])]
        band_low, band_mid, band_high = (
            np.column_stack([one[part] for one in bands]) if bands else np.empty_like(close) for part in range(3)
        )
        return Figures(
            rsi=_columns(close, lambda series: _rsi(series, config.rsi)),
            sma_fast=fast,
            sma_slow=_mean(close, config.sma_slow),
            slope_pct=_slope_pct(fast, config.slope),
            atr=atr,
            atr_ratio=_ratio(atr, _mean(atr, config.atr_mean)),
            band_low=band_low,
            band_mid=band_mid,
            band_high=band_high,
            adx=adx(high, low, ranges, config.adx),
            volume_ratio=_ratio(panel.volume, _mean(panel.volume, config.volume)),
            volatility_pct=_volatility_pct(close, config.volatility),
            chop=_chop(high, low, ranges, config.chop),
        )


def _clean(prices: Floats) -> Floats:
    """Prices that are none, zero or below become missing."""
    return np.where(prices > 0, prices, np.nan)


def true_range(high: Floats, low: Floats, close: Floats) -> Floats:
    """max(high - low, |high - previous close|, |low - previous close|); of the first row, high - low."""
    ranges = high - low
    if len(close) > 1:
        before = close[:-1]
        gaps = np.fmax(np.abs(high[1:] - before), np.abs(low[1:] - before))
        ranges[1:] = np.where(np.isnan(ranges[1:]), np.nan, np.fmax(ranges[1:], gaps))
    return ranges


def wilder(values: Floats, length: int) -> Floats:
    """Wilder's smoothing: the mean of the first `length` values, then (before * (length - 1) + value) / length."""
    seeded = values.copy()
    for column in range(values.shape[1]):
        known = np.flatnonzero(~np.isnan(values[:, column]))
        if len(known) < length:
            seeded[:, column] = np.nan
            continue
        last = known[length - 1]
        seeded[:last, column] = np.nan
        seeded[last, column] = values[known[:length], column].mean()
    return _floats(pd.DataFrame(seeded).ewm(alpha=1 / length, adjust=False).mean())


def adx(high: Floats, low: Floats, ranges: Floats, length: int) -> Floats:
    """Average directional index: how one-sided the moves are, 0 to 100, whichever the side."""
    up, down = np.full_like(high, np.nan), np.full_like(high, np.nan)
    rises, falls = high[1:] - high[:-1], low[:-1] - low[1:]
    missing = np.isnan(rises) | np.isnan(falls)
    up[1:] = np.where(missing, np.nan, np.where((rises > falls) & (rises > 0), rises, 0.0))
    down[1:] = np.where(missing, np.nan, np.where((falls > rises) & (falls > 0), falls, 0.0))
    span = wilder(np.where(np.isnan(up), np.nan, ranges), length)
    plus, minus = (100.0 * _ratio(wilder(moves, length), span) for moves in (up, down))
    both = plus + minus
    # Where nothing moved either way there is no direction at all.
    index = np.where(both == 0, 0.0, 100.0 * np.abs(plus - minus) / both)
    return wilder(index, length)


def _rsi(close: pd.Series, length: int) -> Floats:
    found = RSIIndicator(close, length).rsi()
    # A price that has not moved at all is neither strong nor weak; `ta` says 100.
    prices = close.to_numpy()
    moves = np.cumsum(np.append(True, prices[1:] != prices[:-1]))  # A missing price differs from everything.
    still = np.zeros(len(prices), dtype=bool)
    still[length:] = moves[length:] == moves[:-length]
    return _floats(np.where(still, 50.0, found))


def _bands(close: Floats, config: Indicators) -> tuple[Floats, Floats, Floats]:
    bands = BollingerBands(pd.Series(close), config.bollinger, config.bollinger_width)
    low, mid, high = bands.bollinger_lband(), bands.bollinger_mavg(), bands.bollinger_hband()
    return _floats(low), _floats(mid), _floats(high)


def _mean(values: Floats, length: int) -> Floats:
    return _floats(pd.DataFrame(values).rolling(length).mean())


def _slope_pct(average: Floats, length: int) -> Floats:
    slope = np.full_like(average, np.nan)
    slope[length:] = 100.0 * (average[length:] / average[:-length] - 1.0) / length
    return slope


def _volatility_pct(close: Floats, length: int) -> Floats:
    returns = np.full_like(close, np.nan)
    returns[1:] = np.log(close[1:] / close[:-1])
    return _floats(100.0 * pd.DataFrame(returns).rolling(length).std(ddof=0))


def _chop(high: Floats, low: Floats, ranges: Floats, length: int) -> Floats:
    """100 * log10(sum of true ranges / (highest high - lowest low)) / log10(length). Source: E. W. Dreiss."""
    total = _floats(pd.DataFrame(ranges).rolling(length).sum())
    top, bottom = _extreme(np.maximum, high, length), _extreme(np.minimum, low, length)
    return _floats(100.0 * np.log10(_ratio(total, top - bottom)) / np.log10(length))


def _extreme(greater: np.ufunc, values: Floats, length: int) -> Floats:
    """The highest (np.maximum) or lowest (np.minimum) of the last `length` rows; missing where one of them is.

    Windows of 1, 2, 4 … rows are joined, the last two of them overlapping: much faster than a window that is moved.
    """
    found, width = values, 1
    while width < length:
        step = min(width, length - width)
        joined = np.full_like(values, np.nan)
        joined[step:] = greater(found[step:], found[:-step])
        found, width = joined, width + step
    return found


def _ratio(above: Floats, below: Floats) -> Floats:
    """`above` / `below`, missing where there is nothing to divide by."""
    return np.where(below > 0, above / np.where(below > 0, below, 1.0), np.nan)


def _columns(values: Floats, work: Callable[[pd.Series], Floats]) -> Floats:
    found = [work(pd.Series(values[:, column])) for column in range(values.shape[1])]
    return np.column_stack(found) if found else np.empty_like(values)


def _floats(values: object) -> Floats:
    return np.asarray(values, dtype=np.float64)
