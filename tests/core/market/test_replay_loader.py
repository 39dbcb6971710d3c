"""Reading recordings: what is in the file is what comes out, and what is wrong with it is named by file and row."""

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from core.domain.money import plain
from core.market.replay import ReplayError, Series, load_series

START = 1_719_792_000
GOOD = [
    f"{START},3432.23,3433.28,3431.52,3431.82,4.45753564,24",
    f"{START + 300},3431.82,3433.52,3431.82,3432.3,86.66581652,56",
    f"{START + 600},3430.18,3430.18,3428.91,3428.92,4.64571415,21",
]


def csv_file(folder: Path, lines: Sequence[str], name: str = "ETHUSD_5.csv") -> Path:
    path = folder / name
    data = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def parquet_file(folder: Path, columns: dict[str, list[Any]], name: str = "ETH_USD_5m.parquet") -> Path:
    parquet.write_table(pa.table(columns), folder / name)
    return folder / name


def columns_of(lines: Sequence[str]) -> dict[str, list[Any]]:
    cells = list(zip(*(line.split(",") for line in lines), strict=True))
    names = ("ts", "open", "high", "low", "close", "volume", "trades")
    made: dict[str, list[Any]] = {
        name: [float(cell) for cell in column] for name, column in zip(names, cells, strict=True)
    }
    return made | {"ts": [int(cell) for cell in cells[0]]}


def shown(series: Series) -> list[str]:
    """Each candle as a line of the file, without its count of trades."""
    found = [series.candle(index) for index in range(len(series.starts))]
    return [
        ",".join([str(int(one.at.timestamp())), *map(plain, (one.open, one.high, one.low, one.close, one.volume))])
        for one in found
    ]


def refusal(path: Path) -> str:
    with pytest.raises(ReplayError) as error:
        load_series(path)
    return str(error.value)


@pytest.mark.parametrize("name", ["ETHUSD_5.csv", "ETHUSD_5.csv.gz"])
def test_a_kraken_csv_comes_out_digit_by_digit(tmp_path: Path, name: str) -> None:
    (series,) = load_series(csv_file(tmp_path, GOOD, name))
    assert (series.symbol, series.interval_s) == ("ETH/USD", 300)
    assert shown(series) == [line.rpartition(",")[0] for line in GOOD]


def test_a_parquet_file_comes_out_digit_by_digit(tmp_path: Path) -> None:
    (series,) = load_series(parquet_file(tmp_path, columns_of(GOOD)))
    assert shown(series) == [line.rpartition(",")[0] for line in GOOD]


@pytest.mark.parametrize("header", ["time,open,high,low,close,volume,trades", "Timestamp,o,h,l,c,v", "ts,o,h,l,c,v"])
def test_a_header_is_skipped(tmp_path: Path, header: str) -> None:
    (series,) = load_series(csv_file(tmp_path, [header, *GOOD]))
    assert shown(series) == [line.rpartition(",")[0] for line in GOOD]


def test_the_count_of_trades_may_be_missing(tmp_path: Path) -> None:
    (series,) = load_series(csv_file(tmp_path, [line.rpartition(",")[0] for line in GOOD]))
    assert len(series.starts) == 3


def test_windows_line_ends_are_read(tmp_path: Path) -> None:
    (series,) = load_series(csv_file(tmp_path, [line + "\r" for line in GOOD]))
    assert len(series.starts) == 3


def test_a_missing_row_stays_missing(tmp_path: Path) -> None:
    (series,) = load_series(csv_file(tmp_path, [GOOD[0], GOOD[2], GOOD[2].replace(str(START + 600), str(START + 900))]))
    assert [start - START for start in series.starts] == [0, 600, 900]
    assert series.interval_s == 300


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("ETHUSD_5.csv", "ETH/USD"),
        ("XBTUSD_60.csv", "BTC/USD"),
        ("XDGUSD_5.csv", "DOGE/USD"),
        ("kraken_ETH_USD_5m.csv", "ETH/USD"),
        ("kraken_OHLCVT_ETHUSD_5.csv", "ETH/USD"),
        ("ETHXBT_5.csv", "ETH/BTC"),
        ("USDTUSD_5.csv", "USDT/USD"),
        ("SOLUSDT_5.csv", "SOL/USDT"),
        ("sol-EUR.csv", "SOL/EUR"),
        ("1INCHUSD_5.csv", "1INCH/USD"),
    ],
)
def test_the_symbol_is_read_from_the_files_name(tmp_path: Path, name: str, symbol: str) -> None:
    (series,) = load_series(csv_file(tmp_path, GOOD, name))
    assert series.symbol == symbol


# -- what is wrong -----------------------------------------------------------------------------------------------------

SECOND = f"{START + 300},"


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (f"{SECOND}3431.82,3433.52", "row 2: expected time,open,high,low,close,volume,trades"),
        ("", "row 2: expected"),
        ("yesterday,1,1,1,1,1,1", "row 2: expected"),
        (f"{SECOND}1,one,1,1,1,1", "row 2: expected"),
        (f"{SECOND},,,,,", "row 2: expected"),
        (f"{START + 300}.5,1,1,1,1,1,1", "row 2: expected"),
        (f"{SECOND}3431.82,3430,3431.82,3432.3,86,56", "row 2: open, high, low, close"),
        (f"{SECOND}3431.82,3433.52,3433,3432.3,86,56", "row 2: open, high, low, close"),
        (f"{SECOND}0,3433.52,0,3432.3,86,56", "row 2: open, high, low, close"),
        (f"{SECOND}-1,3433.52,-1,3432.3,86,56", "row 2: open, high, low, close"),
        (f"{SECOND}nan,nan,nan,nan,86,56", "row 2: open, high, low, close"),
        (f"{SECOND}3431,inf,3430,3432,86,56", "row 2: open, high, low, close"),
        (f"{SECOND}3431,3433,3430,3432,-86,56", "row 2"),
        (f"{SECOND}3431,3433,3430,3432,nan,56", "row 2"),
        (f"{SECOND}3431,3433,3430,3432,inf,56", "row 2"),
        (f"{START},3431,3433,3430,3432,1,1", f"row 2: its time {START} does not follow {START}"),
        (f"{START - 300},3431,3433,3430,3432,1,1", "row 2: its time"),
        (f"{START}000,3431,3433,3430,3432,1,1", "row 2"),
        ("99999999999999999999,3431,3433,3430,3432,1,1", "row 2"),
        (f"{START + 17},3431,3433,3430,3432,1,1", "row 2"),
    ],
)
def test_a_row_that_is_no_candle_is_named_by_file_and_row(tmp_path: Path, bad: str, words: str) -> None:
    said = refusal(csv_file(tmp_path, [GOOD[0], bad, GOOD[2]]))
    assert "ETHUSD_5.csv" in said
    assert words in said


def test_the_row_that_is_named_is_the_files_own_also_below_a_header(tmp_path: Path) -> None:
    header, flat = "time,open,high,low,close,volume", f"{START + 300},0,0,0,0,0"
    assert "row 3" in refusal(csv_file(tmp_path, [header, GOOD[0], flat]))
    assert "row 3" in refusal(csv_file(tmp_path, [header, GOOD[0], "what,is,this"]))


def test_times_in_milliseconds_are_refused_and_named(tmp_path: Path) -> None:
    lines = [line.replace(",", "000,", 1) for line in GOOD]
    said = refusal(csv_file(tmp_path, lines))
    assert "ETHUSD_5.csv, row 1" in said


@pytest.mark.parametrize("lines", [[], ["time,open,high,low,close,volume"], GOOD[:1]])
def test_a_recording_of_fewer_than_two_candles_is_refused(tmp_path: Path, lines: list[str]) -> None:
    said = refusal(csv_file(tmp_path, lines))
    assert "ETHUSD_5.csv" in said


@pytest.mark.parametrize("name", ["candles.csv", "ETH_JPY_5.csv", "5.csv", ".csv"])
def test_a_name_without_a_symbol_is_refused_and_says_how_to_name_it(tmp_path: Path, name: str) -> None:
    said = refusal(csv_file(tmp_path, GOOD, name))
    assert f"cannot tell the symbol of {name}" in said
    assert "ETHUSD_5.csv" in said


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "nowhere") in refusal(tmp_path / "nowhere")


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "ETHUSD_5.csv").write_bytes(bytes(range(256)) * 2000)
    assert "ETHUSD_5.csv" in refusal(tmp_path / "ETHUSD_5.csv")


def test_a_line_that_never_ends_is_named(tmp_path: Path) -> None:
    assert "ETHUSD_5.csv" in refusal(csv_file(tmp_path, ["9" * 200_000]))


def damaged(whole: bytes, how: str) -> bytes:
    if how == "plain":
        return gzip.decompress(whole)
    if how == "truncated":
        return whole[: len(whole) // 2]
    if how == "checksum":
        return whole[:-8] + b"\0" * 8
    return whole[:60] + b"\xff" * 40 + whole[100:]


@pytest.mark.parametrize("how", ["plain", "truncated", "checksum", "body"])
def test_a_damaged_gz_is_named(tmp_path: Path, how: str) -> None:
    lines = [f"{START + 300 * n},3432.2{n % 10},3433.28,3431.52,3431.82,{n}.45753564,24" for n in range(500)]
    path = csv_file(tmp_path, lines, "ETHUSD_5.csv.gz")
    path.write_bytes(damaged(path.read_bytes(), how))
    assert "ETHUSD_5.csv.gz" in refusal(path)


def test_a_parquet_file_without_a_column_is_named_with_what_it_needs(tmp_path: Path) -> None:
    columns = columns_of(GOOD)
    del columns["volume"]
    said = refusal(parquet_file(tmp_path, columns))
    assert "ETH_USD_5m.parquet" in said
    assert "ts, open, high, low, close, volume" in said


@pytest.mark.parametrize(
    ("column", "value"),
    [("open", None), ("ts", None), ("volume", float("nan")), ("high", 0.5), ("ts", START), ("volume", float("inf"))],
)
def test_a_bad_value_in_a_parquet_file_is_named_by_row(tmp_path: Path, column: str, value: object) -> None:
    columns = columns_of(GOOD)
    columns[column][1] = value
    assert "ETH_USD_5m.parquet, row 2" in refusal(parquet_file(tmp_path, columns))


def test_a_parquet_file_of_texts_is_named(tmp_path: Path) -> None:
    columns = columns_of(GOOD) | {"open": ["cheap", "dear", "dearer"]}
    assert "ETH_USD_5m.parquet" in refusal(parquet_file(tmp_path, columns))


def test_a_parquet_file_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "ETH_USD_5m.parquet").write_bytes(b"PAR1 and then nothing PAR1")
    assert "ETH_USD_5m.parquet" in refusal(tmp_path / "ETH_USD_5m.parquet")


# -- folders -----------------------------------------------------------------------------------------------------------


def test_a_folder_gives_every_recording_in_it_and_nothing_else(tmp_path: Path) -> None:
    csv_file(tmp_path, GOOD, "ETHUSD_5.csv")
    csv_file(tmp_path, GOOD, "SOLUSD_5.csv.gz")
    parquet_file(tmp_path, columns_of(GOOD), "kraken_XRP_USD_5m.parquet")
    (tmp_path / "README.md").write_text("not a recording")
    assert [one.symbol for one in load_series(tmp_path)] == ["ETH/USD", "SOL/USD", "XRP/USD"]


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("not a recording")
    assert "holds no .csv, .csv.gz or .parquet file" in refusal(tmp_path)


def test_a_folder_inside_a_folder_of_recordings_does_not_break_it(tmp_path: Path) -> None:
    csv_file(tmp_path, GOOD)
    (tmp_path / "old_ETHUSD_5.csv").mkdir()
    try:
        assert [one.symbol for one in load_series(tmp_path)] == ["ETH/USD"]
    except ReplayError as error:
        assert "old_ETHUSD_5.csv" in str(error)  # noqa: PT017 - either way is right, a traceback is not


def test_recordings_of_different_intervals_are_refused_with_their_intervals(tmp_path: Path) -> None:
    csv_file(tmp_path, GOOD, "ETHUSD_5.csv")
    csv_file(tmp_path, [GOOD[0], GOOD[2]], "SOLUSD_10.csv")
    said = refusal(tmp_path)
    assert "ETH/USD 300 s" in said
    assert "SOL/USD 600 s" in said


def test_two_recordings_of_one_symbol_are_refused_instead_of_one_being_dropped(tmp_path: Path) -> None:
    csv_file(tmp_path, GOOD, "ETHUSD_5.csv")
    csv_file(tmp_path, GOOD, "kraken_ETH_USD_5m.csv")
    assert "ETH/USD" in refusal(tmp_path)


# -- real recordings ---------------------------------------------------------------------------------------------------


def test_krakens_own_download_and_the_same_months_in_parquet_are_one_market(recording: Callable[[str], Path]) -> None:
    (downloaded,) = load_series(recording("candles/kraken_OHLCVT_ETHUSD_5.csv.gz"))
    (packed,) = load_series(recording("candles/kraken_ETH_USD_5m.parquet"))
    assert downloaded.symbol == packed.symbol == "ETH/USD"
    assert downloaded.interval_s == packed.interval_s == 300
    known = dict(zip(packed.starts, range(len(packed.starts)), strict=True))
    both = [(index, known[start]) for index, start in enumerate(downloaded.starts) if start in known]
    assert len(both) > 10_000
    for index, other in both[::50]:
        assert downloaded.candle(index) == packed.candle(other)


def test_candles_with_empty_rows_between_trades_are_refused_and_named(recording: Callable[[str], Path]) -> None:
    assert "kraken_GRTETH_15M.csv.gz, row" in refusal(recording("candles/kraken_GRTETH_15M.csv.gz"))


def test_a_recording_with_gaps_has_as_many_candles_as_rows(recording: Callable[[str], Path]) -> None:
    path = recording("candles/kraken_DOGE_USD_5m.parquet")
    (series,) = load_series(path)
    assert len(series.starts) == parquet.read_metadata(path).num_rows == 52_578
