"""Panels for tests: real candles read in place, and markets made of a few numbers."""

from pathlib import Path

import numpy as np
import pytest

from core.strategy.panel import Floats, Panel

CANDLES = Path(__file__).resolve().parents[4] / "shared" / "data" / "candles"
COLUMNS = ("open", "high", "low", "close", "volume")


def real(name: str, rows: int | None = None) -> Panel:
    """The first `rows` rows of a recording of real candles; skips where there is none."""
    path = CANDLES / name
    if not path.exists():
        pytest.skip(f"recorded candles are absent: {path}")
    from pyarrow import parquet  # noqa: PLC0415

    table = parquet.read_table(path)
    values = [np.array(table.column(column).to_pylist()[:rows], dtype=float).reshape(-1, 1) for column in COLUMNS]
    times = np.array(table.column("ts").to_pylist()[:rows], dtype=np.int64).reshape(-1, 1)
    return Panel((name.split("_")[1] + "/USD",), 300, times, *values)


def made(close: Floats, *, spread: float = 0.5, volume: float = 100.0) -> Panel:
    """A panel of one symbol around these closes."""
    close = np.asarray(close, dtype=float).reshape(-1, 1)
    before = np.vstack([close[:1], close[:-1]])
    high, low = np.maximum(close, before) + spread, np.minimum(close, before) - spread
    times = (1_700_000_100 + 300 * np.arange(len(close), dtype=np.int64)).reshape(-1, 1)
    return Panel(("ZEC/USD",), 300, times, before, high, low, close, np.full_like(close, volume))


def beside(*panels: Panel) -> Panel:
    """Panels of as many rows as one panel of several symbols."""
    parts = zip(*((one.times, one.open, one.high, one.low, one.close, one.volume) for one in panels), strict=True)
    times, *values = (np.hstack(part) for part in parts)
    return Panel(tuple(f"S{n}/USD" for n in range(len(panels))), 300, times, *values)
