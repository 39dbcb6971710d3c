"""A recorded market: Kraken's own OHLCVT files (CSV, plain or gzipped, no header) and parquet files of candles.

Nothing of a candle is shown before its end, and between candles the market stands still: the clock of a replay jumps
from one end to the next. A missing row is an interval without trades; it is never filled in.
"""

import csv
import gzip
import hashlib
import re
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TextIO, cast

from core.domain.instruments import Instrument
from core.domain.market import Book, Candle, Quote, Tape
from core.domain.money import ONE
from core.domain.orders import Side
from core.exchange.matching import Friction, worse_by_half_spread
from core.market.builtin import COIN_NAMES, builtin_instruments
from core.market.clocks import Clock

_COLUMNS = ("ts", "open", "high", "low", "close", "volume")
_HEADERS = frozenset({"time", "timestamp", "ts"})
_FINGERPRINT = 500
_EARLIEST, _LATEST = 1_230_000_000, 4_100_000_000
"""Unix seconds of about 2009 and 2100: no candle of a coin opened before, none in milliseconds is smaller."""
_SUFFIXES = (".csv", ".csv.gz", ".parquet")
_NAME = re.compile(r"([A-Za-z0-9]{1,10}?)[_-]?(USDT|USDC|USD|EUR|BTC|XBT|ETH)(?:[_-]?(\d+)(M|m|h|d)?)?$")


class ReplayError(Exception):
    """A recording that cannot be read; the message names the file, the row and what would be right."""


@dataclass(slots=True)
class Series:
    """Candles of one symbol as columns; `starts` are their open times in unix seconds, ascending."""

    symbol: str
    interval_s: int = 0
    starts: "array[int]" = field(default_factory=lambda: array("q"))
    prices: "array[float]" = field(default_factory=lambda: array("d"))
    """open, high, low, close, volume of each candle, one after the other."""

    def append(self, start: int, values: Sequence[float]) -> None:
        """Add the next candle."""
        self.starts.append(start)
        self.prices.extend(values)

    def candle(self, index: int) -> Candle:
        """The candle at `index`, with the decimals that the file shows."""
        low = index * 5
        opening, high, lowest, close, volume = (Decimal(repr(value)) for value in self.prices[low : low + 5])
        return Candle(self.symbol, _time(self.starts[index]), self.interval_s, opening, high, lowest, close, volume)

    def closed_by(self, now: datetime) -> int:
        """How many candles have ended by `now`."""
        return bisect_right(self.starts, now.timestamp() - self.interval_s)


def load_series(path: Path) -> list[Series]:
    """Read one file, or every recording in a folder. Raises ReplayError."""
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.name.endswith(_SUFFIXES) and file.is_file())
        series = [_load(file) for file in files]
    elif path.exists():
        series = [_load(path)]
    else:
        raise ReplayError(
            f"there is no recording at {path}; MARKET=replay:PATH takes a CSV or parquet file, or a folder"
        )
    if not series:
        raise ReplayError(f"the folder {path} holds no .csv, .csv.gz or .parquet file")
    _must_fit_together(path, series)
    return series


def _must_fit_together(path: Path, series: Sequence[Series]) -> None:
    if len({one.interval_s for one in series}) > 1:
        found = ", ".join(f"{one.symbol} {one.interval_s} s" for one in series)
        raise ReplayError(f"recordings replayed together must have one interval; {path} has {found}")
    symbols = [one.symbol for one in series]
    twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
    if twice:
        raise ReplayError(f"{path} has more than one recording of {', '.join(twice)}; keep one of each")


def _load(path: Path) -> Series:
    series = Series(_symbol_of(path))
    last = None
    for number, start, values in _parquet_rows(path) if path.name.endswith(".parquet") else _csv_rows(path):
        problem = _problem(start, values, last)
        if problem:
            raise ReplayError(f"{path.name}, row {number}: {problem}")
        last = start
        series.append(start, values)
    if len(series.starts) <= 1:
        raise ReplayError(f"{path.name} has {len(series.starts)} candles; a replay needs two or more")
    series.interval_s = min(after - before for before, after in pairwise(series.starts))
    return series


def _problem(start: int, values: Sequence[float], last: int | None) -> str:
    """What is wrong with a row, empty when nothing is."""
    opening, high, low, close, volume = values
    if not _EARLIEST <= start <= _LATEST or start % 60:
        return f"its time {start} is not the whole minute of a candle's open in unix seconds"
    if last is not None and start <= last:
        return f"its time {start} does not follow {last}; rows must ascend"
    if not (0 < low <= min(opening, close) and max(opening, close) <= high < float("inf")):
        return f"open, high, low, close {list(values[:4])} are not a candle"
    return "" if 0 <= volume < float("inf") else f"its volume {volume} is none"


def _symbol_of(path: Path) -> str:
    stem = path.name
    for suffix in _SUFFIXES:
        stem = stem.removesuffix(suffix)
    match = _NAME.search(stem)
    if match is None:
        raise ReplayError(
            f"cannot tell the symbol of {path.name}; name it like ETHUSD_5.csv or kraken_ETH_USD_5m.parquet"
        )
    base, quote = match.group(1).upper(), match.group(2).upper()
    return f"{COIN_NAMES.get(base.lower(), base)}/{COIN_NAMES.get(quote.lower(), quote)}"


def _open_text(path: Path) -> TextIO:
    if path.name.endswith(".gz"):
        return cast("TextIO", gzip.open(path, "rt", encoding="utf-8", newline=""))
    return path.open(encoding="utf-8", newline="")


Row = tuple[int, int, list[float]]
"""Number in the file, open time, and open, high, low, close, volume."""


def _csv_rows(path: Path) -> Iterator[Row]:
    try:
        with _open_text(path) as file:
            for number, row in enumerate(csv.reader(file), 1):
                if number > 1 or not row or row[0].strip().lower() not in _HEADERS:
                    yield _csv_row(path, number, row)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise ReplayError(f"cannot read {path.name}: {error}") from error


def _csv_row(path: Path, number: int, row: Sequence[str]) -> Row:
    try:
        start, values = int(row[0]), [float(cell) for cell in row[1 : len(_COLUMNS)]]
    except (ValueError, IndexError):
        values = []
    if len(values) < len(_COLUMNS) - 1:
        found = ",".join(row)[:80]
        expected = "time,open,high,low,close,volume,trades"
        raise ReplayError(f"{path.name}, row {number}: expected {expected}, found {found!r}")
    return number, start, values


def _parquet_rows(path: Path) -> Iterator[Row]:
    from pyarrow import ArrowException, parquet  # noqa: PLC0415 - heavy, and only a parquet replay needs it

    try:
        table = parquet.read_table(path, columns=list(_COLUMNS))
    except (ArrowException, OSError, KeyError) as error:
        raise ReplayError(f"cannot read {path.name} as candles (columns {', '.join(_COLUMNS)}): {error}") from error
    columns = [table.column(name).to_pylist() for name in _COLUMNS]
    for number, row in enumerate(zip(*columns, strict=True), 1):
        try:
            yield number, int(row[0]), [float(cell) for cell in row[1:]]
        except (TypeError, ValueError, OverflowError) as error:
            raise ReplayError(f"{path.name}, row {number}: {row} are not numbers") from error


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

    async def candles(self, symbol: str, interval_s: int, count: int) -> Sequence[Candle]:
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
