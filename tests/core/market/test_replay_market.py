"""A replayed market: nothing of a candle before its end, nothing between candles, nothing invented."""

from array import array
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.domain.market import Candle
from core.exchange.matching import Friction
from core.market.clocks import MarketClock
from core.market.replay import ReplayMarket, Series, first_moment
from tests.rig import SettableClock

T0 = 1_719_792_000
BEGIN = datetime.fromtimestamp(T0, UTC)
D = Decimal


def series(symbol: str = "ETH/USD", minutes: tuple[int, ...] = (0, 5, 10, 20, 25), price: float = 3000.0) -> Series:
    """Five-minute candles that begin these minutes after T0; each closes one higher than the one before."""
    starts = array("q", (T0 + 60 * minute for minute in minutes))
    rows = [(price + n, price + n + 2, price + n - 1, price + n + 1, 10.0 + n) for n in range(len(minutes))]
    return Series(symbol, 300, starts, array("d", (value for row in rows for value in row)))


def market(minute: float, *recorded: Series) -> ReplayMarket:
    clock = SettableClock(BEGIN + timedelta(minutes=minute))
    return ReplayMarket(recorded or [series()], clock, Friction())


def minutes_of(candles: object) -> list[float]:
    assert isinstance(candles, list)
    return [(candle.at - BEGIN).total_seconds() / 60 for candle in candles if isinstance(candle, Candle)]


async def test_a_candle_is_shown_at_its_end_and_not_a_second_earlier() -> None:
    early, late = market(5 - 1 / 60), market(5)
    assert (await early.quotes(["ETH/USD"]), await early.candles("ETH/USD", 300, 9)) == ({}, [])
    assert (await early.tape("ETH/USD", BEGIN)).events == []
    assert (await late.quotes(["ETH/USD"]))["ETH/USD"].last == D(3001)
    assert minutes_of(await late.candles("ETH/USD", 300, 9)) == [0]
    assert minutes_of((await late.tape("ETH/USD", BEGIN)).events) == [0]


@given(second=st.integers(min_value=0, max_value=40 * 60), since=st.integers(min_value=-600, max_value=40 * 60))
async def test_nothing_that_is_shown_ends_in_the_future(second: int, since: int) -> None:
    now = BEGIN + timedelta(seconds=second)
    made = ReplayMarket([series()], SettableClock(now), Friction())
    tape = await made.tape("ETH/USD", BEGIN + timedelta(seconds=since))
    shown = [*tape.events, *await made.candles("ETH/USD", 300, 100)]
    assert all(isinstance(one, Candle) and one.ends_at <= now for one in shown)
    assert all(quote.at <= now for quote in (await made.quotes(["ETH/USD"])).values())
    assert tape.until <= max(now, BEGIN + timedelta(seconds=since))


async def test_a_gap_is_not_filled_and_the_quote_of_before_grows_old_in_it() -> None:
    made = market(20)
    quote = (await made.quotes(["ETH/USD"]))["ETH/USD"]
    assert (quote.last, quote.at) == (D(3003), BEGIN + timedelta(minutes=15))
    assert quote.age_s(BEGIN + timedelta(minutes=20)) == 300
    assert minutes_of(await made.candles("ETH/USD", 300, 9)) == [0, 5, 10]


async def test_the_tape_cut_into_pieces_is_the_whole_tape() -> None:
    whole = (await market(30).tape("ETH/USD", BEGIN)).events
    found, since = [], BEGIN
    for minute in (3, 5, 8, 15, 20, 22, 30):
        tape = await market(minute).tape("ETH/USD", since)
        found += list(tape.events)
        since = tape.until
    assert found == list(whole)
    assert minutes_of(found) == [0, 5, 10, 20, 25]


async def test_a_candle_that_was_running_when_the_tape_begins_is_not_on_it() -> None:
    tape = await market(30).tape("ETH/USD", BEGIN + timedelta(minutes=12))
    assert minutes_of(tape.events) == [20, 25]


async def test_a_quote_has_half_the_configured_spread_on_each_side() -> None:
    clock = SettableClock(BEGIN + timedelta(minutes=5))
    made = ReplayMarket([series()], clock, Friction(half_spread_pct=D("0.1")))
    quote = (await made.quotes(["ETH/USD"]))["ETH/USD"]
    assert (quote.bid, quote.last, quote.ask) == (D("2997.99"), D(3001), D("3004.01"))


async def test_a_recording_has_no_book_and_candles_of_its_own_interval_only() -> None:
    made = market(30)
    assert await made.book("ETH/USD") is None
    assert await made.candles("ETH/USD", 60, 9) == ()
    assert minutes_of(await made.candles("ETH/USD", 300, 2)) == [20, 25]


async def test_each_symbol_of_a_replay_has_its_own_market_on_one_clock() -> None:
    made = market(10, series(), series("SOL/USD", (5, 10), 150.0))
    quotes = await made.quotes(["ETH/USD", "SOL/USD", "ZEC/USD"])
    assert {symbol: quote.last for symbol, quote in quotes.items()} == {"ETH/USD": D(3002), "SOL/USD": D(151)}
    assert set(await made.instruments()) == {"ETH/USD", "SOL/USD"}


async def test_a_symbol_that_was_not_recorded_has_nothing() -> None:
    made = market(30)
    assert (await made.tape("ZEC/USD", BEGIN)).events == ()
    assert await made.candles("ZEC/USD", 300, 9) == ()


async def test_a_known_symbol_has_krakens_sizes_and_an_unknown_one_the_grid_of_its_prices() -> None:
    made = market(30, series(), series("GRT/ETH", price=1.25))
    known = await made.instruments()
    assert (known["ETH/USD"].tick_size, known["ETH/USD"].order_min) == (D("0.01"), D("0.001"))
    assert known["GRT/ETH"].tick_size == D("0.01")
    assert known["GRT/ETH"].lot_size == D("0.00000001")


def test_a_replay_starts_when_its_first_candle_has_ended() -> None:
    assert first_moment([series("SOL/USD", (5, 10)), series()]) == BEGIN + timedelta(minutes=5)


async def test_on_its_stepping_clock_each_step_shows_the_candle_that_has_just_ended() -> None:
    machine = [0.0]
    recorded = series(minutes=(0, 5, 10, 15))
    clock = MarketClock(first_moment([recorded]), speed=300.0, step_s=300, monotonic=lambda: machine[0])
    made = ReplayMarket([recorded], clock, Friction())
    ages = []
    for half_second in range(6):
        machine[0] = half_second / 2
        ages.append((await made.quotes(["ETH/USD"]))["ETH/USD"].age_s(clock()))
    assert ages == [0.0] * 6
