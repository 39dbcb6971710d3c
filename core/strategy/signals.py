"""PURE. From candles to decisions: trends are followed, ranges traded at their bands, everything else is left alone.

`signals` is vectorised and causal: what it says of a row depends on that row and earlier ones. The bot uses its last
row.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.strategy.config import TradingConfig
from core.strategy.indicators import Figures, figures
from core.strategy.longer import direction
from core.strategy.panel import NO_TIME, Floats, Panel
from core.strategy.regime import REGIMES, Codes, Holds, regimes
from core.strategy.votes import VOTES, passes, votes
from core.strategy.words import AGAINST, Decision, Filter, Reason, Regime, Vote

DECISIONS = tuple(Decision)
REASONS = tuple(Reason)
"""The number of a decision or reason is its place here."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What the strategy says of one closed candle, with everything that it looked at. None is a missing number."""

    symbol: str
    at: int
    """Open time of the candle in unix seconds."""
    close: float | None
    regime: Regime
    figures: Mapping[str, float | None]
    votes: Mapping[Filter, Vote]
    decision: Decision
    reason: Reason


@dataclass(frozen=True, slots=True)
class Signals:
    """The same for every cell of a panel, as numbers."""

    panel: Panel
    figures: Figures
    regimes: Codes
    votes: Mapping[Filter, Codes]
    decisions: Codes
    reasons: Codes
    longer: Floats | None = None
    """The direction of the longer timeframe, where one is asked."""

    def at(self, row: int, symbol: str) -> Signal:
        """One cell in words; `row` may count from the end. Raises ValueError for a symbol that is not there."""
        column = self.panel.symbols.index(symbol)
        found = dict(self.figures.as_mapping())
        if self.longer is not None:
            found["longer"] = self.longer
        return Signal(
            symbol=symbol,
            at=int(self.panel.times[row, column]),
            close=_known(self.panel.close[row, column]),
            regime=REGIMES[self.regimes[row, column]],
            figures={name: _known(values[row, column]) for name, values in found.items()},
            votes={name: VOTES[codes[row, column]] for name, codes in self.votes.items()},
            decision=DECISIONS[self.decisions[row, column]],
            reason=REASONS[self.reasons[row, column]],
        )

    def last(self, symbol: str) -> Signal | None:
        """The newest candle of a symbol; None where it has none."""
        column = self.panel.symbols.index(symbol)
        if self.panel.rows == 0 or self.panel.times[-1, column] == NO_TIME:
            return None
        return self.at(-1, symbol)


def signals(panel: Panel, config: TradingConfig) -> Signals:
    """What the strategy says of every closed candle of `panel`."""
    found = figures(panel, config.indicators)
    kinds = regimes(found, config.regimes)
    longer = direction(panel, config.confirm_s, config.indicators) if config.confirm_s else None
    answers = votes(panel, found, kinds, config.filters, longer)
    decisions, reasons = _decide(panel, found, kinds, answers, config)
    return Signals(panel, found, kinds, answers, decisions, reasons, longer)


def _decide(
    panel: Panel, found: Figures, kinds: Codes, answers: Mapping[Filter, Codes], config: TradingConfig
) -> tuple[Codes, Codes]:
    """The first rule that holds decides; the last one leaves alone what no rule speaks of."""
    rules: list[tuple[Holds, Decision, Reason]] = [
        (_warms_up(panel, config), Decision.NO_TRADE, Reason.WARM_UP),
        (_is(kinds, Regime.UNKNOWN), Decision.NO_TRADE, Reason.MISSING_NUMBERS),
        (_is(kinds, Regime.VOLATILE), Decision.NO_TRADE, Reason.VOLATILE_MARKET),
        (_is(kinds, Regime.CHOP), Decision.NO_TRADE, Reason.CHOPPY_MARKET),
    ]
    up, down, within = (_is(kinds, one) for one in (Regime.TREND_UP, Regime.TREND_DOWN, Regime.RANGE))
    at_low, at_high = _at_bands(panel.close, found, config)
    rules.append((within & ~at_low & ~at_high, Decision.NO_TRADE, Reason.INSIDE_THE_BANDS))
    rules += _vetoes(up, answers, Vote.LONG, Decision.NO_TRADE)
    # With the trend turned a long is left, whether or not a short would be begun where shorts are.
    rules += _vetoes(down, answers, Vote.SHORT, Decision.EXIT)
    rules += _vetoes(within & at_low, _without_trend(answers), Vote.LONG, Decision.NO_TRADE)
    rules += _vetoes(within & at_high, _without_trend(answers), Vote.SHORT, Decision.NO_TRADE)
    rules += [
        (up, Decision.LONG, Reason.TREND_LONG),
        (down, Decision.SHORT, Reason.TREND_SHORT),
        (within & at_low, Decision.LONG, Reason.RANGE_LONG),
        (within & at_high, Decision.SHORT, Reason.RANGE_SHORT),
    ]
    holds, said, why = zip(*rules, strict=True)
    decisions = np.select(holds, [DECISIONS.index(one) for one in said], DECISIONS.index(Decision.NO_TRADE))
    reasons = np.select(holds, [REASONS.index(one) for one in why], REASONS.index(Reason.MISSING_NUMBERS))
    return decisions.astype(np.int8), reasons.astype(np.int8)


def _is(kinds: Codes, regime: Regime) -> Holds:
    return np.equal(kinds, REGIMES.index(regime))


def _warms_up(panel: Panel, config: TradingConfig) -> Holds:
    """True for the first rows of each column, until every indicator could be complete."""
    seen = np.cumsum(panel.times != NO_TIME, axis=0)
    return np.asarray(seen <= config.indicators.warm_up, dtype=np.bool_)


def _at_bands(close: Floats, found: Figures, config: TradingConfig) -> tuple[Holds, Holds]:
    """Where the close is at, or beyond, the lower and the upper band."""
    touch = config.filters.band_touch
    low = close <= found.band_low + touch * (found.band_mid - found.band_low)
    high = close >= found.band_high - touch * (found.band_high - found.band_mid)
    flat = found.band_high <= found.band_low
    return low & ~flat, high & ~flat


def _without_trend(answers: Mapping[Filter, Codes]) -> Mapping[Filter, Codes]:
    """At the band of a range the price stands against its short average, and that is the point."""
    return {name: vote for name, vote in answers.items() if name is not Filter.TREND}


def _vetoes(
    where: Holds,
    answers: Mapping[Filter, Codes],
    side: Vote,
    otherwise: Decision,
) -> list[tuple[Holds, Decision, Reason]]:
    """A rule for each filter that does not let `side` begin, in the order of the filters."""
    rules: list[tuple[Holds, Decision, Reason]] = []
    for name, vote in answers.items():
        reason = Reason.TREND_TURNED if otherwise is Decision.EXIT else AGAINST[name]
        rules.append((where & (vote == VOTES.index(Vote.MISSING)), Decision.NO_TRADE, Reason.MISSING_NUMBERS))
        rules.append((where & ~passes(vote, side), otherwise, reason))
    return rules


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
