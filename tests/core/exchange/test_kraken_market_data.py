"""Kraken's public data through ccxt itself, against a stand-in server on 127.0.0.1."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_UP, Decimal, localcontext

import pytest

from core.domain.market import Candle, Print
from core.exchange.errors import MarketDownError
from core.exchange.kraken import new_client
from core.exchange.kraken_market import SETTLING
from core.exchange.port import MarketData
from tests.core.exchange.kraken_rig import NOW, STORED, ZEC, Rig, ago, open_rig
from tests.standins.kraken_public import Fault


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """A venue of its own for each test."""
    async with open_rig() as made:
        yield made


# -- instruments -------------------------------------------------------------------------------------------------


async def test_it_serves_the_market_data_port_under_the_name_kraken(rig: Rig) -> None:
    source: MarketData = rig.source()
    assert source.name == "kraken"


def test_importing_the_module_does_not_import_ccxt_or_aiohttp() -> None:
    code = "import sys, core.exchange.kraken; print(sorted({'ccxt', 'aiohttp'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_root_address_replaces_krakens_for_public_and_private_calls() -> None:
    client = new_client("http://127.0.0.1:1234/", 10.0)
    assert (client.urls["api"]["public"], client.urls["api"]["private"]) == ("http://127.0.0.1:1234",) * 2
    assert new_client(None, 10.0).urls["api"]["public"] == "https://api.kraken.com"


async def test_instruments_are_listed_in_our_spelling(rig: Rig) -> None:
    found = await rig.source().instruments()
    assert sorted(found) == ["BTC/USD", "DOGE/USD", "ZEC/USD"]
    assert found[ZEC] == STORED


async def test_instruments_are_read_once_and_again_when_older_than_a_day(rig: Rig) -> None:
    source = rig.source()
    await asyncio.gather(source.instruments(), source.instruments())
    rig.now += timedelta(hours=23, minutes=59)
    await source.instruments()
    assert len(rig.venue.asked("AssetPairs")) == 1
    rig.zec.status = "cancel_only"
    rig.now += timedelta(minutes=1)
    assert (await source.instruments())[ZEC].status == "cancel_only"
    assert len(rig.venue.asked("AssetPairs")) == 2


async def test_stored_instruments_stand_in_while_kraken_cannot_be_read(rig: Rig) -> None:
    rig.venue.fail(Fault.HTML_502)
    assert await rig.source({ZEC: STORED}).instruments() == {ZEC: STORED}


async def test_without_stored_instruments_an_unreadable_listing_is_market_down(rig: Rig) -> None:
    rig.venue.fail(Fault.HTML_502)
    with pytest.raises(MarketDownError, match="HTTP 502 when asked for its list of pairs"):
        await rig.source().instruments()


async def test_after_a_failed_read_the_listing_is_asked_for_again_in_a_minute_not_at_every_call(
    rig: Rig,
) -> None:
    rig.venue.fail(Fault.RATE_LIMIT)
    source = rig.source({ZEC: STORED})
    await source.instruments()
    await source.instruments()
    assert len(rig.venue.asked("AssetPairs")) == 1
    rig.venue.recover()
    rig.now += timedelta(minutes=1)
    assert len(await source.instruments()) == 3


async def test_a_listing_that_was_read_is_preferred_to_the_stored_one(rig: Rig) -> None:
    source = rig.source({ZEC: STORED})
    await source.instruments()
    rig.venue.fail(Fault.DROP)
    rig.now += timedelta(hours=25)
    assert len(await source.instruments()) == 3


async def test_an_empty_listing_is_market_down_and_not_believed(rig: Rig) -> None:
    rig.venue.market.pairs.clear()
    with pytest.raises(MarketDownError, match="holds none"):
        await rig.source().instruments()


# -- quotes and book ---------------------------------------------------------------------------------------------


async def test_quotes_of_all_known_symbols_come_in_one_call_and_unknown_ones_are_left_out(rig: Rig) -> None:
    found = await rig.source().quotes([ZEC, "BTC/USD", "NOPE/USD"])
    assert sorted(found) == ["BTC/USD", ZEC]
    assert (found[ZEC].bid, found[ZEC].ask, found[ZEC].last) == (
        Decimal("510.10"),
        Decimal("510.20"),
        Decimal("510.15"),
    )
    assert (found[ZEC].at, found[ZEC].source) == (NOW, "kraken")
    assert rig.venue.asked("Ticker") == [{"pair": "XZECZUSD,XXBTZUSD"}]


async def test_quotes_of_nothing_known_ask_nothing(rig: Rig) -> None:
    assert await rig.source().quotes(["NOPE/USD"]) == {}
    assert rig.venue.asked("Ticker") == []


async def test_one_delisted_pair_does_not_blind_us_to_the_others(rig: Rig) -> None:
    source = rig.source()
    await source.instruments()
    del rig.venue.market.pairs["XXBTZUSD"]
    rig.now += timedelta(hours=1)
    assert list(await source.quotes([ZEC, "BTC/USD"])) == [ZEC]
    assert len(rig.venue.asked("AssetPairs")) == 2


async def test_a_refusal_is_believed_when_the_list_has_nothing_new_to_say(rig: Rig) -> None:
    source = rig.source()
    await source.instruments()
    del rig.venue.market.pairs["XXBTZUSD"]
    with pytest.raises(MarketDownError, match='"EQuery:Unknown asset pair" when asked for prices'):
        await source.quotes(["BTC/USD"])
    assert len(rig.venue.asked("AssetPairs")) == len(rig.venue.asked("Ticker")) == 1


async def test_a_quote_is_as_old_as_the_question(rig: Rig) -> None:
    """A quote is as old as the question, so that a slow answer is never taken for a fresh one."""
    source = rig.source()
    await source.instruments()
    rig.venue.slow_s = 0.2
    rig.venue.fail(Fault.SLOW)
    reading = asyncio.ensure_future(source.quotes([ZEC]))
    while not rig.venue.asked("Ticker"):
        await asyncio.sleep(0.01)
    rig.now += timedelta(seconds=3)
    assert (await reading)[ZEC].at == NOW


async def test_the_book_is_asked_for_a_hundred_levels_deep(rig: Rig) -> None:
    rig.zec.bids = [("510.1", "1.5"), ("510.0", "2")]
    rig.zec.asks = [("510.2", "0.5"), ("510.3", "4")]
    book = await rig.source().book(ZEC)
    assert [(level.price, level.quantity) for level in book.asks] == [
        (Decimal("510.2"), Decimal("0.5")),
        (Decimal("510.3"), Decimal(4)),
    ]
    assert book.bids[0].price == Decimal("510.1")
    assert (book.symbol, book.at) == (ZEC, NOW)
    assert rig.venue.asked("Depth") == [{"pair": "XZECZUSD", "count": "100"}]


async def test_a_spoiled_decimal_context_changes_no_digit(rig: Rig) -> None:
    with localcontext() as context:
        context.prec, context.rounding = 2, ROUND_UP
        found = await rig.source().quotes([ZEC])
    assert str(found[ZEC].bid) == "510.10"


# -- the tape ----------------------------------------------------------------------------------------------------


async def test_the_tape_of_the_last_minutes_is_the_prints_strictly_after_since(rig: Rig) -> None:
    since = ago(minutes=2)
    for offset_us, price in ((-1, "1"), (0, "2"), (1, "3"), (5_000_000, "4")):
        rig.zec.trade(since + timedelta(microseconds=offset_us), price)
    tape = await rig.source().tape(ZEC, since)
    assert [(event.price, event.at) for event in tape.events if isinstance(event, Print)] == [
        (Decimal(3), since + timedelta(microseconds=1)),
        (Decimal(4), since + timedelta(seconds=5)),
    ]
    assert tape.until == rig.now - SETTLING
    assert not tape.caught_up
    assert rig.venue.asked("Trades") == [{"pair": "XZECZUSD", "since": "1795175910000000000", "count": "1000"}]


async def test_a_quiet_tape_reaches_up_to_what_may_still_show_up_late(rig: Rig) -> None:
    tape = await rig.source().tape(ZEC, ago(minutes=5))
    assert (list(tape.events), tape.until, tape.caught_up) == ([], rig.now - SETTLING, False)


async def test_a_tape_asked_from_a_moment_ago_reaches_no_further_than_that_moment(rig: Rig) -> None:
    tape = await rig.source().tape(ZEC, ago(seconds=2))
    assert (list(tape.events), tape.until) == ([], ago(seconds=2))


async def test_following_the_tape_by_its_until_shows_every_print_once(rig: Rig) -> None:
    source, since, seen = rig.source(), ago(minutes=1), []
    for number in range(30):
        rig.zec.trade(rig.now - timedelta(seconds=9) + timedelta(microseconds=number), f"{number + 1}")
        rig.now += timedelta(milliseconds=300)
        tape = await source.tape(ZEC, since)
        seen += [event.price for event in tape.events if isinstance(event, Print)]
        since = tape.until
    assert seen == [Decimal(number + 1) for number in range(30)]


async def test_a_busy_tape_is_paged_until_it_is_exhausted(rig: Rig) -> None:
    start = ago(minutes=4)
    for number in range(2500):
        rig.zec.trade(start + timedelta(milliseconds=number + 1), "10")
    tape = await rig.source().tape(ZEC, start)
    assert len(tape.events) == 2500
    assert tape.until == rig.now - SETTLING
    assert len(rig.venue.asked("Trades")) == 3


async def test_paging_stops_after_twenty_pages_and_until_tells_how_far_it_came(rig: Rig) -> None:
    start = ago(minutes=4)
    for number in range(20_100):
        rig.zec.trade(start + timedelta(milliseconds=number + 1), "10")
    source = rig.source()
    tape = await source.tape(ZEC, start)
    assert (len(tape.events), len(rig.venue.asked("Trades"))) == (20_000, 20)
    assert len((await source.tape(ZEC, tape.until)).events) == 100


async def test_an_older_tape_is_closed_candles_that_open_no_earlier(rig: Rig) -> None:
    rig.zec.flat_candles(1, datetime(2026, 11, 20, 11, 0, tzinfo=UTC), 61)
    since = datetime(2026, 11, 20, 11, 50, tzinfo=UTC)
    tape = await rig.source().tape(ZEC, since)
    candles = [event for event in tape.events if isinstance(event, Candle)]
    assert [candle.at for candle in candles] == [since + timedelta(minutes=number) for number in range(10)]
    assert all(candle.closed and candle.interval_s == 60 for candle in candles)
    assert tape.until == datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    assert tape.caught_up
    assert rig.venue.asked("Trades") == []


async def test_the_candle_that_was_open_at_since_is_told_by_its_prints(rig: Rig) -> None:
    rig.zec.flat_candles(1, datetime(2026, 11, 20, 11, 0, tzinfo=UTC), 61)
    since = datetime(2026, 11, 20, 11, 50, 1, tzinfo=UTC)
    for offset_s in (-1, 10, 58, 60):
        rig.zec.trade(since + timedelta(seconds=offset_s), "9")
    tape = await rig.source().tape(ZEC, since)
    assert [event.at for event in tape.events[:2]] == [since + timedelta(seconds=10), since + timedelta(seconds=58)]
    assert all(isinstance(event, Candle) for event in tape.events[2:])
    assert tape.events[2].at == datetime(2026, 11, 20, 11, 51, tzinfo=UTC)


async def test_an_older_tape_without_closed_candles_reaches_no_further_than_since(rig: Rig) -> None:
    rig.zec.flat_candles(1, datetime(2026, 11, 20, 12, 0, tzinfo=UTC), 1)
    tape = await rig.source().tape(ZEC, ago(minutes=6))
    assert (list(tape.events), tape.until, tape.caught_up) == ([], ago(minutes=6), True)


@pytest.mark.parametrize(
    ("minutes_ago", "interval_min"),
    [
        (6, 1),
        (719, 1),
        (720, 5),
        (719 * 5, 5),
        (719 * 5 + 1, 15),
        (719 * 15 + 1, 30),
        (719 * 30 + 1, 60),
        (719 * 60 + 1, 240),
        (719 * 240 + 1, 1440),
        (719 * 1440 + 1, 1440),
    ],
)
async def test_an_older_tape_takes_the_finest_candles_that_reach_back(
    rig: Rig, minutes_ago: int, interval_min: int
) -> None:
    await rig.source().tape(ZEC, ago(minutes=minutes_ago))
    assert [query["interval"] for query in rig.venue.asked("OHLC")] == [str(interval_min)]


async def test_the_candle_that_opens_at_since_is_there_when_the_tape_is_as_long_as_it_can_be(rig: Rig) -> None:
    since = datetime(2026, 11, 20, 0, 2, tzinfo=UTC)
    rig.now = since + timedelta(minutes=719)
    rig.zec.flat_candles(1, since - timedelta(minutes=100), 820)
    tape = await rig.source().tape(ZEC, since)
    assert len(tape.events) == 719
    assert isinstance(tape.events[0], Candle)
    assert tape.events[0].at == since
    assert tape.until == rig.now


# -- candles -----------------------------------------------------------------------------------------------------


async def test_candles_are_the_last_closed_ones_oldest_first(rig: Rig) -> None:
    first = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
    rig.zec.flat_candles(60, first, 11)
    candles = await rig.source().candles(ZEC, 3600, 3)
    assert [candle.at for candle in candles] == [first + timedelta(hours=hour) for hour in (7, 8, 9)]
    assert all(candle.closed for candle in candles)
    assert rig.venue.asked("OHLC") == [{"pair": "XZECZUSD", "interval": "60"}]


async def test_candles_are_read_again_after_a_minute_after_a_close_and_for_the_patient(rig: Rig) -> None:
    rig.zec.flat_candles(1, datetime(2026, 11, 20, 11, 0, tzinfo=UTC), 58)
    rig.now = datetime(2026, 11, 20, 11, 57, 5, tzinfo=UTC)
    source = rig.source()
    for wait_s, patient, reads in ((0, False, 1), (30, False, 1), (1, True, 2), (23, False, 2), (1, False, 3)):
        rig.now += timedelta(seconds=wait_s)
        await source.candles(ZEC, 60, 3, patient=patient)
        assert len(rig.venue.asked("OHLC")) == reads, (wait_s, patient)
    await source.candles(ZEC, 3600, 3)
    rig.now += timedelta(seconds=61)
    await source.candles(ZEC, 3600, 3)
    assert len(rig.venue.asked("OHLC")) == 5


async def test_candles_are_fewer_where_history_is_shorter(rig: Rig) -> None:
    rig.zec.flat_candles(60, datetime(2026, 11, 20, 2, 0, tzinfo=UTC), 11)
    source = rig.source()
    assert len(await source.candles(ZEC, 3600, 200)) == 10
    assert list(await source.candles(ZEC, 3600, 0)) == []


async def test_an_interval_that_kraken_does_not_keep_is_refused_before_asking(rig: Rig) -> None:
    with pytest.raises(MarketDownError, match="Kraken has no candles of 420 s"):
        await rig.source().candles(ZEC, 420, 10)
    assert rig.venue.requests == []


@pytest.mark.parametrize("method", ["book", "tape", "candles"])
async def test_a_symbol_that_kraken_does_not_list_is_market_down(rig: Rig, method: str) -> None:
    source = rig.source()
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "book": lambda: source.book("NOPE/USD"),
        "tape": lambda: source.tape("NOPE/USD", NOW),
        "candles": lambda: source.candles("NOPE/USD", 60, 1),
    }
    with pytest.raises(MarketDownError, match="Kraken does not list NOPE/USD"):
        await calls[method]()
