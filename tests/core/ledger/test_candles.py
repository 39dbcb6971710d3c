"""The candles of the past, on each engine: what was put comes back, and what is missing is counted, never made."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core.history.importing import import_source
from core.history.rows import CandleRow
from core.history.sources import Wanted, find_sources
from core.ledger import rows
from core.ledger.candles import CandleStore
from core.ledger.store import Store
from storage.database import Database, DatabaseError, open_database
from storage.migrate import migrate
from tests.rig import START as NOW

START = 1_719_792_000
MOMENT = datetime.fromtimestamp(START, UTC)
ETH = "ETH/USD"


def row(number: int, volume: float = 3.0, trades: int | None = 4, close: float = 2.0) -> CandleRow:
    return CandleRow(START + 300 * number, 1.0, 2.5, 0.1, close, volume, trades)


def counts(database: Database) -> list[int | None]:
    with database.reading() as connection:
        return list(connection.execute(select(rows.CANDLES.c.trades).order_by(rows.CANDLES.c.at)).scalars())


def test_what_was_put_comes_back_to_the_last_bit_in_order(database: Database) -> None:
    store = CandleStore(database)
    odd = CandleRow(START, 0.1, 0.1 + 0.2, 5e-324, 1 / 3, 1.7976931348623157e308)
    store.put(ETH, 300, [row(7), odd])
    series = store.read(ETH, 300)
    assert (series.symbol, series.interval_s, list(series.starts)) == (ETH, 300, [START, START + 2100])
    assert list(series.prices[:5]) == list(odd[1:6])


def test_putting_the_same_again_changes_nothing(database: Database) -> None:
    store = CandleStore(database)
    for _ in range(2):
        store.put(ETH, 300, [row(n) for n in range(5)])
    assert store.coverage()[0].count == 5


def test_what_is_told_later_of_a_candle_wins(database: Database) -> None:
    store = CandleStore(database)
    store.put(ETH, 300, [row(0), row(1)])
    store.put(ETH, 300, [row(1, close=2.2, volume=1.0, trades=9)])
    assert [float(store.read(ETH, 300).candle(n).close) for n in range(2)] == [2.0, 2.2]
    assert counts(database) == [4, 9]


def test_a_count_of_trades_outlives_a_source_that_has_none(database: Database) -> None:
    store = CandleStore(database)
    store.put(ETH, 300, [row(0), row(1, trades=None)])
    store.put(ETH, 300, [row(0, trades=None), row(1, trades=None)])
    assert counts(database) == [4, None]


def test_a_candle_that_may_lack_trades_does_not_replace_a_fuller_one(database: Database) -> None:
    store = CandleStore(database)
    store.put(ETH, 300, [row(0, volume=3), row(1, volume=3)])
    store.put(ETH, 300, [row(0, volume=2.9, close=0.5), row(1, volume=3.1, close=0.5)], may_lack_trades=True)
    assert [float(store.read(ETH, 300).candle(n).close) for n in range(2)] == [2.0, 0.5]


def test_reading_begins_at_since_and_ends_before_until(database: Database) -> None:
    store = CandleStore(database)
    store.put(ETH, 300, [row(n) for n in range(6)])
    since, until = MOMENT + timedelta(seconds=300), MOMENT + timedelta(seconds=1200)
    assert [start - START for start in store.read(ETH, 300, since, until).starts] == [300, 600, 900]
    assert len(store.read(ETH, 300, since + timedelta(seconds=1)).starts) == 4
    assert len(store.read(ETH, 300, until=MOMENT).starts) == 0


def test_symbols_and_intervals_do_not_mix(database: Database) -> None:
    store = CandleStore(database)
    store.put(ETH, 300, [row(0)])
    store.put(ETH, 60, [row(1)])
    store.put("A/USD", 300, [row(2)])
    assert store.kinds() == [("A/USD", 300), (ETH, 60), (ETH, 300)]
    assert list(store.read(ETH, 60).starts) == [START + 300]
    assert [(one.symbol, one.interval_s, one.count) for one in store.coverage()] == [
        ("A/USD", 300, 1), (ETH, 60, 1), (ETH, 300, 1),
    ]  # fmt: skip


def test_coverage_counts_what_is_missing_and_finds_the_longest_gap(database: Database) -> None:
    store = CandleStore(database)
    store.put(ETH, 300, [row(n) for n in (0, 1, 3, 10, 11, 18, 19)])
    (cover,) = store.coverage()
    assert (cover.first, cover.last) == (MOMENT, MOMENT + timedelta(seconds=19 * 300))
    assert (cover.count, cover.missing) == (7, 13)
    assert (cover.gap, cover.gap_from) == (6, MOMENT + timedelta(seconds=4 * 300)), "the first of two equals"


def test_candles_without_a_gap_have_none(database: Database) -> None:
    store = CandleStore(database)
    store.put(ETH, 300, [row(0), row(1)])
    (cover,) = store.coverage()
    assert (cover.missing, cover.gap, cover.gap_from) == (0, 0, None)


def test_nothing_is_covered_by_an_empty_store(database: Database) -> None:
    store = CandleStore(database)
    store.put(ETH, 300, [])
    assert store.coverage() == []
    assert store.cover(ETH, 300) is None
    assert len(store.read(ETH, 300).starts) == 0


def test_a_failing_database_is_told_in_words(empty_database: Database) -> None:
    with pytest.raises(DatabaseError, match=r"cannot store candles: .*candle"):
        CandleStore(empty_database).put(ETH, 300, [row(0)])
    with pytest.raises(DatabaseError, match=r"cannot read candles: .*candle"):
        CandleStore(empty_database).coverage()


def test_half_a_year_of_krakens_own_file_is_stored_whole_and_its_gaps_are_known(
    database: Database, recording: Callable[[str], Path]
) -> None:
    store = CandleStore(database)
    with find_sources([recording("candles/kraken_OHLCVT_ETHUSD_5.csv.gz")], Wanted()) as found:
        done = import_source(found.sources[0], store.put, lambda _more: None)
    (cover,) = store.coverage()
    assert done.count == cover.count == 52_943
    assert cover.first == datetime(2024, 7, 1, tzinfo=UTC)
    assert cover.last == datetime(2024, 12, 31, 23, 55, tzinfo=UTC)
    assert cover.missing == 184 * 288 - 52_943
    assert (cover.gap, cover.gap_from) == (14, datetime(2024, 9, 27, 4, 10, tzinfo=UTC))
    series = store.read(ETH, 300)
    assert str(series.candle(0).volume) == "4.45753564"
    assert str(series.candle(len(series.starts) - 1).close) == "3333.3"


def test_the_bot_beside_a_long_import_is_never_kept_waiting_for_long(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'zyn.db'}"
    bots, ours = open_database(url), open_database(url)
    migrate(bots, NOW)
    longest, ended = 0.0, threading.Event()

    def trade() -> None:
        nonlocal longest
        while not ended.is_set():
            began = time.perf_counter()
            Store(bots).increment("ticks")
            longest = max(longest, time.perf_counter() - began)
            time.sleep(0.005)

    bot = threading.Thread(target=trade)
    bot.start()
    CandleStore(ours).put(ETH, 60, [CandleRow(60 * n, 1, 1, 1, 1, 1, 1) for n in range(150_000)])
    CandleStore(ours).coverage()
    ended.set()
    bot.join()
    ticks = Store(bots).get("ticks")
    bots.close()
    ours.close()
    assert int(ticks or 0) > 5
    assert longest < 4.0, "SQLite gives a writer five seconds"


def test_a_long_reading_keeps_no_writer_waiting_and_sees_one_moment(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'zyn.db'}"
    bots, ours = open_database(url), open_database(url)
    migrate(bots, NOW)
    store = CandleStore(bots)
    store.put(ETH, 300, [row(0)])
    with ours.reading() as connection:
        count = select(rows.CANDLES.c.at)
        assert len(connection.execute(count).all()) == 1
        store.put(ETH, 300, [row(1)])
        assert len(connection.execute(count).all()) == 1
    assert len(store.read(ETH, 300).starts) == 2
    bots.close()
    ours.close()
