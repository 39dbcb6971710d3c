"""A generated market: prices as a pure function of seed, coin and time.

Each coin's log price is a sum of smooth noises, one per time scale from five seconds to two weeks, whose sizes grow
with the square root of the scale, as those of a random walk do. Every four hours a regime (quiet, range, trend,
volatile, chop) makes the fast scales larger or smaller. Because nothing is drawn in sequence, any moment can be
asked for at any time, twice the same, and no state has to be stored.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from core.domain.instruments import Instrument
from core.domain.market import Book, BookLevel, Candle, Print, Quote, Tape
from core.domain.money import ceil_to, floor_to, percent_of
from core.market.builtin import PRICE_LEVELS, builtin_instruments
from core.market.clocks import Clock

STEP_S = 5
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_OCTAVES = tuple((4**k, 0.00021 * 2**k) for k in range(10))
"""(period in steps, standard deviation of the log price) of each time scale."""
_FAST = 5
"""Scales below this index (up to 21 minutes) are those that a regime stretches."""
_REGIME_STEPS = 4 * 3600 // STEP_S
_REGIMES = (0.5, 0.8, 1.0, 1.0, 1.4, 2.2)
"""Sizes of the fast scales in the regimes: quiet, range, trend up, trend down, chop, volatile."""
_HALF_SPREAD_PCT = Decimal("0.02")
_LEVELS = 20
_EUR_IN_USD = 1.09
_MASK = (1 << 64) - 1
MAX_STEPS = 20_000


def _mix(value: int) -> int:
    """SplitMix64's finaliser: spreads the bits of an integer over 64."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


@lru_cache(maxsize=20_000)
def _uniform(key: int, index: int) -> float:
    """A number in [0, 1) that depends on nothing but its arguments."""
    return _mix(key ^ _mix(index & _MASK)) / 2.0**64


@lru_cache(maxsize=20_000)
def _bell(key: int, index: int) -> float:
    """Roughly normal, mean 0, deviation 1: three uniforms, scaled."""
    return (_uniform(key, 3 * index) + _uniform(key, 3 * index + 1) + _uniform(key, 3 * index + 2) - 1.5) * 2.0


def _noise(key: int, step: int, period: int) -> float:
    """Smooth noise with one independent value each `period` steps."""
    if period == 1:
        return _bell(key, step)
    index, offset = divmod(step, period)
    part = offset / period
    weight = part * part * (3.0 - 2.0 * part)
    return _bell(key, index) * (1.0 - weight) + _bell(key, index + 1) * weight


class GeneratedMarket:
    """Market data of the generated market, seen at the time of `clock`."""

    name = "generated"

    def __init__(self, seed: int, clock: Clock) -> None:
        self.seed = seed
        self._clock = clock
        self._instruments = builtin_instruments()
        self._keys = {
            coin: _mix(seed ^ int.from_bytes(coin.encode().ljust(8, b"\0")[:8], "big")) for coin in PRICE_LEVELS
        }
        self._books: dict[str, tuple[int, Book]] = {}
        self._candles: dict[tuple[str, int], dict[int, Candle]] = {}

    async def instruments(self) -> Mapping[str, Instrument]:
        """The built-in table."""
        return self._instruments

    async def quotes(self, symbols: Collection[str]) -> Mapping[str, Quote]:
        """Quotes of now; symbols that this market does not have are left out."""
        step = self._step(self._clock())
        return {
            symbol: self._quote(self._instruments[symbol], step) for symbol in symbols if symbol in self._instruments
        }

    async def book(self, symbol: str) -> Book | None:
        """A ladder around the mid: thin near it, thicker further away."""
        instrument = self._instruments.get(symbol)
        if instrument is None:
            return None
        step = self._step(self._clock())
        known = self._books.get(symbol)
        if known is None or known[0] != step:
            known = self._books[symbol] = (step, self._ladder(instrument, step))
        return known[1]

    def _ladder(self, instrument: Instrument, step: int) -> Book:
        quote, tick = self._quote(instrument, step), instrument.tick_size
        dollars = self._dollars(instrument.base, step)
        bids = [floor_to(quote.bid - percent_of(quote.bid, _HALF_SPREAD_PCT * n), tick) for n in range(_LEVELS)]
        asks = [ceil_to(quote.ask + percent_of(quote.ask, _HALF_SPREAD_PCT * n), tick) for n in range(_LEVELS)]
        depths = [self._depth(instrument, step, n, dollars) for n in range(2 * _LEVELS)]
        return Book(
            instrument.symbol,
            tuple(BookLevel(price, depths[n]) for n, price in enumerate(bids) if price > 0),
            tuple(BookLevel(price, depths[n + _LEVELS]) for n, price in enumerate(asks)),
            quote.at,
        )

    async def status(self, symbol: str) -> str:
        """Always online."""
        del symbol
        return "online"

    async def tape(self, symbol: str, since: datetime) -> Tape:
        """One print a step after `since`, up to now."""
        now = self._clock()
        instrument = self._instruments.get(symbol)
        first, last = self._step(since) + 1, self._step(now)
        if instrument is None or first > last:
            return Tape(symbol, (), since)
        last = min(last, first + MAX_STEPS)
        prints = [self._print(instrument, step) for step in range(first, last + 1)]
        return Tape(symbol, prints, _time(last))

    async def candles(self, symbol: str, interval_s: int, count: int, *, patient: bool = False) -> Sequence[Candle]:
        """Closed candles made of the same prints that the tape shows."""
        instrument = self._instruments.get(symbol)
        if instrument is None:
            return ()
        memory = self._candles.setdefault((symbol, interval_s), {})
        end = int((self._clock() - _EPOCH).total_seconds()) // interval_s
        for index in [known for known in memory if known < end - count]:
            del memory[index]
        for index in range(end - count, end):
            if index not in memory:
                memory[index] = self._candle(instrument, interval_s, index)
        return [memory[index] for index in range(end - count, end)]

    async def close(self) -> None:
        """Nothing to give back."""

    # -- the path ----------------------------------------------------------------------------------------------

    @staticmethod
    def _step(at: datetime) -> int:
        return int((at - _EPOCH).total_seconds() // STEP_S)

    def _dollars(self, coin: str, step: int) -> float:
        key = self._keys[coin]
        stretch = self._stretch(key, step)
        log = 0.0
        for number, (period, size) in enumerate(_OCTAVES):
            log += _noise(key + number + 1, step, period) * size * (stretch if number < _FAST else 1.0)
        calm = 0.02 if coin in {"USDT", "USDC"} else 1.0
        return PRICE_LEVELS[coin] * math.exp(log * calm)

    @staticmethod
    def _stretch(key: int, step: int) -> float:
        index, offset = divmod(step, _REGIME_STEPS)
        here = _REGIMES[int(_uniform(key, index) * len(_REGIMES))]
        then = _REGIMES[int(_uniform(key, index + 1) * len(_REGIMES))]
        part = offset / _REGIME_STEPS
        weight = part**8
        return here * (1.0 - weight) + then * weight

    def _raw(self, instrument: Instrument, step: int) -> float:
        price = self._dollars(instrument.base, step)
        if instrument.quote == "USD":
            return price
        return price / (_EUR_IN_USD if instrument.quote == "EUR" else self._dollars(instrument.quote, step))

    def _last(self, instrument: Instrument, step: int) -> Decimal:
        price = instrument.price(Decimal(repr(self._raw(instrument, step))))
        return max(price, instrument.tick_size)

    def _quote(self, instrument: Instrument, step: int) -> Quote:
        last, tick = self._last(instrument, step), instrument.tick_size
        half = percent_of(last, _HALF_SPREAD_PCT)
        bid = max(tick, floor_to(last - half, tick))
        return Quote(instrument.symbol, bid, ceil_to(last + half, tick), last, _time(step), self.name)

    def _depth(self, instrument: Instrument, step: int, level: int, dollars: float) -> Decimal:
        worth = 8_000.0 * (1.0 + level % _LEVELS) * (0.5 + _uniform(self._keys[instrument.base] + 77 + level, step))
        return self._worth(instrument, worth / dollars)

    def _print(self, instrument: Instrument, step: int) -> Print:
        worth = 3_000.0 + 60_000.0 * _uniform(self._keys[instrument.base] + 99, step) ** 3
        quantity = self._worth(instrument, worth / self._dollars(instrument.base, step))
        return Print(instrument.symbol, self._last(instrument, step), quantity, _time(step))

    @staticmethod
    def _worth(instrument: Instrument, coins: float) -> Decimal:
        return max(instrument.quantity(Decimal(repr(coins))), instrument.lot_size)

    def _candle(self, instrument: Instrument, interval_s: int, index: int) -> Candle:
        first = index * interval_s // STEP_S
        prints = [self._print(instrument, step) for step in range(first, first + interval_s // STEP_S)]
        prices = [event.price for event in prints]
        volume = sum((event.quantity for event in prints), Decimal(0))
        at = _EPOCH + timedelta(seconds=index * interval_s)
        return Candle(instrument.symbol, at, interval_s, prices[0], max(prices), min(prices), prices[-1], volume)


def _time(step: int) -> datetime:
    return _EPOCH + timedelta(seconds=step * STEP_S)
