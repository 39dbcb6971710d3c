"""A file is looked through before the first of its candles is stored."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from core.history import importing
from core.history.importing import Imported, import_source
from core.history.naming import FileName
from core.history.rows import CandleRow, HistoryError
from core.history.sources import file_source

START = 1_719_792_000


class Stored:
    """What was put, one list for each time."""

    def __init__(self) -> None:
        self.puts: list[list[int]] = []
        self.bytes = 0

    def put(self, symbol: str, interval_s: int, rows: Sequence[CandleRow]) -> None:
        assert (symbol, interval_s) == ("ETH/USD", 300)
        self.puts.append([row.at - START for row in rows])

    def advance(self, more: int) -> None:
        assert more >= 0
        self.bytes += more


def take(folder: Path, lines: Sequence[str], stored: Stored) -> Imported:
    path = folder / "ETHUSD_5.csv"
    path.write_text("".join(line + "\n" for line in lines))
    return import_source(file_source(path, FileName("ETH/USD", 300)), stored.put, stored.advance)


def line(number: int, volume: str = "3", trades: str = "4") -> str:
    return f"{START + 300 * number},1,2,1,2,{volume},{trades}"


def test_what_is_stored_is_told_with_its_reach(tmp_path: Path) -> None:
    done = take(tmp_path, [line(0), line(1), line(5)], stored := Stored())
    assert (done.count, done.untraded, done.first, done.last) == (3, 0, START, START + 1500)
    assert stored.puts == [[0, 300, 1500]]


def test_a_bad_row_at_the_end_of_many_stores_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 10)
    with pytest.raises(HistoryError, match=r"ETHUSD_5\.csv, row 101: "):
        take(tmp_path, [*map(line, range(100)), "no,row"], stored := Stored())
    assert stored.puts == []


def test_a_long_file_goes_in_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 10)
    take(tmp_path, [*map(line, range(25))], stored := Stored())
    assert [len(put) for put in stored.puts] == [10, 10, 5]


def test_progress_ends_at_twice_the_files_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 10)
    take(tmp_path, [*map(line, range(25))], stored := Stored())
    assert stored.bytes == 2 * (tmp_path / "ETHUSD_5.csv").stat().st_size


def test_rows_in_which_nothing_traded_are_counted_and_left_out(tmp_path: Path) -> None:
    done = take(tmp_path, [line(0, "0", "0"), line(1), line(2, "0.0", "")], stored := Stored())
    assert (done.count, done.untraded, done.first, done.last) == (1, 2, START + 300, START + 300)
    assert stored.puts == [[300]]


def test_an_empty_file_has_no_candles_and_no_reach(tmp_path: Path) -> None:
    done = take(tmp_path, [], Stored())
    assert (done.count, done.first, done.last) == (0, None, None)
