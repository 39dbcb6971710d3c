"""PURE. Candles as numbers: one column for each symbol, one row for each closed candle, the newest last.

Rows are counted, not timed: an interval without trades has no row, in Kraken's data as here. Symbols with less history
have missing rows at the top. Missing is NaN here and "N/A" wherever a person reads it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from core.domain.market import Candle

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NO_TIME = -1


@dataclass(frozen=True, slots=True)
class Panel:
    """`times` are open times in unix seconds (NO_TIME where there is no row); all arrays are rows by symbols."""

    symbols: tuple[str, ...]
    interval_s: int
    times: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    @property
    def rows(self) -> int:
        """How many rows there are, missing ones included."""
        return int(self.times.shape[0])

    def head(self, rows: int) -> "Panel":
        """The oldest `rows` rows: what was known when they were the last."""
        return self._part(slice(None, rows))

    def tail(self, rows: int) -> "Panel":
        """The newest `rows` rows: a shorter history."""
        return self._part(slice(max(0, self.rows - rows), None))

    def _part(self, rows: slice) -> "Panel":
        values = (part[rows] for part in (self.open, self.high, self.low, self.close, self.volume))
        return Panel(self.symbols, self.interval_s, self.times[rows], *values)


def panel_of(candles: Mapping[str, Sequence[Candle]], interval_s: int) -> Panel:
    """The closed candles of each symbol, oldest first, aligned at their newest."""
    symbols = tuple(candles)
    closed = {symbol: [one for one in candles[symbol] if one.closed] for symbol in symbols}
    rows = max((len(found) for found in closed.values()), default=0)
    at = np.full((rows, len(symbols)), NO_TIME, dtype=np.int64)
    values = np.full((5, rows, len(symbols)), np.nan)
    for column, symbol in enumerate(symbols):
        found = closed[symbol]
        if not found:
            continue
        first = rows - len(found)
        at[first:, column] = [int(one.at.timestamp()) for one in found]
        values[:, first:, column] = _cells(found)
    return Panel(symbols, interval_s, at, *values)


def _cells(candles: Sequence[Candle]) -> Floats:
    """Open, high, low, close, volume of each: five rows. What is no number is missing."""
    rows = [(one.open, one.high, one.low, one.close, one.volume) for one in candles]
    try:
        cells = np.array(rows, dtype=np.float64)
    except (TypeError, ValueError):
        cells = np.array([[number(cell) for cell in row] for row in rows])
    return np.asarray(np.where(np.isfinite(cells), cells, np.nan).T)


def number(value: object) -> float:
    """A finite float, or NaN for whatever is none: None, text that says no number, an infinity.

    Text may be written for people: "1,234.50", " 5 ", "12%".
    """
    if isinstance(value, bool) or value is None:
        return math.nan
    if isinstance(value, str):
        value = value.strip().removesuffix("%").replace(",", "").replace("_", "")
    if not isinstance(value, str | int | float | Decimal | np.floating | np.integer):
        return math.nan
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return math.nan
    return found if math.isfinite(found) else math.nan
