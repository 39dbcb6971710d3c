"""`zyn history`: what is stored of the past, and the three ways in which it comes: files, trades, Kraken itself.

All of it may run beside the bot: it takes no lock, its transactions are short, and it touches candles only.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bot.progress import progress
from bot.settings import Settings

if TYPE_CHECKING:
    from core.history.importing import Imported, Put
    from core.history.sources import Found, Source
    from core.ledger.candles import CandleStore, Coverage
    from storage.database import Database

KRAKEN_KEEPS = 720
_SKIPPED_SHOWN = 5
_MINUTE_S = 60


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the subcommand and its own."""
    history = commands.add_parser("history", help="past candles: what is stored; import, trades and fetch bring more")
    kinds = history.add_subparsers(dest="history", metavar="WHAT")
    files = kinds.add_parser("import", help="Kraken's OHLCVT files: .csv, .csv.gz, the .zip bundle, or a folder")
    files.add_argument("paths", metavar="PATH", type=Path, nargs="+")
    files.add_argument("--only", metavar="SYMBOLS", type=_words, default=[], help="for example ETH/USD,SOL/USD")
    files.add_argument("--interval", metavar="MINUTES", type=_intervals, default=[], help="for example 5, or 5,60")
    trades = kinds.add_parser("trades", help="candles made of a file of Kraken's trades: time,price,volume")
    trades.add_argument("path", metavar="PATH", type=Path)
    trades.add_argument("symbol", metavar="SYMBOL")
    trades.add_argument("--interval", metavar="MINUTES", type=_interval, default=5 * _MINUTE_S)
    fetch = kinds.add_parser("fetch", help=f"the last {KRAKEN_KEEPS} candles that Kraken keeps, the closed ones")
    fetch.add_argument("symbols", metavar="SYMBOL", nargs="+")
    fetch.add_argument("--interval", metavar="MINUTES", type=_interval, default=5 * _MINUTE_S)


def run_history(settings: Settings, options: argparse.Namespace) -> int:
    """Do what was asked for; the exit status is 0 when all of it was done, 1 otherwise. Each problem is one line."""
    from core.history.rows import HistoryError  # noqa: PLC0415 - the other subcommands need none of this
    from core.ledger.candles import CandleStore  # noqa: PLC0415
    from storage.database import DatabaseError  # noqa: PLC0415
    from storage.migrate import open_present  # noqa: PLC0415

    try:
        database = open_present(settings.database_url)
        try:
            return _KINDS[options.history](settings, options, database, CandleStore(database))
        finally:
            database.close()
    except (HistoryError, DatabaseError) as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        print("Interrupted. What is stored stays; the same command again completes it.", file=sys.stderr)
        return 130


_Kind = Callable[[Settings, argparse.Namespace, "Database", "CandleStore"], int]


# -- what is stored ----------------------------------------------------------------------------------------------------


def _coverage(_settings: Settings, _options: argparse.Namespace, _database: "Database", store: "CandleStore") -> int:
    kinds = store.kinds()
    if not kinds:
        print("No candles are stored. Bring some: zyn history import PATH, or zyn history fetch SYMBOL.")
        return 0
    covers = []
    with progress("Counting candles", len(kinds)) as advance:
        for kind in kinds:
            covers.append(store.cover(*kind))
            advance(1)
    titles = ("symbol", "interval", "first", "last", "candles", "missing", "longest gap")
    print(_table([titles, *(_covered(one) for one in covers if one is not None)], right={4, 5}))
    print("Times are UTC, when a candle opened. Missing: nothing traded, or it is not stored; never filled in.")
    return 0


def _covered(cover: "Coverage") -> tuple[str, ...]:
    from core.history.rows import interval_words  # noqa: PLC0415

    gap = f"{cover.gap:,} candles from {_minute(cover.gap_from)}" if cover.gap_from else "none"
    days = (_minute(cover.first), _minute(cover.last))
    return cover.symbol, interval_words(cover.interval_s), *days, f"{cover.count:,}", f"{cover.missing:,}", gap


# -- files -------------------------------------------------------------------------------------------------------------


def _import(settings: Settings, options: argparse.Namespace, database: "Database", store: "CandleStore") -> int:
    from core.history.sources import Wanted, find_sources  # noqa: PLC0415
    from core.ledger.store import Store  # noqa: PLC0415
    from core.market.builtin import builtin_instruments  # noqa: PLC0415

    symbols = _symbols(options.only, settings)
    known = frozenset(Store(database).instruments()) or frozenset(builtin_instruments())
    with find_sources(options.paths, Wanted(frozenset(symbols), frozenset(options.interval), known)) as found:
        _tell_skipped(found)
        if not found.sources:
            asked = ", of what --only and --interval ask for" if found.unwanted else ""
            return _refuse(f"there is nothing to import{asked} in {', '.join(map(str, options.paths))}")
        return _import_all(found.sources, store.put)


def _trades(settings: Settings, options: argparse.Namespace, _database: "Database", store: "CandleStore") -> int:
    from core.history.naming import FileName  # noqa: PLC0415
    from core.history.rows import HistoryError  # noqa: PLC0415
    from core.history.sources import file_source  # noqa: PLC0415
    from core.history.trades import candles_of_trades  # noqa: PLC0415

    (symbol,) = _symbols([options.symbol], settings)
    if not options.path.is_file():
        raise HistoryError(f"there is no file {options.path}")
    source = file_source(options.path, FileName(symbol, options.interval), candles_of_trades)
    status = _import_all([source], partial(store.put, may_lack_trades=True))
    if not status:
        print("The first and the last of these candles know only the trades that the file has.")
    return status


def _import_all(sources: "Sequence[Source]", put: "Put") -> int:
    from core.history.importing import import_source  # noqa: PLC0415
    from core.history.rows import HistoryError  # noqa: PLC0415

    done: list[Imported] = []
    # Each file is read twice: to check it and to store it.
    with progress("Importing", 2 * sum(source.size_bytes for source in sources)) as advance:
        for source in sources:
            try:
                one = import_source(source, put, advance)
            except HistoryError as error:
                print(f"Not imported: {error}", file=sys.stderr)
                continue
            done.append(one)
            print(_imported(one))
    if len(sources) > 1:
        print(f"Imported {len(done):,} of {len(sources):,} files, {sum(one.count for one in done):,} candles.")
    return 0 if len(done) == len(sources) else 1


def _imported(one: "Imported") -> str:
    from core.history.rows import interval_words  # noqa: PLC0415

    source = one.source
    empty = f", {one.untraded:,} rows without trades left out" if one.untraded else ""
    reach = "" if one.first is None or one.last is None else f", {_moment(one.first)} to {_moment(one.last)} UTC"
    return f"{source.symbol} {interval_words(source.interval_s)}: {one.count:,} candles{reach}{empty} ({source.name})"


def _tell_skipped(found: "Found") -> None:
    for name, why in found.skipped[:_SKIPPED_SHOWN]:
        print(f"Skipped {name}: {why}", file=sys.stderr)
    more = len(found.skipped) - _SKIPPED_SHOWN
    if more > 0:
        print(f"Skipped {more:,} more that are no candles or of pairs that are not known", file=sys.stderr)


# -- Kraken ------------------------------------------------------------------------------------------------------------


def _fetch(settings: Settings, options: argparse.Namespace, database: "Database", store: "CandleStore") -> int:
    from bot.logs import set_up_logs  # noqa: PLC0415

    set_up_logs("ERROR", None, settings.secrets())
    symbols = _symbols(options.symbols, settings)
    return asyncio.run(_fetch_all(settings, symbols, options.interval, database, store))


async def _fetch_all(
    settings: Settings, symbols: Sequence[str], interval_s: int, database: "Database", store: "CandleStore"
) -> int:
    from core.exchange.errors import MarketDownError  # noqa: PLC0415
    from core.exchange.kraken_market import KrakenMarketData  # noqa: PLC0415
    from core.history.rows import interval_words, of_candles  # noqa: PLC0415
    from core.ledger.store import Store  # noqa: PLC0415
    from core.market.clocks import wall_clock  # noqa: PLC0415

    market = KrakenMarketData(settings.kraken_api_url, wall_clock, Store(database).instruments())
    failed = 0
    try:
        with progress("Fetching", len(symbols)) as advance:
            for symbol in symbols:
                try:
                    candles = of_candles(await market.candles(symbol, interval_s, KRAKEN_KEEPS))
                except MarketDownError as error:
                    print(f"Not fetched: {symbol}: {error.message}", file=sys.stderr)
                    failed += 1
                else:
                    store.put(symbol, interval_s, candles)
                    reach = f", {_moment(candles[0].at)} to {_moment(candles[-1].at)} UTC" if candles else ""
                    print(f"{symbol} {interval_words(interval_s)}: {len(candles):,} candles{reach} (Kraken)")
                advance(1)
    finally:
        await market.close()
    return 1 if failed else 0


_KINDS: dict[str | None, _Kind] = {None: _coverage, "import": _import, "trades": _trades, "fetch": _fetch}


# -- words -------------------------------------------------------------------------------------------------------------


def _refuse(why: str) -> int:
    print(f"Zyn brings no history: {why}", file=sys.stderr)
    return 1


def _symbols(texts: Sequence[str], settings: Settings) -> list[str]:
    """What a person calls them, as our symbols; each once. Raises HistoryError for what is no symbol."""
    from core.history.naming import symbol_of  # noqa: PLC0415
    from core.history.rows import HistoryError  # noqa: PLC0415

    found = []
    for text in texts:
        symbol = symbol_of(text, settings.quote_currency)
        if symbol is None:
            raise HistoryError(f"{text!r} is no symbol; write it like ETH/{settings.quote_currency}")
        found.append(symbol)
    return list(dict.fromkeys(found))


def _words(text: str) -> list[str]:
    return [word for word in text.split(",") if word.strip()]


def _intervals(text: str) -> list[int]:
    return [_interval(word) for word in _words(text)]


def _interval(text: str) -> int:
    """Minutes as seconds, for argparse."""
    from core.history.rows import is_interval  # noqa: PLC0415

    word = text.strip()
    seconds = int(word) * _MINUTE_S if word.isascii() and word.isdigit() and len(word) <= len("21600") else 0
    if not is_interval(seconds):
        raise argparse.ArgumentTypeError(f"{text!r} is no interval of candles; minutes like 1, 5, 15, 60, 240 or 1440")
    return seconds


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _moment(unix: int) -> str:
    return _minute(datetime.fromtimestamp(unix, UTC))


def _table(rows: Sequence[Sequence[str]], right: set[int]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
