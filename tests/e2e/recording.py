"""Recordings for tests: rows as in Kraken's OHLCVT files, of a shape that a test knows, or real ones, read in place."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.conftest import RECORDINGS

START = datetime(2024, 3, 1, tzinfo=UTC)
MINUTE_S = 60
CENT = Decimal("0.01")
FROM = 1_722_729_600
"""4 August 2024, 00:00 UTC: the night before a crash, so that a week has trends, a panic and a recovery."""
COINS = ("ETH", "SOL", "XRP", "DOGE")


def write_closes(path: Path, closes: Iterable[Decimal], volume: str = "1000.0") -> Path:
    """One-minute candles with these closes; each opens where the former closed."""
    at, before = int(START.timestamp()), None
    rows = []
    for close in closes:
        opening = close if before is None else before
        rows.append(f"{at},{opening},{max(opening, close)},{min(opening, close)},{close},{volume},10\n")
        at, before = at + MINUTE_S, close
    path.write_text("".join(rows))
    return path


def write_rows(path: Path, rows: Sequence[tuple[str, str, str, str]], volume: str = "1000.0") -> Path:
    """One-minute candles of open, high, low, close."""
    first = int(START.timestamp())
    lines = [f"{first + number * MINUTE_S},{','.join(row)},{volume},10\n" for number, row in enumerate(rows)]
    path.write_text("".join(lines))
    return path


def moving(start: str, percent_each: str, count: int) -> list[Decimal]:
    """Closes that move by the same percentage from one to the next, on the cent."""
    price, factor = Decimal(start), 1 + Decimal(percent_each) / 100
    closes = []
    for _ in range(count):
        closes.append(price.quantize(CENT))
        price *= factor
    return closes


def flat(price: str, count: int) -> list[Decimal]:
    """Closes at one price."""
    return [Decimal(price)] * count


def recorded(folder: Path, candles: int) -> Path:
    """CSV files of so many candles of the four coins from FROM on; skips where the recordings are absent."""
    folder.mkdir()
    for coin in COINS:
        path = RECORDINGS / "candles" / f"kraken_{coin}_USD_5m.parquet"
        if not path.exists():
            pytest.skip(f"recorded candles are absent: {path}")
        from pyarrow import parquet  # noqa: PLC0415

        rows = parquet.read_table(path).to_pylist()
        wanted = [row for row in rows if FROM <= row["ts"] < FROM + candles * 300]
        names = ("ts", "open", "high", "low", "close", "volume", "trades")
        text = "".join(",".join(repr(row[name]) for name in names) + "\n" for row in wanted)
        (folder / f"{coin}USD_5.csv").write_text(text)
    return folder
