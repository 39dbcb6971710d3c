"""PURE. Trades as candles: what traded within an interval makes its candle, and where nothing traded there is none."""

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from core.history.rows import CandleRow, HistoryError
from core.market.recording import is_header, problem_of_time

_EXPECTED = "time,price,volume with the time in unix seconds or like 2021-03-28 00:02:26.905800 (UTC)"
_CELLS = 3


class Trade(NamedTuple):
    """One execution of the market: unix seconds with their fraction, price, base volume."""

    at: float
    price: float
    volume: float


def from_trades(trades: Iterable[Trade], interval_s: int) -> Iterator[CandleRow]:
    """The candles of `interval_s` seconds that `trades`, in ascending order of time, make; one pass, no memory.

    An interval without trades has no candle. The first and the last one know only the trades that were given. Raises
    ValueError for trades out of order.
    """
    at, opening, high, low, close, volume, count = -1, 0.0, 0.0, 0.0, 0.0, 0.0, 0
    for trade in trades:
        start = int(trade.at // interval_s) * interval_s
        price = trade.price
        if start != at:
            if start < at:
                raise ValueError(f"a trade at {trade.at} came after one at or after {at}")
            if count:
                yield CandleRow(at, opening, high, low, close, volume, count)
            at, opening, high, low, volume, count = start, price, price, price, 0.0, 0
        high, low, close = max(high, price), min(low, price), price
        volume += trade.volume
        count += 1
    if count:
        yield CandleRow(at, opening, high, low, close, volume, count)


def candles_of_trades(lines: Iterable[str], name: str, interval_s: int) -> Iterator[CandleRow]:
    """The candles that the lines of a file of trades make. Raises HistoryError, naming file and row."""
    return from_trades(read_trades(lines, name), interval_s)


def read_trades(lines: Iterable[str], name: str) -> Iterator[Trade]:
    """The trades of Kraken's file called `name`: time, price, volume, more columns if it likes, a header or none.

    Raises HistoryError, naming file and row, for what is no trade or does not follow the one before.
    """
    last = 0.0
    try:
        for number, row in enumerate(csv.reader(lines), 1):
            if number == 1 and is_header(row):
                continue
            trade = _trade(row)
            if trade is None:
                found = ",".join(row)[:80]
                raise HistoryError(f"{name}, row {number}: expected {_EXPECTED}, found {found!r}")
            problem = _problem(trade, last)
            if problem:
                raise HistoryError(f"{name}, row {number}: {problem}")
            last = trade.at
            yield trade
    except csv.Error as error:
        raise HistoryError(f"cannot read {name}: {error}") from error


def _trade(row: Sequence[str]) -> Trade | None:
    if len(row) < _CELLS:
        return None
    try:
        return Trade(_unix(row[0].strip()), float(row[1]), float(row[2]))
    except (ValueError, OverflowError):
        return None


def _unix(text: str) -> float:
    """Unix seconds of either way to write a time. A time without a zone is UTC, as Kraken's are."""
    if "-" not in text[1:]:
        return float(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _problem(trade: Trade, last: float) -> str:
    """What is wrong with a trade, empty when nothing is."""
    wrong_time = problem_of_time(trade.at)
    if wrong_time:
        return wrong_time
    if trade.at < last:
        return f"its time {trade.at} does not follow {last}; trades must ascend"
    if not 0 < trade.price < math.inf:
        return f"its price {trade.price} is none"
    return "" if 0 <= trade.volume < math.inf else f"its volume {trade.volume} is none"
