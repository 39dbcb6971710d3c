"""What all parts of a chart share: its candles as numbers, its span of time, and lines drawn over it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.charts import colours
from core.charts.scale import Tick, time_ticks
from core.charts.sheet import Sheet
from core.charts.values import Chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEFT, RIGHT = 40, 960
"""Where the candles begin and where the column of prices does, in pixels."""
SIZE, SMALL = 19, 16
"""Heights of letters in pixels: a phone shows the picture at about a third of its size."""
BODY = 0.74
"""How much of its interval a candle is wide."""
PIXEL = 0.72
"""One pixel in points, which are the unit of all widths of lines."""
_TIMES = 8
"""About how many times are labelled."""
_GAP = 5
"""A line is not drawn across more missing candles than these: nothing is known of what was there."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A candle in numbers: its place in the chart, its middle in seconds since 1970, its prices."""

    number: int
    at: float
    open: float
    high: float
    low: float
    close: float
    is_closed: bool

    @property
    def colour(self) -> str:
        """Whether it rose."""
        return colours.UP if self.close >= self.open else colours.DOWN


def bars_of(chart: Chart) -> list[Bar]:
    """The candles whose prices are all numbers."""
    bars = []
    for number, candle in enumerate(chart.candles):
        prices = (float(candle.open), float(candle.high), float(candle.low), float(candle.close))
        if all(math.isfinite(price) for price in prices):
            bars.append(Bar(number, candle.at.timestamp() + chart.interval_s / 2, *prices, candle.closed))
    return bars


class View:
    """A chart that has something to show, on its sheet."""

    def __init__(self, sheet: Sheet, chart: Chart, bars: Sequence[Bar]) -> None:
        self.sheet = sheet
        self.chart = chart
        self.bars = bars
        self.first: datetime = min(candle.at for candle in chart.candles)
        self.last: datetime = max(candle.at for candle in chart.candles) + timedelta(seconds=chart.interval_s)
        span = (self.last - self.first).total_seconds()
        # Room for half a mark at each end, and for a look at the newest candle.
        self.times = self.first.timestamp() - 0.01 * span, self.last.timestamp() + 0.02 * span
        self.ticks: list[Tick] = time_ticks(self.first, self.last, _TIMES)

    def x(self, at: float) -> float:
        """The pixel of a moment, in seconds since 1970."""
        start, end = self.times
        return LEFT + (at - start) / (end - start) * (RIGHT - LEFT)

    def box(self, bottom: float, height: float, low: float, high: float) -> "Axes":
        """A place for data over the whole span of time, with values from `low` to `high`, and lines at round times."""
        axes = self.sheet.box(LEFT, bottom, RIGHT - LEFT, height)
        axes.set_xlim(*self.times)
        axes.set_ylim(low, high)
        axes.axhspan(low, high, facecolor=colours.FIELD, edgecolor="none", zorder=-2)
        axes.vlines([tick.at for tick in self.ticks], low, high, colors=colours.GRID, linewidths=PIXEL, zorder=-1)
        return axes

    def curve(self, axes: "Axes", values: Sequence[float], colour: str) -> None:
        """A line through the values, broken where one is missing. One that stands alone is a dot."""
        for piece in self._pieces(values):
            moments = [at for at, _ in piece]
            heights = [value for _, value in piece]
            axes.plot(moments, heights, color=colour, linewidth=2.2 * PIXEL, marker="." if len(piece) == 1 else None)

    def _pieces(self, values: Sequence[float]) -> Iterator[list[tuple[float, float]]]:
        """The values with their times, in runs without a hole."""
        piece: list[tuple[float, float]] = []
        longest = _GAP * self.chart.interval_s
        for candle, value in zip(self.chart.candles, values, strict=True):
            at = candle.at.timestamp() + self.chart.interval_s / 2
            if piece and (not math.isfinite(value) or at - piece[-1][0] > longest):
                yield piece
                piece = []
            if math.isfinite(value):
                piece.append((at, value))
        if piece:
            yield piece


def series(names: Sequence[str]) -> list[tuple[str, str]]:
    """Each name with its colour."""
    return [(name, colours.SERIES[place % len(colours.SERIES)]) for place, name in enumerate(names)]
