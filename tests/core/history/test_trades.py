"""Trades to candles: exactly what traded, and nothing where nothing did."""

import csv
import gzip
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.history.rows import CandleRow, HistoryError
from core.history.trades import Trade, candles_of_trades, from_trades, read_trades

START = 1_719_792_000


def oracle(path: Path) -> tuple[list[CandleRow], set[int]]:
    """The candles that somebody else made of the same trades, and the intervals that he left empty."""
    candles, empty = [], set()
    with gzip.open(path, "rt", newline="") as file:
        for row in csv.DictReader(file):
            at = int(datetime.fromisoformat(row["time"]).replace(tzinfo=UTC).timestamp())
            if row["open"]:
                prices = [float(row[name]) for name in ("open", "high", "low", "close", "volume")]
                candles.append(CandleRow(at, *prices))  # type: ignore[arg-type]
            else:
                empty.add(at)
    return candles, empty


@pytest.mark.parametrize(("minutes", "file"), [(1, "kraken_GRTETH_1M.csv.gz"), (15, "kraken_GRTETH_15M.csv.gz")])
def test_a_month_of_trades_makes_the_very_candles_that_others_made_of_it(
    recording: Callable[[str], Path], minutes: int, file: str
) -> None:
    expected, empty = oracle(recording(f"candles/{file}"))
    with gzip.open(recording("candles/kraken_GRTETH_trades.csv.gz"), "rt", newline="") as lines:
        made = list(candles_of_trades(lines, "trades.csv", 60 * minutes))
    assert len(made) > 1000
    assert len(empty) > 1000
    assert [row[:5] for row in made] == [row[:5] for row in expected]
    assert all(math.isclose(a.volume, b.volume, rel_tol=1e-12) for a, b in zip(made, expected, strict=True))
    assert empty.isdisjoint(row.at for row in made)


def test_the_first_trade_opens_the_last_closes_and_each_counts() -> None:
    trades = [Trade(START + 1, 10, 1), Trade(START + 1.5, 12, 2), Trade(START + 59.999999, 9, 0.5)]
    assert list(from_trades(trades, 60)) == [CandleRow(START, 10, 12, 9, 9, 3.5, 3)]


def test_a_trade_at_the_very_end_of_an_interval_belongs_to_the_next() -> None:
    rows = list(from_trades([Trade(START + 59.999999, 1, 1), Trade(START + 60.0, 2, 1)], 60))
    assert [(row.at - START, row.close) for row in rows] == [(0, 1), (60, 2)]


def test_hours_without_trades_leave_a_gap() -> None:
    rows = list(from_trades([Trade(START, 1, 1), Trade(START + 7200, 2, 1)], 300))
    assert [row.at - START for row in rows] == [0, 7200]


def test_no_trades_make_no_candles() -> None:
    assert list(from_trades([], 60)) == []


def test_trades_out_of_order_are_refused_rather_than_mixed() -> None:
    with pytest.raises(ValueError, match="came after"):
        list(from_trades([Trade(START + 60, 1, 1), Trade(START, 1, 1)], 60))


@given(
    st.lists(
        st.tuples(st.integers(0, 5000), st.integers(1, 10**6), st.integers(0, 1000)), min_size=1, max_size=60
    )
)  # fmt: skip
def test_coarse_candles_are_what_the_fine_ones_add_up_to(found: list[tuple[int, int, int]]) -> None:
    trades = [Trade(START + at, price, volume) for at, price, volume in sorted(found, key=lambda one: one[0])]
    fine = list(from_trades(trades, 60))
    for whole in from_trades(trades, 300):
        parts = [row for row in fine if whole.at <= row.at < whole.at + 300]
        assert whole.open == parts[0].open
        assert whole.close == parts[-1].close
        assert whole.high == max(row.high for row in parts)
        assert whole.low == min(row.low for row in parts)
        assert whole.volume == sum(row.volume for row in parts)
        assert whole.trades == sum(row.trades or 0 for row in parts)


@pytest.mark.parametrize(
    "line",
    [
        f"{START}.9058,0.5,2",
        f"{START}.9058,0.5,2,b,l,",
        "2024-07-01 00:00:00.905800,0.5,2",
        "2024-07-01T00:00:00.905800+00:00,0.5,2",
        "2024-07-01T02:00:00.905800+02:00,0.5,2",
    ],
)
def test_either_way_to_write_a_time_is_read_as_utc(line: str) -> None:
    (trade,) = read_trades([line], "t.csv")
    assert trade.at == pytest.approx(START + 0.9058, abs=1e-6)
    assert trade[1:] == (0.5, 2)


def test_a_header_is_skipped_and_counted_as_a_row() -> None:
    with pytest.raises(HistoryError, match="row 3"):
        list(read_trades(["time,price,volume", f"{START},1,1", "what"], "t.csv"))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("", "expected time,price,volume"),
        (f"{START + 1},1", "expected time,price,volume"),
        ("yesterday,1,1", "expected time,price,volume"),
        ("nan,1,1", "its time"),
        ("inf,1,1", "its time"),
        (f"{START}000,1,1", "its time"),
        (f"{START - 1},1,1", "does not follow"),
        (f"{START + 1},0,1", "its price 0.0 is none"),
        (f"{START + 1},nan,1", "its price nan is none"),
        (f"{START + 1},1,-1", "its volume -1.0 is none"),
        (f"{START + 1},1,inf", "its volume inf is none"),
    ],
)
def test_a_row_that_is_no_trade_is_named_by_file_and_row(bad: str, words: str) -> None:
    with pytest.raises(HistoryError, match=r"^t\.csv, row 2: ") as error:
        list(candles_of_trades([f"{START},1,1", bad], "t.csv", 60))
    assert words in str(error.value)
