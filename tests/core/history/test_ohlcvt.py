"""Kraken's lines of candles: as they are, or refused by file and row."""

import pytest

from core.history.ohlcvt import read_candles
from core.history.rows import CandleRow, HistoryError, interval_words, is_interval

START = 1_719_792_000
GOOD = f"{START},3432.23,3433.28,3431.52,3431.82,4.45753564,24"


def refusal(*lines: str, interval_s: int = 300) -> str:
    with pytest.raises(HistoryError) as error:
        list(read_candles(lines, "ETHUSD_5.csv", interval_s))
    return str(error.value)


def test_a_line_comes_as_it_is_with_its_count_of_trades() -> None:
    assert list(read_candles([GOOD], "x", 300)) == [
        CandleRow(START, 3432.23, 3433.28, 3431.52, 3431.82, 4.45753564, 24)
    ]


def test_a_file_without_counts_has_none_to_tell() -> None:
    assert [row.trades for row in read_candles([GOOD.rpartition(",")[0], ""][:1], "x", 300)] == [None]


def test_rows_that_are_missing_stay_missing() -> None:
    later = GOOD.replace(str(START), str(START + 3000))
    assert [row.at - START for row in read_candles([GOOD, later], "x", 300)] == [0, 3000]


@pytest.mark.parametrize("trades", ["many", "-1", "1.5", "9" * 12, "2147483648", "²"])
def test_a_count_of_trades_that_is_none_is_named(trades: str) -> None:
    bad = f"{START + 300},1,1,1,1,1,{trades}"
    assert refusal(GOOD, bad).startswith("ETHUSD_5.csv, row 2: its count of trades")


def test_a_time_off_the_interval_of_the_name_is_refused_with_both() -> None:
    said = refusal(GOOD, f"{START + 60},1,1,1,1,1,1")
    assert said == f"ETHUSD_5.csv, row 2: its time {START + 60} opens no candle of 5 min, which the file's name says"


def test_kraken_may_begin_its_weeks_on_any_day() -> None:
    monday = START - START % 604_800 + 4 * 86_400
    assert len(list(read_candles([f"{monday},1,1,1,1,1,1"], "x", 604_800))) == 1


@pytest.mark.parametrize(
    "bad",
    [
        "", "time,1", f"{START},1,1,1,1,1,1", f"{START + 300},0,1,0,1,1,1", f"{START + 300},2,1,1,1,1,1",
        f"{START + 300},nan,nan,nan,nan,1,1", f"{START + 300},1,1,1,1,-1,1", f"{START + 300}000,1,1,1,1,1,1",
        "2021-03-28 00:15:00,,,,,0.0",
    ],
)  # fmt: skip
def test_what_is_no_candle_is_named_by_file_and_row(bad: str) -> None:
    assert refusal(GOOD, bad).startswith("ETHUSD_5.csv, row 2: ")


def test_a_row_without_trades_is_told_from_one_with() -> None:
    assert CandleRow(START, 1, 1, 1, 1, 0.1).is_traded
    assert CandleRow(START, 1, 1, 1, 1, 0.0, 3).is_traded, "too little to be written with eight digits"
    assert not CandleRow(START, 1, 1, 1, 1, 0.0, 0).is_traded
    assert not CandleRow(START, 1, 1, 1, 1, 0.0).is_traded


def test_intervals_are_whole_minutes_that_divide_a_day_and_krakens_two_long_ones() -> None:
    krakens = (1, 5, 15, 30, 60, 240, 720, 1440, 10_080, 21_600)
    assert all(is_interval(60 * minutes) for minutes in krakens)
    assert not any(is_interval(seconds) for seconds in (0, -60, 30, 90, 7 * 60, 2 * 86_400))
    assert [interval_words(60 * minutes) for minutes in (1, 90, 240, 10_080)] == ["1 min", "90 min", "4 h", "7 d"]
