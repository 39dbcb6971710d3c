"""The price: candles with what lies over them, the axes, and tags for what holds now."""

from typing import TYPE_CHECKING

from core.charts import colours
from core.charts.scale import decimals_of, price_text, spread, value_range, value_ticks
from core.charts.values import Mark, MarkKind
from core.charts.view import BODY, LEFT, PIXEL, RIGHT, SIZE, SMALL, View, series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PRICE_EVERY = 40
"""Prices are labelled at least so many pixels apart."""
_TAG_GAP, _TIGHT_GAP = 42, 22
_TICK_GAP = 33
"""Pixels that a tag keeps from the next one, and from a tick's label."""
_THIN = 1.4
"""The least height of a body and the width of a wick, in pixels."""
_MARK = 19
_LEGEND_GAP = 22
_LEGEND_UP = 20
_UNDER = {MarkKind.ENTRY}
"""Marks that point up, from below."""


class PricePart:
    """The upper part of a chart, between two heights in pixels."""

    def __init__(self, view: View, bottom: float, top: float) -> None:
        self._view = view
        self._chart = view.chart
        self._bottom, self._top = bottom, top
        self._most = max(4, int((top - bottom) / _PRICE_EVERY))
        marks = [mark for mark in view.chart.marks if view.first <= mark.at <= view.last]
        self._levels = [level for level in view.chart.levels if level.price.is_finite()]
        extras = [float(level.price) for level in self._levels] + [float(mark.price) for mark in marks]
        extras += [value for values in view.chart.lines.values() for value in values]
        self._low, self._high = value_range([price for bar in view.bars for price in (bar.low, bar.high)], extras)
        self._marks = [mark for mark in marks if self._low <= float(mark.price) <= self._high]

    def paint(self) -> None:
        """Paint it, what matters most on top."""
        view = self._view
        axes = view.box(self._bottom, self._top - self._bottom, self._low, self._high)
        self._price_axis(axes, self._tags())
        self._candles(axes)
        for name, colour in series(list(self._chart.lines)):
            view.curve(axes, self._chart.lines[name], colour)
        self._level_lines(axes)
        for mark in self._marks:
            self._mark(axes, mark)
        self._legend()

    def _y(self, price: float) -> float:
        """The pixel of a price."""
        return self._bottom + (price - self._low) / (self._high - self._low) * (self._top - self._bottom)

    # -- axes --------------------------------------------------------------------------------------------------

    def _price_axis(self, axes: "Axes", tags: list[float]) -> None:
        """Lines and labels at round prices; a label that a tag would cover is left out."""
        ticks = value_ticks(self._low, self._high, self._most)
        axes.hlines([tick.at for tick in ticks], *self._view.times, colors=colours.GRID, linewidths=PIXEL, zorder=0)
        for tick in ticks:
            height = self._y(tick.at)
            if all(abs(height - tag) > _TICK_GAP for tag in tags):
                self._view.sheet.say(tick.label, RIGHT + 10, height, SIZE, colours.FAINT_TEXT)

    def _tags(self) -> list[float]:
        """The newest price and the levels, named at the right edge. Returns the heights at which they stand."""
        decimals = decimals_of(self._low, self._high, self._most)
        newest = self._view.bars[-1].close
        # Where many levels would cover each other, the colour alone says what each is.
        is_tight = (len(self._levels) + 1) * _TAG_GAP > self._top - self._bottom
        gap = _TIGHT_GAP if is_tight else _TAG_GAP
        tags = [(newest, price_text(newest, decimals), colours.LAST, colours.GROUND)]
        for level in self._levels:
            price = float(level.price)
            beyond = " ↑" if price > self._high else " ↓" if price < self._low else ""
            told = price_text(price, decimals)
            label = f"{told}{beyond}" if is_tight else f"{level.label}{beyond}\n{told}"
            tags.append((price, label, colours.LEVELS[level.kind], colours.TEXT))
        heights = spread([self._y(price) for price, *_ in tags], gap, self._bottom + gap / 2, self._top - gap / 2)
        for (_, label, ground, ink), height in zip(tags, heights, strict=True):
            size = SMALL if is_tight or "\n" in label else SIZE
            self._view.sheet.say(label, RIGHT + 10, height, size, ink, is_bold=True, on=ground)
        return heights

    # -- data --------------------------------------------------------------------------------------------------

    def _candles(self, axes: "Axes") -> None:
        from matplotlib.collections import PolyCollection  # noqa: PLC0415 - as in the sheet

        bars = self._view.bars
        half = BODY * self._chart.interval_s / 2
        thin = _THIN * (self._high - self._low) / (self._top - self._bottom) / 2
        inks = [bar.colour for bar in bars]
        axes.vlines(
            [bar.at for bar in bars], [bar.low for bar in bars], [bar.high for bar in bars],
            colors=inks, linewidths=_THIN * PIXEL, zorder=2,
        )  # fmt: skip
        bodies = []
        for bar in bars:
            low, high = min(bar.open, bar.close) - thin, max(bar.open, bar.close) + thin
            left, right = bar.at - half, bar.at + half
            bodies.append([(left, low), (left, high), (right, high), (right, low)])
        fills = [bar.colour if bar.is_closed else colours.GROUND for bar in bars]
        widths = [0.0 if bar.is_closed else _THIN * PIXEL for bar in bars]
        axes.add_collection(
            PolyCollection(bodies, facecolors=fills, edgecolors=inks, linewidths=widths, zorder=2), autolim=False
        )

    def _level_lines(self, axes: "Axes") -> None:
        newest = self._view.bars[-1]
        axes.hlines(
            [newest.close], newest.at, self._view.times[1], colors=colours.LAST, linewidths=1.4 * PIXEL,
            linestyles="dotted", zorder=1,
        )  # fmt: skip
        for level in self._levels:
            price = float(level.price)
            if self._low <= price <= self._high:
                axes.hlines(
                    [price], max(level.since.timestamp(), self._view.times[0]), self._view.times[1],
                    colors=colours.LEVELS[level.kind], linewidths=2.4 * PIXEL, linestyles="dashed", zorder=3,
                )  # fmt: skip

    def _mark(self, axes: "Axes", mark: Mark) -> None:
        """A triangle whose tip is the fill."""
        from matplotlib.path import Path  # noqa: PLC0415 - as in the sheet

        base = -1 if mark.kind in _UNDER else 1
        axes.plot(
            [mark.at.timestamp()], [float(mark.price)], linestyle="none", clip_on=False, zorder=5,
            marker=Path([(0, 0), (-0.65, base), (0.65, base), (0, 0)], closed=True), markersize=2 * _MARK * PIXEL,
            markerfacecolor=colours.MARKS[mark.kind], markeredgecolor=colours.GROUND, markeredgewidth=1.6 * PIXEL,
        )  # fmt: skip

    def _legend(self) -> None:
        """What the lines and marks are, in a row above. What does not fit into it is left out."""
        items = [(f"━ {name}", colour) for name, colour in series(list(self._chart.lines))]
        kinds = {mark.kind for mark in self._marks}
        signs = [(f"{'▲' if kind in _UNDER else '▼'} {kind.value}", kind) for kind in MarkKind if kind in kinds]
        left = float(LEFT)
        for label, colour in [*items, *((sign, colours.MARKS[kind]) for sign, kind in signs)]:
            if left < RIGHT - LEFT:
                left += self._view.sheet.say(label, left, self._top + _LEGEND_UP, SMALL, colour) + _LEGEND_GAP
