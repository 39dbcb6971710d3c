"""PURE. Where things go on a chart and how they are written there: ranges, ticks, tags that do not overlap."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_HOUR, _DAY = 3600, 86400
_CLOCK_STEPS = (
    60, 120, 300, 600, 900, 1800, _HOUR, 2 * _HOUR, 3 * _HOUR, 4 * _HOUR, 6 * _HOUR, 12 * _HOUR,
    _DAY, 2 * _DAY, 4 * _DAY, 7 * _DAY, 14 * _DAY,
)  # fmt: skip
"""Seconds between ticks that people count by."""
_MONTH_S = 30.4 * _DAY
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)
_YEAR = 12
_AIR = 0.06
_FLAT = 1e-9
"""A range that is smaller than this share of its value is a flat line."""
_DECIMALS_MAX = 12
_TAG_DIGITS = 3
"""How many decimals more than the axis a single price may show."""
_THOUSAND = 1000.0


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis and its label; `below` is a second line, where the day or the year changes."""

    at: float
    label: str
    below: str = ""


def value_range(core: Sequence[float], extras: Iterable[float] = ()) -> tuple[float, float]:
    """The lowest and highest value to be shown: all of `core`, which has at least one, with some air around.

    `extras` widen it as long as they are not further away than `core` is high: what is far off must not press the
    rest flat. A flat core gets a range of one percent of its value.
    """
    low, high = min(core), max(core)
    if high - low <= abs(high) * _FLAT:
        half = abs(high) * 0.005 or 0.5
        low, high = low - half, high + half
    span = high - low
    near = [value for value in extras if low - span <= value <= high + span]
    bottom, top = min([low, *near]), max([high, *near])
    air = (top - bottom) * _AIR
    return bottom - air, top + air


def value_ticks(low: float, high: float, most: int) -> list[Tick]:
    """Round values from `low` to `high`, at most about `most` (4 or more), with as many decimals as the step needs."""
    step, decimals = _step(low, high, most), decimals_of(low, high, most)
    first, last = math.ceil(low / step - _FLAT), math.floor(high / step + _FLAT)
    return [Tick(number * step, f"{number * step:,.{decimals}f}") for number in range(first, last + 1)]


def decimals_of(low: float, high: float, most: int) -> int:
    """How many decimals the ticks of this range have."""
    return min(_DECIMALS_MAX, max(0, -math.floor(math.log10(_step(low, high, most)) + _FLAT)))


def _step(low: float, high: float, most: int) -> float:
    raw = (high - low) / most
    size = 10.0 ** math.floor(math.log10(raw))
    return next(factor * size for factor in (1.0, 2.0, 5.0, 10.0) if factor * size >= raw * (1 - _FLAT))


def price_text(price: float, decimals: int) -> str:
    """One price as exactly as it is known, within reason: at least the axis' decimals, at most three more."""
    whole, _, fraction = f"{price:,.{decimals + _TAG_DIGITS}f}".partition(".")
    kept = fraction.rstrip("0").ljust(decimals, "0")
    return f"{whole}.{kept}" if kept else whole


def short_number(value: float) -> str:
    """A volume in few letters: 950, 1.2K, 35M, 0.004."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if abs(value) >= size:
            scaled = value / size
            return f"{scaled:.3g}{letter}" if abs(scaled) < _THOUSAND else f"{scaled:,.0f}{letter}"
    return f"{value:.3g}"


def time_ticks(first: datetime, last: datetime, most: int) -> list[Tick]:
    """Round moments in UTC from `first` to `last` (aware), at most about `most`; `at` in seconds since 1970.

    The day stands below the hours, and the year below the days, at the first tick and wherever it changes.
    """
    first, last = first.astimezone(UTC), last.astimezone(UTC)
    span = (last - first).total_seconds()
    step = next((step for step in _CLOCK_STEPS if span <= step * most), None)
    if step is None:
        return _labelled(_months(first, last, span / most), "%b", "%Y")
    if step < _DAY:
        return _labelled(_rounds(first, last, step), "%H:%M", "%d %b")
    return _labelled(_rounds(first, last, step), "%d %b", "%Y")


def _rounds(first: datetime, last: datetime, step: int) -> Iterator[datetime]:
    at = datetime.fromtimestamp(math.ceil(first.timestamp() / step) * step, UTC)
    while at <= last:
        yield at
        at += timedelta(seconds=step)


def _months(first: datetime, last: datetime, apart_s: float) -> Iterator[datetime]:
    """The beginnings of months that are a round number of months apart."""
    step = next((step for step in _MONTH_STEPS if step * _MONTH_S >= apart_s), _MONTH_STEPS[-1])
    for number in range(first.year * _YEAR // step * step, (last.year + 1) * _YEAR, step):
        at = datetime(number // _YEAR, number % _YEAR + 1, 1, tzinfo=UTC)
        if first <= at <= last:
            yield at


def _labelled(moments: Iterable[datetime], form: str, below: str) -> list[Tick]:
    ticks, before = [], ""
    for at in moments:
        told = at.strftime(below)
        ticks.append(Tick(at.timestamp(), at.strftime(form), told if told != before else ""))
        before = told
    return ticks


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places moved as little as needed to be `gap` apart and within `low` and `high`, in the order as given.

    Where there is no room for that, they are as far apart as the room allows.
    """
    count = len(places)
    gap = min(gap, (high - low) / max(1, count - 1))
    order = sorted(range(count), key=lambda number: places[number])
    # Less its share of the gaps, each place must only not be below the one before; who is forms a group with it, at
    # the mean of what its members want.
    groups: list[tuple[float, int]] = []
    for rank, number in enumerate(order):
        mean, size = places[number] - rank * gap, 1
        while groups and groups[-1][0] > mean:
            other, more = groups.pop()
            mean, size = (mean * size + other * more) / (size + more), size + more
        groups.append((mean, size))
    ceiling = max(low, high - (count - 1) * gap)
    settled = [min(max(mean, low), ceiling) for mean, size in groups for _ in range(size)]
    moved = dict(zip(order, settled, strict=True))
    return [moved[number] + order.index(number) * gap for number in range(count)]
