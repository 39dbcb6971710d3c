"""PURE. The words in which the strategy thinks: regimes, votes, decisions and their reasons."""

from enum import StrEnum


class Regime(StrEnum):
    """What kind of market it is. UNKNOWN while there is too little history, or a number is missing."""

    TREND_UP = "TREND_UP"
    TREND_DOWN = "TREND_DOWN"
    RANGE = "RANGE"
    VOLATILE = "VOLATILE"
    CHOP = "CHOP"
    UNKNOWN = "UNKNOWN"


class Filter(StrEnum):
    """What is asked about each candle, in the order in which it is asked."""

    RSI = "rsi"
    TREND = "trend"
    VOLUME = "volume"
    VOLATILITY = "volatility"
    CHOP = "chop"
    ATR_SPIKE = "atr_spike"
    TIMEFRAME = "timeframe"


class Vote(StrEnum):
    """What a filter says: for one side, for either, or that nothing is to be begun."""

    LONG = "long"
    SHORT = "short"
    EITHER = "either"
    NEITHER = "neither"
    MISSING = "missing"


class Decision(StrEnum):
    """What the strategy wants. On spot a SHORT is recorded, and only leaves a long that is held."""

    LONG = "LONG"
    SHORT = "SHORT"
    EXIT = "EXIT"
    NO_TRADE = "NO_TRADE"


class Reason(StrEnum):
    """Why it decided so."""

    TREND_LONG = "TREND_LONG"
    TREND_SHORT = "TREND_SHORT"
    RANGE_LONG = "RANGE_LONG"
    RANGE_SHORT = "RANGE_SHORT"
    TREND_TURNED = "TREND_TURNED"
    WARM_UP = "WARM_UP"
    MISSING_NUMBERS = "MISSING_NUMBERS"
    VOLATILE_MARKET = "VOLATILE_MARKET"
    CHOPPY_MARKET = "CHOPPY_MARKET"
    RSI_AGAINST = "RSI_AGAINST"
    TREND_AGAINST = "TREND_AGAINST"
    VOLUME_TOO_LOW = "VOLUME_TOO_LOW"
    VOLATILITY_TOO_HIGH = "VOLATILITY_TOO_HIGH"
    TOO_CHOPPY = "TOO_CHOPPY"
    ATR_SPIKE = "ATR_SPIKE"
    TIMEFRAME_AGAINST = "TIMEFRAME_AGAINST"
    INSIDE_THE_BANDS = "INSIDE_THE_BANDS"
    MISSED = "MISSED"
    """Nobody looked while the candle was fresh; it is not traded late."""


AGAINST = {
    Filter.RSI: Reason.RSI_AGAINST,
    Filter.TREND: Reason.TREND_AGAINST,
    Filter.VOLUME: Reason.VOLUME_TOO_LOW,
    Filter.VOLATILITY: Reason.VOLATILITY_TOO_HIGH,
    Filter.CHOP: Reason.TOO_CHOPPY,
    Filter.ATR_SPIKE: Reason.ATR_SPIKE,
    Filter.TIMEFRAME: Reason.TIMEFRAME_AGAINST,
}
"""What a filter's veto is called."""
