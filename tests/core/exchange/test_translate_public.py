"""Kraken's public replies as our values: recorded ones as they came, and broken ones refused."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from decimal import ROUND_UP, Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest

from core.domain.instruments import Instrument
from core.exchange import translate_public as translate
from core.exchange.errors import MarketDownError

RECORDED = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "kraken"
AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ENDPOINTS = {
    "AssetPairs": {"AssetPairs", "http_asset_pairs", "http_asset_pairs_tokenized"},
    "Ticker": {"Ticker", "http_ticker"},
    "Depth": {"Depth", "http_order_book"},
    "Trades": {"Trades", "http_trades"},
    "OHLC": {"OHLC", "http_ohlc"},
}


def recordings(kind: str) -> list[str]:
    """The files that hold recorded replies of one endpoint; one name that cannot be read when the index is absent."""
    index = RECORDED / "index.jsonl"
    if not index.exists():
        return ["index.jsonl"]
    lines = [json.loads(line) for line in index.read_text().splitlines()]
    return [line["file"] for line in lines if line["endpoint"] in ENDPOINTS[kind]]


def recorded(file: str) -> Any:
    """The `result` of a recorded reply; skips, naming the file, where it is absent."""
    path = RECORDED / file
    if not path.exists():
        pytest.skip(f"recorded reply is absent: ../shared/data/kraken/{file}")
    raw = path.read_bytes()
    return json.loads(gzip.decompress(raw) if file.endswith(".gz") else raw)["result"]


def pair_of(result: dict[str, Any]) -> str:
    """Kraken's key of the only pair in a reply."""
    return next(key for key in result if key != "last")


def moment(seconds: float) -> datetime:
    """Whole seconds since 1970 as a time."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def plainly(value: Decimal) -> str:
    """Every digit that the number carries, without an exponent."""
    return format(value, "f")


# -- recorded replies --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", recordings("AssetPairs"))
def test_every_recorded_pair_with_a_name_and_limits_becomes_an_instrument(file: str) -> None:
    result = recorded(file)
    complete = {
        key: row
        for key, row in result.items()
        if "/" in row.get("wsname", "") and {"ordermin", "costmin"} <= row.keys()
    }
    found = {instrument.venue_name: instrument for instrument in translate.instruments(result).values()}
    assert found.keys() == complete.keys()
    for key, row in complete.items():
        assert found[key].order_min == Decimal(row["ordermin"])
        assert found[key].cost_min == Decimal(row["costmin"])
        assert found[key].tick_size == Decimal(row["tick_size"])
        assert found[key].lot_size == Decimal(f"1E-{row['lot_decimals']}")
        assert found[key].status == row["status"]


def test_the_listing_of_january_2026_is_read_whole_and_in_our_spelling() -> None:
    found = translate.instruments(recorded("imranpollob__coins/AssetPairs_2026-01.json.gz"))
    assert len(found) == 1434
    assert found["ZEC/USD"] == Instrument(
        "ZEC/USD", Decimal("0.01"), Decimal("0.00000001"), Decimal("0.01"), Decimal("0.5"), "XZECZUSD", "online"
    )
    assert found["BTC/USD"].venue_name == "XXBTZUSD"
    assert found["DOGE/BTC"].venue_name == "XXDGXXBT"
    assert "AIXBT/USD" in found
    assert not {symbol for symbol in found if {"XBT", "XDG"} & set(symbol.split("/"))}


@pytest.mark.parametrize("file", recordings("Ticker"))
def test_every_recorded_ticker_keeps_each_digit_of_its_prices(file: str) -> None:
    result = recorded(file)
    found = translate.quotes(result, {key: f"our {key}" for key in result}, AT)
    assert found.keys() == {f"our {key}" for key in result}
    for key, row in result.items():
        quote = found[f"our {key}"]
        assert (plainly(quote.bid), plainly(quote.ask), plainly(quote.last)) == (row["b"][0], row["a"][0], row["c"][0])
        assert (quote.symbol, quote.at, quote.source) == (f"our {key}", AT, "kraken")


@pytest.mark.parametrize("file", recordings("Depth"))
def test_every_recorded_book_has_its_best_prices_first(file: str) -> None:
    result = recorded(file)
    sides = result[pair_of(result)]
    book = translate.book(result, "BTC/EUR", AT)
    assert (len(book.bids), len(book.asks)) == (len(sides["bids"]), len(sides["asks"]))
    assert plainly(book.bids[0].price) == sides["bids"][0][0]
    assert plainly(book.asks[0].quantity) == sides["asks"][0][1]
    assert [level.price for level in book.bids] == sorted((level.price for level in book.bids), reverse=True)
    assert [level.price for level in book.asks] == sorted(level.price for level in book.asks)
    assert book.bids[0].price < book.asks[0].price


@pytest.mark.parametrize("file", recordings("Trades"))
def test_every_recorded_trade_becomes_a_print_at_its_microsecond(file: str) -> None:
    result = recorded(file)
    rows = result[pair_of(result)]
    prints, last = translate.prints(result, "BTC/USDT")
    assert last == result["last"]
    assert len(prints) == len(rows)
    for row, found in zip(rows, prints, strict=True):
        assert (plainly(found.price), plainly(found.quantity)) == (row[0], row[1])
        whole, _, fraction = f"{row[2]}".partition(".")
        assert found.at == moment(int(whole)) + timedelta(microseconds=int(f"{fraction:0<6}"[:6]))
    assert [found.at for found in prints] == sorted(found.at for found in prints)


@pytest.mark.parametrize("file", recordings("OHLC"))
def test_every_recorded_candle_but_the_last_is_closed(file: str) -> None:
    result = recorded(file)
    rows = result[pair_of(result)]
    candles = translate.candles(result, "BTC/EUR", 60)
    assert [candle.closed for candle in candles] == [True] * (len(rows) - 1) + [False]
    for row, candle in zip(rows, candles, strict=True):
        assert candle.at == moment(row[0])
        assert [plainly(price) for price in (candle.open, candle.high, candle.low, candle.close)] == row[1:5]
        assert plainly(candle.volume) == row[6]


@pytest.mark.parametrize("file", [file for file in recordings("OHLC") if not file.startswith("ccxt/")])
def test_the_last_closed_candle_is_the_one_that_kraken_calls_last(file: str) -> None:
    """The last closed candle is the one that Kraken calls last (the replies of ccxt are cut short, so not in those)."""
    result = recorded(file)
    closed = [candle for candle in translate.candles(result, "BTC/EUR", 60) if candle.closed]
    assert closed[-1].at == moment(result["last"])


# -- what recordings do not show ---------------------------------------------------------------------------------

ROW: dict[str, object] = {
    "wsname": "ZEC/USD",
    "tick_size": "0.01",
    "pair_decimals": 4,
    "lot_decimals": 8,
    "ordermin": "0.01",
    "costmin": "0.5",
    "status": "online",
}
BROKEN_ROWS: list[object] = [
    None,
    [],
    "XZECZUSD",
    {key: value for key, value in ROW.items() if key != "wsname"},
    {key: value for key, value in ROW.items() if key != "ordermin"},
    {key: value for key, value in ROW.items() if key != "costmin"},
    ROW | {"wsname": None},
    ROW | {"wsname": "ZECUSD"},
    ROW | {"wsname": "A/B/C"},
    ROW | {"tick_size": "0"},
    ROW | {"tick_size": "-0.01"},
    ROW | {"tick_size": "abc"},
    ROW | {"tick_size": None},
    ROW | {"ordermin": "NaN"},
    ROW | {"ordermin": 0.01},
    ROW | {"lot_decimals": "8"},
    ROW | {"lot_decimals": True},
    ROW | {"lot_decimals": -1},
    ROW | {"lot_decimals": 400},
]


@pytest.mark.parametrize("row", BROKEN_ROWS)
def test_a_broken_row_of_the_listing_is_left_out_and_hides_no_other(row: object) -> None:
    found = translate.instruments({"BROKEN": row, "XZECZUSD": ROW})
    assert list(found) == ["ZEC/USD"]
    assert found["ZEC/USD"].venue_name == "XZECZUSD"


def test_the_tick_is_tick_size_and_pair_decimals_only_where_none_is_named() -> None:
    unnamed = {key: value for key, value in ROW.items() if key != "tick_size"}
    assert translate.instruments({"K": ROW})["ZEC/USD"].tick_size == Decimal("0.01")
    assert translate.instruments({"K": unnamed})["ZEC/USD"].tick_size == Decimal("0.0001")


def test_the_status_is_the_venues_word() -> None:
    assert translate.instruments({"K": ROW | {"status": "cancel_only"}})["ZEC/USD"].status == "cancel_only"


def test_a_pair_without_bid_ask_or_trade_has_no_quote() -> None:
    row = {"a": ["1.00", "1", "1"], "b": ["0.00", "0", "0"], "c": ["1.00", "1"]}
    assert translate.quotes({"K": row}, {"K": "A/USD"}, AT) == {}


def test_tickers_that_nobody_asked_for_are_ignored_even_when_broken() -> None:
    assert translate.quotes({"OTHER": None}, {"K": "A/USD"}, AT) == {}


GOOD_TICKER = {"a": ["1.1", "1", "1"], "b": ["1.0", "1", "1"], "c": ["1.0", "1"]}


@pytest.mark.parametrize(
    "row", [None, {}, GOOD_TICKER | {"a": []}, GOOD_TICKER | {"b": ["x"]}, GOOD_TICKER | {"c": [1.0]}]
)
def test_a_malformed_ticker_is_market_down(row: object) -> None:
    with pytest.raises(MarketDownError, match=r"Kraken's reply cannot be read \(ticker of K\)"):
        translate.quotes({"K": row}, {"K": "A/USD"}, AT)


def test_a_book_that_comes_out_of_order_is_put_in_order() -> None:
    sides = {"bids": [["1", "5", 0], ["3", "5", 0]], "asks": [["9", "5", 0], ["4", "5", 0]]}
    book = translate.book({"K": sides}, "A/USD", AT)
    assert [level.price for level in book.bids] == [Decimal(3), Decimal(1)]
    assert [level.price for level in book.asks] == [Decimal(4), Decimal(9)]
    assert (book.symbol, book.at) == ("A/USD", AT)


GOOD_CANDLE = [1700000000, "1", "2", "0.5", "1.5", "1.2", "10", 3]


@pytest.mark.parametrize(
    "result",
    [
        None,
        [],
        "text",
        {},
        {"last": "1"},
        {"K": None, "last": "1"},
        {"K": {}, "last": "1"},
        {"K": [], "L": [], "last": "1"},
        {"K": [None], "last": "1"},
        {"K": [["1", "2"]], "last": "1"},
    ],
)
def test_a_reply_of_the_wrong_shape_is_market_down(result: object) -> None:
    with pytest.raises(MarketDownError, match="cannot be read"):
        translate.prints(result, "A/USD")
    with pytest.raises(MarketDownError, match="cannot be read"):
        translate.candles(result, "A/USD", 60)
    with pytest.raises(MarketDownError, match="cannot be read"):
        translate.book(result, "A/USD", AT)


@pytest.mark.parametrize("result", [None, [], "text", 5])
def test_a_listing_or_ticker_that_is_no_object_is_market_down(result: object) -> None:
    with pytest.raises(MarketDownError, match="it is not an object"):
        translate.instruments(result)
    with pytest.raises(MarketDownError, match="it is not an object"):
        translate.quotes(result, {}, AT)


@pytest.mark.parametrize("at", [None, True, "now", float("nan"), float("inf"), 1e300, -1e300])
def test_a_time_that_is_none_is_market_down(at: object) -> None:
    with pytest.raises(MarketDownError, match="is not a time"):
        translate.prints({"K": [["1", "2", at]], "last": "1"}, "A/USD")
    with pytest.raises(MarketDownError, match="is not a time"):
        translate.candles({"K": [[at, *GOOD_CANDLE[1:]]], "last": 1}, "A/USD", 60)


@pytest.mark.parametrize("last", [None, "", "soon", 1.5, [], "-1"])
def test_trades_without_a_cursor_are_market_down(last: object) -> None:
    with pytest.raises(MarketDownError, match="no cursor"):
        translate.prints({"K": [], "last": last}, "A/USD")


def test_no_trades_are_an_empty_list_and_a_cursor() -> None:
    assert translate.prints({"K": [], "last": "1700000000000000000"}, "A/USD") == ([], "1700000000000000000")


def test_the_trades_cursor_is_exact_to_the_microsecond() -> None:
    assert translate.trades_cursor(datetime(2025, 11, 11, 0, 13, 55, 982277, tzinfo=UTC)) == "1762820035982277000"


def test_times_of_trades_are_exact_where_float_arithmetic_is_not() -> None:
    prints, _ = translate.prints({"K": [["1", "1", 1762820035.982277]], "last": "1"}, "A/USD")
    assert prints[0].at == datetime(2025, 11, 11, 0, 13, 55, 982277, tzinfo=UTC)


def test_a_spoiled_decimal_context_changes_no_digit() -> None:
    with localcontext() as context:
        context.prec, context.rounding = 2, ROUND_UP
        found = translate.instruments({"K": ROW | {"ordermin": "123.456789"}})["ZEC/USD"]
        prints, _ = translate.prints({"K": [["91234.56789", "0.12345678", 1762820035.9822779]], "last": "1"}, "A/USD")
    assert (str(found.order_min), str(found.lot_size)) == ("123.456789", "1E-8")
    assert (str(prints[0].price), prints[0].at.microsecond) == ("91234.56789", 982277)
