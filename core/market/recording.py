"""Recordings of candles: Kraken's own OHLCVT files (CSV, plain or gzipped, no header) and parquet files, as columns.

A missing row is an interval without trades; it is never filled in. What is wrong with a file is told by file and row.
"""

import csv
import gzip
import re
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TextIO, cast

from core.domain.market import Candle
from core.market.builtin import COIN_NAMES

_COLUMNS = ("ts", "open", "high", "low", "close", "volume")
_HEADERS = frozenset({"time", "timestamp", "ts"})
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
    for number, start, values, _ in _parquet_rows(path) if path.name.endswith(".parquet") else _csv_file(path):
        problem = problem_of(start, values, last)
        if problem:
            raise ReplayError(f"{path.name}, row {number}: {problem}")
        last = start
        series.append(start, values)
    if len(series.starts) <= 1:
        raise ReplayError(f"{path.name} has {len(series.starts)} candles; a replay needs two or more")
    series.interval_s = min(after - before for before, after in pairwise(series.starts))
    return series


def problem_of(start: int, values: Sequence[float], last: int | None) -> str:
    """What is wrong with a row, empty when nothing is."""
    opening, high, low, close, volume = values
    if problem_of_time(start) or start % 60:
        return f"its time {start} is not the whole minute of a candle's open in unix seconds"
    if last is not None and start <= last:
        return f"its time {start} does not follow {last}; rows must ascend"
    if not (0 < low <= min(opening, close) and max(opening, close) <= high < float("inf")):
        return f"open, high, low, close {list(values[:4])} are not a candle"
    return "" if 0 <= volume < float("inf") else f"its volume {volume} is none"


def problem_of_time(at: float) -> str:
    """What is wrong with a time in unix seconds, empty when nothing is."""
    return "" if _EARLIEST <= at <= _LATEST else f"its time {at:.6f} is not in unix seconds since 2009"


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


Row = tuple[int, int, list[float], str]
"""Number in the file, open time, open, high, low, close, volume, and the count of trades as written, "" for none."""


def csv_rows(lines: Iterable[str], name: str) -> Iterator[Row]:
    """The rows of an OHLCVT file called `name`; a header is skipped. Raises ReplayError for what are not numbers."""
    for number, row in enumerate(csv.reader(lines), 1):
        if number > 1 or not is_header(row):
            yield _csv_row(name, number, row)


def is_header(row: Sequence[str]) -> bool:
    """True for a row of column names."""
    return bool(row) and row[0].strip().lower() in _HEADERS


def _csv_file(path: Path) -> Iterator[Row]:
    try:
        with _open_text(path) as file:
            yield from csv_rows(file, path.name)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise ReplayError(f"cannot read {path.name}: {error}") from error


def _csv_row(name: str, number: int, row: Sequence[str]) -> Row:
    try:
        start, values = int(row[0]), [float(cell) for cell in row[1 : len(_COLUMNS)]]
    except (ValueError, IndexError):
        values = []
    if len(values) < len(_COLUMNS) - 1:
        found = ",".join(row)[:80]
        expected = "time,open,high,low,close,volume,trades"
        raise ReplayError(f"{name}, row {number}: expected {expected}, found {found!r}")
    return number, start, values, row[len(_COLUMNS)] if len(row) > len(_COLUMNS) else ""


def _parquet_rows(path: Path) -> Iterator[Row]:
    from pyarrow import ArrowException, parquet  # noqa: PLC0415 - heavy, and only a parquet replay needs it

    try:
        table = parquet.read_table(path, columns=list(_COLUMNS))
    except (ArrowException, OSError, KeyError) as error:
        raise ReplayError(f"cannot read {path.name} as candles (columns {', '.join(_COLUMNS)}): {error}") from error
    columns = [table.column(name).to_pylist() for name in _COLUMNS]
    for number, row in enumerate(zip(*columns, strict=True), 1):
        try:
            yield number, int(row[0]), [float(cell) for cell in row[1:]], ""
        except (TypeError, ValueError, OverflowError) as error:
            raise ReplayError(f"{path.name}, row {number}: {row} are not numbers") from error


def _time(unix: int) -> datetime:
    return datetime.fromtimestamp(unix, UTC)
