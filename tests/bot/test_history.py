"""`zyn history`: what it stores, what it shows, and that it says in one line what it cannot do."""

import gzip
import logging
import sqlite3
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from loguru import logger

import bot.history
import bot.progress
from bot.cli import main
from bot.progress import progress
from bot.settings import Settings
from core.domain.instruments import Instrument
from core.exchange import kraken_market
from core.ledger.store import Store
from core.market.builtin import builtin_instruments
from storage.database import open_database
from storage.lock import ProcessLock
from storage.migrate import HEAD, migrate
from tests.standins.kraken_public import KrakenPublic

START = 1_719_792_000
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
URL = "sqlite:///zyn.db"
TITLE = "symbol   interval  first             last              candles  missing  longest gap"
FOOT = "Times are UTC, when a candle opened. Missing: nothing traded, or it is not stored; never filled in."


def rows(*numbers: int, interval_s: int = 300) -> str:
    return "".join(f"{START + interval_s * number},1,2,1,2,3,4\n" for number in numbers)


@pytest.fixture(autouse=True)
def _log() -> Iterator[None]:
    """What `fetch` sets up must not outlive its test."""
    yield
    logger.remove()
    logging.getLogger().handlers.clear()


@pytest.fixture(autouse=True)
def _house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a database as `zyn` leaves it, and an environment without other settings."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", URL)
    database = open_database(URL)
    migrate(database, NOW)
    database.close()


Zyn = Callable[..., tuple[int, list[str], list[str]]]


@pytest.fixture
def zyn(capsys: pytest.CaptureFixture[str]) -> Zyn:
    """Runs `zyn history …` in this process: exit status, lines of stdout, lines of stderr."""

    def run(*arguments: object) -> tuple[int, list[str], list[str]]:
        status = main(["history", *map(str, arguments)])
        told = capsys.readouterr()
        return status, told.out.splitlines(), told.err.splitlines()

    return run


def test_an_empty_store_says_what_brings_candles(zyn: Zyn) -> None:
    status, out, err = zyn()
    assert (status, err) == (0, [])
    assert out == ["No candles are stored. Bring some: zyn history import PATH, or zyn history fetch SYMBOL."]


def test_a_file_is_imported_and_then_covered_with_its_gaps(zyn: Zyn) -> None:
    Path("ETHUSD_5.csv").write_text(rows(0, 1, 5))
    told = "ETH/USD 5 min: 3 candles, 2024-07-01 00:00 to 2024-07-01 00:25 UTC (ETHUSD_5.csv)"
    assert zyn("import", "ETHUSD_5.csv") == (0, [told], [])
    covered = "ETH/USD  5 min     2024-07-01 00:00  2024-07-01 00:25        3        3  3 candles from 2024-07-01 00:10"
    assert zyn() == (0, [TITLE, covered, FOOT], [])


def test_importing_twice_is_importing_once(zyn: Zyn) -> None:
    Path("ETHUSD_5.csv").write_text(rows(0, 1))
    first, second = zyn("import", "ETHUSD_5.csv"), zyn("import", "ETHUSD_5.csv")
    assert first == second
    assert zyn()[1][1].split()[7] == "2"


def test_of_a_bundle_only_what_is_asked_for_is_imported(zyn: Zyn) -> None:
    with zipfile.ZipFile("bundle.zip", "w") as archive:
        for name in ("ETHUSD_5.csv", "ETHUSD_60.csv", "SOLUSD_5.csv", "XBTUSD_5.csv"):
            archive.writestr(name, rows(0, 12, 24))
        archive.writestr("readme.txt", "hello")
    status, out, err = zyn("import", "bundle.zip", "--only", "ETH/USD,xbt", "--interval", "5")
    assert (status, err) == (0, ["Skipped bundle.zip: readme.txt: no .csv or .csv.gz"])
    assert [line.partition(":")[0] for line in out[:-1]] == ["ETH/USD 5 min", "BTC/USD 5 min"]
    assert out[-1] == "Imported 2 of 2 files, 6 candles."
    assert zyn("import", "bundle.zip", "--only", "ZEC")[0] == 1


def test_a_pair_is_known_by_the_list_that_the_bot_has_read(zyn: Zyn) -> None:
    Path("in").mkdir()
    Path("in/SOLEURC_5.csv").write_text(rows(0))
    assert zyn("import", "in")[2][0] == "Skipped SOLEURC_5.csv: its pair is not known"
    database = open_database(URL)
    sol = builtin_instruments()["SOL/EUR"]
    listed = Instrument("SOL/EURC", sol.tick_size, sol.lot_size, sol.order_min, sol.cost_min, "SOLEURC")
    Store(database).put_instruments({"SOL/EURC": listed}, NOW)
    database.close()
    assert zyn("import", "in")[1][0].startswith("SOL/EURC 5 min: 1 candles")


def test_a_file_with_one_bad_row_is_refused_whole_and_the_others_are_not(zyn: Zyn) -> None:
    Path("ETHUSD_5.csv").write_text(rows(0, 1) + "what,is,this\n")
    Path("SOLUSD_5.csv").write_text(rows(0, 1))
    status, out, err = zyn("import", "ETHUSD_5.csv", "SOLUSD_5.csv")
    assert status == 1
    assert out[-1] == "Imported 1 of 2 files, 2 candles."
    assert err == [
        "Not imported: ETHUSD_5.csv, row 3: expected time,open,high,low,close,volume,trades, found 'what,is,this'"
    ]
    assert [line.split()[0] for line in zyn()[1][1:-1]] == ["SOL/USD"]


def test_many_skipped_names_are_counted_and_not_listed(zyn: Zyn) -> None:
    Path("in").mkdir()
    Path("in/ETHUSD_5.csv").write_text(rows(0))
    for number in range(9):
        Path(f"in/note{number}.txt").touch()
    _, _, err = zyn("import", "in")
    assert len(err) == 6
    assert err[-1] == "Skipped 4 more that are no candles or of pairs that are not known"


def test_trades_become_candles_and_their_edges_are_said(zyn: Zyn) -> None:
    Path("t.csv").write_text(f"{START}.5,10,1\n{START + 30},12,1\n{START + 900},11,2\n")
    status, out, err = zyn("trades", "t.csv", "grt/eth", "--interval", "15")
    assert (status, err) == (0, [])
    assert out == [
        "GRT/ETH 15 min: 2 candles, 2024-07-01 00:00 to 2024-07-01 00:15 UTC (t.csv)",
        "The first and the last of these candles know only the trades that the file has.",
    ]


def test_the_edge_of_a_file_of_trades_does_not_spoil_a_whole_candle(zyn: Zyn) -> None:
    Path("ETHUSD_5.csv").write_text(rows(0))
    Path("t.csv").write_text(f"{START + 299},99,1\n")
    zyn("import", "ETHUSD_5.csv")
    zyn("trades", "t.csv", "ETH")
    with sqlite3.connect("zyn.db") as connection:
        assert connection.execute("SELECT close, volume, trades FROM candle").fetchall() == [(2, 3, 4)]
    connection.close()


def test_real_trades_and_real_candles_are_stored(zyn: Zyn, recording: Callable[[str], Path]) -> None:
    trades, candles = (f"candles/kraken_{name}.csv.gz" for name in ("GRTETH_trades", "OHLCVT_ETHUSD_5"))
    assert zyn("trades", recording(trades), "GRT/ETH", "--interval", "15")[0] == 0
    assert zyn("import", recording(candles))[1][0].startswith("ETH/USD 5 min: 52,943 candles, 2024-07-01 00:00")
    with gzip.open(recording("candles/kraken_GRTETH_15M.csv.gz"), "rt") as file:
        lines = list(file)[1:]
    empty = sum(",,,," in line for line in lines)
    shown = next(line.split() for line in zyn()[1] if line.startswith("GRT/ETH"))
    assert shown[7:9] == [f"{len(lines) - empty:,}", f"{empty:,}"]


# -- Kraken ------------------------------------------------------------------------------------------------------------


async def test_the_last_closed_candles_are_fetched_and_one_that_nobody_traded_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    begins = int(now.timestamp()) // 300 * 300 - 3 * 300
    async with KrakenPublic() as kraken:
        kraken.market.pairs["XZECZUSD"].candles[5] = [
            (begins, "510.0", "511.0", "509.0", "510.5", "1.5"),
            (begins + 300, "510.5", "510.5", "510.5", "510.5", "0.00000000"),
            (begins + 600, "510.5", "512.0", "510.5", "512.0", "2.5"),
            (begins + 900, "512.0", "512.0", "512.0", "512.0", "0.1"),
        ]
        monkeypatch.setenv("KRAKEN_API_URL", kraken.url)
        status = await in_a_thread(lambda: main(["history", "fetch", "ZEC", "NOPE/USD"]))
    told = capsys.readouterr()
    assert status == 1
    assert told.out.startswith("ZEC/USD 5 min: 2 candles, ")
    assert told.err.splitlines() == ["Not fetched: NOPE/USD: Kraken does not list NOPE/USD."]
    with sqlite3.connect("zyn.db") as connection:
        found = connection.execute("SELECT at, close, volume, trades FROM candle ORDER BY at").fetchall()
    connection.close()
    assert found == [(begins, 510.5, 1.5, None), (begins + 600, 512.0, 2.5, None)]


def test_an_interval_that_kraken_does_not_have_is_refused_by_name(zyn: Zyn) -> None:
    status, _, err = zyn("fetch", "ETH", "--interval", "720")
    assert status == 1
    assert err[0].startswith("Not fetched: ETH/USD: Kraken has no candles of 43200 s")


async def in_a_thread(work: Callable[[], int]) -> int:
    """`main` has an event loop of its own."""
    import asyncio  # noqa: PLC0415 - this test alone needs one beside its own

    return await asyncio.to_thread(work)


# -- what it refuses ---------------------------------------------------------------------------------------------------


def test_without_a_database_it_makes_none_and_says_what_does(zyn: Zyn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:///other/zyn.db")
    status, out, err = zyn()
    assert (status, out) == (1, [])
    assert err[0].startswith("Zyn brings no history: there is no database other/zyn.db yet; start Zyn once, it makes")
    assert not Path("other").exists()


@pytest.mark.parametrize("revision", ["0001", "9999"])
def test_a_database_of_another_schema_is_left_as_it_is(zyn: Zyn, revision: str) -> None:
    with sqlite3.connect("zyn.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()
    status, out, err = zyn("import", "nowhere")
    assert (status, out, len(err)) == (1, [], 1)
    assert revision in err[0]
    assert HEAD in err[0]
    assert ("start Zyn once" in err[0]) == (revision < HEAD)


def test_a_database_without_tables_is_left_as_it_is(zyn: Zyn) -> None:
    Path("zyn.db").unlink()
    Path("zyn.db").touch()
    assert "the database is empty; start Zyn once" in zyn()[2][0]


def test_it_runs_beside_a_bot_that_holds_the_lock(zyn: Zyn) -> None:
    Path("ETHUSD_5.csv").write_text(rows(0))
    database = open_database(URL)
    lock = ProcessLock(database)
    lock.acquire()
    try:
        assert zyn("import", "ETHUSD_5.csv")[0] == 0
    finally:
        lock.release()
        database.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["import", "nowhere"], "there is no file or folder nowhere"),
        (["import", "zyn.db"], "zyn.db is no .csv, .csv.gz, .zip or folder"),
        (["import", ".", "--only", "E T H"], "'E T H' is no symbol; write it like ETH/USD"),
        (["import", "."], "there is nothing to import in ."),
        (["trades", "nowhere.csv", "ETH"], "there is no file nowhere.csv"),
        (["fetch", "ETH/"], "'ETH/' is no symbol"),
    ],
)
def test_what_cannot_be_done_is_one_line(zyn: Zyn, arguments: list[str], words: str) -> None:
    status, out, err = zyn(*arguments)
    assert (status, out) == (1, [])
    assert err[-1].startswith(f"Zyn brings no history: {words}"), err


@pytest.mark.parametrize("minutes", ["0", "7", "-5", "five", "1e3", "²", "99999999999", ""])
def test_an_interval_that_is_none_is_a_question_of_usage(zyn: Zyn, minutes: str) -> None:
    with pytest.raises(SystemExit) as ended:
        zyn("fetch", "ETH", f"--interval={minutes}")
    assert ended.value.code == 2


def test_an_interruption_says_what_stays(zyn: Zyn, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("ETHUSD_5.csv").write_text(rows(0))

    def interrupt(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("core.history.importing.import_source", interrupt)
    status, _, err = zyn("import", "ETHUSD_5.csv")
    assert (status, err) == (130, ["Interrupted. What is stored stays; the same command again completes it."])


# -- progress ----------------------------------------------------------------------------------------------------------


def test_where_nobody_looks_progress_is_a_plain_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with progress("Importing", 200) as advance:
        advance(50)
        assert capsys.readouterr().err == "", "a short one says nothing"
    monkeypatch.setattr(bot.progress, "LINE_EVERY_S", 0.0)
    with progress("Importing", 200) as advance:
        advance(50)
        advance(50)
    assert capsys.readouterr().err == "Importing: 25%\nImporting: 50%\n"


def test_where_a_person_looks_progress_is_a_bar_and_what_goes_to_a_pipe_stays_there(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with progress("Importing", 2) as advance:
        print("a line of the result")
        advance(2)
    told = capsys.readouterr()
    assert told.out == "a line of the result\n"
    assert "Importing" in told.err


def test_kraken_is_asked_for_as_many_candles_as_it_keeps() -> None:
    assert bot.history.KRAKEN_KEEPS > kraken_market.CLOSED_ROWS_MAX
