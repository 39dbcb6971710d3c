"""PURE. What a chart shows, as values. Nothing here knows how it is painted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from core.domain.market import Candle


class MarkKind(StrEnum):
    """What happened at a mark. EXIT is one whose result is not known, or neither."""

    ENTRY = "entry"
    EXIT_WIN = "exit, won"
    EXIT_LOSS = "exit, lost"
    EXIT = "exit"


class LevelKind(StrEnum):
    """Which side of a position a level protects; it decides the colour alone."""

    STOP = "stop"
    TARGET = "target"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Mark:
    """One fill: when (aware), and at what price in quote currency."""

    at: datetime
    price: Decimal
    kind: MarkKind


@dataclass(frozen=True, slots=True)
class LevelLine:
    """A price that holds now, like a stop, drawn from `since` (aware) to the right edge and named there."""

    label: str
    price: Decimal
    since: datetime
    kind: LevelKind = LevelKind.OTHER


@dataclass(frozen=True, slots=True)
class Panel:
    """A strip below the price with a scale of its own. A value that is missing is NaN.

    Where there is one line, or bars, the panel's name stands for them; several lines are named one by one. `guides`
    are levels like 30 and 70; `bounds` is the scale (lowest, highest), None for whatever the values need.
    """

    lines: Mapping[str, Sequence[float]] = field(default_factory=dict)
    bars: Sequence[float] = ()
    guides: Sequence[float] = ()
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """Candles in the order of time, and what is drawn over and below them. `interval_s` is in seconds.

    `lines` are overlays on the price by their name. Every line and every row of bars has one value a candle, NaN
    where there is none. Raises ValueError for one that is shorter or longer, and for an interval that is not positive.
    """

    symbol: str
    interval_s: int
    candles: Sequence[Candle]
    lines: Mapping[str, Sequence[float]] = field(default_factory=dict)
    panels: Mapping[str, Panel] = field(default_factory=dict)
    marks: Sequence[Mark] = ()
    levels: Sequence[LevelLine] = ()
    title: str = ""
    subtitle: str = ""

    def __post_init__(self) -> None:
        """Refuse what would be drawn at the wrong time."""
        if self.interval_s <= 0:
            raise ValueError(f"an interval of {self.interval_s} s is none")
        for name, values in self.lines.items():
            self._check(name, values)
        for title, panel in self.panels.items():
            for name, values in panel.lines.items():
                self._check(f"{title}: {name}", values)
            if panel.bars:
                self._check(title, panel.bars)

    def _check(self, name: str, values: Sequence[float]) -> None:
        if len(values) != len(self.candles):
            raise ValueError(f"{name} has {len(values)} values for {len(self.candles)} candles")


def picture_name(symbol: str, at: datetime) -> str:
    """The name of a picture of `symbol` made at that moment: ETHUSD-20261120-120000.png, in UTC."""
    letters = "".join(letter for letter in symbol if letter.isalnum())
    return f"{letters}-{at.astimezone(UTC):%Y%m%d-%H%M%S}.png"
