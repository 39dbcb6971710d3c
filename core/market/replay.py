"""A recorded market: what a file of candles held, seen at the time of a clock.

Nothing of a candle is shown before its end, and between candles the market stands still: the clock of a replay jumps
from one end to the next. A missing row is an interval without trades; it is never filled in.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from core.domain.instruments import Instrument
from core.domain.market import Book, Candle, Quote, Tape
from core.domain.money import ONE
from core.domain.orders import Side
from core.exchange.matching import Friction, worse_by_half_spread
from core.market.builtin import builtin_instruments
from core.market.clocks import Clock
from core.market.recording import ReplayError, Series, load_series

__all__ = ["ReplayError", "ReplayMarket", "Series", "fingerprint", "first_moment", "load_series"]

_FINGERPRINT = 500


class ReplayMarket:
    """Market data of a recording, seen at the time of `clock`."""

    name = "replay"

    def __init__(self, series: Sequence[Series], clock: Clock, friction: Friction) -> None:
        self._series = {one.symbol: one for one in series}
        self._clock = clock
        self._friction = friction
        known = builtin_instruments()
        self._instruments = {one.symbol: known.get(one.symbol) or _guess(one) for one in series}

    async def instruments(self) -> Mapping[str, Instrument]:
        """The recorded symbols, with Kraken's sizes where they are known."""
        return self._instruments

    async def quotes(self, symbols: Collection[str]) -> Mapping[str, Quote]:
        """The close of the last candle that has ended, half a configured spread on each side."""
        now = self._clock()
        quotes = {}
        for symbol in symbols:
            series = self._series.get(symbol)
            index = series.closed_by(now) if series else 0
            if series is None or index == 0:
                continue
            candle = series.candle(index - 1)
            tick = self._instruments[symbol].tick_size
            bid = worse_by_half_spread(candle.close, Side.SELL, self._friction, tick)
            ask = worse_by_half_spread(candle.close, Side.BUY, self._friction, tick)
            quotes[symbol] = Quote(symbol, bid, ask, candle.close, candle.ends_at, self.name)
        return quotes

    async def book(self, symbol: str) -> Book | None:
        """A recording of candles has no book."""
        del symbol
        return None

    async def status(self, symbol: str) -> str:
        """Always online."""
        del symbol
        return "online"

    async def tape(self, symbol: str, since: datetime) -> Tape:
        """The candles that opened at or after `since` and have ended by now."""
        series = self._series.get(symbol)
        if series is None:
            return Tape(symbol, (), since)
        first = bisect_right(series.starts, since.timestamp() - 1e-6)
        last = series.closed_by(self._clock())
        candles = [series.candle(index) for index in range(first, last)]
        return Tape(symbol, candles, candles[-1].ends_at if candles else since)

    async def candles(self, symbol: str, interval_s: int, count: int, *, patient: bool = False) -> Sequence[Candle]:
        """The last closed candles, at the recording's own interval only."""
        series = self._series.get(symbol)
        if series is None or series.interval_s != interval_s:
            return ()
        last = series.closed_by(self._clock())
        return [series.candle(index) for index in range(max(0, last - count), last)]

    async def close(self) -> None:
        """Nothing to give back."""


def first_moment(series: Sequence[Series]) -> datetime:
    """When the first candle of the recordings has ended: a replay starts there."""
    return min(_time(one.starts[0]) + timedelta(seconds=one.interval_s) for one in series)


def fingerprint(series: Sequence[Series]) -> str:
    """Eight letters that differ for other recordings, whatever their files are called: of their first candles."""
    digest = hashlib.sha256()
    for one in series:
        digest.update(one.symbol.encode())
        digest.update(one.starts[:_FINGERPRINT].tobytes())
        digest.update(one.prices[: 5 * _FINGERPRINT].tobytes())
    return digest.hexdigest()[:8]


def _guess(series: Series) -> Instrument:
    """An instrument for a symbol outside the table: the finest grid that the file's prices show, no minimums."""
    digits = 0
    for index in range(min(500, len(series.starts))):
        exponent = series.candle(index).close.as_tuple().exponent
        digits = max(digits, -exponent if isinstance(exponent, int) else 0)
    tick, lot = ONE.scaleb(-min(digits, 10)), ONE.scaleb(-8)
    return Instrument(series.symbol, tick, lot, lot, Decimal("0.00002"), series.symbol.replace("/", ""))


def _time(unix: int) -> datetime:
    return datetime.fromtimestamp(unix, UTC)
