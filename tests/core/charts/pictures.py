"""A picture read back: where its colours are."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import numpy as np
from matplotlib.image import imread
from numpy.typing import NDArray

from core.domain.market import Candle

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTES_5 = 300


def candle(number: int, prices: Sequence[str], interval_s: int = MINUTES_5, *, closed: bool = True) -> Candle:
    """The candle number so many, its prices as open, high, low, close."""
    opened, high, low, close = (Decimal(price) for price in prices)
    at = AT + timedelta(seconds=number * interval_s)
    return Candle("ETH/USD", at, interval_s, opened, high, low, close, Decimal(5), closed)


def rising(count: int, start: int = 100) -> list[Candle]:
    """Candles that rise by one each, with wicks of one."""
    return [
        candle(n, [str(start + n), str(start + n + 2), str(start + n - 1), str(start + n + 1)]) for n in range(count)
    ]


class Picture:
    """The pixels of a PNG. Places are counted from the upper left corner."""

    def __init__(self, png: bytes) -> None:
        self.pixels: NDArray[np.int16] = np.rint(imread(BytesIO(png), format="png")[..., :3] * 255).astype(np.int16)
        self.height, self.width = self.pixels.shape[:2]

    def where(self, colour: str, tolerance: int = 6) -> NDArray[np.intp]:
        """The places (row, column) of this colour, which is written #rrggbb."""
        wanted = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)], dtype=np.int16)
        return np.argwhere(np.abs(self.pixels - wanted).max(axis=2) <= tolerance)

    def has(self, colour: str) -> bool:
        """Whether it is to be seen, more than a stray pixel of it."""
        return len(self.where(colour)) > 5

    def columns(self, colour: str, top: int = 112, bottom: int = 736) -> tuple[int, int]:
        """The leftmost and rightmost column of a colour between two rows, among the candles."""
        found = self._among(colour, top, bottom)[:, 1]
        return int(found.min()), int(found.max())

    def rows(self, colour: str, top: int = 112, bottom: int = 736) -> tuple[int, int]:
        """The same for the uppermost and the lowest row."""
        found = self._among(colour, top, bottom)[:, 0]
        return int(found.min()), int(found.max())

    def middle(self, colour: str) -> tuple[float, float]:
        """The mean (row, column) of a colour among the candles."""
        row, column = self._among(colour, 112, 736).mean(axis=0)
        return float(row), float(column)

    def _among(self, colour: str, top: int, bottom: int) -> NDArray[np.intp]:
        found = self.where(colour)
        found = found[(found[:, 0] >= top) & (found[:, 0] < bottom) & (found[:, 1] >= 40) & (found[:, 1] < 960)]
        assert len(found), f"nothing is {colour}"
        return found
