"""PURE. The lines of Kraken's OHLCVT files as candles: time,open,high,low,close,volume,trades, no header needed."""

import csv
from collections.abc import Iterable, Iterator

from core.history.rows import DAY_S, CandleRow, HistoryError, interval_words
from core.market.recording import ReplayError, csv_rows, problem_of

_TRADES_MAX = 2**31 - 1


def read_candles(lines: Iterable[str], name: str, interval_s: int) -> Iterator[CandleRow]:
    """The candles of the file called `name`, in ascending order. Raises HistoryError, naming file and row.

    Rows in which nothing traded come as they are; a missing row stays missing.
    """
    # A week of Kraken's begins on a Thursday, as unix time does, but nobody promises it: the day is sure.
    grid_s = min(interval_s, DAY_S)
    last = None
    try:
        for number, at, values, count in csv_rows(lines, name):
            problem = problem_of(at, values, last)
            if not problem and at % grid_s:
                problem = f"its time {at} opens no candle of {interval_words(interval_s)}, which the file's name says"
            trades = _trades(count)
            if not problem and count and trades is None:
                problem = f"its count of trades {count[:20]!r} is no whole number"
            if problem:
                raise HistoryError(f"{name}, row {number}: {problem}")
            last = at
            opening, high, low, close, volume = values
            yield CandleRow(at, opening, high, low, close, volume, trades)
    except (ReplayError, csv.Error) as error:
        raise HistoryError(str(error) if isinstance(error, ReplayError) else f"cannot read {name}: {error}") from error


def _trades(count: str) -> int | None:
    """None for no count, and for what is none."""
    if not count.isascii() or not count.isdigit() or len(count) > len(str(_TRADES_MAX)):
        return None
    return int(count) if int(count) <= _TRADES_MAX else None
