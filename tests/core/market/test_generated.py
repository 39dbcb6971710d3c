"""The generated market: a pure function of seed and time, on Kraken's true grid, that never contradicts itself."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.market import Print
from core.domain.money import divide, is_multiple
from core.market.generated import MAX_STEPS, STEP_S, GeneratedMarket
from tests.rig import START, SettableClock

COINS = ("BTC", "ETH", "SOL", "ZEC", "XRP", "DOGE", "ADA", "LTC", "DOT")
CROSSES = ("ETH/BTC", "SOL/BTC", "XRP/BTC", "DOGE/BTC", "ADA/BTC", "LTC/BTC", "DOT/BTC", "ETH/EUR", "BTC/EUR")
SEED = 7
moments = st.integers(min_value=0, max_value=8 * 365 * 86_400).map(
    lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def market(at: datetime = START, seed: int = SEED) -> GeneratedMarket:
    return GeneratedMarket(seed, SettableClock(at))


async def prints(made: GeneratedMarket, symbol: str, since: datetime) -> list[Print]:
    return [event for event in (await made.tape(symbol, since)).events if isinstance(event, Print)]


async def test_every_promised_pair_is_there() -> None:
    known = await market().instruments()
    assert {f"{coin}/USD" for coin in COINS} | set(CROSSES) <= set(known)


@settings(max_examples=50)
@given(at=moments)
async def test_the_same_seed_and_moment_show_the_same_market_whenever_it_is_asked(at: datetime) -> None:
    ran_up_to_it = market(at - timedelta(minutes=10))
    await ran_up_to_it.quotes(["ZEC/USD"])
    await ran_up_to_it.candles("ZEC/USD", 60, 3)
    ran_up_to_it._clock = SettableClock(at)
    fresh = market(at)
    assert await ran_up_to_it.quotes(["ZEC/USD"]) == await fresh.quotes(["ZEC/USD"])
    assert await ran_up_to_it.book("ZEC/USD") == await fresh.book("ZEC/USD")
    assert await ran_up_to_it.candles("ZEC/USD", 60, 3) == await fresh.candles("ZEC/USD", 60, 3)
    assert await prints(ran_up_to_it, "ZEC/USD", at - timedelta(minutes=1)) == await prints(
        fresh, "ZEC/USD", at - timedelta(minutes=1)
    )


async def test_another_seed_is_another_market() -> None:
    one, other = await market(seed=1).quotes(["ZEC/USD"]), await market(seed=2).quotes(["ZEC/USD"])
    assert one["ZEC/USD"].last != other["ZEC/USD"].last


@settings(max_examples=20)
@given(at=moments, seed=st.integers(min_value=0, max_value=2**63))
async def test_every_quote_is_a_possible_one_on_the_instruments_own_grid(at: datetime, seed: int) -> None:
    made = market(at, seed)
    known = await made.instruments()
    quotes = await made.quotes(known)
    assert set(quotes) == set(known)
    for symbol, quote in quotes.items():
        tick = known[symbol].tick_size
        assert Decimal(0) < quote.bid <= quote.last <= quote.ask, quote
        assert quote.bid < quote.ask, quote
        assert all(is_multiple(price, tick) for price in (quote.bid, quote.last, quote.ask)), quote
        assert timedelta(0) <= at - quote.at < timedelta(seconds=STEP_S)


@settings(max_examples=20)
@given(at=moments, symbol=st.sampled_from(["BTC/USD", "DOGE/BTC", "ETH/EUR", "PEPE/USD", "USDT/USD", "STEP/USD"]))
async def test_a_book_is_sorted_around_the_quote_and_has_depth_at_every_level(at: datetime, symbol: str) -> None:
    made = market(at)
    quote, book = (await made.quotes([symbol]))[symbol], await made.book(symbol)
    assert book is not None
    bids, asks = [level.price for level in book.bids], [level.price for level in book.asks]
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert (bids[0], asks[0]) == (quote.bid, quote.ask)
    assert all(level.price > 0 and level.quantity > 0 for level in (*book.bids, *book.asks))


async def test_the_tape_shows_one_print_a_step_however_it_is_cut() -> None:
    made = market()
    since = START - timedelta(minutes=7, seconds=3)
    whole = await prints(made, "ZEC/USD", since)
    made._clock = SettableClock(START - timedelta(minutes=2, seconds=1))
    first = await made.tape("ZEC/USD", since)
    made._clock = SettableClock(START)
    second = await prints(made, "ZEC/USD", first.until)
    assert [*first.events, *second] == whole
    steps = [after.at - before.at for before, after in pairwise(whole)]
    assert set(steps) == {timedelta(seconds=STEP_S)}
    assert since < whole[0].at <= since + timedelta(seconds=STEP_S)
    assert whole[-1].at == START


async def test_the_last_print_is_the_quotes_last() -> None:
    made = market()
    last = (await prints(made, "ZEC/USD", START - timedelta(minutes=1)))[-1]
    assert last.price == (await made.quotes(["ZEC/USD"]))["ZEC/USD"].last


async def test_nothing_is_on_the_tape_before_the_next_step_or_for_an_unknown_symbol() -> None:
    made = market()
    assert await prints(made, "ZEC/USD", START) == []
    assert await prints(made, "ZEC/USD", START + timedelta(hours=1)) == []
    assert await prints(made, "XYZ/USD", START - timedelta(hours=1)) == []
    assert (await made.book("XYZ/USD"), await made.quotes(["XYZ/USD"])) == (None, {})
    assert list(await made.candles("XYZ/USD", 60, 5)) == []


async def test_a_long_absence_comes_in_portions_that_miss_nothing() -> None:
    made = market()
    since = START - timedelta(seconds=STEP_S * (MAX_STEPS + 50))
    first = await made.tape("ZEC/USD", since)
    second = await made.tape("ZEC/USD", first.until)
    times = [event.at for event in (*first.events, *second.events)]
    assert len(times) == len(set(times)) == MAX_STEPS + 50
    assert (times[-1], second.until) == (START, START)


def _made_of(events: Sequence[Print]) -> tuple[Decimal, Decimal, Decimal, Decimal, Decimal]:
    found = [event.price for event in events]
    return found[0], max(found), min(found), found[-1], sum((event.quantity for event in events), Decimal(0))


@pytest.mark.parametrize("interval", [60, 300, 900])
async def test_candles_are_made_of_the_very_prints_of_the_tape(interval: int) -> None:
    made = market(START + timedelta(seconds=17))
    tape = await prints(made, "ETH/USD", START - timedelta(seconds=3 * interval + STEP_S))
    candles = await made.candles("ETH/USD", interval, 3)
    assert [candle.at for candle in candles] == [START - timedelta(seconds=interval * n) for n in (3, 2, 1)]
    for candle in candles:
        inside = [event for event in tape if candle.at <= event.at < candle.ends_at]
        shown = (candle.open, candle.high, candle.low, candle.close, candle.volume)
        assert shown == _made_of(inside)


async def test_no_candle_is_shown_before_its_end() -> None:
    for second in range(0, 300, 7):
        now = START + timedelta(seconds=second)
        assert all(candle.ends_at <= now for candle in await market(now).candles("ETH/USD", 300, 5))


async def test_a_cross_pair_is_the_quotient_of_its_dollar_prices() -> None:
    made = market()
    quotes = await made.quotes(["ETH/USD", "BTC/USD", "ETH/BTC", "DOGE/USD", "DOGE/BTC"])
    for coin, allowed in (("ETH", "0.0003"), ("DOGE", "0.001")):
        cross = divide(quotes[f"{coin}/USD"].last, quotes["BTC/USD"].last)
        assert abs(divide(quotes[f"{coin}/BTC"].last, cross) - 1) < Decimal(allowed)


async def test_sizes_on_the_tape_lie_on_the_lot() -> None:
    made = market()
    known = await made.instruments()
    for symbol in ("BTC/USD", "PEPE/USD", "DOGE/BTC"):
        for event in await prints(made, symbol, START - timedelta(minutes=5)):
            assert is_multiple(event.quantity, known[symbol].lot_size)
            assert event.quantity > 0


async def test_a_dollar_coin_stays_near_a_dollar_and_a_year_of_zec_moves() -> None:
    days = [START + timedelta(days=day) for day in range(0, 365, 5)]
    steady = [(await market(day).quotes(["USDT/USD"]))["USDT/USD"].last for day in days]
    lively = [(await market(day).quotes(["ZEC/USD"]))["ZEC/USD"].last for day in days]
    assert max(steady) / min(steady) < Decimal("1.02")
    assert max(lively) / min(lively) > Decimal("1.10")
