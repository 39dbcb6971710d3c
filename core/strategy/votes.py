"""PURE. The filters: each looks at its own numbers and says long, short, either side, or neither."""

from collections.abc import Mapping

import numpy as np

from core.strategy.config import Filters
from core.strategy.indicators import Figures
from core.strategy.panel import Floats, Panel
from core.strategy.regime import REGIMES, Codes, Holds
from core.strategy.words import Filter, Regime, Vote

VOTES = tuple(Vote)
"""A vote's number is its place here."""


def votes(panel: Panel, found: Figures, kinds: Codes, config: Filters, longer: Floats | None) -> Mapping[Filter, Codes]:
    """Every filter's vote for each cell. `longer`: the direction of the longer timeframe, if one is asked."""
    answers = {
        Filter.RSI: _rsi(found, kinds, config),
        Filter.TREND: _sides(panel.close > found.sma_fast, panel.close < found.sma_fast, found.sma_fast),
        Filter.VOLUME: _limit(found.volume_ratio >= config.volume_ratio_min, found.volume_ratio),
        Filter.VOLATILITY: _limit(found.volatility_pct <= config.volatility_max_pct, found.volatility_pct),
        Filter.CHOP: _limit(found.chop <= config.chop_max, found.chop),
        Filter.ATR_SPIKE: _limit(found.atr_ratio <= config.atr_spike_max, found.atr_ratio),
    }
    if longer is not None:
        answers[Filter.TIMEFRAME] = _sides(longer > 0, longer < 0, longer)
    return answers


def passes(vote: Codes, side: Vote) -> Holds:
    """Where a vote lets this side begin."""
    return np.isin(vote, (VOTES.index(side), VOTES.index(Vote.EITHER)))


def _rsi(found: Figures, kinds: Codes, config: Filters) -> Codes:
    """Strong but not exhausted with a trend; weak at the lower band of a range, strong at its upper one."""
    rsi = found.rsi
    in_range = kinds == REGIMES.index(Regime.RANGE)
    with_trend = (rsi >= config.trend_rsi_min) & (rsi <= config.trend_rsi_max)
    against = (rsi <= 100 - config.trend_rsi_min) & (rsi >= 100 - config.trend_rsi_max)
    up = np.where(in_range, rsi <= config.range_rsi_max, with_trend)
    down = np.where(in_range, rsi >= 100 - config.range_rsi_max, against)
    return _sides(up, down, rsi)


def _sides(up: Holds, down: Holds, number: Floats) -> Codes:
    """Long, short, either where both hold, neither where none does; missing where the number is."""
    holds = [np.isnan(number), up & down, up, down]
    names = [Vote.MISSING, Vote.EITHER, Vote.LONG, Vote.SHORT]
    return np.select(holds, [VOTES.index(name) for name in names], VOTES.index(Vote.NEITHER)).astype(np.int8)


def _limit(holds: Holds, number: Floats) -> Codes:
    """Either side where the limit is kept, neither where it is not."""
    return _sides(holds, holds, number)
