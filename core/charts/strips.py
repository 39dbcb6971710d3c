"""The strips below the price: indicators and volume, each with a scale of its own."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.charts import colours
from core.charts.scale import short_number, value_range
from core.charts.values import Panel
from core.charts.view import BODY, LEFT, PIXEL, RIGHT, SMALL, View, series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAME_GAP = 16
_HEADROOM = 0.28
"""How much higher than its values a strip is, so that its name covers none of them."""


def paint_strip(view: View, bottom: float, height: float, name: str, panel: Panel) -> None:
    """One panel, from `bottom` on, `height` pixels high. One without any value shows its name and 'no values'."""
    low, high = _range(panel)
    axes = view.box(bottom, height, low, high)

    def level(value: float) -> float:
        return bottom + (value - low) / (high - low) * height

    for guide in panel.guides:
        if low <= guide <= high:
            axes.hlines([guide], *view.times, colors=colours.GUIDE, linewidths=1.2 * PIXEL, linestyles="dashed")
            view.sheet.say(short_number(guide), RIGHT + 10, level(guide), SMALL, colours.FAINT_TEXT)
    if panel.bars:
        _bars(view, axes, panel.bars)
        if not panel.guides and (top := max(_numbers(panel.bars), default=0.0)) > 0:
            view.sheet.say(short_number(top), RIGHT + 10, level(top), SMALL, colours.FAINT_TEXT)
    for line, colour in series(list(panel.lines)):
        view.curve(axes, panel.lines[line], colour)
    _names(view, bottom + height - 13, name, panel)


def _numbers(values: Sequence[float]) -> list[float]:
    return [value for value in values if math.isfinite(value)]


def _range(panel: Panel) -> tuple[float, float]:
    low, high = _needed(panel)
    return low, high + _HEADROOM * (high - low)


def _needed(panel: Panel) -> tuple[float, float]:
    """The lowest and highest value to be shown, the first below the second."""
    if panel.bounds is not None and panel.bounds[0] < panel.bounds[1]:
        return panel.bounds
    values = [value for line in panel.lines.values() for value in _numbers(line)] + list(panel.guides)
    if not panel.bars:
        return value_range(values or [0.0, 1.0])
    # Bars stand on the floor of their strip.
    values += [0.0, *_numbers(panel.bars)]
    return (min(values), max(values)) if max(values) > min(values) else (0.0, 1.0)


def _bars(view: View, axes: "Axes", values: Sequence[float]) -> None:
    from matplotlib.collections import PolyCollection  # noqa: PLC0415 - as in the sheet

    shown = [bar for bar in view.bars if math.isfinite(values[bar.number])]
    half = BODY * view.chart.interval_s / 2
    # One collection: hundreds of single bars take ten times as long.
    columns = [
        [(bar.at - half, 0.0), (bar.at - half, top), (bar.at + half, top), (bar.at + half, 0.0)]
        for bar in shown
        for top in (values[bar.number],)
    ]
    inks = [bar.colour for bar in shown]
    axes.add_collection(PolyCollection(columns, facecolors=inks, edgecolors="none", alpha=0.75), autolim=False)


def _names(view: View, middle: float, name: str, panel: Panel) -> None:
    """The name of every line with its newest value, in its colour."""
    shown = [(name, colours.FAINT_TEXT, panel.bars)] if panel.bars or not panel.lines else []
    for line, colour in series(list(panel.lines)):
        shown.append((name if len(panel.lines) == 1 and not panel.bars else line, colour, panel.lines[line]))
    left = LEFT + 4.0
    for label, colour, values in shown:
        numbers = _numbers(values)
        newest = short_number(values[-1]) if values and math.isfinite(values[-1]) else "–"
        text = f"{label} {newest}" if numbers else f"{label}: no values"
        left += view.sheet.say(text, left, middle, SMALL, colour) + _NAME_GAP
