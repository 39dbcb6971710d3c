"""MARKET=kraken against a stand-in of Kraken's public API: prices with their source, fills from the book, outages."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.e2e.books import Books, age, disagreements, read_books
from tests.e2e.kit import Home, eventually
from tests.standins.kraken_public import Fault, KrakenPublic, Pair

pytestmark = pytest.mark.e2e

BUY = "buy 0.04 ZEC/USD sl 1% tp 2%"
NO_TICKS = "300"
"""Seconds between two ticks: none within a test, so that Kraken's budget of calls is the commands' own."""


def on_kraken(home: Home, kraken: KrakenPublic, ticks: str = NO_TICKS) -> Home:
    home.environment = {"MARKET": "kraken", "KRAKEN_API_URL": kraken.url, "BRACKET_CHECK_SECONDS": ticks}
    zec = zec_of(kraken)
    zec.asks = [("510.20", "0.02000000"), ("510.40", "1.00000000")]
    zec.bids = [("510.10", "5.00000000")]
    return home


def zec_of(kraken: KrakenPublic) -> Pair:
    return kraken.market.pairs["XZECZUSD"]


def stop_fill(books: Books) -> dict[str, object]:
    stop = next(order for order in books.orders if order["role"] == "stop")
    return next(fill for fill in books.fills if fill["order_id"] == stop["client_id"])


_bought: dict[str, bytes] = {}


async def holding(home: Home, kraken: KrakenPublic) -> Home:
    """A home whose bot bought 0.04 ZEC at 510.30 and was stopped. Bought once, then copied: calls are paced."""
    on_kraken(home, kraken)
    if "file" not in _bought:
        bot = await home.bot()
        assert "Bought 0.04 ZEC" in await bot.done(BUY)
        assert await bot.stop() == 0
        _bought["file"] = home.database.read_bytes()
    home.database.parent.mkdir(exist_ok=True)
    home.database.write_bytes(_bought["file"])
    return home


async def test_a_price_says_that_it_is_krakens_and_how_old_it_is(home: Home, kraken: KrakenPublic) -> None:
    bot = await on_kraken(home, kraken).bot()
    told = await bot.done("price zec")
    assert told == "ZEC/USD: bid 510.1, ask 510.2, last 510.15.\nPrices: kraken, 0 s old."
    zec_of(kraken).quote("520.10", "520.20", "520.15")
    await asyncio.sleep(1.1)  # quotes of the last second are shown again
    assert "last 520.15" in await bot.done("price zec")
    assert "last 91000.1" in await bot.done("price XBT/USD")


async def test_a_paper_purchase_walks_the_book_and_what_lies_beyond_is_canceled_and_said(
    home: Home, kraken: KrakenPublic
) -> None:
    bot = await on_kraken(home, kraken).bot()
    zec_of(kraken).asks = [("510.20", "0.02000000"), ("510.40", "0.01000000")]
    reply = await bot.ask(BUY)
    assert "Bought 0.03 ZEC (ZEC/USD) at 510.2666667, " in reply["text"]
    assert "0.01 of 0.04 ZEC was not bought: " in reply["text"]
    assert "Prices: kraken, " in reply["text"]
    books = read_books(home.database)
    assert [(fill["price"], fill["quantity"]) for fill in books.paper_fills] == [
        (Decimal("510.20"), Decimal("0.02")),
        (Decimal("510.40"), Decimal("0.01")),
    ]
    assert disagreements(books) == []
    assert {endpoint for endpoint, _ in kraken.requests} == {"AssetPairs", "Ticker", "OHLC", "Depth"}


async def test_a_trade_through_the_stop_sells_at_the_next_tick(home: Home, kraken: KrakenPublic) -> None:
    await (await holding(home, kraken)).bot(BRACKET_CHECK_SECONDS="1")
    zec = zec_of(kraken)
    zec.quote("500.10", "500.20", "500.15")
    zec.trade(datetime.now(UTC), "500.15")
    await eventually(lambda: not read_books(home.database).unfinished, "the stop fires")
    books = read_books(home.database)
    assert Decimal(499) < Decimal(str(stop_fill(books)["price"])) <= Decimal("500.15")
    assert not any("while Zyn was away" in text for text in books.alert_texts())
    assert disagreements(books) == []


def hours_ago(kraken: KrakenPublic) -> datetime:
    """Candles of three hours; an hour and a half ago one of them fell to 480 and came back."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    first, fall = now - timedelta(hours=3), now - timedelta(minutes=90)
    zec = zec_of(kraken)
    zec.flat_candles(1, first, 181, "510.00")
    rows = zec.candles[1]
    place = next(number for number, row in enumerate(rows) if row[0] == int(fall.timestamp()))
    rows[place] = (rows[place][0], "510.00", "510.00", "480.00", "510.00", "50.00000000")
    return fall + timedelta(minutes=1)


def a_minute_ago(kraken: KrakenPublic) -> datetime:
    """A single trade at 480, a good minute ago."""
    at = datetime.now(UTC) - timedelta(seconds=70)
    zec_of(kraken).trade(at, "480.00", "50.00000000")
    zec_of(kraken).quote("510.10", "510.20", "510.15")
    return at


@pytest.mark.parametrize(
    ("away", "fall"), [(timedelta(hours=2), hours_ago), (timedelta(minutes=3), a_minute_ago)], ids=["hours", "minutes"]
)
async def test_a_stop_that_was_crossed_while_zyn_was_away_is_filled_before_anything_else(
    home: Home, kraken: KrakenPublic, away: timedelta, fall: Callable[[KrakenPublic], datetime]
) -> None:
    age((await holding(home, kraken)).database, away)
    fell_at = fall(kraken)
    bot = await home.bot()
    assert (await bot.refused("close zec"))["code"] == "NO_POSITION"
    assert "No positions." in await bot.done("open")
    books = read_books(home.database)
    filled = stop_fill(books)
    assert filled["at"] == fell_at
    assert Decimal(479) < Decimal(str(filled["price"])) <= Decimal("505.30")
    texts = [text for text in books.alert_texts() if not text.startswith("Zyn stops")]
    assert texts[0].startswith("Stop sold 0.04 ZEC at ")
    assert "while Zyn was away" in texts[0]
    assert any(text.startswith("Zyn is back. PAPER: 1 open when it stopped, 0 open now.") for text in texts)
    assert disagreements(books) == []


async def test_while_kraken_is_down_entries_are_refused_and_afterwards_they_work(
    home: Home, kraken: KrakenPublic
) -> None:
    bot = await on_kraken(home, kraken).bot()
    kraken.fail(Fault.HTML_502)
    refused = await bot.refused(BUY)
    assert refused["code"] == "NO_PRICES"
    assert "Kraken's server answered HTTP 502" in refused["text"]
    assert "No positions." in await bot.done("open")
    kraken.recover()
    assert "Prices: kraken, 0 s old." in await bot.done("price zec")
    assert "Traceback" not in bot.log.text
    assert read_books(home.database).brackets == []


async def test_kraken_down_at_the_start_stops_nothing_but_entries(home: Home, kraken: KrakenPublic) -> None:
    on_kraken(home, kraken)
    kraken.fail(Fault.UNAVAILABLE)
    bot = await home.bot()
    assert "instruments could not be read" in bot.log.text
    assert (await bot.refused("price zec"))["code"] == "NO_PRICES"
    kraken.recover()
    assert "Prices: kraken, 0 s old." in await bot.done("price zec")
    assert "Traceback" not in bot.log.text


async def test_until_kraken_can_tell_what_happened_meanwhile_nothing_is_traded(
    home: Home, kraken: KrakenPublic
) -> None:
    age((await holding(home, kraken)).database, timedelta(hours=2))
    fell_at = hours_ago(kraken)
    kraken.fail(Fault.HTML_502, endpoint="OHLC")
    bot = await home.bot(BRACKET_CHECK_SECONDS="1")
    shown = await bot.done("open")
    assert "• stop ZEC/USD sell 0.04 at " in shown
    assert "• target ZEC/USD sell 0.04 at " in shown
    assert (await bot.refused("close zec"))["code"] == "NOT_READY"
    kraken.recover()
    await eventually(lambda: not read_books(home.database).unfinished, "the stop is filled")
    books = read_books(home.database)
    assert [order["role"] for order in books.orders if order["filled"] > 0] == ["entry", "stop"]
    assert stop_fill(books)["at"] == fell_at
    assert any("while Zyn was away" in text for text in books.alert_texts())
    assert (await bot.refused("close zec"))["code"] == "NO_POSITION"
    assert disagreements(books) == []


async def test_sigterm_does_not_wait_for_a_kraken_that_hangs(home: Home, kraken: KrakenPublic) -> None:
    bot = await (await holding(home, kraken)).bot(BRACKET_CHECK_SECONDS="0.5")
    kraken.slow_s = 30.0
    kraken.fail(Fault.SLOW)
    asked = len(kraken.requests)
    await eventually(lambda: len(kraken.requests) > asked, "a call hangs")
    assert await bot.stop(5.0) == 0
    assert "UTC. PAPER: 1 open" in bot.log.text


async def test_sigterm_during_a_start_that_hangs_on_kraken_ends_it(home: Home, kraken: KrakenPublic) -> None:
    on_kraken(home, kraken)
    kraken.slow_s = 30.0
    kraken.fail(Fault.SLOW)
    starting = await home.process("run")
    await eventually(lambda: len(kraken.requests) > 0, "the start hangs")
    status = await starting.stop(5.0)
    assert status in {0, -15}
    assert "Traceback" not in starting.log.text
