"""Candles as numbers: whatever was written becomes a number or is missing."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from core.domain.market import Candle
from core.strategy.panel import NO_TIME, number, panel_of

START = datetime(2026, 11, 20, tzinfo=UTC)


def _candle(row: int, close: object = "100", *, closed: bool = True) -> Candle:
    one = Decimal(str(close)) if not isinstance(close, Decimal) else close
    return Candle("ZEC/USD", START + timedelta(minutes=5 * row), 300, one, one, one, one, Decimal(7), closed)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1,234.50", 1234.5), (" 5 ", 5.0), ("12%", 12.0), (Decimal("0.1"), 0.1), (3, 3.0), (np.float64(2), 2.0),
        ("-1e3", -1000),
    ],
)  # fmt: skip
def test_a_number_that_is_written_for_people_is_a_number(written: object, value: float) -> None:
    assert number(written) == pytest.approx(value)


@pytest.mark.parametrize(
    "written", [None, True, "", "N/A", "twelve", "nan", float("inf"), "1e999", Decimal("NaN"), [1], {}, object()]
)
def test_what_is_no_number_is_missing(written: object) -> None:
    assert math.isnan(number(written))


def test_symbols_are_aligned_at_their_newest_candle_and_running_candles_are_left_out() -> None:
    panel = panel_of(
        {"A/USD": [_candle(n) for n in range(4)], "B/USD": [_candle(3, 5), _candle(4, 6, closed=False)]}, 300
    )
    assert panel.rows == 4
    assert panel.times[:, 1].tolist()[:3] == [NO_TIME] * 3
    assert panel.close[-1].tolist() == [100.0, 5.0]
    assert panel.times[-1, 0] == panel.times[-1, 1]


def test_a_candle_whose_numbers_are_none_is_missing_and_not_a_crash() -> None:
    odd = _candle(0, Decimal("Infinity"))
    written = Candle("ZEC/USD", START, 300, "1,000", "N/A", None, 5, Decimal(1))  # type: ignore[arg-type]
    assert math.isnan(panel_of({"A/USD": [odd]}, 300).close[0, 0])
    panel = panel_of({"A/USD": [written]}, 300)
    assert (panel.open[0, 0], panel.close[0, 0]) == (1000.0, 5.0)
    assert math.isnan(panel.high[0, 0])
    assert math.isnan(panel.low[0, 0])


def test_a_gap_stays_a_gap() -> None:
    panel = panel_of({"A/USD": [_candle(0), _candle(1), _candle(9)]}, 300)
    assert np.diff(panel.times[:, 0]).tolist() == [300, 2400]


def test_no_candles_are_an_empty_panel() -> None:
    assert panel_of({"A/USD": []}, 300).rows == 0
    assert panel_of({}, 300).symbols == ()
