"""PURE. A candle of the past, which intervals there are, and what is said where the past cannot be read."""

from collections.abc import Iterable
from typing import NamedTuple

from core.domain.market import Candle

DAY_S = 86_400
_LONG_INTERVALS_S = (604_800, 1_296_000)


class HistoryError(Exception):
    """A file of the past that cannot be taken; the message names the file, the row and what would be right."""


class CandleRow(NamedTuple):
    """A closed candle: open time in unix seconds, prices and base volume as floats, trades where they were counted.

    Floats, because the past is for indicators. No order is ever priced with one.
    """

    at: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    trades: int | None = None

    @property
    def is_traded(self) -> bool:
        """False for a row that only fills an interval in which nothing traded."""
        return self.volume > 0 or bool(self.trades)


def of_candles(candles: Iterable[Candle]) -> list[CandleRow]:
    """The market's own candles as rows of the past: the closed ones in which something traded.

    Kraken fills its answers with candles of no volume where its files have nothing; the past is told in one way.
    """
    rows = (
        CandleRow(
            int(one.at.timestamp()), float(one.open), float(one.high), float(one.low), float(one.close),
            float(one.volume),
        )
        for one in candles
        if one.closed
    )  # fmt: skip
    return [row for row in rows if row.is_traded]


def is_interval(interval_s: int) -> bool:
    """True for whole minutes of which a day has a whole number, and for Kraken's 7 and 15 days."""
    return interval_s in _LONG_INTERVALS_S or (interval_s > 0 and interval_s % 60 == 0 and DAY_S % interval_s == 0)


def interval_words(interval_s: int) -> str:
    """5 min, 4 h, 1 d."""
    for unit, seconds in (("d", DAY_S), ("h", 3600)):
        if interval_s % seconds == 0:
            return f"{interval_s // seconds} {unit}"
    return f"{interval_s / 60:g} min"
